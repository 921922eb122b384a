//! AUTHORIZATION: from a greeting to an open maildrop (RFC 1939 section 4, RFC 5034).

use super::method::{self, Auth, Method};
use super::wire::Answer;
use super::{Authorization, Error, Phase, Session, Shortcut, Transaction};
use crate::pop3::command::COMMAND_LIMIT;
use crate::pop3::{Command, Event};
use crate::sasl::{self, Binding, Exchange, Mechanism, Secret, md5};

/// The most of a server's `status` for a token that is worth telling.
const TOKEN_STATUS: usize = 64;

/// Who signs in, how, and where.
#[derive(Clone, Copy, Debug)]
pub struct Credentials<'a> {
    /// Which methods are allowed.
    pub auth: Auth,
    /// The user's name.
    pub user: &'a str,
    /// What proves it.
    pub secret: Secret<'a>,
    /// The configured host; OAUTHBEARER names it.
    pub host: &'a str,
    /// The configured port, likewise.
    pub port: u16,
}

impl<'a> Credentials<'a> {
    pub(super) fn for_sasl(self) -> sasl::Credentials<'a> {
        sasl::Credentials {
            user: self.user,
            secret: self.secret,
            host: self.host,
            port: self.port,
        }
    }
}

impl Session<Authorization> {
    /// Signs in, once, with one method: a refused password is never tried again, in no other way
    /// either, because servers lock people out for that. Where it may go ahead the listings are
    /// asked for in the same flight.
    pub fn sign_in(mut self, credentials: Credentials<'_>) -> Result<Session<Transaction>, Error> {
        self.speak_utf8(credentials)?;
        let key = self.wire.tls_exporter();
        let announced = &self.capabilities;
        let method = match self.state.shortcut {
            Some(shortcut) => shortcut.method(),
            None => method::choose(
                credentials.auth,
                credentials.secret,
                announced,
                key.is_some(),
            )?,
        };
        let shown = Shortcut::after(method, announced.auth_resp_code)
            .filter(|shortcut| self.may_pipeline() && shortcut.fits(&credentials));
        let ahead = self.options.ahead && shown.is_some() || self.state.shortcut.is_some();
        match method {
            Method::UserPass => self.user_pass(credentials, ahead)?,
            Method::Apop => self.apop(credentials)?,
            Method::Sasl(mechanism) => {
                let binding = match key {
                    Some(key) if mechanism.is_bound() => Binding::TlsExporter(key),
                    Some(_) if !method::offers_binding(announced) => Binding::NotOffered,
                    _ => Binding::Impossible,
                };
                self.authenticate(mechanism, credentials, binding, ahead)?;
            }
        }
        Ok(Session {
            state: Transaction {
                asked_again: false,
                listing: ahead,
                top_lines: None,
                shortcut: self.state.shortcut.or(shown),
            },
            wire: self.wire,
            options: self.options,
            capabilities: self.capabilities,
        })
    }

    fn user_pass(&mut self, credentials: Credentials<'_>, ahead: bool) -> Result<(), Error> {
        self.check_ascii(credentials)?;
        self.wire.send(Command::User(credentials.user))?;
        if !ahead {
            self.accepted(Method::UserPass)?;
        }
        self.wire.send(Command::Pass(credentials.secret.reveal()))?;
        if ahead {
            self.ask_for_listings(true)?;
            self.accepted(Method::UserPass)?;
        }
        self.accepted(Method::UserPass)
    }

    fn apop(&mut self, credentials: Credentials<'_>) -> Result<(), Error> {
        self.check_ascii(credentials)?;
        let timestamp = self.state.timestamp.as_ref().ok_or(Error::NoTimestamp)?;
        let digest = md5::apop(timestamp, credentials.secret.reveal());
        self.wire.hide(digest.as_str());
        self.wire.send(Command::Apop(credentials.user, &digest))?;
        self.accepted(Method::Apop)
    }

    fn authenticate(
        &mut self,
        mechanism: Mechanism,
        credentials: Credentials<'_>,
        binding: Binding,
        ahead: bool,
    ) -> Result<(), Error> {
        let failed = |source| Error::Sasl {
            mechanism: mechanism.name(),
            source,
        };
        let begun = Exchange::begin(mechanism, &credentials.for_sasl(), binding);
        let mut exchange = begun.map_err(failed)?;
        // RFC 5034 section 4: an initial response only where the line stays a legal command.
        let around = "AUTH  \r\n".len() + mechanism.name().len();
        let initial_response = exchange.initial_response(COMMAND_LIMIT.saturating_sub(around));
        if let Some(response) = &initial_response {
            self.wire.hide(response);
        }
        self.wire.send(Command::Auth {
            mechanism: mechanism.name(),
            initial_response: initial_response.as_ref().map(|response| response.as_str()),
        })?;
        if ahead {
            self.ask_for_listings(true)?;
        }
        // Why we have cancelled.
        let mut given_up: Option<sasl::Error> = None;
        loop {
            let challenge = match self.wire.next(Phase::SignIn)? {
                Event::Challenge(_) if given_up.is_some() => return Err(Error::Challenges),
                // What was sent ahead would be the answer.
                Event::Challenge(_) if ahead => {
                    return Err(Error::NotAhead);
                }
                Event::Challenge(challenge) => challenge,
                Event::Reply(reply) if reply.ok && given_up.is_none() => {
                    if !exchange.is_prompted_by_ok() {
                        return exchange.accepted().map_err(failed);
                    }
                    reply.text
                }
                Event::Reply(reply) => {
                    let answer = Answer::from(reply);
                    let answer = self.wire.without_secrets(answer);
                    return Err(match given_up {
                        None if !answer.ok => {
                            self.refused(Method::Sasl(mechanism), answer, exchange.token_status())
                        }
                        // Then it is the server's word that counts, if only to our "*".
                        Some(sasl::Error::Unexpected) if !answer.ok => Error::SignIn {
                            method: Method::Sasl(mechanism),
                            answer,
                            would_say_auth: false,
                            token_status: None,
                        },
                        Some(reason) => failed(reason),
                        None => failed(sasl::Error::Unfinished),
                    });
                }
                _ => continue,
            };
            match exchange.respond(challenge) {
                Ok(response) => {
                    self.wire.hide(&response);
                    self.wire.respond(&response);
                }
                // RFC 5034 section 4: the server is to be told that it is over.
                Err(error) => {
                    given_up = Some(error);
                    self.wire.respond("*");
                }
            }
        }
    }

    fn accepted(&mut self, method: Method) -> Result<(), Error> {
        let answer = self.wire.answer(Phase::SignIn)?;
        if answer.ok {
            return Ok(());
        }
        Err(self.refused(method, answer, None))
    }

    fn refused(&self, method: Method, answer: Answer, token_status: Option<&str>) -> Error {
        Error::SignIn {
            method,
            answer,
            token_status: token_status.and_then(|status| {
                // Again, for what was apart may have come together.
                let status = harmless(&self.wire.hidden(status));
                cut(self.wire.hidden(&status))
            }),
            would_say_auth: match self.state.shortcut {
                Some(shortcut) => shortcut.auth_resp_code,
                None => self.capabilities.auth_resp_code,
            },
        }
    }
}

/// A token's status without anything that could disturb a terminal.
fn harmless(status: &str) -> String {
    let harmless = |c: &char| c.is_ascii_graphic() && *c != '"' || *c == ' ';
    status.chars().filter(harmless).collect()
}

/// What is told of it; `None` where nothing is left.
fn cut(status: String) -> Option<String> {
    let status: String = status.chars().take(TOKEN_STATUS).collect();
    (!status.is_empty()).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s25_only_what_is_harmless_is_told_of_a_tokens_status() {
        let told = |status: &str| cut(harmless(status));
        assert_eq!(told("401").as_deref(), Some("401"));
        let hostile = told("in\u{1b}]52;va\u{9b}lid\u{202e}\"x");
        assert_eq!(hostile.as_deref(), Some("in]52;validx"));
        assert_eq!(told(&"x".repeat(4000)).unwrap().len(), TOKEN_STATUS);
        assert_eq!(told("\u{202e}"), None);
    }
}
