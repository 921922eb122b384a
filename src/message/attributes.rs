//! What a server has noted of a message beside its octets (RFC 3501 section 2.3).

/// A mark that its reader, or a program for them, has given a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flag {
    /// It is not finished.
    Draft,
    /// It matters.
    Flagged,
    /// It was sent on: resent, forwarded or bounced.
    Passed,
    /// It was answered.
    Replied,
    /// It was read.
    Seen,
    /// It is to be removed.
    Trashed,
}

impl Flag {
    /// All of them, in the order of their words.
    pub const ALL: [Self; 6] = [
        Self::Draft,
        Self::Flagged,
        Self::Passed,
        Self::Replied,
        Self::Seen,
        Self::Trashed,
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Flagged => "flagged",
            Self::Passed => "passed",
            Self::Replied => "replied",
            Self::Seen => "seen",
            Self::Trashed => "trashed",
        }
    }
}

/// The flags of a message.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Flags(u8);

impl Flags {
    /// Whether this is among them.
    pub fn has(self, flag: Flag) -> bool {
        self.0 & bit(flag) != 0
    }

    /// Whether it was read.
    pub fn is_seen(self) -> bool {
        self.has(Flag::Seen)
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Their words.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        self.iter().map(Flag::word)
    }

    /// They, in the order of their words.
    pub fn iter(self) -> impl Iterator<Item = Flag> {
        Flag::ALL.into_iter().filter(move |flag| self.has(*flag))
    }
}

impl FromIterator<Flag> for Flags {
    fn from_iter<I: IntoIterator<Item = Flag>>(flags: I) -> Self {
        let flags = flags.into_iter();
        Self(flags.fold(0, |bits, flag| bits | bit(flag)))
    }
}

fn bit(flag: Flag) -> u8 {
    1 << flag as u8
}

/// What a server has noted of a message; nothing, where it notes nothing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Attributes {
    /// Its flags.
    pub flags: Flags,
    /// When the server got it, in seconds since 1970.
    pub received: Option<i64>,
}
