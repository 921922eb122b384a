//! UTF8: names and passwords beyond ASCII (RFC 6856 section 2).

use super::{Authorization, Credentials, Error, Phase, Session};
use crate::pop3::Command;

impl Session<Authorization> {
    /// Sends UTF8 where the credentials need it and the server announces it, or where the server
    /// has asked for it in an earlier session. After it there is no STLS any more.
    pub(super) fn speak_utf8(&mut self, credentials: Credentials<'_>) -> Result<(), Error> {
        let needed = beyond_ascii(credentials).is_some() && self.capabilities.utf8;
        if needed || self.options.utf8 {
            self.wire.send(Command::Utf8)?;
            self.state.utf8 = self.wire.answer(Phase::SignIn)?.ok;
        }
        Ok(())
    }

    /// Fails where USER and PASS would carry what they cannot.
    pub(super) fn check_ascii(&self, credentials: Credentials<'_>) -> Result<(), Error> {
        match beyond_ascii(credentials) {
            Some(what) if !self.state.utf8 => Err(Error::BeyondAscii { what }),
            _ => Ok(()),
        }
    }
}

fn beyond_ascii(credentials: Credentials<'_>) -> Option<&'static str> {
    let secret = credentials.secret.reveal();
    match (credentials.user.is_ascii(), secret.is_ascii()) {
        (false, _) => Some("user name"),
        (_, false) => Some("password"),
        _ => None,
    }
}
