use super::*;

/// Line, column and message of each mistake.
fn told(text: &str) -> Vec<String> {
    let readable = Readable::of(text);
    assert_eq!(readable.text.len(), text.len(), "{text}");
    let place = |mistake: &Mistake| {
        let before = &text[..mistake.span.start];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
        let message = mistake.message.split(", expected ").next().unwrap();
        format!("{line}:{column} {message}")
    };
    readable.mistakes.iter().map(place).collect()
}

#[test]
fn each_line_that_is_no_toml_is_told_once_in_the_order_of_the_file() {
    for (text, expected) in [
        (
            "[a]\nhost = h\nuser = u\nport = 9 9\n",
            &[
                "2:8 string values must be quoted",
                "3:8 string values must be quoted",
                "4:8 string values must be quoted",
            ][..],
        ),
        // Behind a line without `=` the library looks for nothing more.
        (
            "[a]\nhost: \"h\"\nuser \"u\"\nport = x\n",
            &[
                "2:5 invalid unquoted key",
                "3:6 key with no value",
                "4:8 string values must be quoted",
            ],
        ),
        // And it makes the rest of the file the heading's.
        (
            "[accounts.a\nhost = \"h\"\nuser = u\n[accounts.b]\nhost = \"h\n",
            &[
                "1:12 unclosed table",
                "3:8 string values must be quoted",
                "5:10 invalid basic string",
            ],
        ),
        (
            "[accounts.ada@example.com]\nhost = \"h\"\n[accounts.bob@example.com]\nhost = h\n",
            &[
                "1:14 invalid unquoted key",
                "3:14 invalid unquoted key",
                "4:8 string values must be quoted",
            ],
        ),
        (
            "[a]\nhost = 'h'\nhost = 'i'\n[a]\nhost = 'j'\n",
            &[
                "3:1 duplicate key: the first is in line 2",
                "4:2 duplicate key: the first is in line 1",
            ],
        ),
        (
            "[a]\nuser = \u{201c}u\u{201d}\nhost = 'h\n= 3\n",
            &[
                "2:8 string values must be quoted",
                "3:10 invalid literal string",
                "4:1 unquoted keys cannot be empty",
            ],
        ),
        (
            "a]\nhost = \"h\"\n[\nx = 1\ny = z\n[b]\nx = y",
            &[
                "1:2 key with no value",
                "3:2 unquoted keys cannot be empty",
                "7:5 string values must be quoted",
            ],
        ),
    ] {
        assert_eq!(told(text), expected, "{text}");
    }
}

#[test]
fn a_bracket_that_is_never_closed_is_one_mistake_at_the_end_of_what_it_holds() {
    for (text, expected) in [
        (
            "[accounts.a]\nkey = [\"a\", \"b\"\nhost = \"h\"\nuser = u\n[accounts.b]\nhost = \"b\"\n",
            &["2:16 unclosed array", "4:8 string values must be quoted"][..],
        ),
        (
            "key = [\n  \"a\",\n  \"b\"\n\nhost = h\n",
            &["3:6 unclosed array", "5:8 string values must be quoted"],
        ),
        (
            "oauth = { a = \"b\", c = \"d\"\nhost = \"h\"\n[b]\nx = y\n",
            &[
                "1:27 unclosed inline table",
                "4:5 string values must be quoted",
            ],
        ),
        (
            "key = [\n  \"a\"\n  \"b\",\n]\nhost = h\n",
            &[
                "3:3 missing comma between array elements",
                "5:8 string values must be quoted",
            ],
        ),
        (
            "key = [\"a\" \"b\",\n \"c\"]\nhost = h\n",
            &[
                "1:12 missing comma between array elements",
                "3:8 string values must be quoted",
            ],
        ),
        ("key = [\"a\"", &["1:11 unclosed array"]),
    ] {
        assert_eq!(told(text), expected, "{text}");
    }
}

#[test]
fn a_long_text_that_is_never_closed_is_told_where_it_begins() {
    let text = "user = u\nhost = \"\"\"h\nport = x\n[b]\nhost = \"b\"\n";
    assert_eq!(
        told(text),
        [
            "1:8 string values must be quoted",
            "2:8 this text of many lines is not closed"
        ]
    );
}

#[test]
fn what_is_left_is_toml_and_its_places_are_those_of_the_file() {
    for text in [
        "",
        "[a]\nb = 1\n",
        "\u{0}\u{1}\n\u{7f}",
        "{\"accounts\": {\"a\": 1}}\n",
        "accounts:\n  - host: x\n    user: y\n",
        "[[[[[[\n]]]]\n{{{\n\"\"\"\n'''\n[a]\n",
        "a = [[[[\n[b]\nc = {{{\n",
        "[a.b]\nx=1\n[a]\n[a]\n[[a]]\n[a.b]\na.b = 2",
    ] {
        let readable = Readable::of(text);
        assert_eq!(readable.text.len(), text.len());
        assert!(
            DeTable::parse(&readable.text).is_ok(),
            "{text:?} {readable:?}"
        );
        assert_eq!(readable.mistakes.is_empty(), DeTable::parse(text).is_ok());
    }
}

#[test]
fn of_more_mistakes_than_are_told_the_number_is() {
    let text = "x = y\n".repeat(TOLD + 7);
    let told = told(&text);
    assert_eq!(told.len(), TOLD + 1, "{told:#?}");
    assert_eq!(
        told[TOLD],
        "21:5 and 7 more places that are no TOML, from here on"
    );
}

#[test]
fn a_text_that_no_person_wrote_is_given_up_after_its_first_mistake() {
    let text = "]\n".repeat(BY_HAND);
    assert_eq!(told(&text).len(), 1);
    // One that takes too long to read again and again, after some.
    let text = "x = y\n".repeat(BY_HAND / 16);
    let told = told(&text);
    assert_eq!(told.len(), TOLD + 1);
    assert!(told[TOLD].contains("and at least "), "{told:#?}");
}

#[test]
fn a_table_that_is_called_as_those_that_were_cut_out_is_no_mistake_without_end() {
    for own in ["_ = 1", "[_]", "[[_]]\na = 1\n[_]"] {
        let text = format!("{own}\n[broken\nkey = 1\n");
        let found = Readable::of(&text).mistakes;
        assert!((1..=4).contains(&found.len()), "{found:?}");
    }
}
