//! The paths of new files, for `xargs` and mail indexers.

use super::Event;
use std::os::unix::ffi::OsStrExt;

/// The line for an event: the path of a stored message, ended with NUL or LF; nothing for any
/// other event.
///
/// A path is written as it is, whatever its octets; one with an LF in it needs `null`.
pub(super) fn line(event: &Event<'_>, null: bool) -> Option<Vec<u8>> {
    let Event::Message(message) = event else {
        return None;
    };
    let mut line = message.path.as_os_str().as_bytes().to_vec();
    line.push(if null { 0 } else { b'\n' });
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{listed, message};
    use std::ffi::OsStr;
    use std::path::Path;

    #[test]
    fn a_path_ends_with_lf_or_nul_and_keeps_its_octets() {
        let mut message = message();
        message.path = Path::new(OsStr::from_bytes(b"/m\xff/new/1"));
        let event = Event::Message(&message);
        assert_eq!(line(&event, false).unwrap(), b"/m\xff/new/1\n");
        assert_eq!(line(&event, true).unwrap(), b"/m\xff/new/1\0");
    }

    #[test]
    fn only_stored_messages_have_a_path() {
        assert_eq!(
            line(
                &Event::Deleted {
                    message: listed(),
                    rule: None
                },
                false
            ),
            None
        );
        assert_eq!(line(&Event::Notice("hello"), false), None);
    }
}
