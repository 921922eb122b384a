//! Why a server is left alone, and for how long.

/// Nothing holds an account for longer, whatever the server announces and the clock does.
pub(super) const LONGEST: i64 = 6 * 60 * 60;

/// A server that is busy is left alone so long (seconds), more or less. The first three are short
/// enough that a run every five minutes is early for none of them, whatever the spread.
const BUSY: [i64; 4] = [30, 120, 240, 900];

/// So many times in a row a server that lets us in and sends no messages is asked again in the next
/// run, as other fetchers do: nobody is shut out for coming back whose sign-in is taken, and whoever
/// asks has the mail as soon as the trouble is over.
const FREE: u32 = 3;

/// One that has refused the credentials, or refuses for good (fact F16).
const REFUSED: [i64; 6] = [900, 1800, 3600, 7200, 14_400, LONGEST];

/// How far a wait may be from the above, so that accounts do not come back in step.
const SPREAD_PERCENT: u64 = 20;

/// Why a server did not let us in, or did not go on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RefusalKind {
    /// It has trouble of its own: too many connections, a restart.
    Passing,
    /// Another session holds the maildrop.
    InUse,
    /// It let us in, and sent no messages.
    Withheld,
    /// It has given us as much, or let us in as often, as it does for now.
    Limit,
    /// It closed the connection over the sign-in.
    Closed,
    /// It did not say why in a way that we know.
    Unexplained,
    /// The credentials.
    Credentials,
    /// For good, as it says.
    Permanent,
}

impl RefusalKind {
    /// How long it is waited for when it has come so many times in a row (seconds).
    pub(super) fn wait(self, count: u32) -> i64 {
        let (free, waits): (u32, &[i64]) = match self {
            Self::Withheld => (FREE, &BUSY),
            _ if self.is_of_credentials() => (0, &REFUSED),
            _ => (0, &BUSY),
        };
        let Some(place) = count.checked_sub(free + 1) else {
            return 0;
        };
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        let wait = waits.get(place).or(waits.last());
        wait.copied().unwrap_or(LONGEST)
    }

    /// Whether other credentials may be let in.
    pub(super) fn is_of_credentials(self) -> bool {
        matches!(self, Self::Credentials | Self::Permanent)
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Passing => "passing",
            Self::InUse => "in-use",
            Self::Withheld => "withheld",
            Self::Limit => "limit",
            Self::Closed => "closed",
            // The word of earlier versions for all of the above.
            Self::Unexplained => "busy",
            Self::Credentials => "credentials",
            Self::Permanent => "permanent",
        }
    }

    pub(super) fn of(word: &str) -> Option<Self> {
        let kinds = [
            Self::Passing,
            Self::InUse,
            Self::Withheld,
            Self::Limit,
            Self::Closed,
            Self::Unexplained,
            Self::Credentials,
            Self::Permanent,
        ];
        kinds.into_iter().find(|kind| kind.word() == word)
    }
}

/// A wait, more or less.
pub(super) fn spread(wait: i64, random: u64) -> i64 {
    let percent = 100 - SPREAD_PERCENT + random % (2 * SPREAD_PERCENT + 1);
    wait.saturating_mul(i64::try_from(percent).unwrap_or(100)) / 100
}
