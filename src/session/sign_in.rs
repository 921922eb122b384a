//! AUTHORIZATION: from a greeting to an open maildrop (RFC 1939 section 4, RFC 5034).

use super::wire::Answer;
use super::{Authorization, Error, Phase, Session, Transaction};
use crate::pop3::command::COMMAND_LIMIT;
use crate::pop3::{Command, Event};
use crate::sasl::plain;

/// How to sign in.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Auth {
    /// The best method that the server announces.
    #[default]
    Auto,
    /// SASL PLAIN (RFC 4616).
    Plain,
    /// USER and PASS (RFC 1939 section 7).
    UserPass,
}

/// Who signs in, and how.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// Which methods are allowed.
    pub auth: Auth,
    /// The user's name.
    pub user: &'a str,
    /// The password.
    pub password: &'a str,
}

impl Session<Authorization> {
    /// Signs in, once, with one method: a refused password is never tried again, in no other way
    /// either, because servers lock people out for that.
    pub fn sign_in(mut self, credentials: Credentials<'_>) -> Result<Session<Transaction>, Error> {
        self.speak_utf8(credentials)?;
        let announced = self.capabilities.has_mechanism("PLAIN");
        let plain = match credentials.auth {
            Auth::Auto => announced,
            Auth::Plain => true,
            Auth::UserPass => false,
        };
        if plain {
            self.auth_plain(credentials)?;
        } else {
            self.user_pass(credentials)?;
        }
        Ok(Session {
            wire: self.wire,
            options: self.options,
            capabilities: self.capabilities,
            state: Transaction { asked_again: false },
        })
    }

    fn user_pass(&mut self, credentials: Credentials<'_>) -> Result<(), Error> {
        self.check_ascii(credentials)?;
        self.wire.send(Command::User(credentials.user))?;
        self.accepted()?;
        self.wire.send(Command::Pass(credentials.password))?;
        self.accepted()
    }

    fn auth_plain(&mut self, credentials: Credentials<'_>) -> Result<(), Error> {
        let response = plain::initial_response(credentials.user, credentials.password);
        // RFC 5034 section 4: an initial response only where the line stays a legal command.
        let fits = "AUTH PLAIN \r\n".len() + response.len() <= COMMAND_LIMIT;
        self.wire.send(Command::Auth {
            mechanism: "PLAIN",
            initial_response: fits.then_some(response.as_str()),
        })?;
        let (mut answered, mut cancelled) = (fits, false);
        loop {
            match self.wire.next(Phase::SignIn)? {
                Event::Challenge(_) if !answered => {
                    answered = true;
                    self.wire.respond(&response);
                }
                // PLAIN knows no second challenge: cancel (RFC 5034 section 4).
                Event::Challenge(_) if !cancelled => {
                    cancelled = true;
                    self.wire.respond("*");
                }
                Event::Challenge(_) => return Err(Error::Challenges),
                Event::Reply(reply) if reply.ok => return Ok(()),
                Event::Reply(reply) => {
                    let answer = Answer::from(reply);
                    return Err(self.refused(self.wire.without_secrets(answer)));
                }
                _ => {}
            }
        }
    }

    fn accepted(&mut self) -> Result<(), Error> {
        let answer = self.wire.answer(Phase::SignIn)?;
        if answer.ok {
            return Ok(());
        }
        Err(self.refused(answer))
    }

    fn refused(&self, answer: Answer) -> Error {
        Error::SignIn {
            answer,
            would_say_auth: self.capabilities.auth_resp_code,
        }
    }
}
