use proptest::prelude::*;

use super::*;

fn found(text: &str, host: &str, user: &str) -> Option<String> {
    let found = find(text.as_bytes(), host, user).unwrap();
    found.map(|octets| String::from_utf8(octets.to_vec()).unwrap())
}

#[test]
fn the_entry_of_the_machine_and_the_login_is_the_one() {
    let text = "machine a login ada password 1\nmachine A\n\tlogin bob\n\tpasswd 2\n\
                machine b user ada account x password 3 machine c password 4\n\
                machine d login ada\ndefault login ada password 5";
    let found = |host, user| found(text, host, user);
    assert_eq!(found("a", "ada").as_deref(), Some("1"));
    assert_eq!(found("a", "bob").as_deref(), Some("2"));
    assert_eq!(found("b", "ada").as_deref(), Some("3"));
    assert_eq!(found("c", "anybody").as_deref(), Some("4"));
    assert_eq!(found("d", "ada").as_deref(), Some("5"), "it has none");
    assert_eq!(found("e", "ada").as_deref(), Some("5"));
    assert_eq!(found("a", "Ada"), None, "a login is taken as it is");
    assert_eq!(found("b", "bob"), None);
}

#[test]
fn a_default_counts_last_wherever_it_stands() {
    let text = "default password 1 machine a password 2";
    assert_eq!(found(text, "a", "ada").as_deref(), Some("2"));
    assert_eq!(found(text, "b", "ada").as_deref(), Some("1"));
}

#[test]
fn words_can_be_quoted_and_escaped() {
    for (word, secret) in [
        (r#""two words""#, "two words"),
        (r#""a\"b\\c""#, r#"a"b\c"#),
        (r"a\ b", "a b"),
        (r#"a"b"#, r#"a"b"#),
        ("#1", "#1"),
        ("machine", "machine"),
        (r#""""#, ""),
        (r#""\\""#, r"\"),
    ] {
        let text = format!("machine a login \"ada\" password {word}\nmachine b");
        assert_eq!(found(&text, "a", "ada").as_deref(), Some(secret), "{word}");
    }
}

#[test]
fn comments_and_macros_are_passed_over() {
    let text = "# machine a password 1\n#\" it's\nmacdef init\nmachine a password 2\nbye\n\n\
                machine a # login bob\npassword 3 #\nmacdef last\nmachine b password 4";
    assert_eq!(found(text, "a", "ada").as_deref(), Some("3"));
    assert_eq!(found(text, "b", "ada"), None);
    let text = text.replace('\n', "\r\n");
    assert_eq!(found(&text, "a", "ada").as_deref(), Some("3"));
}

#[test]
fn what_is_not_understood_is_an_error_at_its_line() {
    for (text, line) in [
        ("machine a\npassword two words\n", 2),
        ("\n\nmachine", 3),
        ("login ada", 1),
        ("machine a\nlogin \"ada\npassword b", 2),
        ("machine a password \"b", 1),
        ("machine a password \"b\\\"", 1),
    ] {
        let result = find(text.as_bytes(), "a", "ada");
        assert_eq!(result.unwrap_err(), Malformed(line), "{text:?}");
    }
}

proptest! {
    #[test]
    fn any_octets_are_read_to_their_end(
        octets in prop::collection::vec(any::<u8>(), 0..200),
        words in "(machine|default|login|password|macdef|account|#|a|\"|\\\\| |\n){0,40}",
    ) {
        let _any = find(&octets, "a", "ada");
        let _any = find(words.as_bytes(), "a", "ada");
    }

    #[test]
    fn any_password_can_be_written_in_quotation_marks(secret in "[^\n]{0,40}") {
        let quoted = secret.replace('\\', "\\\\").replace('"', "\\\"");
        let text = format!("machine a login ada password \"{quoted}\" machine b password c");
        prop_assert_eq!(found(&text, "a", "ada"), Some(secret));
        prop_assert_eq!(found(&text, "b", "ada"), Some("c".to_owned()));
    }
}
