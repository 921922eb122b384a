use std::fs;
use std::io::Cursor;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::exit::Diagnose;

fn file(content: &[u8], mode: u32) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    (dir, path)
}

fn read(content: &[u8]) -> Result<Password, SecretError> {
    let (_dir, path) = file(content, 0o600);
    from_file(&path)
}

#[test]
fn s49_a_password_is_not_shown_by_debug() {
    assert_eq!(
        format!("{:?}", Password::new("hunter2".into())),
        "Password(..)"
    );
}

#[test]
fn the_first_line_of_a_file_is_the_password() {
    assert_eq!(read(b" a b \nuser: ada\n").unwrap().reveal(), " a b ");
    assert_eq!(read(b"a").unwrap().reveal(), "a");
    assert_eq!(read(b"a\r\n").unwrap().reveal(), "a");
    assert_eq!(read("naïve\n".as_bytes()).unwrap().reveal(), "naïve");
}

#[test]
fn what_cannot_be_a_password_is_refused() {
    assert!(matches!(read(b""), Err(SecretError::Empty)));
    assert!(matches!(read(b"\nsecond"), Err(SecretError::Empty)));
    assert!(matches!(read(b"a\0b"), Err(SecretError::LineBreak)));
    assert!(matches!(read(b"a\rb"), Err(SecretError::LineBreak)));
    assert!(matches!(read(b"\xff\xfe"), Err(SecretError::NotText)));
    assert!(matches!(
        read(&[b'a'; LIMIT + 1]),
        Err(SecretError::TooLong)
    ));
}

#[test]
fn a_file_that_others_can_read_is_refused_with_the_command_that_mends_it() {
    let (_dir, path) = file(b"secret", 0o644);
    let error = from_file(&path).unwrap_err();
    assert_eq!(
        error.hint().unwrap(),
        format!("run: chmod 600 {}", path.display())
    );
    assert_eq!(error.status().code(), 77);
}

#[test]
fn a_line_is_read_without_what_follows_it() {
    let mut input = Cursor::new(b"secret\nrest".to_vec());
    assert_eq!(from_line(&mut input).unwrap().reveal(), "secret");
    assert_eq!(input.position(), 7);
    assert!(matches!(
        from_line(&mut Cursor::new(b"")),
        Err(SecretError::Empty)
    ));
    let endless = &mut std::io::repeat(b'a');
    assert!(matches!(from_line(endless), Err(SecretError::TooLong)));
}

#[test]
fn a_prompt_without_a_terminal_says_what_to_use_instead() {
    let error = SecretError::NobodyToAsk { word: None };
    let hint = error.hint().unwrap();
    for way in [
        "password-command",
        "password-file",
        "password-keyring",
        "--password-stdin",
    ] {
        assert!(hint.contains(way), "{hint}");
    }
}

#[test]
fn a_fifo_or_a_directory_is_refused_without_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, mode).unwrap();
    assert!(matches!(from_file(&fifo), Err(SecretError::File { .. })));
    assert!(matches!(
        from_file(dir.path()),
        Err(SecretError::File { .. } | SecretError::Exposed(_))
    ));
}

#[test]
fn a_credential_is_read_where_the_service_manager_put_it() {
    let (dir, path) = file(b"hunter2\nrest", 0o440);
    let read = |name: &str| from_credential(name, Some(dir.path().into()));
    assert_eq!(read("secret").unwrap().reveal(), "hunter2");
    assert!(matches!(
        read("other"),
        Err(SecretError::CredentialMissing(_))
    ));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    assert!(matches!(read("secret"), Err(SecretError::Exposed(_))));
    for directory in [None, Some("".into()), Some("relative".into())] {
        let error = from_credential("mail", directory).unwrap_err();
        assert!(error.to_string().contains("no systemd service"), "{error}");
        assert!(error.hint().unwrap().contains("LoadCredential=mail:/"));
        assert_eq!(error.status().code(), 77);
    }
}

#[test]
fn the_name_of_a_credential_is_one_step_of_a_path() {
    for name in [
        "",
        ".",
        "..",
        "a/b",
        "../a",
        "/a",
        "a:b",
        "a\0b",
        &"a".repeat(256),
    ] {
        assert!(!is_credential_name(name), "{name:?}");
    }
    assert!(is_credential_name("mail-work.pw"));
}

#[test]
fn a_netrc_file_must_be_private_and_know_the_account() {
    let server = Server {
        protocol: crate::server::Protocol::Pop,
        host: "pop.example.com".into(),
        port: 995,
        user: "ada".into(),
    };
    let (_dir, path) = file(b"machine pop.example.com login ada password hunter2", 0o600);
    assert_eq!(from_netrc(&path, &server).unwrap().reveal(), "hunter2");
    fs::write(&path, "machine pop.example.com login bob password hunter2").unwrap();
    let error = from_netrc(&path, &server).unwrap_err();
    let said = format!("{error} {error:?} {}", error.hint().unwrap());
    assert!(
        said.contains("machine pop.example.com, login ada"),
        "{said}"
    );
    assert!(!said.contains("hunter2"), "{said}");
    fs::write(&path, "machine pop.example.com password hunter2 hunter3").unwrap();
    let error = from_netrc(&path, &server).unwrap_err();
    let said = format!("{error} {error:?} {}", error.hint().unwrap());
    assert!(
        said.contains("line 1") && !said.contains("hunter"),
        "{said}"
    );
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(
        from_netrc(&path, &server),
        Err(SecretError::Exposed(_))
    ));
}

#[test]
fn j_a_byte_order_mark_is_no_part_of_a_password() {
    let read = |octets: &[u8]| Password::first_line(octets);
    assert_eq!(read(b"\xef\xbb\xbfsecret\r\n").unwrap().reveal(), "secret");
    assert!(matches!(read(b"\xef\xbb\xbf\n"), Err(SecretError::Empty)));
    // UTF-16, as other editors write it.
    let error = read(b"\xff\xfes\0e\0").unwrap_err();
    assert!(error.hint().unwrap().contains("UTF-8"), "{error}");
}
