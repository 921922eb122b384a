use super::*;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};

fn directory() -> (tempfile::TempDir, Dir) {
    let temp = tempfile::tempdir().unwrap();
    let dir = Dir::open(&Disk::new(), temp.path()).unwrap();
    (temp, dir)
}

#[test]
fn s50_what_is_created_is_for_its_owner_alone() {
    let (temp, dir) = directory();
    dir.create(OsStr::new("file")).unwrap();
    Disk::new()
        .create_directory(&temp.path().join("a/b"))
        .unwrap();
    for (name, mode) in [("file", 0o600), ("a", 0o700), ("a/b", 0o700)] {
        let found = fs::metadata(temp.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(found & 0o777, mode, "{name}");
    }
}

#[test]
fn d5_s54_a_name_that_is_taken_is_not_opened_not_even_through_a_link() {
    let (temp, dir) = directory();
    symlink("/dev/null", temp.path().join("link")).unwrap();
    for name in ["link", "file"] {
        let _ = dir.create(OsStr::new("file"));
        let error = dir.create(OsStr::new(name)).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{name}");
    }
    assert!(dir.open_or_create(OsStr::new("link")).is_err());
}

#[test]
fn s53_a_directory_that_is_a_link_is_refused() {
    let (temp, _) = directory();
    fs::create_dir(temp.path().join("real")).unwrap();
    symlink("real", temp.path().join("link")).unwrap();
    assert!(Dir::open(&Disk::new(), &temp.path().join("link")).is_err());
}

#[test]
fn d9_s55_publishing_never_replaces() {
    let (temp, dir) = directory();
    fs::create_dir(temp.path().join("new")).unwrap();
    let new = Dir::open(&Disk::new(), &temp.path().join("new")).unwrap();
    let name = OsStr::new("m");
    dir.create(name).unwrap().append(b"second").unwrap();
    new.create(name).unwrap().append(b"first").unwrap();
    let error = dir.publish(name, &new).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(temp.path().join("new/m")).unwrap(), b"first");
    assert_eq!(fs::read(temp.path().join("m")).unwrap(), b"second");
}

#[test]
fn each_file_of_a_batch_gets_its_own_answer_from_the_disk() {
    struct Bad;
    impl Witness for Bad {
        fn step(&self, step: &Step<'_>) -> io::Result<()> {
            match step {
                Step::SyncFile(path) if path.ends_with("7") => Err(io::Error::other("bad block")),
                _ => Ok(()),
            }
        }
    }
    let temp = tempfile::tempdir().unwrap();
    let dir = Dir::open(&Disk::watched(Arc::new(Bad)), temp.path()).unwrap();
    let files: Vec<File> = (0..40)
        .map(|i| dir.create(OsStr::new(&i.to_string())).unwrap())
        .collect();
    let results = sync_all(&files.iter().collect::<Vec<_>>());
    let failed: Vec<usize> = (0..40).filter(|i| results[*i].is_err()).collect();
    assert_eq!(failed, [7]);
}

#[test]
fn d29_a_file_that_another_process_creates_at_the_same_moment_is_opened() {
    struct Other(PathBuf);
    impl Witness for Other {
        fn step(&self, step: &Step<'_>) -> io::Result<()> {
            match step {
                Step::Create(_) => fs::write(&self.0, "theirs"),
                _ => Ok(()),
            }
        }
    }
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("lock");
    let disk = Disk::watched(Arc::new(Other(path.clone())));
    let dir = Dir::open(&disk, temp.path()).unwrap();
    let mut file = dir.open_or_create(OsStr::new("lock")).unwrap();
    let mut found = String::new();
    file.reader().unwrap().read_to_string(&mut found).unwrap();
    assert_eq!(found, "theirs");
}
