use super::*;
use proptest::prelude::*;

fn text(message: &str) -> String {
    Letter::read(message.as_bytes()).text()
}

#[test]
fn of_several_forms_the_plainest_with_any_text_is_shown() {
    let message = |plain: &str| {
        format!(
            "Content-Type: multipart/alternative; boundary=a\n\n--a\n\n{plain}\n--a\n\
             Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>rich</p>\n--b\n\
             Content-Type: image/png; name=i.png\n\nPNG\n--b--\n--a--\n"
        )
    };
    assert_eq!(text(&message("plain\n")), "plain\n");
    assert_eq!(text(&message(" ")), "rich\n");
    let message = message("plain\n");
    let letter = Letter::read(message.as_bytes());
    let attached: Vec<_> = letter.attachments().map(|(number, _)| number).collect();
    assert_eq!(attached, [3]);
    assert_eq!(letter.html().as_deref(), Some("<p>rich</p>"));
}

#[test]
fn text_is_read_in_its_charset_and_without_one_as_well_as_can_be() {
    let body = |header: &str, body: &[u8]| {
        let message = [header.as_bytes(), b"\n\n", body].concat();
        Letter::read(&message).text()
    };
    assert_eq!(
        body("Content-Type: text/plain; charset=iso-8859-15", b"\xa4"),
        "€"
    );
    assert_eq!(
        body("Content-Type: text/plain; charset=koi8-r", b"\xf2"),
        "Р"
    );
    assert_eq!(
        body(
            "Content-Type: text/plain; charset=\"iso-2022-jp\"",
            b"\x1b$BF|\x1b(B"
        ),
        "日"
    );
    assert_eq!(body("Subject: a", "grün".as_bytes()), "grün");
    assert_eq!(body("Subject: a", b"gr\xfcn"), "grün");
    assert_eq!(
        body("Content-Type: text/plain; charset=x-nobody", b"gr\xfcn"),
        "grün"
    );
    assert_eq!(
        body(
            "Content-Transfer-Encoding: quoted-printable",
            b"gr=C3=BCn=\nes"
        ),
        "grünes"
    );
    assert_eq!(
        body("Content-Transfer-Encoding: base64", b"Z3LDvG4="),
        "grün"
    );
    assert_eq!(
        body("Content-Transfer-Encoding: base64", b"this is no base64!"),
        "this is no base64!"
    );
}

#[test]
fn fields_are_decoded_and_unfolded_and_those_that_matter_come_first() {
    let letter = Letter::read(
        b"From sender Thu Nov 26\nX-Spam: no\nsubject: =?utf-8?q?Gr=C3=BC?=\n =?utf-8?q?=C3=9Fe?=\n\
          To: a@example.com,\n\tb@example.com\nFrom: Ada <ada@example.com>\n\nbody: no field\n",
    );
    assert_eq!(letter.fields().len(), 4);
    assert_eq!(
        letter.heading(),
        [
            ("From", "Ada <ada@example.com>".to_owned()),
            ("To", "a@example.com, b@example.com".to_owned()),
            ("Subject", "Grüße".to_owned()),
        ]
    );
}

#[test]
fn a_part_is_as_large_as_it_says() {
    for text in ["", "a", "ab", "abc", "abcd", "abcde"] {
        use base64::Engine;
        let encoded = base64::prelude::BASE64_STANDARD.encode(text);
        let part = Part {
            wrapping: Wrapping::Base64,
            body: encoded.as_bytes(),
            ..Part::default()
        };
        assert_eq!(part.size(), text.len() as u64);
    }
}

proptest! {
    #[test]
    fn any_octets_are_survived(octets in any::<Vec<u8>>()) {
        let letter = Letter::read(&octets);
        letter.text();
        letter.fields();
        letter.html();
        prop_assert!(letter.attachments().count() <= letter.parts.len());
    }

    #[test]
    fn any_charset_and_wrapping_is_survived(
        charset in "[a-zA-Z0-9-]{0,12}", body in any::<Vec<u8>>(), wrapping in 0..3,
    ) {
        let wrapping = [Wrapping::None, Wrapping::Base64, Wrapping::QuotedPrintable][wrapping as usize];
        let part = Part { charset: Some(charset), wrapping, body: &body, ..Part::default() };
        part.text();
    }
}

#[test]
fn a_line_of_spaces_in_a_header_goes_on_with_the_field_before_it() {
    let octets = b"Subject: a\r\n \r\nFrom: x@y.example\r\n\r\nbody\r\n";
    let letter = Letter::read(octets);
    let names: Vec<String> = letter.fields().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["Subject", "From"]);
    assert_eq!(letter.parts[0].body, b"body\r\n");
}

#[test]
fn behind_many_empty_forms_the_one_with_text_is_shown() {
    let part = format!(
        "--b\r\nContent-Type: text/plain\r\n\r\n{}\r\n",
        " ".repeat(1000)
    );
    let text = format!(
        "Content-Type: multipart/alternative; boundary=b\r\n\r\n{}--b\r\nContent-Type: text/html\r\n\r\n<p>x\r\n--b--\r\n",
        part.repeat(900)
    );
    let letter = Letter::read(text.as_bytes());
    assert_eq!(letter.parts.len(), 901);
    assert_eq!(letter.text().trim(), "x");
}
