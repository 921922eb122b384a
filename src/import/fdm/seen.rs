//! Files of unique-ids: `LENGTH UNIQUE-ID`, a line each, without a time.

use super::{Error, TOOL, files};
use crate::import::model::Draft;
use crate::state::Name;
use std::path::Path;

/// Finds the unique-ids of an account.
pub(super) fn take(
    draft: &mut Draft,
    cache: Option<&Path>,
    given: Option<&Path>,
) -> Result<(), Error> {
    let Some(path) = given.or(cache) else {
        return Ok(());
    };
    if let Some(octets) = files::seen(TOOL, path)? {
        draft.names = names(path, &octets)?;
        draft.seen_file = Some(path.to_owned());
    }
    Ok(())
}

/// The length says how far a unique-id goes, whatever octets are in it.
fn names(path: &Path, octets: &[u8]) -> Result<Vec<Name>, Error> {
    let mut names = Vec::new();
    let mut rest = octets;
    let mut line = 1;
    while !rest.is_empty() {
        let wrong = |what: &str| Error::seen(TOOL, path, line, what);
        let blank = rest.iter().position(|octet| *octet == b' ');
        let parts = blank.and_then(|at| Some((rest.get(..at)?, rest.get(at + 1..)?)));
        let (length, behind) =
            parts.ok_or_else(|| wrong("this is no length and unique-id of fdm's"))?;
        let is_number = !length.is_empty() && length.iter().all(u8::is_ascii_digit);
        let length = std::str::from_utf8(length).ok().filter(|_| is_number);
        let length = length.and_then(|text| text.parse::<usize>().ok());
        let length = length.filter(|length| *length > 0);
        let length = length.ok_or_else(|| wrong("this is no length and unique-id of fdm's"))?;
        let unique_id = behind
            .get(..length)
            .ok_or_else(|| wrong("the file ends in the middle of a unique-id"))?;
        let end = behind.get(length);
        match end {
            Some(b'\n') => {}
            None => return Err(wrong("the file ends in the middle of a line")),
            Some(_) => return Err(wrong("the unique-id is not as long as its length says")),
        }
        names.push(Name {
            unique_id: unique_id.into(),
            first_seen: None,
        });
        line += 1 + unique_id.iter().filter(|octet| **octet == b'\n').count();
        rest = behind.get(length + 1..).unwrap_or_default();
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_says_how_far_a_unique_id_goes_and_what_is_not_so_is_told_with_its_line() {
        let path = Path::new("f");
        let read = names(path, b"4 UID1\n3 a b\n2 \xff\xfe\n").unwrap();
        let ids: Vec<&[u8]> = read.iter().map(|name| &*name.unique_id).collect();
        assert_eq!(ids, [&b"UID1"[..], b"a b", b"\xff\xfe"]);
        assert!(names(path, b"").unwrap().is_empty());
        for (text, line) in [
            (&b"4 UID1\n4 UID"[..], 2),
            (b"4 UID1", 1),
            (b"4 UID12\n", 1),
            (b"4 UID\n1 x\n", 1),
            (b"0 \n", 1),
            (b"UID1\n", 1),
            (b"+4 UID1\n", 1),
            (b"99999999999999999999999 x\n", 1),
            (b"TDB file\n", 1),
            (b"4 UID1\n\n", 2),
        ] {
            let error = names(path, text).unwrap_err();
            assert!(
                matches!(error, Error::Seen { line: at, .. } if at == line),
                "{text:?}: {error}"
            );
        }
    }
}
