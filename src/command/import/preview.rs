//! What is shown before anything is written: each line of the source, and each account.

use super::plan::{Novelty, Plan, Planned};
use crate::import::{Fate, Line, Secret, Word};
use crate::profile::{edit, without_password};
use crate::term::{WIDEST, count, escape_str, json_line, quoted, width, wrap_item};
use serde_json::json;
use std::fmt::Write as _;
use std::path::Path;

/// Columns that a line of the source has before what becomes of it.
const TEXT: usize = 36;

/// What stands below is indented so far where a terminal is too narrow for both side by side.
const BELOW: usize = 9;

/// Of a line of the terminal, what becomes of the source's line has at least so many columns.
const FATE: usize = 24;

pub(super) fn text(
    plan: &Plan,
    only: Option<&str>,
    may_delete: bool,
    home: &Path,
    columns: Option<usize>,
) -> String {
    let mut out = String::new();
    let mut file = None;
    for line in &plan.lines {
        if file != Some(&line.file) {
            let gap = if file.is_some() { "\n" } else { "" };
            let _ = writeln!(out, "{gap}{}", shown(&line.file, home));
            file = Some(&line.file);
        }
        let text = escape_str(&line.text);
        let fate = escape_str(&fate_in_words(&line.fate));
        let mut label = format!("{:>5}  {text:<TEXT$}  ", line.number);
        if columns.is_some_and(|columns| width(&label) + FATE > columns.min(WIDEST)) {
            let _ = writeln!(out, "{:>5}  {text}", line.number);
            label = " ".repeat(BELOW);
        }
        let _ = writeln!(out, "{}", wrap_item(&label, &fate, columns));
    }
    if only.is_some() {
        out.push_str("\nother accounts are left out (--account)\n");
    }
    for planned in &plan.accounts {
        let mut told = String::new();
        account(&mut told, plan, planned, may_delete, home);
        for line in told.lines() {
            // A table's lines stand as they do in the file.
            let text = line
                .strip_prefix("  ")
                .filter(|rest| !rest.starts_with(' '));
            let line = text.map_or_else(|| line.to_owned(), |text| wrap_item("  ", text, columns));
            let _ = writeln!(out, "{line}");
        }
    }
    out
}

fn fate_in_words(fate: &Fate) -> String {
    match fate {
        Fate::Taken(what) => format!("taken: {what}"),
        Fate::Changed(what, why) => format!("changed: {what} ({why})"),
        Fate::Nothing(why) => match why.strip_prefix("not yet: ") {
            Some(why) => format!("not possible yet: {why}"),
            None => format!("no counterpart: {why}"),
        },
    }
}

fn account(out: &mut String, plan: &Plan, planned: &Planned, may_delete: bool, home: &Path) {
    let Planned {
        draft,
        profile,
        novelty,
        ..
    } = planned;
    let _ = writeln!(
        out,
        "\naccount {}: {}",
        escape_str(&draft.name),
        escape_str(&profile.server.id())
    );
    match novelty {
        Novelty::New => {
            for line in profile_table(planned).lines() {
                let _ = writeln!(out, "    {}", escape_str(line));
            }
        }
        Novelty::Here(name) => {
            let name = escape_str(name);
            let _ = writeln!(
                out,
                "  is in {} already, as `{name}`, and stays there as it is",
                shown(&plan.config, home)
            );
        }
        Novelty::Twice(name) if planned.is_apart => {
            let name = escape_str(name);
            let tool = plan.tool.word();
            let _ = writeln!(
                out,
                "  has the host, port and user of `{name}`, but is reached by another command, and popfetch would take \
                 both for one mailbox: nothing is taken over of it; name a host of its own for it in {tool}'s config, \
                 and import again"
            );
            return;
        }
        Novelty::Twice(name) => {
            let name = escape_str(name);
            let _ = writeln!(
                out,
                "  is the same mailbox as `{name}`, and becomes one account with it"
            );
            return;
        }
    }
    let _ = writeln!(out, "  {}", names_in_words(plan, planned, may_delete, home));
    if let (Novelty::Here(name), false) = (novelty, planned.unfetched.is_empty()) {
        let folders = planned
            .unfetched
            .iter()
            .map(|it| edit::Word::Text(it.clone()).to_string());
        let _ = writeln!(
            out,
            "  {} fetches, and `{}` does not: {}; add what you want of it to its `folders`",
            plan.tool.word(),
            escape_str(name),
            escape_str(&folders.collect::<Vec<_>>().join(", "))
        );
    }
    if *novelty != Novelty::New {
        return;
    }
    if matches!(draft.secret, Secret::Inline(_)) {
        let file = edit::password_file(&plan.config, &draft.name);
        let _ = writeln!(
            out,
            "  the password moves into {}, which only you can read",
            match planned.has_no_keyring {
                true => shown(&file, home),
                false => format!(
                    "the system keyring, or where that cannot be used into {}",
                    shown(&file, home)
                ),
            }
        );
    }
    if matches!(draft.secret, Secret::Nowhere) {
        let name = quoted(&draft.name);
        let _ = writeln!(
            out,
            "  the password is asked for; `popfetch password set {name}` keeps it in the system \
             keyring, once the account has `password-keyring = true`",
            name = escape_str(&name)
        );
    }
    if matches!(draft.secret, Secret::Login) {
        let _ = writeln!(
            out,
            "  it signs in by OAuth 2.0: give it a table `oauth` with your client's id (see popfetch \
             man popfetch.toml), and run `popfetch login {}` once",
            escape_str(&quoted(&draft.name))
        );
    }
    if profile.has_maildir() && draft.get("maildir").is_none() {
        let _ = writeln!(
            out,
            "  its mail goes into {}",
            shown(&profile.maildir, home)
        );
    }
    for remark in &draft.differs {
        let _ = writeln!(out, "  {}", escape_str(remark));
    }
}

/// An account's table as it is to stand in the file, a proxy's password apart.
fn profile_table(planned: &Planned) -> String {
    let mut keys = planned.keys.clone();
    for (key, word) in &mut keys {
        if let ("proxy", Word::Text(url)) = (*key, word) {
            *url = without_password(url);
        }
    }
    edit::table(&planned.draft.name, edit::keyed(&keys))
}

fn names_in_words(plan: &Plan, planned: &Planned, may_delete: bool, home: &Path) -> String {
    let (draft, tool) = (&planned.draft, plan.tool.word());
    let names = count(draft.names.len() as u64, "message");
    match (&draft.seen_file, draft.left) {
        (Some(file), _) => format!(
            "{names} that {tool} has fetched, from {}: never fetched again, {}",
            match draft.seen_more {
                0 => shown(file, home),
                more => format!(
                    "{} and {} like it",
                    shown(file, home),
                    count(more as u64, "more file")
                ),
            },
            match may_delete {
                true => "and deleted from the server as `keep` says (--may-delete)",
                false => "and not deleted from the server",
            }
        ),
        (None, _) if draft.kept.messages > 0 => {
            let places = draft.kept.maildirs.iter().map(|path| shown(path, home));
            format!(
                "{} in {}: each is known again by what is in it, once the first fetch has downloaded it; it is not \
                 stored a second time, {}",
                count(draft.kept.messages, "message"),
                places.collect::<Vec<_>>().join(" and "),
                match may_delete {
                    true => "and deleted from the server as `keep` says (--may-delete)",
                    false => "and not deleted from the server",
                }
            )
        }
        (None, _) if planned.novelty != Novelty::New => {
            format!(
                "there is no file of what {tool} has fetched: nothing is added to what is known"
            )
        }
        (None, true) => format!(
            "there is no file of what {tool} has fetched: if the server has ten messages or more, \
             the first fetch stops before it takes any; fewer are all fetched"
        ),
        (None, false) => format!(
            "there is no file of what {tool} has fetched: the first fetch takes all that the server has"
        ),
    }
}

fn shown(path: &Path, home: &Path) -> String {
    let text = match path.strip_prefix(home) {
        Ok(rest) if !home.as_os_str().is_empty() => format!("~/{}", rest.display()),
        _ => path.display().to_string(),
    };
    escape_str(&text)
}

pub(super) fn json(plan: &Plan) -> Vec<u8> {
    let lines = plan.lines.iter().map(|line| line_as_json(plan, line));
    let accounts = plan
        .accounts
        .iter()
        .map(|planned| account_as_json(plan, planned));
    lines.chain(accounts).flatten().collect()
}

fn line_as_json(plan: &Plan, line: &Line) -> Vec<u8> {
    let (fate, becomes, why) = match &line.fate {
        Fate::Taken(what) => ("taken", Some(what), None),
        Fate::Changed(what, why) => ("changed", Some(what), Some(why)),
        Fate::Nothing(why) => ("no-counterpart", None, Some(why)),
    };
    let object = json!({
        "event": "line",
        "tool": plan.tool.word(),
        "file": line.file.display().to_string(),
        "line": line.number,
        "text": line.text,
        "fate": fate,
        "becomes": becomes,
        "why": why,
    });
    json_line(&object).unwrap_or_default()
}

fn account_as_json(plan: &Plan, planned: &Planned) -> Vec<u8> {
    let draft = &planned.draft;
    let (novelty, as_account) = match &planned.novelty {
        Novelty::New => ("new", &draft.name),
        Novelty::Here(name) => ("configured", name),
        Novelty::Twice(name) => ("twice", name),
    };
    let object = json!({
        "event": "account",
        "tool": plan.tool.word(),
        "account": as_account,
        "server": planned.profile.server.id(),
        "standing": novelty,
        "profile": profile_table(planned),
        "seen": draft.names.len(),
        "seen_file": draft.seen_file.as_ref().map(|path| path.display().to_string()),
        "stored": draft.kept.messages,
        "unfetched": planned.unfetched,
        "left_on_server": draft.left,
        "moves_password": matches!(draft.secret, Secret::Inline(_)),
        "differs": draft.differs,
    });
    json_line(&object).unwrap_or_default()
}
