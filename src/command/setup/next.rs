//! What there is to be done once an account is set up.

use super::typed;
use crate::command::ask::Asker;
use crate::process;
use crate::profile::draft::{Draft, Place, Reach};
use crate::term::quoted;
use std::path::Path;

/// What there is to be done next.
pub(super) struct Next<'a> {
    /// The config file, where it was named.
    pub(super) config: Option<&'a Path>,
    /// The first fetch brings something that can be read.
    pub(super) something_comes: bool,
}

/// What to do now: fetch, read, and have it fetched by a timer. What is to be typed stands in lines of
/// its own, which are never broken.
pub(super) fn say_next(asker: &Asker, draft: &Draft, next: &Next<'_>) {
    let option = typed::config_option(next.config);
    let ours = typed::program();
    asker.say(&format!("Next:\n  {ours}{option}"));
    asker.below("fetch it");
    if next.something_comes {
        let all = match draft.reach {
            Reach::Inbox => "",
            _ => " --all-folders",
        };
        asker.say(&format!("  {ours} list{all}{option}"));
        asker.below("see what has come, the newest first");
        asker.say(&format!("  {ours} show 1{option}"));
        asker.below("read the first message of that list: any other by its number");
    }
    // Who does not have it is not sent to look for it.
    if process::find("mutt").is_ok() {
        asker.say(&format!("  mutt -f {}", quoted(&draft.maildir)));
        asker.below("read all of it with a mail program");
    }
    if draft.protocol.has_folders() && draft.reach == Reach::Inbox {
        asker.say(&format!("  {ours} man popfetch.toml"));
        asker.below("how to fetch more than the inbox: `folders`, as in folders = [\"*\"]");
    }
    if draft.secret == Place::Ask {
        asker.say(&format!("  {ours} man popfetch.toml"));
        asker.below("how a timer gets the password where nobody can be asked");
        return;
    }
    let program = std::env::current_exe();
    let program = program.map(|path| quoted(&path.display().to_string()));
    let program = program.unwrap_or_else(|_| "popfetch".to_owned());
    // cron takes a percent sign for the end of the line.
    let line = format!("{program} -q{option}").replace('%', "\\%");
    asker.say("  crontab -e");
    asker.below("have it fetched by a timer, with this line:");
    asker.say(&format!("      */10 * * * * {line}"));
}
