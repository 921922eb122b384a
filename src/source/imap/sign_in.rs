//! From a greeting to a server that has let us in (RFC 3501 section 6.2, RFC 4959).

use super::wire::Step;
use super::{Answer, Credentials, Detour, Error, Greeted, Mailboxes, Meaning, Method, Phase};
use super::{Session, SignedIn, UnderWay};
use crate::imap::Command;
use crate::sasl::{self, Binding, Denial, Exchange, Mechanism};
use crate::source::method;
use crate::source::refusal::{Refusal, judgement};

/// The first message of a mechanism that goes with the command is no longer than this: servers take
/// lines of 8,000 octets (RFC 7162 section 4). A longer one waits for the server's word.
const INITIAL_RESPONSE: usize = 7900;

impl Session<Greeted> {
    /// Signs in, once, with one method: a refused password is never tried again, in no other way
    /// either. Another way is taken only where the server has refused the way alone ([`Detour`]).
    pub(in crate::source) fn sign_in(
        mut self,
        credentials: Credentials<'_>,
    ) -> Result<Session<SignedIn>, Error> {
        if self.state.knows_us {
            return Ok(self.signed_in(Method::Known, None));
        }
        let (method, detour) = Detour::sign_in(self.options.detour, |detour, _| {
            let (error, method) = match self.sign_in_by(credentials, detour) {
                Ok(method) => return Ok(method),
                Err(failed) => failed,
            };
            let refuses_the_way = error.meaning() == Some(Meaning::Command) && !self.state.judged;
            let announced = &self.capabilities;
            let announces = |mechanism: Mechanism| announced.has_mechanism(mechanism.name());
            let next = method
                .filter(|_| refuses_the_way)
                .and_then(|method| Detour::around(method, detour, credentials.auth, announces))
                .filter(|next| match next {
                    Detour::Unbound => true,
                    Detour::TwoSteps => announced.sasl_ir,
                    Detour::UserPass => false,
                });
            Err((error, next))
        })?;
        Ok(self.signed_in(method, detour))
    }

    fn signed_in(mut self, method: Method, detour: Option<Detour>) -> Session<SignedIn> {
        let told = self.wire.take_capabilities();
        let knows_capabilities = told.is_some() || method == Method::Known;
        Session {
            state: SignedIn {
                knows_capabilities,
                detour,
                method,
                mailboxes: Mailboxes::default(),
                under_way: UnderWay::default(),
                has_appended: false,
                knows_what_we_are: false,
            },
            capabilities: told.unwrap_or(self.capabilities),
            wire: self.wire,
            options: self.options,
        }
    }

    /// How, or why not, and by which method, if there was one.
    fn sign_in_by(
        &mut self,
        credentials: Credentials<'_>,
        detour: Option<Detour>,
    ) -> Result<Method, (Error, Option<Method>)> {
        self.state.judged = false;
        let key = self.wire.link.tls_exporter();
        let key = key.filter(|_| detour != Some(Detour::Unbound) && !credentials.auth.is_unbound());
        let announced = &self.capabilities;
        let announces = |mechanism: Mechanism| announced.has_mechanism(mechanism.name());
        let Credentials { auth, secret, .. } = credentials;
        let chosen = method::choose(auth, secret, announces, key.is_some());
        match chosen.map_err(|error| (error, None))? {
            Method::Sasl(mechanism) => {
                let binding = match key {
                    Some(key) if mechanism.is_bound() => Binding::TlsExporter(key),
                    Some(_) if !method::offers_binding(announces) => Binding::NotOffered,
                    _ => Binding::Impossible,
                };
                let at_once = announced.sasl_ir && detour != Some(Detour::TwoSteps);
                let done = self.authenticate(mechanism, credentials, binding, at_once);
                let method = Method::Sasl(mechanism);
                done.map(|()| method).map_err(|error| (error, Some(method)))
            }
            _ if announced.login_disabled => Err((Error::NoPasswords, None)),
            _ => {
                let done = self.log_in(credentials);
                done.map(|()| Method::Login)
                    .map_err(|error| (error, Some(Method::Login)))
            }
        }
    }

    fn log_in(&mut self, credentials: Credentials<'_>) -> Result<(), Error> {
        let password = credentials.secret.reveal();
        self.wire.send(Command::Login(credentials.user, password))?;
        let answer = self.wire.answer(Phase::SignIn)?;
        match answer.ok {
            true => Ok(()),
            false => Err(self.refused(Method::Login, answer, None)),
        }
    }

    fn authenticate(
        &mut self,
        mechanism: Mechanism,
        credentials: Credentials<'_>,
        binding: Binding,
        at_once: bool,
    ) -> Result<(), Error> {
        let failed = |source| Error::Sasl {
            mechanism: mechanism.name(),
            source,
        };
        let begun = Exchange::begin(mechanism, &credentials.for_sasl(), binding);
        let mut exchange = begun.map_err(failed)?;
        let initial_response = match at_once {
            true => exchange.initial_response(INITIAL_RESPONSE),
            false => None,
        };
        if let Some(response) = &initial_response {
            self.wire.link.hide(response);
        }
        self.wire.send(Command::Authenticate {
            mechanism: mechanism.name(),
            initial_response: initial_response.as_ref().map(|response| response.as_str()),
        })?;
        // Why we have cancelled.
        let mut given_up: Option<sasl::Error> = None;
        loop {
            let answer = match self.wire.next(Phase::SignIn)? {
                Step::Challenge if given_up.is_some() => return Err(Error::Challenges),
                Step::Challenge => {
                    match exchange.respond(self.wire.challenge()) {
                        Ok(response) => {
                            // What PLAIN says may have gone with the command already; a binding is
                            // seen last.
                            self.state.judged =
                                mechanism != Mechanism::Plain && !mechanism.is_bound();
                            self.wire.link.hide(&response);
                            self.wire.respond(&response);
                        }
                        // RFC 3501 section 6.2.2: the server is to be told that it is over.
                        Err(error) => {
                            self.state.judged = error != sasl::Error::Refused(Denial::Binding);
                            given_up = Some(error);
                            self.wire.respond("*");
                        }
                    }
                    continue;
                }
                Step::Done(answer) => answer,
                _ => continue,
            };
            let method = Method::Sasl(mechanism);
            return match given_up {
                None if answer.ok => exchange.accepted().map_err(failed),
                None => Err(self.refused(method, answer, exchange.token_status())),
                // Then it is the server's word that counts, if only to our "*".
                Some(sasl::Error::Unexpected | sasl::Error::Refused(_)) if !answer.ok => {
                    Err(Error::SignIn {
                        method,
                        answer,
                        would_say_auth: false,
                        token_status: None,
                        judged: given_up.and_then(judgement),
                    })
                }
                Some(reason) => Err(failed(reason)),
            };
        }
    }

    fn refused(&self, method: Method, answer: Answer, token_status: Option<&str>) -> Error {
        let refusal = Refusal {
            method,
            answer,
            would_say_auth: false,
        };
        refusal.into_error(token_status, &self.wire.link)
    }
}
