//! Which options the command at hand takes: a hint must name none that it would refuse.
//!
//! What goes wrong goes wrong deep down, under whichever command, and says there what a person can do.
//! `check` has a password asked for by `--password-stdin`, and `watch` does not; so whoever names an option
//! in a hint asks here.

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::OnceLock;

static OPTIONS: OnceLock<HashSet<String>> = OnceLock::new();

thread_local! {
    static WITHHELD: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Notes the long options of the command at hand, without dashes. Once, when the command line has been read.
pub fn note(options: HashSet<String>) {
    let _ = OPTIONS.set(options);
}

/// What `says` names no such option, as it is about another account than the one that the option is for.
pub fn without<T>(option: &'static str, says: impl FnOnce() -> T) -> T {
    let before = WITHHELD.replace(Some(option));
    let said = says();
    WITHHELD.set(before);
    said
}

/// Whether the command at hand takes the option of this name, without dashes. Where there is no command, as
/// in tests, any is taken.
pub fn takes(option: &str) -> bool {
    let is_withheld = WITHHELD.get() == Some(option);
    !is_withheld && OPTIONS.get().is_none_or(|taken| taken.contains(option))
}

/// A text that names an option, or the other one where the command at hand does not take it.
pub fn either<'t>(option: &str, text: &'t str, other: &'t str) -> &'t str {
    if takes(option) { text } else { other }
}
