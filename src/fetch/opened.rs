//! What opening an account's state and its Maildir has shown, in words.

use super::Account;
use super::tell::failure;
use crate::maildir::ROSTER;
use crate::report::{self, Event, Listed, Outcome};
use crate::state::{Former, Opened, Store};
use crate::term::count;

impl Account<'_> {
    pub(super) fn tell_opened(&self, opened: &Opened) {
        let found = count(opened.found, "message");
        let verb = if opened.found == 1 { "counts" } else { "count" };
        let maildir = self.profile.maildir.display();
        // In a Maildir nothing shows whether it has been handed on.
        let onward = match &self.profile.deliver {
            Some(_) if opened.found > 0 && self.profile.has_maildir() => {
                "; none of them is handed on, whether it was or not"
            }
            _ => "",
        };
        if let Some(path) = &opened.damaged {
            let made = match (opened.found, self.profile.has_maildir()) {
                (0, true) => "the Maildir, and knows all that is there".to_owned(),
                (0, false) => "its good lines: what only the others told of is fetched again \
                               if the server still has it"
                    .to_owned(),
                _ => format!(
                    "the Maildir, and {found} there that it did not know {verb} as fetched{onward}"
                ),
            };
            self.tell(Event::Warning(&format!(
                "the state file was damaged and is kept as {}; it was made again from {made}",
                path.display()
            )));
        } else if opened.is_rebuilt || opened.inherited {
            self.tell(Event::Warning(&format!(
                "the state file was lost, or is on another machine; it was made again from the \
                 Maildir {maildir}: {found} there {verb} as fetched{onward}"
            )));
        } else if opened.found > 0 && opened.is_new {
            self.tell(Event::Warning(&format!(
                "this account has no state here yet, but {found} in the Maildir {maildir} {are} its \
                 own and {verb} as fetched{onward}",
                are = if opened.found == 1 { "is" } else { "are" }
            )));
        } else if opened.found > 0 {
            self.tell(Event::Warning(&format!(
                "the state is older than the mail: {found} in the Maildir that it did not know \
                 {verb} as fetched{onward}"
            )));
        }
        if let Some(lost) = opened.restored.filter(|lost| *lost > 0) {
            self.tell(Event::Warning(&format!(
                "the Maildir {maildir} is older than the state, as after a restored backup: {} that \
                 {is} missing in it {is} fetched again if the server still has {them}",
                count(lost, "message"),
                is = if lost == 1 { "is" } else { "are" },
                them = if lost == 1 { "it" } else { "them" }
            )));
        }
        if opened.hidden > 0 {
            let word = self.profile.word_with_maildir();
            self.tell(Event::Warning(&format!(
                "the Maildir {maildir} is another one than {} {was} delivered to, as where a disk is \
                 mounted over that one: what was delivered there is there still, and is not deleted \
                 from the server. To fetch here as well what the server still has: popfetch state \
                 accept --fetch-again {word}. To leave it there: popfetch state accept --leave {word}",
                count(opened.hidden, "message"),
                was = if opened.hidden == 1 { "was" } else { "were" },
            )));
        }
        if opened.unsure > 0 {
            self.tell(Event::Warning(&format!(
                "after several restored backups nobody can tell whether {} that {is} missing in the \
                 Maildir {maildir} {was} removed on purpose: not deleted from the server. If so: \
                 popfetch verify --accept {}",
                count(opened.unsure, "message"),
                self.profile.word_with_maildir(),
                is = if opened.unsure == 1 { "is" } else { "are" },
                was = if opened.unsure == 1 { "was" } else { "were" },
            )));
        }
        if opened.adopted {
            self.tell(Event::Notice(&format!(
                "the Maildir {maildir} has its own file {ROSTER} from now on; what was fetched before \
                 and is missing in it is not deleted from the server, unless you say that it was \
                 removed on purpose: popfetch state accept {} --leave",
                self.profile.word_with_maildir()
            )));
        }
        match &opened.moved_from {
            Some(Former::Maildir(last)) => {
                let now = match self.profile.has_maildir() {
                    true => format!("is {maildir} now"),
                    false => "there is none now".to_owned(),
                };
                self.tell(Event::Warning(&format!(
                    "the Maildir was {} and {now}; what was fetched before stays where it is",
                    last.display()
                )));
            }
            Some(Former::Spool) if self.profile.has_maildir() => {
                self.tell(Event::Notice(&format!(
                    "what was fetched before was to be handed on, and is not in the Maildir {maildir}"
                )))
            }
            Some(Former::Spool) | None => {}
        }
    }

    /// Reports what an earlier run delivered and was killed before it could report it.
    /// Where it cannot be looked for that is told, and keeps no mail from coming.
    pub(super) fn tell_untold(&self, store: &mut Store, outcome: &mut Outcome) {
        let wants_header = self.environment.report.wants_header();
        let mut recovered = 0;
        let looked = store.each_untold(wants_header, |it| {
            recovered += 1;
            self.tell(Event::Message(&report::Message {
                listed: Listed {
                    number: None,
                    unique_id: it.unique_id.as_deref(),
                    octets: it.listed,
                    folder: None,
                },
                octets: it.octets,
                path: &it.path,
                sha256: &it.sha256,
                header: &it.header,
                recovered: true,
            }));
        });
        outcome.recovered = recovered;
        if let Err(error) = looked {
            let text = failure(&error).message;
            self.tell(Event::Warning(&format!(
                "an earlier run ended before it could say what it had delivered, which is safe, and \
                 cannot be looked for now: {text}"
            )));
        }
        if self.environment.report.is_written() {
            store.reported();
        }
        if outcome.recovered > 0 {
            let recovered = count(outcome.recovered, "message");
            let text = format!("{recovered} delivered by an earlier run that could not say so");
            self.tell(Event::Notice(&text));
        }
    }
}
