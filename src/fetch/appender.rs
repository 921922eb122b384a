//! Who appends messages to a folder of another account: by a session with that account's own server, user
//! and secret, for all messages of a run.

use super::conduct::Conduct;
use super::{Account, Environment, Error, failure, look};
use crate::exit::Status;
use crate::handover::{
    Answer, Append, Earlier, Folder, Letter, Located, Post, Resemblance, Spot, Standing, Unable,
};
use crate::net;
use crate::profile::Profile;
use crate::report::{Event, Report};
use crate::secrets::Credential;
use crate::source::{self, Appended, Found, Source, Unappended};
use crate::state::{AlikePut, Neighbours, Ours};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A message that a server may still be storing, as the client was killed just now, shows after so long.
const SETTLING: Duration = Duration::from_secs(1);

/// A message is looked for so often while others put their like there.
const LOOKS: usize = 3;

/// The account that messages are handed to.
#[derive(Clone)]
pub struct Addressee {
    /// What its owner wants.
    pub profile: Arc<Profile>,
    /// What to sign in with, or why there is nothing.
    pub credential: Result<Credential<'static>, Unable>,
    /// Whether others who hand to it in this run were let in.
    pub turned_away: TurnedAway,
}

/// That a server has refused an account's secret, once it has, and what was said of that: nobody else tries it in
/// this run, as a server may lock an account that is tried too often.
pub type TurnedAway = Arc<Mutex<Option<Unable>>>;

/// See the module.
pub(super) struct Appender {
    folder: Folder,
    addressee: Addressee,
    environment: Environment,
    session: Option<Source>,
    /// Tells the folder from others.
    key: u32,
    next: Next,
    /// The folder was made, and that was not told yet.
    made: bool,
    /// Who has put what there.
    neighbours: Neighbours,
}

/// Where the next message will be.
#[derive(Clone, Copy)]
enum Next {
    /// The server is to be asked for it.
    Unasked,
    /// It was asked, and does not say so.
    Untold,
    /// There at least.
    At(Spot),
}

impl Next {
    fn spot(self) -> Option<Spot> {
        match self {
            Self::At(spot) => Some(spot),
            Self::Unasked | Self::Untold => None,
        }
    }

    /// Once one more has been put there, here as far as the server says so: behind that, so that nobody need ask;
    /// unless the server contradicts itself, or the folder was made anew.
    fn behind(self, put: Option<Spot>) -> Self {
        match (self, put) {
            (Self::At(next), Some(put)) if put.validity != next.validity => Self::Unasked,
            (Self::At(next), Some(put)) if put.is_behind(next) => Self::At(Spot {
                number: put.number.saturating_add(1),
                ..put
            }),
            (next, _) => next,
        }
    }
}

/// What others have put into the folder that a message may be in, since that was first tried.
#[derive(Default)]
struct Since {
    in_folder: Vec<Spot>,
    /// Into a folder of another name, which may be the same one, or into an earlier one of this name.
    elsewhere: Vec<Spot>,
    /// And what looks like it, nobody knows where.
    may_be_any: bool,
}

impl Since {
    fn new(others: AlikePut, from: Located) -> Self {
        let is_since = |it: &Located| it.spot.is_behind(from.spot);
        let known = others.known.into_iter().filter(is_since);
        let (here, elsewhere): (Vec<Located>, Vec<Located>) =
            known.partition(|it| it.folder == from.folder);
        let before = others.before.into_iter().filter(is_since);
        Self {
            in_folder: here.into_iter().map(|it| it.spot).collect(),
            elsewhere: elsewhere
                .into_iter()
                .chain(before)
                .map(|it| it.spot)
                .collect(),
            may_be_any: others.unknown > 0,
        }
    }
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
    pub(super) fn new(
        folder: Folder,
        addressee: Addressee,
        environment: &Environment,
        neighbours: Neighbours,
    ) -> Self {
        Self {
            key: Located::folder_key(&addressee.profile.server.id(), &folder.folder),
            next: Next::Unasked,
            made: false,
            neighbours,
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
        let turned_away = self.addressee.turned_away.lock();
        let mut turned_away = turned_away.unwrap_or_else(PoisonError::into_inner);
        if let Some(unable) = &*turned_away {
            return Err(Answer::Unable(unable.clone()));
        }
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
        signed_in.map_err(|error| {
            let unable = self.unable(&error);
            if unable.status == Status::NoPermission {
                *turned_away = Some(unable.clone());
            }
            Answer::Unable(unable)
        })
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

    /// Asks the server for something, signing in where that is still to be done. A session that nothing was said
    /// in for long may be over by now: then it is done in another one.
    fn ask(&mut self, mut attempt: impl FnMut(&mut Self, &mut Source) -> Tried) -> Answer {
        for is_last in [false, true] {
            let mut source = match self.session.take() {
                Some(source) => source,
                None => match self.sign_in() {
                    Ok(source) => source,
                    Err(answer) => return answer,
                },
            };
            let error = match attempt(self, &mut source) {
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

    fn stand(&mut self, source: &mut Source) -> Tried {
        match source.standing(&self.folder.folder) {
            Ok(standing) => {
                self.next = standing.next.map_or(Next::Untold, Next::At);
                self.made |= standing.made;
                Tried::Open(self.ready(standing.next))
            }
            Err(error) => Tried::Broken(error),
        }
    }

    fn ready(&self, next: Option<Spot>) -> Answer {
        Answer::Ready(Standing::Folder(next.map(|spot| self.located(spot))))
    }

    fn located(&self, spot: Spot) -> Located {
        let folder = self.key;
        Located { folder, spot }
    }

    fn find(
        &self,
        source: &mut Source,
        post: &mut Post,
        earlier: &Earlier,
        others: &[Spot],
    ) -> Result<Found, source::Error> {
        let folder = &self.folder.folder;
        let from = earlier.from.map(|it| it.spot);
        let found = source.find(folder, post, from, others)?;
        let is_late = earlier.is_recent
            && found == Found::NotThere
            && self.environment.stop.wait(SETTLING).is_none();
        match is_late {
            true => source.find(folder, post, from, others),
            false => Ok(found),
        }
    }

    fn put(&mut self, source: &mut Source, post: &mut Post) -> Tried {
        match source.append(&self.folder.folder, post) {
            Ok(appended) => Tried::Open(self.answer(appended)),
            Err(Unappended::Cut(appended)) => Tried::Done(self.answer(appended)),
            Err(Unappended::File(error)) => Tried::Done(unreadable(error)),
            Err(Unappended::Session {
                error,
                may_be_taken: false,
            }) => Tried::Broken(error),
            Err(Unappended::Session { error, .. }) => Tried::Unclear(error),
        }
    }

    fn answer(&mut self, appended: Appended) -> Answer {
        match appended {
            Appended::Taken { made, spot } => self.taken(made, spot),
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

    fn taken(&mut self, made: bool, spot: Option<Spot>) -> Answer {
        let before = self.next.spot();
        // Of a folder that was made it is asked with the next message.
        self.next = match made {
            true => Next::Unasked,
            false => self.next.behind(spot),
        };
        let spot = spot.filter(|spot| before.is_some_and(|next| spot.is_behind(next)));
        Answer::Put {
            located: spot.map(|spot| self.located(spot)),
            is_earlier: false,
            made: made | std::mem::take(&mut self.made),
        }
    }
}

impl Append for Appender {
    fn approach(&mut self, is_newer: bool) -> Answer {
        match self.next {
            // Noted in another session, it holds as well.
            Next::Untold | Next::At(_) if !is_newer => self.ready(self.next.spot()),
            _ => self.ask(Self::stand),
        }
    }

    fn look(&mut self, mut post: Post, letter: &Letter, earlier: Earlier) -> Answer {
        let ours = match ours(&mut post, letter) {
            Ok(ours) => ours,
            Err(answer) => return answer,
        };
        // It may have been another folder then.
        let from = earlier.from.filter(|it| it.folder == self.key);
        let earlier = Earlier { from, ..earlier };
        let put_since = |appender: &Self| match from {
            Some(from) => Since::new(appender.neighbours.put(&ours, &|_| None), from),
            None => Since::default(),
        };
        let mut others = put_since(self);
        for _ in 0..LOOKS {
            let mut since = Vec::new();
            let answer = self.ask(|appender, source| {
                let may_be_there =
                    match appender.find(source, &mut post, &earlier, &others.in_folder) {
                        Ok(Found::NotThere) => false,
                        Ok(Found::Like { .. } | Found::CannotTell) => true,
                        Ok(Found::Since(spots)) => {
                            since = spots;
                            true
                        }
                        Err(error) => return Tried::Broken(error),
                    };
                Tried::Open(Answer::NotFound { may_be_there })
            });
            if since.is_empty() {
                return answer;
            }
            // What was put there while it was looked for was noted before, or that it was tried.
            others = put_since(self);
            since.retain(|it| !others.in_folder.contains(it));
            if since.is_empty() {
                continue;
            }
            since.retain(|it| !others.elsewhere.contains(it));
            let spot = since.into_iter().min().filter(|_| !others.may_be_any);
            return match spot {
                Some(spot) => {
                    self.next = self.next.behind(Some(spot));
                    Answer::Put {
                        located: Some(self.located(spot)),
                        is_earlier: true,
                        made: false,
                    }
                }
                None => answer,
            };
        }
        Answer::NotFound { may_be_there: true }
    }

    fn compare(&mut self, mut post: Post, letter: &Letter) -> Answer {
        let ours = match ours(&mut post, letter) {
            Ok(ours) => ours,
            Err(answer) => return answer,
        };
        self.ask(|appender, source| {
            let folder = &appender.folder.folder;
            let (most, here) = match source.find(folder, &mut post, None, &[]) {
                Ok(Found::Like { most, here }) => (most, here),
                Ok(_) => (0, Vec::new()),
                Err(error) => return Tried::Broken(error),
            };
            // Afterwards: what another account puts there meanwhile is noted before.
            let put = appender.neighbours.put(&ours, &|name| {
                Some(appender.located(source.spot_of(folder, name)?))
            });
            let name = letter.unique_id.as_deref();
            let own = name.and_then(|name| source.spot_of(folder, name));
            // One that the source lists may be new to the search.
            let is_there = match own.filter(|_| !put.is_apart) {
                Some(own) if !here.contains(&own) => source.has_at(folder, &mut post, own),
                own => Ok(own.is_some()),
            };
            let is_there = match is_there {
                Ok(is_there) => is_there,
                Err(error) => return Tried::Broken(error),
            };
            let here: Vec<Located> = here.into_iter().map(|it| appender.located(it)).collect();
            Tried::Open(Answer::Compared(resemblance(&put, is_there, most, &here)))
        })
    }

    fn append(&mut self, mut post: Post) -> Answer {
        self.ask(|appender, source| appender.put(source, &mut post))
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        if let Some(source) = self.session.take() {
            source.leave();
        }
    }
}

/// What a message is of which a folder has so many alike `here`, or another has more of them; `is_there`: it is there
/// itself, if both accounts are one mailbox. Several folders may show one message, so that those of several do not add
/// up.
fn resemblance(put: &AlikePut, is_there: bool, most: usize, here: &[Located]) -> Resemblance {
    let untraced = put.unknown + put.open;
    let in_place = here.iter().filter(|it| put.alike.contains(it)).count();
    if most > put.alike.len() + untraced || is_there {
        Resemblance::Copy
    } else if most > in_place + untraced {
        Resemblance::Unclear
    } else {
        Resemblance::Other
    }
}

fn ours(post: &mut Post, letter: &Letter) -> Result<Ours, Answer> {
    let file = post.examine().map_err(unreadable)?;
    Ok(Ours {
        sha256: letter.sha256,
        file,
    })
}

fn unreadable(error: std::io::Error) -> Answer {
    Answer::Later(format!("its file cannot be read: {error}"))
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
