//! What is told of how an account's state was found.

use super::Account;
use crate::maildir::ROSTER;
use crate::report::Event;
use crate::state::{Former, Opened};
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
                    "what was fetched before was handed on, and is not in the Maildir {maildir}"
                )))
            }
            Some(Former::Spool) | None => {}
        }
    }
}
