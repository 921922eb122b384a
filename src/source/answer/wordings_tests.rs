use super::Meaning::{Command, Credentials, InUse, Limit, Passing, Permanent};
use super::tests::{at_listing, at_sign_in};

/// Wordings from public trackers, servers' sources and providers' help pages, besides those above.
#[test]
fn d1_wordings_that_people_have_met_mean_at_a_sign_in_what_they_say() {
    for words in [
        "Invalid username/password",
        "Authentication failure",
        "[AUTH] Authentication failed. Please try again in a few moments",
        "Bad login",
        "Login incorrect",
        "login incorrect, try again",
        "Incorrect password or account name",
        "Password incorrect; please wait 5 seconds",
        "Password failed for ada",
        "user unknown",
        "-ERR: bad password",
        "authorization failed",
        "Authorization failure",
        "sorry, that didn't work, try again",
        "Nice try",
        "Nope, wait a bit and try again",
        "Bad authentication",
        "permission denied",
        "Invalid credentials, retry later",
        "Password supplied for \"ada@example.com\" is incorrect, please wait before trying again",
        "Account does not exist",
        "Mailbox ada does not exist",
        "Maildrop not found for user ada",
        "Login refused",
        "Unknown login",
        "POP access is disabled for this user",
        "Your account is not enabled for POP access",
        "You need to enable POP in settings",
        "Username/password mismatch",
        "Your password has expired",
        "password expired, change it and try again later",
        "Sorry, you are not allowed to log in",
        "Your credentials were not accepted",
        "Please try again with a valid password",
        "illegal user",
        "Application-specific password required",
        "[AUTH] (#AUTH005) Too many bad auth attempts.",
    ] {
        assert_eq!(at_sign_in(words), Credentials, "{words}");
    }
    for words in [
        "Too many simultaneous connections",
        "too many open connections, try later",
        "Maximum connections reached",
        "Connection limit reached",
        "connection limit exceeded",
        "Server is overloaded",
        "server too busy",
        "system busy, try again",
        "Service temporarily unavailable",
        "The server is down for maintenance",
        "scheduled maintenance",
        "Temporary failure, please retry",
        "temporary problem, please try again later",
        "Temporary system problem",
        "temp failure",
        "Internal error",
        "Internal Server Error",
        "internal failure while opening mailbox",
        "Internal authentication error",
        "Authentication server not responding",
        "auth server down",
        "Could not connect to authentication server",
        "cannot connect to database",
        "Unable to authenticate at present, try again later",
        "Can't open mailbox",
        "cannot open mailbox",
        "error opening mailbox",
        "Failed to open mailbox",
        "mailbox temporarily unavailable",
        "Mailbox unavailable",
        "Unable to access mailbox",
        "unable to read mailbox",
        "Unable to load maildrop",
        "Error while reading mailbox",
        "could not open INBOX",
        "Unable to scan mailbox",
        "Unable to select mailbox",
        "mailbox is being migrated",
        "System error",
        "system failure",
        "Out of memory",
        "Resource temporarily unavailable",
        "Fork failed",
        "insufficient resources",
        "Disk full",
        "I/O error",
        "timeout",
        "Backend unavailable",
        "Please try later",
        "Service not available",
        "server not ready",
        "server unavailable",
        "try again in a moment",
        "The mail server is currently unavailable",
        "POP3 server is not accepting connections",
        "Can't create temporary file",
    ] {
        assert_eq!(at_sign_in(words), Passing, "{words}");
    }
    for words in [
        "Login limit exceeded",
        "login rate exceeded",
        "Rate limit exceeded, retry in 60 seconds",
        "You are checking mail too frequently",
        "Too many logins, slow down",
        "Too many login attempts. Try again later",
        "too many failures",
        "mailbox access limit exceeded",
        "Login frequency limited",
        "Maximum login attempts exceeded",
        "Your account has been temporarily locked",
        "Exceeded maximum number of logins per hour",
        "Access too frequent",
        "You have exceeded your daily download quota",
        "Please wait 10 minutes before checking mail again",
        "Minimum login interval not met",
        "Login denied: minimum 60 seconds between polls",
        "LOGIN-DELAY not expired",
    ] {
        assert_eq!(at_sign_in(words), Limit, "{words}");
    }
    for words in [
        "maildrop is locked",
        "Mailbox locked by another process",
        "can't lock mailbox",
        "Cannot lock mailbox",
        "unable to obtain lock",
        "POP lock busy! Is another session active?",
        "Your maildrop is already open",
        "Mailbox already in use",
        "There is already a session for this user",
        "another POP3 session is active",
        "session already exists",
    ] {
        assert_eq!(at_sign_in(words), InUse, "{words}");
    }
    for words in [
        "Syntax error",
        "syntax error in command",
        "command unrecognized",
        "Unknown command.",
        "Invalid command",
        "invalid command; valid commands: USER, PASS, QUIT",
        "Command unknown: AUTH",
        "Command AUTH not recognized",
        "Unrecognised command AUTH PLAIN",
        "Unknown AUTH type",
        "Authentication type not supported",
        "Unsupported authentication method",
        "AUTH mechanism not available",
        "AUTH not implemented",
        "AUTH PLAIN is not supported",
        "AUTH command not enabled",
        "auth disabled",
        "AUTH is disabled",
        "AUTH not allowed",
        "too many parameters",
        "Too many args",
        "bad arguments",
        "Invalid number of arguments",
        "Unexpected argument",
        "extra characters after command",
        "wrong state",
        "Command not allowed in this state",
        "Not in this state",
        "Bad sequence of commands",
        "invalid in current state",
        "Protocol error",
        "bad command",
        "unimplemented",
        "Line too long",
        "Invalid base64",
        "bad base64 data",
        "Unknown authentication mechanism",
        "Initial response not supported",
        "USER first",
        "expected USER",
        "please use USER/PASS",
        "command \"auth\" not valid",
    ] {
        assert_eq!(at_sign_in(words), Command, "{words}");
    }
}

/// What the wordings above leave out of the table.
#[test]
fn d1_each_row_of_the_table_has_a_wording() {
    for words in [
        "someone else is using this mailbox",
        "only one POP3 session per user",
        "[ALREADY-IN-USE] no",
        "[IN_USE] no",
        "[INUSE] no",
    ] {
        assert_eq!(at_sign_in(words), InUse, "{words}");
    }
    for words in [
        "Your IP has been blocked for 30 minutes",
        "your address is blacklisted",
        "request throttled",
        "you may log in once per hour",
        "account is over quota",
        "back off",
        "[LIMIT] no",
        "[LOGIN_DELAY] no",
        "[RATELIMIT] no",
        "[THROTTLED] no",
    ] {
        assert_eq!(at_sign_in(words), Limit, "{words}");
    }
    for words in [
        "POP3 is not enabled for this account",
        "unauthorized",
        "[AUTHENTICATIONFAILED] no",
        "[AUTHORIZATIONFAILED] no",
        "[EXPIRED] no",
    ] {
        assert_eq!(at_sign_in(words), Credentials, "{words}");
    }
    for words in [
        "no space left on device",
        "user lookup failed",
        "transient condition",
        "out of service",
        "the server will restart",
        "starting up",
        "heavy load",
        "[SERVERBUG] no",
    ] {
        assert_eq!(at_sign_in(words), Passing, "{words}");
    }
    assert_eq!(at_sign_in("please use APOP"), Command);
    assert_eq!(at_listing("authenticate first"), Command);
    assert_eq!(at_sign_in("[CONTACTADMIN] no"), Permanent);
}
