use super::*;

fn read(text: &[u8]) -> Result<Vec<Name>, Error> {
    names(Path::new("f"), text, "jane", "pop.example.net")
}

fn name_of(unique_id: &[u8], first_seen: Option<i64>) -> Name {
    Name {
        unique_id: unique_id.into(),
        first_seen,
    }
}

#[test]
fn unique_ids_are_read_with_and_without_times_and_of_the_right_account() {
    let text = b"# written by mpop\n 2 pop.example.net jane\nU1 1795395923\n#2\n 1 other jane\nX\n";
    let expected = vec![name_of(b"U1", Some(1_795_395_923)), name_of(b"#2", None)];
    assert_eq!(read(text).unwrap(), expected);
    assert_eq!(
        read(b" 1 POP.example.net jane\na b\xff\n").unwrap(),
        [name_of(b"a b\xff", None)]
    );
    assert!(read(b"").unwrap().is_empty());
    assert!(read(b"# nothing yet\n").unwrap().is_empty());
}

#[test]
fn what_is_damaged_half_or_another_tools_is_told_with_its_line() {
    for (text, line) in [
        (&b" 2 pop.example.net jane\nU1\n"[..], 1),
        (b" 1 pop.example.net jane\nU1", 2),
        (b" x pop.example.net jane\nU1\n", 1),
        (b"jane@pop.example.net U1\n", 1),
        (b" 1 pop.example.net jane\n 1 a b\n", 2),
        (b" 99999999999999999999 a b\n", 1),
        (b"\x00\x01\x02\n", 1),
    ] {
        let error = read(text).unwrap_err();
        assert!(
            matches!(error, Error::Seen { line: at, .. } if at == line),
            "{error}"
        );
    }
}
