//! What takes the mail as other tools have it, a program, an mbox file or a server, becomes `deliver`.

use super::model::{Draft, Fate, Word};
use super::{argv, common};
use crate::handover::unknown_word;
use std::net::IpAddr;

/// Programs that deliver as whoever starts them, where the tool would have had to say for whom.
const KNOW_WHOSE: [&str; 3] = ["procmail", "maildrop", "dovecot-lda"];

/// What stands for whom the mail is for, in the tools' own words, and then for whom it is from. Behind
/// each what it is while the line is taken apart: no line has these.
const FILLED_IN: [(&str, char); 4] = [
    ("%T", RECIPIENT),
    ("%(local)", RECIPIENT),
    ("%F", SENDER),
    ("%(sender)", SENDER),
];
const RECIPIENT: char = '\u{e000}';
const SENDER: char = '\u{e001}';

/// What a shell fills in for whoever the mail is for.
const WHOSE: [&str; 4] = ["$USER", "${USER}", "$LOGNAME", "${LOGNAME}"];

/// A line that the tool gives to a shell.
pub(super) fn of_line(draft: &mut Draft, line: &str) -> Fate {
    let line = line.trim();
    let Some(program) = line.split_ascii_whitespace().next() else {
        return Fate::nothing("it names no program");
    };
    let mut line = marked(line);
    if is_one_that_knows_whose(program) {
        for name in WHOSE {
            for written in [format!("\"{name}\""), name.to_owned()] {
                line = line.replace(&format!("-d {written}"), &format!("-d {RECIPIENT}"));
            }
        }
    }
    of_words(draft, argv::of_shell(&line))
}

fn is_one_that_knows_whose(program: &str) -> bool {
    let name = program.rsplit('/').next();
    name.is_some_and(|name| KNOW_WHOSE.contains(&name))
}

/// A program and its arguments.
pub(super) fn of_words(draft: &mut Draft, argv: Vec<String>) -> Fate {
    let mut argv: Vec<String> = argv.iter().map(|word| marked(word)).collect();
    let knows_whose = argv.first().is_some_and(|it| is_one_that_knows_whose(it));
    let from_line = knows_whose && take_out(&mut argv, "-f", SENDER);
    if knows_whose {
        take_out(&mut argv, "-d", RECIPIENT);
    }
    let is_filled_in = |word: &String| word.contains(['%', RECIPIENT, SENDER]);
    let is_empty = argv.first().is_none_or(String::is_empty);
    if is_empty || argv.iter().any(is_filled_in) {
        return common::no_target("a program whose words it would have to fill in");
    }
    if argv.iter().any(|word| unknown_word(word).is_some()) {
        return common::no_target("a program with words in braces");
    }
    taken(draft, argv, from_line)
}

fn marked(text: &str) -> String {
    let mut text = text.to_owned();
    for (name, mark) in FILLED_IN {
        let mark = mark.to_string();
        for written in [format!("'{name}'"), format!("\"{name}\""), name.to_owned()] {
            text = text.replace(&written, &mark);
        }
    }
    text
}

/// Removes an option with what is filled in behind it; tells whether it was there.
fn take_out(argv: &mut Vec<String>, option: &str, mark: char) -> bool {
    let mark = mark.to_string();
    let at = argv.windows(2).position(|pair| match pair {
        [one, other] => one == option && *other == mark,
        _ => false,
    });
    if let Some(at) = at {
        argv.drain(at..at + 2);
    }
    at.is_some()
}

/// What was taken, with a line of the envelope before each message.
pub(super) fn with_from_line(draft: &mut Draft) -> Fate {
    let deliver = draft.keys.iter().find(|(key, _)| *key == "deliver");
    let Some((_, Word::Table(table))) = deliver.cloned() else {
        return Fate::nothing("there is no program");
    };
    let other = table.into_iter().filter(|(key, _)| *key != "from-line");
    let table = other.chain([("from-line", Word::Flag(true))]).collect();
    draft.set("deliver", Word::Table(table))
}

/// A file that mail is appended to.
pub(super) fn mbox(draft: &mut Draft, path: String) -> Fate {
    draft.set("deliver", Word::Table(vec![("mbox", Word::Text(path))]))
}

/// An LMTP server: a socket by its path, or a host with a port; and whom it is told that mail is for.
pub(super) fn lmtp(draft: &mut Draft, host: &str, port: u64, recipient: &str) -> Fate {
    let is_address = |c: char| !c.is_control() && !c.is_whitespace() && c != '<' && c != '>';
    let is_plain = !recipient.is_empty() && recipient.chars().all(is_address);
    if !is_plain || unknown_word(recipient).is_some() || unknown_word(host).is_some() {
        return common::lmtp_target();
    }
    let address: Option<IpAddr> = host.parse().ok();
    let place = match address {
        _ if host.starts_with('/') => format!("unix:{host}"),
        Some(IpAddr::V6(address)) => format!("[{address}]:{port}"),
        _ => format!("{host}:{port}"),
    };
    let mut table = vec![
        ("lmtp", Word::Text(place)),
        ("recipient", Word::Text(recipient.to_owned())),
    ];
    let is_here = host.starts_with('/')
        || host.eq_ignore_ascii_case("localhost")
        || address.is_some_and(|address| address.is_loopback());
    if !is_here {
        table.push(("allow-insecure", Word::Flag(true)));
        draft.differs.push(
            "LMTP has no TLS, so that everybody on the way to that server can read the mail: see \
             `deliver.allow-insecure`"
                .into(),
        );
    }
    draft.set("deliver", Word::Table(table))
}

fn taken(draft: &mut Draft, argv: Vec<String>, from_line: bool) -> Fate {
    let mut table = vec![("command", Word::List(argv))];
    if from_line {
        table.push(("from-line", Word::Flag(true)));
    }
    draft.set("deliver", Word::Table(table))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deliver(line: &str) -> Option<String> {
        let mut draft = Draft::default();
        let fate = of_line(&mut draft, line);
        match fate {
            Fate::Taken(text) => Some(text),
            _ => None,
        }
    }

    #[test]
    fn a_line_of_plain_words_needs_no_shell_and_any_other_keeps_it() {
        for (line, command) in [
            ("/usr/bin/procmail", "[\"/usr/bin/procmail\"]"),
            ("procmail -d %T", "[\"procmail\"]"),
            ("maildrop -d '%T' x", "[\"maildrop\", \"x\"]"),
            ("procmail -d $USER", "[\"procmail\"]"),
            ("maildrop -d \"${LOGNAME}\"", "[\"maildrop\"]"),
            ("mda $USER", "[\"sh\", \"-c\", \"mda $USER\"]"),
        ] {
            let taken = deliver(line).unwrap();
            assert_eq!(
                taken,
                format!("deliver = {{ command = {command} }}"),
                "{line}"
            );
        }
        for line in [
            "/usr/bin/procmail -f %F -d %T",
            "/usr/bin/procmail -f '%F' -d $USER",
        ] {
            assert_eq!(
                deliver(line).unwrap(),
                "deliver = { command = [\"/usr/bin/procmail\"], from-line = true }"
            );
        }
    }

    #[test]
    fn a_server_is_named_as_the_config_file_has_it() {
        for (host, port, deliver) in [
            (
                "/run/lmtp",
                0,
                "lmtp = \"unix:/run/lmtp\", recipient = \"ada\"",
            ),
            (
                "localhost",
                24,
                "lmtp = \"localhost:24\", recipient = \"ada\"",
            ),
            ("::1", 24, "lmtp = \"[::1]:24\", recipient = \"ada\""),
            (
                "mx.example.net",
                24,
                "lmtp = \"mx.example.net:24\", recipient = \"ada\", allow-insecure = true",
            ),
        ] {
            let mut draft = Draft::default();
            let fate = lmtp(&mut draft, host, port, "ada");
            assert_eq!(fate, Fate::Taken(format!("deliver = {{ {deliver} }}")));
        }
        for recipient in ["", "a b", "{x}", "a>"] {
            let fate = lmtp(&mut Draft::default(), "localhost", 24, recipient);
            assert!(matches!(fate, Fate::Nothing(_)), "{recipient}");
        }
    }

    #[test]
    fn what_only_the_tool_could_fill_in_is_not_taken() {
        for line in [
            "mda %T",
            "sendmail -i -f %F %T",
            "sh -c 'mda %s'",
            "",
            "mda {x}",
        ] {
            assert_eq!(deliver(line), None, "{line}");
        }
    }
}
