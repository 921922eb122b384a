//! The codes and words that servers refuse with, and what they mean: data, and nothing else.
//!
//! The first row that fits decides, so the order matters: what is said of a lock or of a wrong
//! password goes before what is said of servers in general, and words that say little come last.

use super::{Meaning, Occasion, Row};

const ANYWHERE: &[Occasion] = &[
    Occasion::Door,
    Occasion::SignIn,
    Occasion::Listing,
    Occasion::Messages,
];
const BEFORE_MESSAGES: &[Occasion] = &[Occasion::Door, Occasion::SignIn, Occasion::Listing];
const BESIDE_SIGN_IN: &[Occasion] = &[Occasion::Door, Occasion::Listing, Occasion::Messages];
const SIGN_IN: &[Occasion] = &[Occasion::SignIn];
const LISTING: &[Occasion] = &[Occasion::Listing];
const MESSAGES: &[Occasion] = &[Occasion::Messages];

/// Response codes that no RFC has for POP3: those of IMAP (RFC 5530), which gateways pass on, and
/// misspelt ones.
pub(super) const CODES: &[(&str, Meaning)] = &[
    ("ALREADY-IN-USE", Meaning::InUse),
    ("AUTHENTICATIONFAILED", Meaning::Credentials),
    ("AUTHORIZATIONFAILED", Meaning::Credentials),
    ("CONTACTADMIN", Meaning::Permanent),
    ("EXPIRED", Meaning::Credentials),
    ("IN_USE", Meaning::InUse),
    ("INUSE", Meaning::InUse),
    ("LIMIT", Meaning::Limit),
    ("LOGIN_DELAY", Meaning::Limit),
    ("OVERQUOTA", Meaning::Limit),
    ("RATELIMIT", Meaning::Limit),
    ("PRIVACYREQUIRED", Meaning::Permanent),
    ("SERVERBUG", Meaning::Passing),
    ("TEMPFAIL", Meaning::Passing),
    ("THROTTLED", Meaning::Limit),
    ("UNAVAILABLE", Meaning::Passing),
];

/// Words that count even where [AUTH] stands before them: Cyrus puts it before all that its SASL
/// library says, Gmail before its limits.
pub(super) const DESPITE_AUTH: &[Row] = &[
    Row {
        at: SIGN_IN,
        meaning: Meaning::Permanent,
        words: &["binding|bindings .. match|mismatch*|differ*|wrong"],
    },
    Row {
        at: SIGN_IN,
        meaning: Meaning::Command,
        words: &[
            "bad protocol",
            "no mechanism available",
            "channel binding|bindings",
            "unknown|unsupported|invalid|unrecogni* .. mechanism",
            "mechanism .. not|unsupported|unknown|unavailable",
        ],
    },
    Row {
        at: SIGN_IN,
        meaning: Meaning::Limit,
        words: &[
            "exceed* .. limit*|bandwidth|quota",
            "rate limit*",
            "too many .. login*|requests",
        ],
    },
    Row {
        at: SIGN_IN,
        meaning: Meaning::Passing,
        words: &[
            "temporary authentication|authorization|auth|system|server failure|error|problem",
            "too many simultaneous|concurrent|connections",
        ],
    },
];

pub(super) const ROWS: &[Row] = &[
    // About one message, whatever else is said of it.
    Row {
        at: MESSAGES,
        meaning: Meaning::Message,
        words: &[
            "message|msg|mail|email .. too|exceed*|corrupt*|damaged|deleted|expunged|exist*|found",
            "no such message|msg|mail",
        ],
    },
    Row {
        at: ANYWHERE,
        meaning: Meaning::InUse,
        words: &[
            "in use",
            "already|currently|still locked|open|opened|logged|connected|active|running",
            "another|other|different session|client|user|process|connection|program|pop|pop3|login|instance|host",
            "someone|somebody else",
            "locked|held|used by",
            "mailbox|maildrop|drop|inbox|spool|folder .. lock*",
            "lock .. mailbox|maildrop|drop|inbox|spool|folder",
            "unable|cannot|cant|couldnt|failed|not .. lock",
            "lock .. busy|failed|failure|held|conflict",
            "only one .. session|connection|login|client",
            "session .. active",
            "already .. session",
            "session already",
        ],
    },
    // Somebody may be between us: nothing is tried without the binding.
    Row {
        at: SIGN_IN,
        meaning: Meaning::Permanent,
        words: &["binding|bindings .. match|mismatch*|differ*|wrong"],
    },
    // What comes of too many wrong passwords is no judgement of this one.
    Row {
        at: SIGN_IN,
        meaning: Meaning::Limit,
        words: &[
            "too many .. fail*|invalid|bad|wrong|incorrect|unsuccessful",
            "too many .. attempts|tries|failures|errors",
            "max* .. attempts|tries|failures",
            "login delay|interval|rate",
            "account|user|login|access|ip|address|host .. temporar* .. lock*|block*|disabl*|suspend*|ban*|banned|restrict*",
            "temporar* .. lock*|block*|disabl*|suspend*|banned|restrict*",
            "account|user|login|access|ip|address|host .. lock*|block*|disabl*|suspend*|banned .. temporar*|minute*|hour*|later",
            "ip|address|host .. block*|banned|blacklist*|blocklist*",
        ],
    },
    // A password that is named is judged, whatever is said of the command as well.
    Row {
        at: SIGN_IN,
        meaning: Meaning::Credentials,
        words: &[
            "wrong|bad|invalid|incorrect .. password*|passwd|passphrase|credential*",
            "password*|passwd|passphrase|credential* .. wrong|bad|invalid|incorrect|mismatch*|expired|reject*|accepted",
        ],
    },
    Row {
        at: ANYWHERE,
        meaning: Meaning::Command,
        words: &[
            "unknown|unrecogni*|invalid|bad|illegal|unsupported|unimplemented|unexpected|undefined|wrong command|verb|keyword|mechanism|method|state|sequence",
            "unknown|unrecogni*|invalid|bad|illegal|unsupported auth|authentication|authorization|authenticate|login mechanism|method|type|scheme|command|mode",
            "command|verb|mechanism|method|scheme unknown|unrecogni*|invalid|unsupported|illegal|disabled|unavailable|not",
            "command|verb|mechanism|method|scheme is|was unknown|unrecogni*|invalid|unsupported|illegal|disabled|unavailable|not",
            "no such command|mechanism|method",
            "no mechanism*",
            "syntax",
            "too many|few .. argument*|param*|args|words",
            "unexpected|extra argument*|param*|characters",
            "auth not|disabled|unsupported|unavailable|unknown",
            "auth is|command|plain|login not|disabled|unsupported|unavailable|unknown",
            "command auth not|unknown|unrecogni*|invalid|unsupported|disabled",
            "user first",
            "expect* user",
            "wrong|missing|extra|need|needs|require*|expect*|invalid|bad .. argument*|param*|args",
            "not implemented|understood",
            "current|this|wrong|incorrect|authorization|transaction state",
            "bad protocol",
            "protocol error",
            "channel binding|bindings",
        ],
    },
    // A password, a user or the account, named for what is wrong with them.
    Row {
        at: SIGN_IN,
        meaning: Meaning::Credentials,
        words: &[
            "lies",
            "wrong|bad|invalid|incorrect|false|unknown .. password*|passwd|passphrase|credential*|user|username|login|logon|account|token",
            "password*|passwd|passphrase|credential*|user|username|login|logon|account|token .. wrong|bad|invalid|incorrect|mismatch*|match|unknown|expired|reject*",
            "password*|credential* error|fail*|failure|denied|required|needed|supplied|not",
            "no such|valid user|account|mailbox|login|credentials",
            "user|username|account|mailbox .. exist*|found|known|recogni*",
            "account|user|login|mailbox .. disabled|suspended|inactive|deactivated|locked|blocked|closed|deleted|frozen|banned|terminated",
            "pop|pop3 .. disabled|denied|deactivated|off",
            "pop|pop3 .. not enabled|allowed|permitted|activated|authori*",
            "not enabled|allowed|permitted|activated|authori* .. pop|pop3",
            "enable .. pop|pop3",
            "app|application|device specific password|passwords",
        ],
    },
    // As many at once as it takes: that is over sooner than what is counted by the hour.
    Row {
        at: ANYWHERE,
        meaning: Meaning::Passing,
        words: &[
            "too many .. connection*|session*|user*|client*|process*|thread*|simultaneous|concurrent",
            "max* .. connection*|session*|user*|client*|process*|children",
            "connection|connections|session|sessions limit*",
            "simultaneous|concurrent|parallel|multiple connection*|session*|login*|access*",
        ],
    },
    Row {
        at: ANYWHERE,
        meaning: Meaning::Limit,
        words: &[
            "exceed* .. limit*|quota|bandwidth|rate|number|max*|allow*",
            "download|command|login|session|connection|bandwidth|quota exceed*",
            "rate exceed*",
            "rate|login|logins|bandwidth|download|daily|hourly|traffic|frequency|message limit*",
            "limit* .. exceed*|reach*|hit|login*",
            "throttl*",
            "too often|frequent*|soon|fast|quick*|early|rapid*",
            "login|logon|poll|check|connect* frequen*",
            "every .. second*|minute*|hour*|min|sec",
            "once .. second*|minute*|hour*|day",
            "per second|minute|hour|day",
            "minimum|min|least .. interval|apart|between|time",
            "minutes|seconds apart|between",
            "over quota",
            "slow down",
            "backoff|back off",
            "too many requests|commands|logins|messages|downloads|retr*|mails|polls|checks",
            "max* number .. messages|logins|downloads|commands|requests",
        ],
    },
    // At RETR and its like what is not said of the time being may be one message's own trouble: a
    // file that cannot be opened, an error inside of the server that comes with each try.
    Row {
        at: BEFORE_MESSAGES,
        meaning: Meaning::Passing,
        words: &[
            "internal .. error|failure|problem|fault",
            "internal server|service",
            "server|system|service|backend|database|db|storage|disk|network|ldap|sql|mysql|proxy|software|application error|problem|problems|failure|failed|fault|trouble",
            "unable|cannot|cant|couldnt|could|failed|failure|error|impossible .. open*|access*|read*|load*|create|stat|scan*|sync*|initiali*|select*|chdir|process .. mailbox|maildrop|inbox|spool|mail|mails|folder|mailstore|store|drop|directory|dir|index|database|request|file",
            "mailbox|maildrop|inbox|spool|mail|folder open|access|read .. fail*|error",
            "mailbox|maildrop .. inconsistent|corrupt*",
            "unable|cannot|cant|couldnt|could|failed|failure .. connect*|contact*|reach|fork|resolve|lookup|allocate",
            "connection .. lost|refused|reset|timed",
            "timed out",
            "timeout",
            "i o error",
            "out of memory|resources|space",
            "no space|memory|resources",
            "insufficient .. resources|memory|space",
            "fork fail*|failed",
            "not accepting connections",
            "disk full|quota",
            "lookup fail*|failure|error",
            "unavailable",
            "not available|ready|responding|reachable|running",
            "generic failure",
        ],
    },
    Row {
        at: ANYWHERE,
        meaning: Meaning::Passing,
        words: &[
            "temporar*",
            "temp fail*|error",
            "transient",
            "overload*",
            "maintenance|migration|migrated|upgraded",
            "busy",
            "server|system|service|backend|database .. down|unavailable|offline|overload*|unreachable|available|full|load",
            "out of service",
            "shutting down",
            "shutdown|restart*|reboot*",
            "starting up",
            "high|heavy|excessive load|traffic",
        ],
    },
    Row {
        at: ANYWHERE,
        meaning: Meaning::Command,
        words: &[
            "not supported|recogni*",
            "unsupported|unimplemented",
            "mechanism*",
            "sasl",
            "initial response",
            "cancel*",
            "line|command too long",
            "use|try user",
            "use|try apop",
            "malformed",
            "base64",
        ],
    },
    Row {
        at: LISTING,
        meaning: Meaning::Command,
        words: &[
            "log|logged|sign|signed|login in|first|required",
            "not authenticated|authorized",
            "authenticat* first|required",
        ],
    },
    // Words that blame a sign-in without saying more than that it was one.
    Row {
        at: SIGN_IN,
        meaning: Meaning::Credentials,
        words: &[
            "password*|passwd|credential*",
            "auth|authenticat*|authoriz*|authoris*|login|logon|sign|signon .. fail*|failure|error|incorrect|denied|refused|reject*|unsuccessful",
            "access|permission .. denied",
            "not authori*|allowed|permitted|accepted",
            "unauthori*",
            "denied|rejected",
        ],
    },
    Row {
        at: SIGN_IN,
        meaning: Meaning::Limit,
        words: &["minute|minutes|hour|hours"],
    },
    Row {
        at: ANYWHERE,
        meaning: Meaning::Passing,
        words: &["later", "in a moment|while"],
    },
    // Behind a password these say nothing: so may anybody who has just refused it.
    Row {
        at: BESIDE_SIGN_IN,
        meaning: Meaning::Passing,
        words: &["wait", "try again", "retry"],
    },
];
