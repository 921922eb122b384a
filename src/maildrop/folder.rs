//! The folders of a maildrop that has several, and which of its messages are in which.

use std::fmt;
use std::sync::Arc;

/// So many folders are named where one is missing.
const NAMED: usize = 8;

/// A folder on the server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RemoteFolder {
    /// What people call it, with the server's own delimiter between its parts; otherwise hostile.
    pub name: Box<str>,
    /// The parts of its name in modified UTF-7 (RFC 3501 section 5.1.3), the outermost first; none of the
    /// inbox. Hostile, but printable ASCII.
    pub parts: Vec<Box<str>>,
}

/// Why some of what was asked for is not in a listing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Shortfall {
    /// A folder could not be read, so that nothing is known of its messages.
    Unread {
        /// What people call it; hostile.
        folder: Box<str>,
        /// Why, in words; may quote the server.
        reason: String,
    },
    /// There is no folder that a word of the account names.
    Unmatched {
        /// The word, as it is written in the config file.
        word: String,
        /// It is a pattern, which may well fit nothing.
        is_pattern: bool,
        /// What folders there are, some of them; hostile.
        there: Vec<Box<str>>,
        /// The one of them that is most likely meant.
        near: Option<Box<str>>,
    },
    /// No folder is left out for a word of the account.
    NotLeftOut {
        /// The word, as it is written in the config file.
        word: String,
        /// What the folder is called that is most likely meant; hostile.
        near: Option<Box<str>>,
        /// What folders there are, some of them; hostile.
        there: Vec<Box<str>>,
    },
}

/// Where in a listing each folder begins.
#[derive(Clone, Debug, Default)]
pub(super) struct FolderStarts(Vec<(usize, Arc<RemoteFolder>)>);

impl fmt::Display for RemoteFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// In words; hostile.
impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unread { folder, reason } => {
                write!(
                    f,
                    "the folder {folder} cannot be read, and the others are: {reason}"
                )
            }
            Self::Unmatched {
                word, there, near, ..
            } => {
                let some = some_of(there);
                write!(f, "the server has no folder that `{word}` names")?;
                // As other tools write what they leave out.
                let left_out = word.strip_prefix(['!', '-']).filter(|it| !it.is_empty());
                match (left_out, near) {
                    (Some(name), _) => write!(
                        f,
                        ": what is left out stands in `exclude`, as in exclude = [\"{name}\"]. It has these: {some}"
                    ),
                    (None, Some(near)) => {
                        write!(f, ": did you mean `{near}`? It has these: {some}")
                    }
                    (None, None) => write!(f, "; it has these: {some}"),
                }
            }
            Self::NotLeftOut { word, near, there } => {
                write!(
                    f,
                    "`exclude` leaves no folder out for `{word}`, as the server has none that it names"
                )?;
                match near {
                    Some(near) => write!(f, ": did you mean `{near}`?"),
                    None => write!(f, "; it has these: {}", some_of(there)),
                }
            }
        }
    }
}

fn some_of(there: &[Box<str>]) -> String {
    let more = if there.len() > NAMED { ", ..." } else { "" };
    let some: Vec<&str> = there.iter().take(NAMED).map(AsRef::as_ref).collect();
    format!("{}{more}", some.join(", "))
}

impl FolderStarts {
    /// What is listed from this place on is in this folder.
    pub(super) fn begin(&mut self, place: usize, folder: Arc<RemoteFolder>) {
        self.0.push((place, folder));
    }

    /// What people call them, in their order; hostile.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(_, folder)| &*folder.name)
    }

    /// The last one is not there after all; where it began.
    pub(super) fn take_back(&mut self) -> Option<usize> {
        self.0.pop().map(|(first, _)| first)
    }

    /// The folder that the message at a place is in; none where folders have no part in the listing.
    pub(super) fn of(&self, place: usize) -> Option<&Arc<RemoteFolder>> {
        let behind = self.0.partition_point(|(first, _)| *first <= place);
        let at = behind.checked_sub(1)?;
        self.0.get(at).map(|(_, folder)| folder)
    }

    /// The places at which folders begin and end, of a listing of so many messages: each one's first, and
    /// the one behind its last.
    pub(super) fn ranges(&self, len: usize) -> impl Iterator<Item = (usize, usize)> {
        let firsts = self.0.iter().map(|(first, _)| *first);
        // What has no folder is one by itself.
        let firsts: Vec<usize> = match self.0.is_empty() {
            true => vec![0],
            false => firsts.collect(),
        };
        let ends: Vec<usize> = firsts.iter().skip(1).copied().chain([len]).collect();
        firsts
            .into_iter()
            .zip(ends)
            .filter(|(first, end)| first < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> Arc<RemoteFolder> {
        Arc::new(RemoteFolder {
            name: name.into(),
            parts: vec![name.into()],
        })
    }

    #[test]
    fn each_place_is_in_the_folder_that_began_last_before_it() {
        let mut folders = FolderStarts::default();
        assert_eq!(folders.of(0), None);
        assert_eq!(folders.ranges(3).collect::<Vec<_>>(), [(0, 3)]);
        folders.begin(0, folder("a"));
        // An empty one.
        folders.begin(2, folder("b"));
        folders.begin(2, folder("c"));
        let names: Vec<_> = (0..4)
            .map(|place| &*folders.of(place).unwrap().name)
            .collect();
        assert_eq!(names, ["a", "a", "c", "c"]);
        assert_eq!(folders.ranges(4).collect::<Vec<_>>(), [(0, 2), (2, 4)]);
    }
}
