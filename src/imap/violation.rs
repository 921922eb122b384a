//! How a server breaks the protocol, and the limits to what is taken in of it.

/// A response is no longer than this, a message's octets left out. What is asked for takes a line; the
/// longest that comes unasked are lists of capabilities and flags.
pub const RESPONSE_LIMIT: usize = 32 * 1024;

/// Another literal than a message's is no longer than this: nothing that is asked for has any.
pub const LITERAL_LIMIT: u64 = 8 * 1024;

/// The server broke the protocol; nothing that follows on this connection can be trusted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Violation {
    /// A response without end.
    #[error("the server sent a response of more than {RESPONSE_LIMIT} bytes")]
    EndlessResponse,
    /// Responses without end.
    #[error("the server answered one command without end")]
    Endless,
    /// Mailboxes without end.
    #[error("the server listed folders without end")]
    EndlessList,
    /// A header without end.
    #[error("the server sent a header without end")]
    EndlessHeader,
    /// A literal that is too long, in octets.
    #[error("the server announced a text of {0} bytes where none may be so long")]
    LongLiteral(u64),
    /// Lists in lists in lists.
    #[error("the server sent lists that are nested too deeply")]
    TooDeep,
    /// No greeting where one must stand; the whole line.
    #[error("the server sent \"{}\" in place of its greeting", excerpt(.0))]
    NoGreeting(Vec<u8>),
    /// What is no response; the line.
    #[error("the server sent \"{}\", which is no response", excerpt(.0))]
    Malformed(Vec<u8>),
    /// An answer to a command that was not sent, or not yet to be answered; the line.
    #[error("the server answered another command than it was sent: \"{}\"", excerpt(.0))]
    ForeignTag(Vec<u8>),
    /// It asks for more, and there is none.
    #[error("the server asked for more of a command that was complete")]
    Unsolicited,
    /// A message's octets twice in one response.
    #[error("the server sent a message twice")]
    TwoBodies,
    /// A message that it says afterwards it could not send.
    #[error("the server sent a message, and then refused it")]
    TakenBack,
    /// A message that nobody has asked for, or not yet.
    #[error("the server sent another message than it was asked for")]
    OtherMessage,
    /// The mailbox has no UIDVALIDITY, or 0.
    #[error("the server gave the mailbox no UIDVALIDITY")]
    NoUidValidity,
    /// UIDVALIDITY is another than it was in the same session.
    #[error("the mailbox's UIDVALIDITY changed during the session")]
    OtherUidValidity,
    /// A UID that is not higher than the one before it.
    #[error("the server listed the UID {0} behind the UID {1}: they must go up")]
    UidOrder(u32, u32),
    /// A UID or a size that is no number, or two of them for one message.
    #[error("the server told a UID or a size of a message that is none")]
    Unusable,
    /// A message without a UID.
    #[error("the server listed a message without its UID")]
    NoUid,
}

/// The beginning of a line for an error message: printable ASCII without quotation marks.
fn excerpt(line: &[u8]) -> String {
    const EXCERPT: usize = 60;
    let line = line.trim_ascii_end();
    let line = line.get(..EXCERPT).unwrap_or(line);
    line.escape_ascii().to_string().replace("\\\"", "'")
}
