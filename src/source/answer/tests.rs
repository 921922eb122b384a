use super::*;
use crate::pop3::MessageNumber;
use Meaning::{Command, Credentials, InUse, Limit, Passing, Permanent};

fn refusal(words: &str) -> Answer {
    let line = format!("-ERR {words}");
    crate::pop3::Reply::parse(line.as_bytes()).unwrap().into()
}

pub(super) fn at_sign_in(words: &str) -> Meaning {
    Meaning::of(Phase::SignIn, &refusal(words))
}

pub(super) fn at_listing(words: &str) -> Meaning {
    Meaning::of(Phase::Listing, &refusal(words))
}

fn at_greeting(words: &str) -> Meaning {
    Meaning::of(Phase::Greeting, &refusal(words))
}

fn at_message(words: &str) -> Meaning {
    let number = MessageNumber::new(1).unwrap();
    let meanings = [
        Phase::Message(number),
        Phase::Header(number),
        Phase::Deleting(MessageNumber::new(1).unwrap()),
    ];
    let meanings = meanings.map(|phase| Meaning::of(phase, &refusal(words)));
    assert_eq!(meanings, [meanings[0]; 3], "{words}");
    meanings[0]
}

#[test]
fn d1_a_wrong_password_is_one_whatever_the_server_advises() {
    for words in [
        // tpop3d.
        "Lies! Try again!",
        "Invalid password, please try again later",
        "Wrong password. Please wait a few seconds before you try again.",
        "Authentication failed, wait and try again",
        "login fail, please try again later",
        "password incorrect, wait 3 seconds",
        // Exchange.
        "Logon failure: unknown user name or bad password.",
        // QQ: the password is among what may be wrong.
        "Login fail. Account is abnormal, service is not open, password is incorrect, login \
         frequency limited, or system is busy. More information at https://example.com",
        "Unable to log on",
        "Login failed. Wrong password?",
        "invalid user or password, try later",
        "No such user in this system; try again later",
        "mailbox not found",
        "user not found, try again",
        "Password supplied for \"ada\" is incorrect.",
        "[AUTH] Username and password not accepted.",
        "[AUTH] Web login required: https://example.com/answer/78754",
        "[AUTH] Authentication failed.",
        "[AUTHENTICATIONFAILED] no",
        // Cyrus, of its sasldb.
        "[AUTH] authenticating: authentication failure",
        "[AUTH] authenticating: user not found",
        "[AUTH] Invalid login",
        "Account is locked, see our pages",
        "account disabled",
        "your account has been suspended",
        "POP3 access is not enabled for this account",
        "POP3 is disabled",
        "Please enable POP3 in your mailbox settings",
        "Please use an application-specific password",
        "access denied",
        "permission denied, try again",
        "Please wait and try again",
        "who are you?",
        "Anmeldung fehlgeschlagen",
        "",
    ] {
        assert_eq!(at_sign_in(words), Credentials, "{words}");
    }
}

#[test]
fn d1_passing_trouble_blames_no_password() {
    for words in [
        "Too many connections",
        "too many connections from your IP",
        "Too many users.",
        // Dovecot.
        "Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)",
        "server overloaded",
        "[SYS/TEMP] Mail system overloaded",
        "under maintenance",
        "System maintenance in progress, please try later",
        "Temporary authentication failure",
        "[AUTH] Temporary authentication failure.",
        "[SYS/TEMP] Temporary system problem. Please try again later.",
        "[SYS/TEMP] Idle for too long, closing",
        "[TEMPFAIL] come back",
        "[UNAVAILABLE] Temporary authentication failure.",
        "internal server error",
        "Internal server error (RMI unavailable)",
        "internal error occurred",
        "Unable to open mailbox",
        "Unable to open Mailbox",
        "can't open mailbox /var/mail/ada: I/O error",
        "Cannot access the mail spool",
        "couldn't read mailbox",
        "mailbox open failed",
        "failed to open the maildrop",
        "Mailbox is in inconsistent state, please relogin.",
        "Server error",
        "system error",
        "Server busy",
        "Busy - please try later",
        "Server is not available",
        "Server shutting down",
        "Server out of memory, aborting connection.",
        "can't contact LDAP server",
        "Unable to connect to backend",
        "Authentication service unavailable",
        "authentication failed: database is down",
        "Backend server temporarily unavailable",
        "service not available",
        "connection to the authentication daemon timed out",
        "login failed: server is too busy",
        "please try again later",
        "not ready yet, come back later",
        "[AUTH] authenticating: generic failure, temporary system failure",
    ] {
        assert_eq!(at_sign_in(words), Passing, "{words}");
    }
}

#[test]
fn d1_a_limit_blames_no_password() {
    for words in [
        "Exceeded the login limit for a 15 minute period. Reduce the frequency of requests to the \
         server.",
        "Login rate limit exceeded",
        "login allowed only every 15 minutes",
        "POP3 login allowed only every 15 minutes",
        "[LOGIN-DELAY] Minimum time between logins not met",
        "Logins must be at least 5 minutes apart",
        // Gmail says so behind [AUTH].
        "[AUTH] Account exceeded pop command or bandwidth limits (Failure)",
        "you are logging in too often",
        "You can check mail once every 10 minutes",
        "Too many failed login attempts",
        "Too many invalid passwords, try again in 30 minutes",
        "too many login attempts, slow down",
        "account temporarily locked",
        "Your account is locked for 15 minutes",
        "Your IP address has been blocked",
        "request is throttled. Suggested backoff time: 299910 milliseconds",
        "[LIMIT] Rate limited",
        "[OVERQUOTA] quota exceeded",
        "Too many requests",
    ] {
        assert_eq!(at_sign_in(words), Limit, "{words}");
    }
}

#[test]
fn q15_a_lock_is_known_by_code_or_words() {
    for words in [
        "[IN-USE] Do you have another POP session running?",
        "[INUSE] no",
        "maildrop lock busy!  Is another session active?",
        "maildrop already locked",
        "Mailbox locked, try next time",
        "Mailbox is locked. Try later.",
        "mailbox ada currently locked",
        "Mailbox in use",
        "Maildrop is locked by someone else!",
        "unable to lock maildrop",
        "Can't get lock on mailbox",
        "mailbox for account ada is locked by another session",
        "Your account is in use by another client",
        "User already logged in",
        "mailbox already open",
        "Lock failed",
        "Only one session at a time",
    ] {
        for meaning in [at_sign_in(words), at_listing(words), at_greeting(words)] {
            assert_eq!(meaning, InUse, "{words}");
        }
    }
}

#[test]
fn b8_a_command_that_is_refused_has_judged_no_password() {
    for words in [
        "Syntax error: too many arguments",
        "Invalid command in current state",
        "Invalid command in current state.",
        "unknown command",
        "Unknown command AUTH",
        "Command is not valid in this state.",
        "command not understood",
        "Unrecognized command",
        "Command not implemented",
        "not supported",
        "AUTH not supported",
        "wrong number of arguments",
        "Too many command arguments",
        "missing argument",
        "unknown mechanism",
        "no such mechanism",
        "Unsupported authentication mechanism.",
        "Unrecognized authentication type",
        "invalid SASL mechanism",
        "protocol error",
        "cancelled",
        "Authentication cancelled",
        "try USER and PASS",
        "use USER/PASS",
        "malformed response",
        // WildDuck.
        "Command not accepted",
        "unsupported SASL mechanism",
        "bad command",
        // Cyrus puts [AUTH] before whatever its library says.
        "[AUTH] authenticating: bad protocol / cancel",
        "[AUTH] authenticating: no mechanism available",
    ] {
        assert_eq!(at_sign_in(words), Command, "{words}");
    }
}

#[test]
fn b8_a_binding_that_does_not_match_is_nothing_to_be_done_without() {
    for words in [
        "[AUTH] channel bindings don't match",
        "channel binding mismatch",
        "[AUTH] Channel binding data does not match",
    ] {
        assert_eq!(at_sign_in(words), Permanent, "{words}");
    }
    for words in [
        "channel binding not supported",
        "[AUTH] unsupported channel binding type",
    ] {
        assert_eq!(at_sign_in(words), Command, "{words}");
    }
}

#[test]
fn b8_words_about_the_password_go_before_words_about_the_command() {
    for words in [
        "PASS command failed: password not accepted",
        "AUTH PLAIN: invalid password",
        "SASL authentication failed: wrong password",
        "authentication mechanism failed: bad credentials",
        "AUTH LOGIN not successful: wrong password",
        "invalid command: password rejected",
    ] {
        assert_eq!(at_sign_in(words), Credentials, "{words}");
    }
}

#[test]
fn b2_a_refusal_of_one_message_and_one_of_the_session_are_told_apart() {
    for words in [
        "[SYS/TEMP] later",
        "[IN-USE] mailbox locked",
        "[LOGIN-DELAY] too soon",
        // Coremail.
        "Download exceed",
        "download limit exceeded",
        "Too many messages downloaded, try again tomorrow",
        "bandwidth quota exceeded",
        // WildDuck.
        "Download was rate limited. Try again in 3 hours.",
        "[OVERQUOTA] no more today",
        "daily limit reached",
        "Temporary failure",
        "server busy",
        "service temporarily unavailable",
        "server shutting down",
        "too many connections",
        "please try again later",
        "Please wait",
        "mailbox locked by another session",
    ] {
        let meaning = at_message(words);
        assert!(meaning.is_the_sessions(), "{words}: {meaning:?}");
    }
    for words in [
        "no such message",
        "[SYS/PERM] message is damaged",
        "message exceeds the maximum size",
        "Message 3 has been expunged",
        "message already deleted",
        "message not found, try again later",
        "cannot open message file",
        "internal server error",
        "server error",
        "no such file",
        "not now",
        "I/O error",
        "",
    ] {
        assert_eq!(at_message(words), Meaning::Message, "{words}");
    }
    assert_eq!(at_message("[UTF8] speak it"), Meaning::Utf8);
    assert_eq!(at_message("unknown command"), Command);
}

#[test]
fn d1_a_refused_listing_is_told_apart_from_one_that_came_too_early() {
    for words in [
        "not now",
        "",
        "internal error",
        "nothing there",
        "[AUTH] hm",
    ] {
        assert_eq!(at_listing(words), Passing, "{words}");
    }
    assert_eq!(at_listing("login allowed only every 15 minutes"), Limit);
    assert_eq!(at_listing("[SYS/PERM] never"), Permanent);
    for words in [
        "not signed in",
        "Please log in first",
        "login first",
        "Mailbox not authenticated",
        "Command is not valid in this state.",
        "unknown command",
        "invalid command in AUTHORIZATION state",
    ] {
        assert_eq!(at_listing(words), Command, "{words}");
    }
}

#[test]
fn d1_what_is_said_in_the_place_of_a_greeting_passes_unless_it_says_otherwise() {
    for words in ["go away", "", "too many connections", "wait", "[AUTH] no"] {
        assert_eq!(at_greeting(words), Passing, "{words}");
    }
    assert_eq!(at_greeting("[SYS/PERM] not from your network"), Permanent);
    assert_eq!(at_greeting("connecting too often"), Limit);
}

#[test]
fn b2_the_wait_that_a_server_wants_is_read_from_its_words() {
    for (words, seconds) in [
        ("login allowed only every 15 minutes", Some(900)),
        ("Exceeded the login limit for a 15 minute period", Some(900)),
        ("try again in 90 s", Some(90)),
        ("retry after 60sec.", Some(60)),
        ("[LIMIT] wait 2 hours", Some(7200)),
        ("Suggested Backoff Time: 299910 milliseconds", Some(299)),
        ("come back in 99999999999999999 hours", Some(21600)),
        ("come back in 99999999999999999999999 hours", None),
        ("try again later", None),
        ("error 15", None),
        ("5 messages", None),
        ("", None),
    ] {
        let wait = refusal(words).wanted_wait();
        assert_eq!(wait.map(|wait| wait.as_secs()), seconds, "{words}");
    }
}

#[test]
fn s25_an_answer_of_any_octets_means_something() {
    let long = format!("{} later", "too many .. ".repeat(5000));
    for words in [
        long.as_str(),
        "[",
        "]",
        "[]",
        "[x",
        "\u{2019}",
        "İ too often",
        "\0",
    ] {
        for phase in [Phase::Greeting, Phase::SignIn, Phase::Listing, Phase::Quit] {
            Meaning::of(phase, &refusal(words));
        }
        refusal(words).wanted_wait();
    }
}
