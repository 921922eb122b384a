//! What the words of other tools are here: options, commands, and what people call ours.

const TIMER: &str = "popfetch watch stays, and fetches each account when it is due; or a timer starts it \
                     again: put a line like this into what crontab -e opens, with the path that \
                     `command -v popfetch` shows\n\n    */10 * * * * \"$HOME/.cargo/bin/popfetch\" -q\n\n\
                     or see popfetch man, EXAMPLES, for systemd";

const CHECK: &str = "popfetch check shows what waits; popfetch fetch --dry-run shows what a fetch \
                     would do";

const ALL: &str = "all accounts are fetched unless some are named; to get mail again that was fetched \
                   before: popfetch state forget ACCOUNT --all";

const WHERE_TO: &str = "mail goes into a Maildir: --maildir DIR, or `maildir` in the config file; a \
                        program or an mbox file takes it with `deliver` there";

/// What an option is to a command that has another meaning for it than `fetch`.
pub(super) fn of_option_in(command: &str, word: &str) -> Option<&'static str> {
    Some(match (command, word.split('=').next().unwrap_or(word)) {
        ("list", "-a" | "--all" | "--all-accounts") => {
            "all accounts are listed unless some are named; --all-folders lists their folders as well"
        }
        ("check", "-a" | "--all" | "--all-accounts") => {
            "all accounts are checked unless some are named"
        }
        ("state", "-a" | "--all" | "--all-accounts") => {
            "name the accounts: those that there are, popfetch account list shows"
        }
        ("state", "--lost-maildir" | "--lost" | "--restored" | "--missing") => {
            "of a Maildir that is lost: popfetch state accept ACCOUNT --fetch-again has what is still on the server \
             fetched once more; --leave takes what is missing for removed on purpose"
        }
        _ => return None,
    })
}

/// What to write where an option has a value too many, or lacks one.
pub(super) fn of_value(option: &str) -> Option<&'static str> {
    Some(match option {
        "--keep" | "--delete" => {
            "--keep leaves all mail on the server, --delete deletes it once it is stored, and --delete-after \
             14d two weeks later; in the config file that is keep = \"always\", \"never\" or \"14 days\""
        }
        "--maildir" => {
            "name the directory that the mail is in, or goes to, as in --maildir ~/Mail/work"
        }
        "--max-size" => "write a size, as in --max-size 25MB",
        "--delete-after" => "write a time, as in --delete-after 14d",
        _ => return None,
    })
}

/// What the options of other tools are here.
pub(super) fn of_option(word: &str) -> Option<&'static str> {
    Some(match word.split('=').next().unwrap_or(word) {
        "-k" => {
            "mail stays on the server unless the config file says otherwise; popfetch fetch --keep leaves it \
              there in any case"
        }
        "-K" | "--nokeep" | "--no-keep" => {
            "that is --delete, or keep = \"never\" in the config file"
        }
        "-a" | "--all" | "--all-accounts" => ALL,
        "-c" | "--check" | "--probe" => CHECK,
        "--pretend" | "-P" => "that is popfetch fetch --dry-run",
        "-d" | "--daemon" | "--idle" | "-i" | "--watch" => TIMER,
        "-s" | "--silent" => "that is -q",
        "-f" | "--fetchmailrc" | "--rcfile" | "-r" | "--file" | "-C" => "that is --config FILE",
        "-u" | "--user" | "--username" | "--host" | "--port" | "--password" | "--auth" => {
            "without a config file that is a URL, and popfetch asks for the password: popfetch \
             pops://USER@HOST:PORT --maildir DIR"
        }
        "--ssl" | "--tls" | "--sslproto" | "--starttls" => {
            "TLS is on unless the config file says otherwise, and a URL with pops:// has it"
        }
        "-m" | "--mda" | "--mbox" | "--destination" | "--delivery" => WHERE_TO,
        "-l" => "that is --max-size SIZE",
        "--limit" => {
            "for the newest N messages alone: --latest N; for none above a size: --max-size SIZE"
        }
        "--json" => "that is --format json",
        "--unread" => "that is popfetch list --new",
        "--sort" => "the newest message comes first; --format json is for programs that sort",
        "--every" | "--interval" => {
            "how often is said in the config file: popfetch man popfetch.toml"
        }
        "--configure" => "that is popfetch setup ADDRESS",
        "-F" | "--flush" => "popfetch deletes nothing that it has not stored; see --delete",
        _ => return None,
    })
}

/// What people call the commands below `account`, `state` and `password`.
pub(super) fn of_word_in(command: &str, word: &str) -> Option<&'static str> {
    Some(match (command, word) {
        ("account", "add" | "new" | "create" | "setup") => "setup",
        ("account", "rm" | "del" | "delete") => "account remove ACCOUNT",
        ("account", "ls") => "account list",
        ("account", "check" | "doctor" | "verify") => "account test",
        ("account", "info" | "get" | "print") => "account show ACCOUNT",
        ("state", "ls" | "list" | "info") => "state show ACCOUNT",
        ("state", "reset" | "clear" | "rm" | "remove" | "delete") => "state forget ACCOUNT --all",
        ("state", "seen" | "skip" | "mark") => "state mark-seen ACCOUNT",
        ("password", "add" | "save" | "store" | "new") => "password set ACCOUNT",
        ("password", "rm" | "del" | "delete" | "forget") => "password remove ACCOUNT",
        _ => return None,
    })
}

/// What the commands of other tools are here.
pub(super) fn of_word(word: &str) -> Option<&'static str> {
    Some(match word {
        "ls" => {
            "popfetch list has the mail that was fetched, and popfetch account list the accounts"
        }
        "accounts" => {
            "popfetch account list has the accounts, and popfetch check what waits in them"
        }
        "read" | "open" | "cat" => {
            "popfetch list has the mail, and popfetch show 1 shows the first of it"
        }
        "sync" | "pull" | "get" | "recv" | "receive" | "retrieve" | "run" | "mail" => {
            "that is popfetch alone, or popfetch fetch ACCOUNT"
        }
        "search" | "find" | "grep" => "that is popfetch list --from WORD or --subject WORD",
        "test" | "doctor" => "that is popfetch account test",
        "version" => "that is popfetch --version",
        "init" | "configure" | "config" | "add" | "new" | "wizard" => {
            "that is popfetch setup ADDRESS"
        }
        "remove" | "delete" | "rm" => {
            "popfetch account remove ACCOUNT takes an account out of the config file; popfetch fetch \
             --delete deletes mail from the server once it is stored"
        }
        "daemon" | "idle" => TIMER,
        "status" => CHECK,
        _ => return None,
    })
}
