use super::*;
use std::os::unix::fs::symlink;

/// The Maildir at a path, made as far as that is allowed.
fn settled(path: &Path, is_known: bool) -> Result<Maildir, Error> {
    let disk = Disk::new();
    Site::look(&disk, path)?.settle(&disk, is_known)
}

#[test]
fn s57_a2_a_directory_with_other_things_in_it_is_not_made_a_maildir() {
    for other in ["letter.txt", "lost+found", ".profile"] {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join(other), "").unwrap();
        let refused = settled(temp.path(), false);
        assert!(matches!(refused, Err(Error::NotAMaildir { .. })), "{other}");
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1);
    }
}

#[test]
fn a2_a_home_directory_that_has_a_tmp_is_not_made_a_maildir() {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir(temp.path().join("tmp")).unwrap();
    fs::write(temp.path().join("letter.txt"), "").unwrap();
    let refused = settled(temp.path(), false);
    assert!(matches!(refused, Err(Error::NotAMaildir { .. })));
    // Where it was one before, its owner may have removed a part of it.
    settled(temp.path(), true).unwrap();
}

#[test]
fn c18_a_maildir_that_a_crash_left_half_made_is_completed() {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir(temp.path().join("tmp")).unwrap();
    settled(temp.path(), false).unwrap();
    assert!(temp.path().join("cur").is_dir());
}

#[test]
fn s53_a_part_of_the_maildir_that_is_a_link_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir(temp.path().join("elsewhere")).unwrap();
    let path = temp.path().join("mail");
    settled(&path, false).unwrap();
    fs::remove_dir(path.join("new")).unwrap();
    symlink("../elsewhere", path.join("new")).unwrap();
    assert!(matches!(settled(&path, true), Err(Error::Unusable { .. })));
}

#[test]
fn s56_a_maildir_that_has_gone_is_not_made_by_opening_it() {
    let temp = tempfile::tempdir().unwrap();
    let gone = Maildir::open(&Disk::new(), &temp.path().join("mail"));
    assert!(matches!(gone, Err(Error::Gone { .. })));
    assert!(!temp.path().join("mail").exists());
}
