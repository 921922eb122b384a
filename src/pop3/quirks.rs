//! What real servers do that the RFCs do not say, and what popfetch does about it.
//!
//! Every leniency of the protocol core has a name here. Those that are a line of code are a
//! function; those that lie in the nature of another file's code are named in this list:
//!
//! | name | server, source | what is tolerated | where |
//! |---|---|---|---|
//! | status in any case | seen in the field (RFC 1939 wants upper case) | `+ok`, `-Err` | [`super::status`] |
//! | text glued to the status | seen in the field | `-ERR: no` | [`super::status`] |
//! | several spaces | Maillennium (Comcast), K-9 issue 3546 | `1   unique-id` | [`super::listing`] |
//! | `without_status_prefix` | K-9 issue 1237 | `+OK 1 unique-id` on each line of a listing | here |
//! | long and 8-bit unique-ids | Courier, InterMail, mpop's notes | 1 to 1024 octets, any but CR and LF | [`super::listing`] |
//! | gaps, disorder, doubles | K-9 issue 2252 | message-numbers are names, never indexes | `source::pop::maildrop` |
//! | bare LF line ends | Unix servers, MailKit's notes | a status line may end in LF alone; then so may all else | [`super::connection`] |
//! | `ends_message` | Unix servers, MailKit's notes | a termination octet between bare LFs | here |
//! | sizes that are wrong | Exchange, OpenMail, InterChange | LIST's octets are a hint, never the framing | [`super::body`] |
//! | capability tags in lower case | Mozilla bug 1783290 | `pipelining` | [`super::capability`] |
//! | capabilities only after sign-in | Gmail | CAPA is sent again | `source::pop::sign_in` |
//! | a maildrop listed in parts | Gmail, mpop's notes | sessions follow each other until a listing brings nothing new | `fetch` |
//! | a sign-in refused by closing | seen in the field | it is left alone as after a refusal | `fetch::error` |
//! | no CAPA at all | RFC 1939 servers, QPOP builds | -ERR, or a closed connection, means no extensions | `session` |
//! | UIDL that is not announced | jakarta mail-api issue 50 | it is tried all the same | `source::pop::maildrop` |
//! | `may_be_answered_twice` | FTGate, proxies that greet or answer as well | `+OK` once more, or blank lines, between the greeting, the sign-in, the listings, and what is asked for behind them | here |
//! | `pass_idle_lines` | POP3 stacks of appliances, filters that answer as well | blank lines before any answer, and those or `+OK` once more behind any, once a session has shown them; one command at a time then, with a look behind each message | [`super::connection`], `fetch::next` |
//! | `without_blanks` | the same | line ends that are torn or doubled: a CR too many before an answer | here |
//! | answers that come late | filters that pass on the answer of the server behind them | where messages are marked as deleted the connection is read to its end behind the reply to QUIT | `source::pop::update` |
//! | a status line twice before a message | the same | it is none of the message's where the size says so | `fetch::repeated` |
//! | `drops_what_follows_auth` | Cyrus 3.6 | AUTH is sent alone | here |
//! | AUTH refused as a command | hMailServer issue 230, seen in the field | another way to sign in is taken, once | `source::detour` |
//! | an initial response that is asked for again | seen in the field | it is sent again behind `+ ` | `sasl::exchange` |
//! | a first challenge of any text | MailKit's notes, mutt 0746ae48 | `+OK`, or words that are no base64, may ask for the first message of PLAIN, LOGIN and the bearer mechanisms | `sasl::exchange` |
//! | no UIDL | AOL's jpop, QPOP builds | messages are known by their content | `state` |
//! | text instead of a code | QPOP, fetchmail's `pop3_ok`, tpop3d, many providers | what an -ERR means is known from its words | `source::answer` |

use super::command::Command;

/// Removes a `+OK ` that some servers put before each line of a listing (K-9 issue 1237).
pub(super) fn without_status_prefix(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"+OK ").unwrap_or(line)
}

/// Whether a line that is only "." ends the message.
///
/// Between CRLFs it always does. A server that writes bare LFs may end a message with one (MailKit
/// met them), but a message may also hold such a line: most servers byte-stuff only after CRLF,
/// and then a sender could end the message early and have the rest of it read as the server's
/// replies. So on a server that speaks CRLF a doubtful "." counts only once all the octets that
/// the scan listing promised are there.
pub(super) fn ends_message(between_crlfs: bool, server_speaks_crlf: bool, all_there: bool) -> bool {
    between_crlfs || !server_speaks_crlf || all_there
}

/// A line without the blanks before its first word. A CR alone ends no line, so that one which was sent
/// for an empty line stands at the beginning of the next.
pub(crate) fn without_blanks(line: &[u8]) -> &[u8] {
    let is_blank = |octet: &u8| matches!(octet, b'\r' | b' ' | b'\t');
    let start = line.iter().position(|octet| !is_blank(octet));
    start
        .and_then(|start| line.get(start..))
        .unwrap_or_default()
}

/// Whether what stands between the answer to this command and the one before may say nothing: a blank
/// line, or `+OK` once more. Of a sign-in and of listings there is nothing yet that could be taken for
/// another message's; from then on whatever answers nothing is disorder. It is so before TLS, too.
pub(super) fn may_be_answered_twice(command: Command<'_>) -> bool {
    matches!(
        command,
        Command::Apop(..)
            | Command::Auth { .. }
            | Command::Capa
            | Command::User(_)
            | Command::Pass(_)
            | Command::Utf8
            | Command::Stat
            | Command::Uidl
            | Command::List
    )
}

/// Whether a server of this name (IMPLEMENTATION) loses what is pipelined behind AUTH: Cyrus throws
/// its buffer away there, as it would have to before a security layer.
pub(super) fn drops_what_follows_auth(implementation: &[u8]) -> bool {
    let name = implementation.trim_ascii_start();
    name.get(..5)
        .is_some_and(|name| name.eq_ignore_ascii_case(b"Cyrus"))
}

#[cfg(test)]
mod tests {
    use crate::pop3::listing::{scan_line, unique_id_line};

    #[test]
    fn q6_several_spaces_and_a_status_on_every_line_are_tolerated() {
        assert_eq!(unique_id_line(b"3   abc").unwrap().1, b"abc");
        assert_eq!(unique_id_line(b"+OK 3 abc").unwrap().0.value(), 3);
        assert_eq!(scan_line(b"+OK 3  44").unwrap().1, 44);
    }

    #[test]
    fn b1_blanks_before_a_word_are_none_of_it() {
        for (line, word) in [
            (&b"+OK a \r"[..], &b"+OK a \r"[..]),
            (b"\r+OK", b"+OK"),
            (b" \t\r\r-ERR", b"-ERR"),
            (b"\r", b""),
            (b"", b""),
        ] {
            assert_eq!(super::without_blanks(line), word);
        }
    }
}
