//! Where an account's password comes from, of all the keys that may say so.

use super::Resolver;
use super::wrong::Wrong;
use crate::profile::file::{Account, NetrcWord};
use crate::profile::{Auth, PasswordSource, Server};
use crate::secrets;
use std::ops::Range;

/// Where `password-netrc = true` looks.
const NETRC: &str = "~/.netrc";

/// A source, and the key that names it; nothing instead where what it names makes no sense.
pub(super) type Source = (Range<usize>, Option<PasswordSource>);

impl Resolver<'_> {
    /// The account's own source, or else the default's unless the account says no to it, or else a prompt.
    pub(super) fn password(
        &self,
        server: &Server,
        auth: Auth,
        wrong: &mut Wrong,
    ) -> Option<PasswordSource> {
        if let Some(source) = self.password_of(self.account, server, auth, wrong) {
            return source;
        }
        let mut defaults = self.defaults.clone();
        if self
            .account
            .password_keyring
            .as_ref()
            .is_some_and(|it| !it.get_ref())
        {
            defaults.password_keyring = None;
        }
        let netrc = self.account.password_netrc.as_ref();
        if netrc.is_some_and(|it| matches!(it.get_ref(), NetrcWord::Usual(false))) {
            defaults.password_netrc = None;
        }
        let source = self.password_of(&defaults, server, auth, wrong);
        source.unwrap_or(Some(PasswordSource::Prompt))
    }

    fn password_of(
        &self,
        account: &Account,
        server: &Server,
        auth: Auth,
        wrong: &mut Wrong,
    ) -> Option<Option<PasswordSource>> {
        let mut sources: Vec<Source> = Vec::new();
        if let Some(password) = &account.password {
            let secret = password.get_ref().0.clone();
            let good = secret.can_be_sent().then_some(secret).ok_or_else(|| {
                let wrong = "a password cannot be empty or have a line break or NUL in it";
                self.error(password.span(), wrong)
            });
            let good = wrong.note(good).map(PasswordSource::Inline);
            sources.push((password.span(), good));
        }
        if let Some(command) = &account.password_command {
            let argv = self.argv(command, server, "[\"pass\", \"show\", \"mail\"]");
            let argv = wrong.note(argv).map(PasswordSource::Command);
            sources.push((command.span(), argv));
        }
        if let Some(credential) = &account.password_credential {
            let name = self.expand(credential.get_ref(), server);
            let good = secrets::is_credential_name(&name).then_some(name);
            let good = good.ok_or_else(|| {
                self.error_with(
                    credential.span(),
                    "this is no name of a systemd credential".into(),
                    "the name is what stands in the unit before the colon: \
                     LoadCredential=NAME:PATH"
                        .into(),
                )
            });
            let good = wrong.note(good).map(PasswordSource::Credential);
            sources.push((credential.span(), good));
        }
        if let Some(netrc) = &account.password_netrc {
            let path = match netrc.get_ref() {
                NetrcWord::Usual(false) => None,
                NetrcWord::Usual(true) => Some(NETRC),
                NetrcWord::File(path) => Some(path.as_str()),
            };
            if let Some(path) = path {
                let path = wrong.note(self.path(netrc.span(), path, server));
                sources.push((netrc.span(), path.map(PasswordSource::Netrc)));
            }
        }
        if let Some(file) = &account.password_file {
            let text = file.get_ref().to_string_lossy();
            let path = wrong.note(self.path(file.span(), &text, server));
            sources.push((file.span(), path.map(PasswordSource::File)));
        }
        if let Some(keyring) = account.password_keyring.as_ref().filter(|k| *k.get_ref()) {
            sources.push((keyring.span(), Some(PasswordSource::Keyring)));
        }
        sources.extend(self.oauth_of(account, server, auth, wrong));
        // The later one in the file is the one to point at.
        sources.sort_by_key(|(span, _)| span.start);
        let (span, source) = sources.pop()?;
        if !sources.is_empty() {
            wrong.note::<()>(Err(self.error_with(
                span,
                "the password comes from more than one place".into(),
                "keep one of `password-command`, `password-credential`, `password-file`, \
                 `password-keyring`, `password-netrc`, `password` and `oauth`"
                    .into(),
            )));
        }
        Some(source)
    }
}
