//! Reads src/ and holds it to the layers that the crate's documentation draws.
//!
//! What counts is the program: comments, and modules that are only for tests, may name anything.

#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// A file that nobody can read in one sitting is too long.
const LINES: usize = 500;

/// Files that are too long today, each with the length it must not exceed and the reason.
const TOO_LONG: &[(&str, usize, &str)] = &[];

/// A file of src/ without its comments and tests.
struct Source {
    /// Relative to src/.
    path: String,
    lines: Vec<(usize, String)>,
}

impl Source {
    /// Whether it is this file, or lies in this directory (which ends with "/").
    fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| match place.strip_suffix('/') {
            Some(directory) => {
                self.path.starts_with(place) || self.path == format!("{directory}.rs")
            }
            None => self.path == *place,
        })
    }
}

/// All of the program.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut waiting = vec![root.clone()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path
                    .strip_prefix(&root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                if !name.ends_with("tests.rs") && !name.ends_with("testing.rs") {
                    let lines = program(&fs::read_to_string(&path).unwrap());
                    found.push(Source { path: name, lines });
                }
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(found.len() > 40, "src/ has not been found");
    found
}

/// The lines of a file, numbered from 1, without comments, and without its module of tests, which
/// is its end.
fn program(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut rest = text.lines().enumerate().peekable();
    while let Some((index, line)) = rest.next() {
        let next = rest.peek().map_or("", |(_, next)| *next);
        if line == "#[cfg(test)]" && next.starts_with("mod ") && next.ends_with('{') {
            break;
        }
        let code = line.split("//").next().unwrap_or_default();
        lines.push((index + 1, code.to_owned()));
    }
    lines
}

/// Whether `line` has `word` in it with nothing of a name right before or after it.
fn has_word(line: &str, word: &str) -> bool {
    let of_a_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).unwrap_or_default().chars().next_back();
        let after = line
            .get(at + word.len()..)
            .unwrap_or_default()
            .chars()
            .next();
        !before.is_some_and(of_a_name) && !after.is_some_and(of_a_name)
    })
}

/// Fails with every place that breaks a rule.
fn hold(rule: &str, broken: impl Fn(&Source, &str) -> bool) {
    let mut places = Vec::new();
    for source in sources() {
        for (number, line) in &source.lines {
            if broken(&source, line) {
                places.push(format!("src/{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    assert!(places.is_empty(), "{rule}:\n{}", places.join("\n"));
}

/// The paths that a line imports or names, below `root` ("std" or "crate"): braces right behind
/// the root are opened up.
fn modules<'a>(line: &'a str, root: &str) -> Vec<&'a str> {
    let root = format!("{root}::");
    let mut found = Vec::new();
    for (at, _) in line.match_indices(&root) {
        let path = line.get(at + root.len()..).unwrap_or_default();
        let name = |text: &'a str| {
            let text = text.trim();
            let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
            text.get(..end.unwrap_or(text.len())).unwrap_or_default()
        };
        match path.strip_prefix('{') {
            Some(group) => found.extend(group.split(',').map(name)),
            None => found.push(name(path)),
        }
    }
    found
}

fn uses(line: &str, root: &str, forbidden: &[&str]) -> bool {
    modules(line, root)
        .iter()
        .any(|module| forbidden.contains(module))
}

#[test]
fn the_protocol_core_knows_no_input_output_clock_or_thread() {
    hold(
        "pop3/, imap/ and sasl/ are octets in, events out",
        |source, line| {
            source.is_in(&["imap/", "input.rs", "pop3/", "sasl/"])
                && uses(
                    line,
                    "std",
                    &["io", "net", "fs", "time", "thread", "os", "env"],
                )
        },
    );
}

#[test]
fn what_is_decided_of_messages_needs_no_disk_network_clock_or_thread() {
    hold(
        "plan.rs and rules/ are told what they go by",
        |source, line| {
            source.is_in(&["plan.rs", "rules/"])
                && (uses(
                    line,
                    "std",
                    &["io", "net", "fs", "thread", "os", "env", "process"],
                ) || has_word(line, "Instant")
                    || has_word(line, "SystemTime"))
        },
    );
}

#[test]
fn layers_never_look_up() {
    let rules: &[(&[&str], &[&str])] = &[
        (
            &[
                "durable.rs",
                "exit.rs",
                "input.rs",
                "moment.rs",
                "named.rs",
                "paths.rs",
                "private.rs",
                "process/",
                "sandbox.rs",
                "server.rs",
                "stop.rs",
                "system.rs",
                "term/",
                "threads.rs",
            ],
            &[
                "cli", "command", "delivery", "fetch", "imap", "maildir", "maildrop", "message",
                "net", "oauth", "plan", "pop3", "profile", "report", "sasl", "secrets", "source",
                "state",
            ],
        ),
        (
            &["imap/", "net/", "oauth/", "pop3/", "sasl/", "web.rs"],
            &[
                "cli", "command", "delivery", "durable", "fetch", "plan", "profile", "report",
                "source", "state",
            ],
        ),
        (
            &["maildrop.rs"],
            &[
                "cli", "command", "delivery", "fetch", "net", "plan", "profile", "report",
                "source", "state",
            ],
        ),
        (
            &["maildir/", "message/"],
            &[
                "cli", "command", "delivery", "fetch", "net", "plan", "profile", "report",
                "source", "state",
            ],
        ),
        (
            &["mailbox/"],
            &[
                "cli", "command", "delivery", "fetch", "net", "plan", "profile", "report",
                "sandbox", "source", "state",
            ],
        ),
        (
            &["delivery/"],
            &[
                "cli", "command", "fetch", "net", "plan", "profile", "report", "source", "state",
            ],
        ),
        (
            &["state/"],
            &[
                "cli", "command", "fetch", "net", "plan", "profile", "report", "source",
            ],
        ),
        (
            &["plan.rs"],
            &[
                "cli", "command", "delivery", "durable", "fetch", "net", "profile", "report",
                "source",
            ],
        ),
        (
            &["rules/"],
            &[
                "cli", "command", "delivery", "durable", "fetch", "net", "plan", "process",
                "profile", "report", "source", "state",
            ],
        ),
        (
            &["source/"],
            &[
                "cli", "command", "delivery", "fetch", "plan", "profile", "report",
            ],
        ),
        (
            &["secrets/"],
            &[
                "cli", "command", "delivery", "fetch", "import", "plan", "profile", "report",
                "source", "state",
            ],
        ),
        (
            &["profile/"],
            &["cli", "command", "fetch", "import", "report", "state"],
        ),
        (
            &["report/"],
            &["cli", "command", "fetch", "profile", "source", "state"],
        ),
        (
            &["import/"],
            &["cli", "command", "fetch", "net", "report", "source"],
        ),
        (
            &["discover/"],
            &[
                "cli", "command", "delivery", "durable", "fetch", "plan", "report", "source",
                "state",
            ],
        ),
        (&["fetch/"], &["cli", "command", "discover"]),
        (&["cli/"], &["command", "fetch", "source", "state"]),
    ];
    for (places, forbidden) in rules {
        hold(
            &format!(
                "{} must not import {}",
                places.join(", "),
                forbidden.join(", ")
            ),
            |source, line| source.is_in(places) && uses(line, "crate", forbidden),
        );
    }
}

/// Files of one room that import each other by name, each pair with what keeps it so. What comes to one
/// of them through the room's own `pub use` is not seen here.
const CIRCLES: &[(&str, &str, &str)] = &[
    (
        "fetch/echoes.rs",
        "fetch/endings.rs",
        "where a message goes, and what is read once more for it",
    ),
    (
        "import/fdm/account.rs",
        "import/fdm/parser.rs",
        "a grammar that contains itself: blocks in blocks",
    ),
    (
        "import/fdm/options.rs",
        "import/fdm/parser.rs",
        "the same grammar",
    ),
    (
        "import/fdm/parser.rs",
        "import/fdm/rules.rs",
        "the same grammar",
    ),
    (
        "state/claim.rs",
        "state/rebuild.rs",
        "a claim on an account makes a lost state again, and goes on with it",
    ),
];

/// The files of the same room that a file imports from: `super::NAME`, bare or with braces.
fn neighbours(source: &Source) -> Vec<String> {
    let text: String = source.lines.iter().map(|(_, line)| line.as_str()).collect();
    // A directory's own file is the room; only files beside each other count.
    let Some((room, file)) = source.path.rsplit_once('/') else {
        return Vec::new();
    };
    if file == "mod.rs" {
        return Vec::new();
    }
    let statements = text.split(';');
    let mut found: Vec<_> = statements.flat_map(|it| modules(it, "super")).collect();
    found.sort_unstable();
    found.dedup();
    let beside = |name: &str| format!("{room}/{name}.rs");
    found.into_iter().map(beside).collect()
}

#[test]
fn files_of_a_room_import_each_other_only_where_it_is_said_why() {
    let sources = sources();
    let pairs = |source: &Source| -> Vec<(String, String)> {
        let back = |other: &str| {
            let other = sources.iter().find(|it| it.path == other);
            other.is_some_and(|it| neighbours(it).contains(&source.path))
        };
        let found = neighbours(source).into_iter();
        found
            .filter(|other| *other > source.path && back(other))
            .map(|other| (source.path.clone(), other))
            .collect()
    };
    let found: Vec<_> = sources.iter().flat_map(pairs).collect();
    let known = |(one, other): &(String, String)| {
        let excused = CIRCLES.iter().map(|(one, other, _)| (*one, *other));
        excused.into_iter().any(|it| it == (one, other))
    };
    let new: Vec<_> = found.iter().filter(|pair| !known(pair)).collect();
    assert!(new.is_empty(), "these import each other: {new:#?}");
    let gone = CIRCLES
        .iter()
        .map(|(one, other, _)| ((*one).to_owned(), (*other).to_owned()));
    let gone: Vec<_> = gone.filter(|pair| !found.contains(pair)).collect();
    assert!(
        gone.is_empty(),
        "these do no more: take them out: {gone:#?}"
    );
}

#[test]
fn only_durable_touches_the_disk() {
    const CALLS: &[&str] = &[
        "fsync",
        "fdatasync",
        "sync_data",
        "rename",
        "renameat",
        "renameat_with",
        "unlink",
        "unlinkat",
        "linkat",
        "remove_file",
        "remove_dir",
        "remove_dir_all",
        "rmdir",
        "hard_link",
        "create_dir",
        "create_dir_all",
        "set_permissions",
    ];
    hold(
        "what reaches the disk, and when, is decided in durable.rs",
        |source, line| {
            // serde's attribute has the same name as the system call.
            let attribute = line.trim_start().starts_with("#[");
            !source.is_in(&["durable/"])
                && !attribute
                && (CALLS.iter().any(|call| has_word(line, call))
                    || line.contains(".sync_all(")
                    || has_word(line, "File::create")
                    || line.contains("fs::write")
                    || line.contains(".create(true)")
                    || line.contains(".write(true)"))
        },
    );
}

#[test]
fn each_library_is_met_in_one_place() {
    let rules: &[(&str, &[&str])] = &[
        ("clap::", &["cli/", "command/"]),
        ("indicatif::", &["report/"]),
        ("mail_parser::", &["message/"]),
        ("unicode_normalization::", &["rules/alike.rs"]),
        ("rpassword::", &["secrets/"]),
        ("rsasl::", &["sasl/"]),
        ("stringprep::", &["sasl/"]),
        ("hmac::", &["sasl/"]),
        ("md5::{", &["sasl/"]),
        ("toml::", &["profile/"]),
        ("toml_edit::", &["profile/"]),
        ("quick_xml::", &["discover/"]),
        ("simple_dns::", &["discover/"]),
        ("textwrap::", &["term/"]),
        ("ureq::", &["web.rs"]),
        ("annotate_snippets::", &["profile/"]),
        ("crc32fast::", &["durable/"]),
        (
            "signal_hook::",
            &["stop.rs", "stop/calls.rs", "stop/echo.rs"],
        ),
        ("landlock::", &["sandbox.rs"]),
        ("anyhow::", &["command/"]),
        ("aws_lc_rs", &["net/tls.rs"]),
        ("rustls_native_certs::", &["net/tls.rs"]),
        ("webpki_roots::", &["net/tls.rs"]),
        ("x509_parser::", &["net/certificate.rs"]),
        ("idna::", &["profile/address.rs"]),
    ];
    for (library, places) in rules {
        hold(
            &format!("{library} belongs into {}", places.join(", ")),
            |source, line| !source.is_in(places) && line.contains(library),
        );
    }
    hold("rustls belongs into net/", |source, line| {
        !source.is_in(&["net/"]) && line.contains("rustls::")
    });
    // The module of the same name is ours.
    hold(
        "the keyring belongs into secrets/keyring.rs",
        |source, line| {
            let ours = line.contains("crate::")
                || source.is_in(&["command/", "secrets/logins.rs", "secrets/obtain.rs"]);
            !source.is_in(&["secrets/keyring.rs"]) && !ours && line.contains("keyring::")
        },
    );
}

/// What only Linux has, by a word of it: the files that it is met in, and what would stand in for it
/// elsewhere. popfetch is built for Linux alone; this is what a port has to look at.
const LINUX: &[(&str, &[&str], &str)] = &[
    (
        "\"/proc",
        &["system.rs"],
        "said there, function by function",
    ),
    ("memfd_create", &["system.rs"], "an unlinked temporary file"),
    ("xdg-open", &["system.rs"], "open, on macOS"),
    (
        "set_parent_process_death_signal",
        &["system.rs"],
        "nothing: it ends when it next has something to say",
    ),
    (
        "landlock::",
        &["sandbox.rs"],
        "nothing, as on a kernel without it",
    ),
    (
        "RenameFlags",
        &["durable.rs"],
        "the link that refuses to replace, as on NFS",
    ),
    (
        "fsync(",
        &["durable.rs"],
        "F_FULLFSYNC on macOS, which std uses for files, and directories need as well",
    ),
    (
        "SocketFlags",
        &["handover/lmtp/wire.rs", "net/dial.rs"],
        "two calls of fcntl, on macOS",
    ),
    (
        "fcntl_setpipe_size",
        &["process/input.rs"],
        "the pipe as large as it is",
    ),
    (
        "set_dumpable_behavior",
        &["command/process.rs"],
        "the limit for core files alone",
    ),
    (
        "timerfd_create",
        &["command/watch/mod.rs"],
        "the timeout of poll, which may stand still in sleep",
    ),
    (
        "ClockId::Boottime",
        &["command/watch/mod.rs", "system.rs"],
        "a clock that nobody can set",
    ),
    (
        "os::linux",
        &["command/watch/service.rs"],
        "nothing: without systemd nobody listens there",
    ),
    (
        "getrandom",
        &["maildir/nonces.rs"],
        "getentropy, or /dev/urandom",
    ),
];

#[test]
fn what_only_linux_has_is_met_in_the_files_that_a_port_has_to_look_at() {
    let sources = sources();
    for (word, known, _) in LINUX {
        let met = |source: &&Source| source.lines.iter().any(|(_, line)| line.contains(word));
        let found: Vec<_> = sources
            .iter()
            .filter(met)
            .map(|it| it.path.as_str())
            .collect();
        assert_eq!(found, *known, "{word}");
    }
}

#[test]
fn only_the_commands_print() {
    hold("a report is told, not printed", |source, line| {
        let prints = ["println!", "print!", "eprintln!", "eprint!", "dbg!"];
        !source.is_in(&["command/", "main.rs"]) && prints.iter().any(|name| has_word(line, name))
    });
}

#[test]
fn a_file_can_be_read_in_one_sitting() {
    let mut long = Vec::new();
    for source in sources() {
        let known = TOO_LONG.iter().find(|(path, _, _)| *path == source.path);
        let most = known.map_or(LINES, |(_, most, _)| *most);
        if source.lines.len() > most {
            long.push(format!("src/{}: {} lines", source.path, source.lines.len()));
        }
        if known.is_some() && source.lines.len() <= LINES {
            long.push(format!(
                "src/{} is short enough again: take it out",
                source.path
            ));
        }
    }
    assert!(
        long.is_empty(),
        "at most {LINES} lines:\n{}",
        long.join("\n")
    );
}

#[test]
fn imports_are_read_as_rust_reads_them() {
    assert_eq!(modules("use std::io::Write;", "std"), ["io"]);
    assert_eq!(
        modules("use crate::{cli, fetch::Error};", "crate"),
        ["cli", "fetch"]
    );
    assert_eq!(
        modules("fn f() -> crate::durable::Dir {", "crate"),
        ["durable"]
    );
    assert!(has_word("fs::rename(a, b)", "rename"));
    assert!(!has_word("renamed(a)", "rename"));
    let text = "use a; // std::io\n#[cfg(test)]\nmod tests {\n    use std::io;\n}\n";
    assert_eq!(program(text), [(1, "use a; ".to_owned())]);
}
