//! Which ways to sign in and to list a server was seen to follow in earlier runs, and for how long that
//! counts.

use super::Conduct;
use crate::source::{Detour, Shortcut};
use crate::state::Moment;

/// A shortcut is taken for so long (seconds) before the server is asked again what it can: within
/// a week a stronger method to sign in that it has learnt is taken.
const SHORTCUT_FOR: i64 = 7 * 24 * 60 * 60;

/// A server that did not follow one is spared for so long (seconds): it may have been closing anyway.
const DOUBTED_FOR: i64 = 24 * 60 * 60;

/// And for so long once it has done so again, as for pipelining.
const NO_SHORTCUT_FOR: i64 = 30 * 24 * 60 * 60;

/// A way around what a server announces is taken for so long (seconds), as above.
const DETOUR_FOR: i64 = NO_SHORTCUT_FOR;

/// Lines that say nothing are passed over for so long (seconds), and with one command at a time, as above.
const IDLE_LINES_FOR: i64 = NO_SHORTCUT_FOR;

/// What earlier runs have shown of signing in and listing in one flight.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum OneFlight {
    /// It goes this way.
    By(Shortcut),
    /// The server did not follow.
    Doubted,
    /// Nor did it the next time.
    Fails,
}

impl OneFlight {
    fn of_word(word: &str) -> Option<Self> {
        match word {
            "doubted" => Some(Self::Doubted),
            "none" => Some(Self::Fails),
            word => Shortcut::of_word(word).map(Self::By),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::By(shortcut) => shortcut.word(),
            Self::Doubted => "doubted",
            Self::Fails => "none",
        }
    }

    /// For how many seconds it counts.
    fn lasts(self) -> i64 {
        match self {
            Self::By(_) => SHORTCUT_FOR,
            Self::Doubted => DOUBTED_FOR,
            Self::Fails => NO_SHORTCUT_FOR,
        }
    }
}

impl Conduct {
    /// Whether to sign in and list in one flight: not where that has led nowhere.
    pub(in crate::fetch) fn may_go_ahead(&self) -> bool {
        matches!(self.one_flight(), None | Some(OneFlight::By(_)))
    }

    /// How to do so without asking for capabilities first, if an earlier run has shown a way.
    pub(in crate::fetch) fn shortcut(&self) -> Option<Shortcut> {
        match self.one_flight()? {
            OneFlight::By(shortcut) => Some(shortcut),
            OneFlight::Doubted | OneFlight::Fails => None,
        }
    }

    /// The shortcut has led nowhere: another session is held without it.
    pub(in crate::fetch) fn doubt_shortcut(&mut self) {
        self.doubted = true;
        self.forget_shortcut();
    }

    /// The next session asks the server again what it can.
    pub(in crate::fetch) fn forget_shortcut(&mut self) {
        self.manners.note_shortcut(None);
    }

    /// The server has closed over what came with the sign-in, or refused it in words that are not
    /// known: it may have come too early, which the next run finds out.
    pub(in crate::fetch) fn spare_shortcut(&mut self) {
        let earlier = self.read.shortcut();
        let again = earlier.is_some_and(|(word, noted)| {
            matches!(
                OneFlight::of_word(word),
                Some(OneFlight::Doubted | OneFlight::Fails)
            ) && Moment::counts(noted, NO_SHORTCUT_FOR, self.moment)
        });
        self.note_one_flight(match again {
            true => OneFlight::Fails,
            false => OneFlight::Doubted,
        });
    }

    /// A session has gone well; what it has shown for the next.
    pub(in crate::fetch) fn saw_shortcut(&mut self, seen: Option<Shortcut>) {
        match (self.one_flight(), seen) {
            // It was the shortcut: without it all went well.
            _ if self.doubted => self.spare_shortcut(),
            // It counts from the day on which the server was asked.
            (Some(OneFlight::Doubted | OneFlight::Fails), _) | (Some(_), Some(_)) => {}
            (None, Some(shortcut)) => self.note_one_flight(OneFlight::By(shortcut)),
            (_, None) => self.forget_shortcut(),
        }
    }

    fn note_one_flight(&mut self, shown: OneFlight) {
        self.manners
            .note_shortcut(Some((shown.word(), self.moment)));
    }

    fn one_flight(&self) -> Option<OneFlight> {
        let (word, noted) = self.manners.shortcut()?;
        let shown = OneFlight::of_word(word)?;
        Moment::counts(noted, shown.lasts(), self.moment).then_some(shown)
    }

    /// What this server must be signed in to by instead of what it announces.
    pub(in crate::fetch) fn detour(&self) -> Option<Detour> {
        let (word, noted) = self.manners.detour()?;
        let detour = Detour::of_word(word)?;
        Moment::counts(noted, DETOUR_FOR, self.moment).then_some(detour)
    }

    /// A sign-in has worked by this. Whether that is new.
    pub(in crate::fetch) fn saw_detour(&mut self, seen: Option<Detour>) -> bool {
        if seen == self.detour() {
            return false;
        }
        let seen = seen.map(|detour| (detour.word(), self.moment));
        self.manners.note_detour(seen);
        true
    }

    /// Whether the server sends lines that say nothing between its answers.
    pub(in crate::fetch) fn knows_idle_lines(&self) -> bool {
        let noted = self.manners.idle_lines();
        noted.is_some_and(|noted| Moment::counts(noted, IDLE_LINES_FOR, self.moment))
    }

    /// A session has gone well that passed them over.
    pub(in crate::fetch) fn saw_idle_lines(&mut self) {
        if !self.knows_idle_lines() {
            self.manners.note_idle_lines(self.moment);
        }
    }
}
