//! The words that a person may have meant by one that is not known.

pub(crate) use crate::term::nearest;

/// The words in backticks after "expected": what serde would have taken instead.
pub(super) fn expected_words(message: &str) -> Vec<String> {
    let Some((_, expected)) = message.split_once(", expected ") else {
        return Vec::new();
    };
    if !message.starts_with("unknown ") {
        return Vec::new();
    }
    expected
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Words of other tools, and of people, beside ours.
const ELSEWHERE: &[(&str, &str)] = &[
    ("server", "host"),
    ("hostname", "host"),
    ("pop3", "host"),
    ("username", "user"),
    ("login", "user"),
    ("email", "user"),
    ("ssl", "tls"),
    ("starttls", "tls"),
    ("encryption", "tls"),
    ("security", "tls"),
    ("pass", "password"),
    ("passwd", "password"),
    ("secret", "password"),
    ("passwordeval", "password-command"),
    ("passcmd", "password-command"),
    ("password-eval", "password-command"),
    ("password_command", "password-command"),
    ("keyring", "password-keyring"),
    ("netrc", "password-netrc"),
    ("delete", "keep"),
    ("delete-after", "keep"),
    ("delete_after", "keep"),
    ("path", "maildir"),
    ("dir", "maildir"),
    ("directory", "maildir"),
    ("destination", "maildir"),
    ("mailbox", "folders"),
    ("mailboxes", "folders"),
    ("folder", "folders"),
    ("limit", "max-size"),
    ("size-limit", "max-size"),
    ("certificate", "tls-roots"),
    ("cafile", "tls-roots"),
    ("tls_trust_file", "tls-roots"),
    ("fingerprint", "tls-pin"),
    ("tls_fingerprint", "tls-pin"),
    ("interval", "every"),
    ("check-interval", "every"),
    ("poll", "every"),
    ("daemon", "every"),
    ("hook", "on-new"),
    ("exec", "on-new"),
    ("on-new-mail", "on-new"),
    ("post-fetch", "on-new"),
    ("enabled", "disabled"),
    ("skip", "disabled"),
    ("socks5", "proxy"),
    ("implicit-tls", "implicit"),
    ("ssl/tls", "implicit"),
    ("tls", "implicit"),
    ("ssl", "implicit"),
    ("on", "implicit"),
    ("yes", "implicit"),
    ("stls", "starttls"),
    ("off", "none"),
    ("plaintext", "none"),
    ("account", "accounts"),
    ("default", "defaults"),
];

/// How it is said here what a key of another tool says, where its value would not do for ours.
pub(super) fn way_to_say(found: &str) -> Option<&'static str> {
    Some(match found.to_lowercase().replace('_', "-").as_str() {
        "ssl" | "encryption" | "security" => {
            "leave it out: TLS is on, on port 995, or 993 with protocol = \"imap\"; for port 110 or 143 \
             say tls = \"starttls\""
        }
        "starttls" => "that is tls = \"starttls\"",
        "passwordeval" | "password-eval" | "passcmd" => {
            "that is password-command = [\"pass\", \"show\", \"mail\"]: the program and each of its \
             arguments in quotes of their own"
        }
        "delete" => {
            "that is keep = \"never\", which deletes a message from the server once it is stored; \
             keep = \"always\", the default, leaves it there"
        }
        "delete-after" => "that is keep = \"14 days\"",
        _ => return None,
    })
}

/// What a word that is not ours most likely means, of what may stand here.
pub(super) fn meant_by<'a>(found: &str, expected: &'a [String]) -> Option<&'a str> {
    let found = found.to_lowercase();
    let dashed = found.replace('_', "-");
    let is = |word: &str| word == found || word == dashed;
    let elsewhere = ELSEWHERE.iter().filter(|(theirs, _)| is(theirs));
    let mut ours = elsewhere.map(|(_, ours)| *ours).chain([dashed.as_str()]);
    ours.find_map(|ours| expected.iter().find(|it| *it == ours))
        .map(String::as_str)
}
