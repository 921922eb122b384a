use super::*;
use proptest::prelude::*;

fn kinds(message: &str) -> Vec<(String, String)> {
    let (parts, _) = parts(message.as_bytes());
    let text = |part: &Part<'_>| String::from_utf8_lossy(part.body).into_owned();
    parts
        .iter()
        .map(|part| (part.kind.clone(), text(part)))
        .collect()
}

fn pair(kind: &str, body: &str) -> (String, String) {
    (kind.to_owned(), body.to_owned())
}

#[test]
fn a_message_without_parts_is_one_part() {
    assert_eq!(
        kinds("Subject: a\r\n\r\nhello\r\n"),
        [pair("text/plain", "hello\r\n")]
    );
    assert_eq!(kinds(""), [pair("text/plain", "")]);
}

#[test]
fn parts_within_parts_come_in_their_order_and_without_what_separates_them() {
    let message = "Content-Type: multipart/mixed; boundary=\"a b\"\n\nfor old programs\n--a b\n\
                   Content-Type: multipart/alternative; boundary=in\n\n--in\n\none\n\n--in\n\
                   Content-Type: text/html\n\n<p>one\n--in--\nnothing\n--a b \n\
                   Content-Type: application/pdf; name=x.pdf\nContent-Disposition: attachment\n\n%PDF\n--a b--\nend\n";
    assert_eq!(
        kinds(message),
        [
            pair("text/plain", "one\n"),
            pair("text/html", "<p>one"),
            pair("application/pdf", "%PDF")
        ]
    );
    let (parts, more) = parts(message.as_bytes());
    assert!(!more);
    assert_eq!(parts[0].forms, [(1, 1)]);
    assert_eq!(parts[1].forms, [(1, 2)]);
    assert_eq!(parts[2].forms, []);
    assert_eq!(parts[2].name.as_deref(), Some("x.pdf"));
    assert!(parts[2].is_attachment && !parts[1].is_attachment);
}

#[test]
fn a_message_within_a_message_is_one_part_whatever_is_in_it() {
    let message = "Content-Type: multipart/digest; boundary=a\n\n--a\n\nSubject: in\n\ntext\n--a\n\
                   Content-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n--a--\n";
    let kinds = kinds(message);
    assert_eq!(kinds[0], pair("message/rfc822", "Subject: in\n\ntext"));
    assert_eq!(kinds[1].0, "message/rfc822");
    assert_eq!(kinds.len(), 2);
}

#[test]
fn what_is_cut_off_or_lacks_its_boundary_is_shown_as_far_as_it_goes() {
    assert_eq!(
        kinds("Content-Type: multipart/mixed; boundary=a\n\n--a\n\nhalf"),
        [pair("text/plain", "half")]
    );
    assert_eq!(
        kinds("Content-Type: multipart/mixed; boundary=a\n\nno part at all\n"),
        [pair("text/plain", "no part at all\n")]
    );
    assert_eq!(
        kinds("Content-Type: multipart/mixed\n\nno boundary\n"),
        [pair("multipart/mixed", "no boundary\n")]
    );
    // The inner one never ends, and the outer one goes on.
    assert_eq!(
        kinds(
            "Content-Type: multipart/mixed; boundary=a\n\n--a\n\
             Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--a\n\ntwo\n--a--\n"
        ),
        [pair("text/plain", "one"), pair("text/plain", "two")]
    );
    assert_eq!(
        kinds("Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/html\n--a--\n"),
        [pair("text/html", "")]
    );
}

#[test]
fn thousands_of_parts_and_of_levels_are_bounded() {
    let many = format!(
        "Content-Type: multipart/mixed; boundary=a\n\n{}",
        "--a\n\nx\n".repeat(20_000)
    );
    let (found, more) = parts(many.as_bytes());
    assert_eq!((found.len(), more), (PARTS, true));
    let deep: String = (0..20_000)
        .map(|i| format!("Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n"))
        .collect();
    let (found, _) = parts(deep.as_bytes());
    assert_eq!(found.len(), 1);
    let unending: String = (0..20_000)
        .map(|i| format!("--a\nContent-Type: multipart/mixed; boundary=b{i}\n\nx\n\n"))
        .collect();
    let unending = format!("Content-Type: multipart/mixed; boundary=a\n\n{unending}");
    assert!(parts(unending.as_bytes()).0.len() <= PARTS);
}

proptest! {
    #[test]
    fn any_octets_are_survived(octets in any::<Vec<u8>>()) {
        prop_assert!(parts(&octets).0.len() <= PARTS);
    }

    #[test]
    fn any_order_of_delimiters_is_survived(
        lines in prop::collection::vec(prop::sample::select(vec![
            "--a", "--a--", "--b", "--b--", "", "x", "Content-Type: multipart/alternative; boundary=b",
            "Content-Type: message/rfc822", "Content-Type: multipart/mixed; boundary=a",
        ]), 0..40),
    ) {
        let message = format!("Content-Type: multipart/mixed; boundary=a\n\n{}", lines.join("\n"));
        let (found, _) = parts(message.as_bytes());
        let octets: usize = found.iter().map(|part| part.body.len()).sum();
        prop_assert!(octets <= message.len());
    }
}
