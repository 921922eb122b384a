//! Who appends messages to a folder of another account: by a session with that account's own server, user
//! and secret, for all messages of a run.

use super::conduct::Conduct;
use super::{Account, Environment, Error, failure, look};
use crate::exit::Status;
use crate::handover::{Answer, Append, Earlier, Folder, Post, Unable};
use crate::net;
use crate::profile::Profile;
use crate::report::{Event, Report};
use crate::secrets::Credential;
use crate::source::{self, Appended, Found, Source, Unappended};
use std::sync::Arc;
use std::time::Duration;

/// A message that a server may still be storing, as the client was killed just now, shows after so long.
const SETTLING: Duration = Duration::from_secs(1);

/// The account that messages are handed to.
#[derive(Clone)]
pub struct Addressee {
    /// What its owner wants.
    pub profile: Arc<Profile>,
    /// What to sign in with, or why there is nothing.
    pub credential: Result<Credential<'static>, Unable>,
}

/// See the module.
pub(super) struct Appender {
    folder: Folder,
    addressee: Addressee,
    environment: Environment,
    session: Option<Source>,
}

/// Hears what a session says for people and not how far it has got: that is another account's.
struct Aloof(Arc<dyn Report>);

impl Report for Aloof {
    fn report(&self, account: &str, event: Event<'_>) {
        if matches!(
            event,
            Event::Wire { .. } | Event::Notice(_) | Event::Warning(_)
        ) {
            self.0.report(account, event);
        }
    }
}

/// What has become of a try.
enum Tried {
    /// This, and the session may be used for another message.
    Open(Answer),
    /// This.
    Done(Answer),
    /// The session is over: why.
    Broken(source::Error),
    /// The same, once the server may have had all of the message.
    Unclear(source::Error),
}

impl Appender {
    pub(super) fn new(folder: Folder, addressee: Addressee, environment: &Environment) -> Self {
        Self {
            folder,
            addressee,
            environment: Environment {
                report: Arc::new(Aloof(Arc::clone(&environment.report))),
                // It reads one message's file after the other.
                confined: false,
                ..environment.clone()
            },
            session: None,
        }
    }

    fn sign_in(&self) -> Result<Source, Answer> {
        let profile = &*self.addressee.profile;
        let credential = self.addressee.credential.clone();
        let account = Account {
            profile,
            credential: credential.map_err(Answer::Unable)?,
            environment: &self.environment,
            addressee: None,
        };
        let mut conduct = Conduct::of_look(&account);
        let signed_in = conduct.check(&account);
        let signed_in = signed_in.and_then(|()| look::sign_in(&account, None, &mut conduct));
        if let Err(error) = &signed_in {
            conduct.note_refusal(&account, error);
        }
        conduct.keep_refusal(&account);
        signed_in.map_err(|error| Answer::Unable(self.unable(&error)))
    }

    fn unable(&self, error: &Error) -> Unable {
        let failure = failure(error);
        let hint = failure.hint.map(|hint| format!("{hint}; "));
        Unable {
            what: self.says(&failure.message),
            hint: format!(
                "{}what was fetched is kept until it can be handed on",
                hint.unwrap_or_default()
            ),
            status: failure.status,
        }
    }

    fn says(&self, what: &str) -> String {
        format!("account {}: {what}", self.folder.account)
    }

    fn attempt(&self, source: &mut Source, post: &mut Post, earlier: Option<Earlier>) -> Tried {
        let folder = &self.folder.folder;
        let mut remark = None;
        if let Some(Earlier {
            twins,
            is_recent,
            is_look,
        }) = earlier
        {
            let mut found = source.find(folder, post, twins);
            if is_recent
                && matches!(found, Ok(Found::NotThere))
                && self.environment.stop.wait(SETTLING).is_none()
            {
                found = source.find(folder, post, twins);
            }
            match found {
                Ok(Found::There) => {
                    let remark = format!(
                        "account {} has it since an earlier try",
                        self.folder.account
                    );
                    return Tried::Open(Answer::Taken(Some(remark)));
                }
                Ok(Found::NotThere | Found::CannotTell) if is_look => {
                    let why = self.says(
                        "the answer was lost, and nobody knows whether it was taken: a later run looks for \
                         it there first",
                    );
                    let is_slow = false;
                    return Tried::Open(Answer::Unclear { why, is_slow });
                }
                Ok(Found::NotThere) => {}
                Ok(Found::CannotTell) => {
                    remark = Some(format!(
                        "account {} does not tell whether it has it since an earlier try: it may be there \
                         twice now",
                        self.folder.account
                    ));
                }
                Err(error) => return Tried::Broken(error),
            }
        }
        match source.append(folder, post) {
            Ok(appended) => Tried::Open(self.answer(appended, remark)),
            Err(Unappended::Cut(appended)) => Tried::Done(self.answer(appended, remark)),
            Err(Unappended::File(error)) => {
                Tried::Done(Answer::Later(format!("its file cannot be read: {error}")))
            }
            Err(Unappended::Session {
                error,
                may_be_taken: false,
            }) => Tried::Broken(error),
            Err(Unappended::Session { error, .. }) => Tried::Unclear(error),
        }
    }

    fn answer(&self, appended: Appended, remark: Option<String>) -> Answer {
        match appended {
            Appended::Taken { made: false } => Answer::Taken(remark),
            Appended::Taken { made: true } => {
                let made = format!("the folder {} was made for it", self.folder);
                Answer::Taken(Some(
                    remark.map_or(made.clone(), |it| format!("{made}; {it}")),
                ))
            }
            Appended::NotNow(answer) => {
                Answer::Later(self.says(&format!("it cannot take it now: {answer}")))
            }
            Appended::Refused(answer) => {
                Answer::Refused(self.says(&format!("it did not take it: {answer}")))
            }
            Appended::NoFolder(answer) => Answer::Unable(Unable {
                what: self.says(&format!(
                    "the folder `{}` takes no messages there: {answer}",
                    self.folder.folder
                )),
                hint: "name another folder in `deliver`, or make this one there; what was fetched is kept \
                       until it can be handed on"
                    .to_owned(),
                status: Status::Unavailable,
            }),
            Appended::Never(why) => {
                Answer::Refused(self.says(&format!("it cannot take it: {why}")))
            }
        }
    }
}

impl Append for Appender {
    fn append(&mut self, mut post: Post, earlier: Option<Earlier>) -> Answer {
        // A session that nothing was said in for long may be over by now.
        for is_last in [false, true] {
            let mut source = match self.session.take() {
                Some(source) => source,
                None => match self.sign_in() {
                    Ok(source) => source,
                    Err(answer) => return answer,
                },
            };
            let error = match self.attempt(&mut source, &mut post, earlier) {
                Tried::Open(answer) => {
                    self.session = Some(source);
                    return answer;
                }
                Tried::Done(answer) => return answer,
                Tried::Broken(error) => error,
                Tried::Unclear(error) => {
                    return Answer::Unclear {
                        is_slow: is_slow(&error),
                        why: self.says(&format!(
                            "{error}, once it had all of it, and nobody knows whether it was taken: a later \
                             run looks for it there first"
                        )),
                    };
                }
            };
            let is_stopped = self.environment.stop.requested().is_some();
            if is_last || is_slow(&error) || is_stopped {
                let what = self.says(&error.to_string());
                return match is_slow(&error) {
                    true => Answer::Hangs(what),
                    false => Answer::Later(what),
                };
            }
        }
        Answer::Later(self.says("it was not reached"))
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        if let Some(source) = self.session.take() {
            source.leave();
        }
    }
}

fn is_slow(error: &source::Error) -> bool {
    matches!(
        error,
        source::Error::Net {
            source: net::Error::TimedOut(_) | net::Error::TooSlow(_) | net::Error::Dripping(_),
            ..
        }
    )
}
