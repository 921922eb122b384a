//! Reading a Maildir and comparing it with what ought to be in it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::message::Message;

/// One file of a Maildir.
#[derive(Clone, Debug)]
pub struct Stored {
    /// "tmp", "new" or "cur".
    pub subdirectory: &'static str,
    /// The file's name in it.
    pub name: String,
    /// What it holds.
    pub octets: Vec<u8>,
}

/// All files of the Maildir's tmp/, new/ and cur/, in this order and by name. A Maildir or a part
/// of it that does not exist holds nothing.
pub fn read(maildir: &Path) -> Vec<Stored> {
    let mut files = Vec::new();
    for (subdirectory, path) in paths(maildir) {
        files.push(Stored {
            subdirectory,
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            octets: fs::read(&path).unwrap(),
        });
    }
    files
}

/// The number of files in new/ and cur/.
pub fn count(maildir: &Path) -> usize {
    let delivered = paths(maildir).into_iter().filter(|(sub, _)| *sub != "tmp");
    delivered.count()
}

/// The paths of the files in new/, by name.
pub fn new_files(maildir: &Path) -> Vec<PathBuf> {
    let new = paths(maildir).into_iter().filter(|(sub, _)| *sub == "new");
    new.map(|(_, path)| path).collect()
}

/// Fails unless tmp/ is empty.
pub fn assert_tmp_is_empty(maildir: &Path) {
    let left: Vec<_> = paths(maildir)
        .into_iter()
        .filter(|(subdirectory, _)| *subdirectory == "tmp")
        .collect();
    assert!(left.is_empty(), "left over in tmp/: {left:?}");
}

/// Fails unless new/ and cur/ together hold exactly what must be stored of `messages`, each as
/// often as it stands there, and tmp/ holds nothing.
pub fn assert_holds(maildir: &Path, messages: &[Message]) {
    let expected = messages.iter().map(|message| {
        let octets = message.stored();
        (
            octets,
            String::from_utf8_lossy(&message.unique_id).into_owned(),
        )
    });
    assert_holds_octets(maildir, expected);
    assert_tmp_is_empty(maildir);
}

/// The same for octets as they must be stored, each with a name for it in failure messages.
pub fn assert_holds_octets(maildir: &Path, expected: impl IntoIterator<Item = (Vec<u8>, String)>) {
    // Octets to (name, expected, found).
    let mut tally: BTreeMap<Vec<u8>, (String, usize, usize)> = BTreeMap::new();
    for (octets, name) in expected {
        tally.entry(octets).or_insert((name, 0, 0)).1 += 1;
    }
    for file in read(maildir)
        .into_iter()
        .filter(|f| f.subdirectory != "tmp")
    {
        let name = format!("{}/{}", file.subdirectory, file.name);
        tally.entry(file.octets).or_insert((name, 0, 0)).2 += 1;
    }
    let wrong: Vec<String> = tally
        .iter()
        .filter(|(_, (_, expected, found))| expected != found)
        .map(|(octets, (name, expected, found))| {
            format!(
                "{name}: expected {expected}, found {found}: {} octets, {}",
                octets.len(),
                beginning(octets)
            )
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} does not hold what it should:\n  {}",
        maildir.display(),
        wrong.join("\n  ")
    );
}

/// SHA-256 of a file without holding it.
pub fn sha256(file: &Path) -> [u8; 32] {
    let (mut hash, mut source) = (Sha256::new(), fs::File::open(file).unwrap());
    let mut piece = vec![0; 1 << 16];
    loop {
        match io::Read::read(&mut source, &mut piece).unwrap() {
            0 => return hash.finalize().into(),
            n => hash.update(&piece[..n]),
        }
    }
}

fn paths(maildir: &Path) -> Vec<(&'static str, PathBuf)> {
    let mut paths = Vec::new();
    for subdirectory in ["tmp", "new", "cur"] {
        let entries = match fs::read_dir(maildir.join(subdirectory)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => panic!("{}/{subdirectory}: {error}", maildir.display()),
        };
        let mut found: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        found.sort();
        paths.extend(found.into_iter().map(|path| (subdirectory, path)));
    }
    paths
}

fn beginning(octets: &[u8]) -> String {
    let shown = &octets[..octets.len().min(60)];
    format!("beginning {:?}", String::from_utf8_lossy(shown))
}
