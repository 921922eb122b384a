//! A Maildir whose path says when: `~/Mail/{account}/{year}`.

use crate::moment::Moment;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// What stands for the year and for the month until a path is made: no name has control characters.
pub(super) const YEAR: &str = "\u{1}year";
pub(super) const MONTH: &str = "\u{1}month";

/// No clock that is right has shown an earlier one since there has been such a path.
pub(super) const FIRST_YEAR: i16 = 2025;

/// The paths of such a Maildir.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Dated(PathBuf);

impl Dated {
    /// Of a path with [`YEAR`] or [`MONTH`] in it.
    pub(super) fn new(pattern: PathBuf) -> Self {
        Self(pattern)
    }

    /// That of a month.
    pub(super) fn of(&self, (year, month): (i16, i8)) -> PathBuf {
        let text = self.0.to_string_lossy();
        let text = text.replace(YEAR, &format!("{year:04}"));
        text.replace(MONTH, &format!("{month:02}")).into()
    }

    /// Those up to `now`, in their order, that are directories, but for `now` itself.
    pub fn earlier(&self, now: &Path) -> Vec<PathBuf> {
        let (year, month) = Moment::month_on_the_wall(Moment::clock());
        let months = (FIRST_YEAR..=year).flat_map(|year| (1..=12).map(move |month| (year, month)));
        let months = months.take_while(|it| *it <= (year, month));
        let mut paths: Vec<PathBuf> = months.map(|it| self.of(it)).collect();
        // Without the year in it, each year has the same twelve.
        let mut seen = HashSet::new();
        paths.retain(|path| seen.insert(path.clone()));
        paths.retain(|path| path != now && path.is_dir());
        paths
    }
}
