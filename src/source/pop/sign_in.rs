//! AUTHORIZATION: from a greeting to an open maildrop (RFC 1939 section 4, RFC 5034).

use super::{Answer, Authorization, Credentials, Detour, Error, Meaning, Method, Phase};
use super::{Session, Shortcut, Transaction};
use crate::pop3::command::COMMAND_LIMIT;
use crate::pop3::{Command, Event};
use crate::sasl::{self, Binding, Denial, Exchange, Mechanism, md5};
use crate::source::method;
use crate::source::refusal::{Refusal, judgement};

/// How a sign-in has worked.
struct SignedIn {
    method: Method,
    /// The shortcut that it has shown.
    shown: Option<Shortcut>,
    /// Whether the listings were asked for as well.
    ahead: bool,
}

impl Session<Authorization> {
    /// Signs in, once, with one method: a refused password is never tried again, in no other way
    /// either, because servers lock people out for that. Another way is taken only where the server
    /// has refused the way alone ([`Detour`]). Where it may go ahead the listings are asked for in
    /// the same flight.
    pub fn sign_in(mut self, credentials: Credentials<'_>) -> Result<Session<Transaction>, Error> {
        self.speak_utf8(credentials)?;
        let (signed_in, detour) = Detour::sign_in(self.options.detour, |detour, again| {
            let (error, method) = match self.sign_in_by(credentials, detour, again) {
                Ok(signed_in) => return Ok(signed_in),
                Err(failed) => failed,
            };
            let refuses_the_way = error.meaning() == Some(Meaning::Command) && !self.state.judged;
            let next = method.filter(|_| refuses_the_way).and_then(|method| {
                let announced = &self.capabilities;
                let announces = |mechanism: Mechanism| announced.has_mechanism(mechanism.name());
                Detour::around(method, detour, credentials.auth, announces)
            });
            Err((error, next))
        })?;
        Ok(self.signed_in(signed_in, detour))
    }

    fn signed_in(self, signed_in: SignedIn, detour: Option<Detour>) -> Session<Transaction> {
        Session {
            state: Transaction {
                asked_again: false,
                listing: signed_in.ahead,
                top_lines: None,
                shortcut: self.state.shortcut.or(signed_in.shown),
                detour,
                method: signed_in.method,
            },
            wire: self.wire,
            options: self.options,
            capabilities: self.capabilities,
        }
    }

    /// How, or why not, and by which method, if there was one. `again`: a method was refused on this connection.
    fn sign_in_by(
        &mut self,
        credentials: Credentials<'_>,
        detour: Option<Detour>,
        again: bool,
    ) -> Result<SignedIn, (Error, Option<Method>)> {
        self.state.judged = false;
        let key = self.wire.link.tls_exporter();
        let key = key.filter(|_| detour != Some(Detour::Unbound) && !credentials.auth.is_unbound());
        let announced = &self.capabilities;
        let announces = |mechanism: Mechanism| announced.has_mechanism(mechanism.name());
        let chosen = match self.state.shortcut {
            Some(shortcut) => shortcut.method(),
            None => {
                let Credentials { auth, secret, .. } = credentials;
                method::choose(auth, secret, announces, key.is_some()).map_err(|e| (e, None))?
            }
        };
        let method = detour.map_or(chosen, |detour| detour.method(chosen, credentials.auth));
        let at_once = match method {
            Method::UserPass => true,
            _ => detour != Some(Detour::TwoSteps) && !announced.drops_what_follows_auth(),
        };
        let shown = Shortcut::after(method, announced.auth_resp_code)
            .filter(|shortcut| at_once && self.may_pipeline() && shortcut.fits(&credentials));
        let ahead = self.options.ahead && shown.is_some() || self.state.shortcut.is_some();
        let ahead = ahead && !again;
        let signed_in = match method {
            Method::UserPass => self.user_pass(credentials, ahead),
            // These are another protocol's.
            Method::Login | Method::Known => Err(Error::NoMethod),
            Method::Apop => self.apop(credentials),
            Method::Sasl(mechanism) => {
                let binding = match key {
                    Some(key) if mechanism.is_bound() => Binding::TlsExporter(key),
                    Some(_) if !method::offers_binding(announces) => Binding::NotOffered,
                    _ => Binding::Impossible,
                };
                let waits = detour == Some(Detour::TwoSteps) && mechanism == Mechanism::Plain;
                self.authenticate(mechanism, credentials, binding, waits, ahead)
            }
        };
        signed_in
            .map(|()| SignedIn {
                method,
                shown,
                ahead,
            })
            .map_err(|error| (error, Some(method)))
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
        self.wire.link.hide(digest.as_str());
        self.wire.send(Command::Apop(credentials.user, &digest))?;
        self.accepted(Method::Apop)
    }

    fn authenticate(
        &mut self,
        mechanism: Mechanism,
        credentials: Credentials<'_>,
        binding: Binding,
        waits: bool,
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
        let room = match waits {
            true => 0,
            false => COMMAND_LIMIT.saturating_sub(around),
        };
        let initial_response = exchange.initial_response(room);
        if let Some(response) = &initial_response {
            self.wire.link.hide(response);
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
                            let status = exchange.token_status();
                            match self.refused(Method::Sasl(mechanism), answer, status) {
                                // What follows answers what was sent behind it.
                                error if ahead && error.meaning() == Some(Meaning::Command) => {
                                    Error::NotAhead
                                }
                                error => error,
                            }
                        }
                        // Then it is the server's word that counts, if only to our "*".
                        Some(sasl::Error::Unexpected | sasl::Error::Refused(_)) if !answer.ok => {
                            Error::SignIn {
                                method: Method::Sasl(mechanism),
                                answer,
                                would_say_auth: false,
                                token_status: None,
                                judged: given_up.and_then(judgement),
                            }
                        }
                        Some(reason) => failed(reason),
                        None => failed(sasl::Error::Unfinished),
                    });
                }
                _ => continue,
            };
            match exchange.respond(challenge) {
                Ok(response) => {
                    // What PLAIN says has gone with the command already; a binding is seen last.
                    self.state.judged = mechanism != Mechanism::Plain && !mechanism.is_bound();
                    self.wire.link.hide(&response);
                    self.wire.respond(&response);
                }
                // RFC 5034 section 4: the server is to be told that it is over.
                Err(error) => {
                    self.state.judged = error != sasl::Error::Refused(Denial::Binding);
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
        let refusal = Refusal {
            method,
            answer,
            would_say_auth: match self.state.shortcut {
                Some(shortcut) => shortcut.auth_resp_code,
                None => self.capabilities.auth_resp_code,
            },
        };
        refusal.into_error(token_status, &self.wire.link)
    }
}

impl Session<Transaction> {
    /// How it was signed in.
    pub fn method(&self) -> Method {
        self.state.method
    }
}
