use super::*;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use proptest::prelude::*;

const PASSWORD: &str = "tr0ub4dor&3 \u{e9}t\u{e9}";

fn veil(secret: &str) -> Veil {
    let mut veil = Veil::default();
    veil.cover(secret);
    veil
}

fn hidden(text: &str) -> String {
    veil(PASSWORD).hide_in(text.to_owned())
}

fn hex(text: &str, between: &str) -> String {
    let pairs: Vec<_> = text.bytes().map(|octet| format!("{octet:02x}")).collect();
    pairs.join(between)
}

#[test]
fn s47_a_password_is_hidden_wherever_it_stands() {
    let text = format!("{PASSWORD} is <{PASSWORD}{PASSWORD}>, not another");
    assert_eq!(hidden(&text), "**** is <****>, not another");
    assert_eq!(hidden("nothing of it"), "nothing of it");
    assert_eq!(veil("ab1").hide_in("<ab1>, a b1".into()), "<****>, a b1");
}

#[test]
fn s47_a_password_is_hidden_in_base64_whatever_is_around_it() {
    for before in ["", "a", "ab", "abc", "\0ada\0", "user=ada\x01auth=Bearer "] {
        for after in ["", "b", "bc", "\x01\x01"] {
            let message = format!("{before}{PASSWORD}{after}");
            let (one, other) = (
                BASE64_STANDARD.encode(&message),
                BASE64_URL_SAFE.encode(&message),
            );
            for base64 in [one.as_str(), one.trim_end_matches('='), &other] {
                let hidden = hidden(base64);
                assert!(hidden.contains("****"), "{before:?} {after:?}: {hidden}");
                let left = hidden.replace("****", "").len();
                let around = before.len() * 8 / 6 + after.len() * 8 / 6;
                assert!(left <= around + 7, "{hidden}");
            }
        }
    }
}

#[test]
fn j_a_password_is_hidden_in_hex_whatever_is_between_the_pairs() {
    for text in [
        hex(PASSWORD, ""),
        hex(PASSWORD, "").to_uppercase(),
        hex(PASSWORD, ":"),
        hex(PASSWORD, " "),
        format!("a{}", hex(PASSWORD, "")),
        format!("\\x{}", hex(PASSWORD, "\\x")),
    ] {
        let hidden = hidden(&format!("got {text}, refused"));
        assert!(hidden.starts_with("got "), "{text}: {hidden}");
        assert!(hidden.contains("****"), "{text}: {hidden}");
        assert!(
            hidden.len() <= "got a****, refused".len(),
            "{text}: {hidden}"
        );
    }
}

#[test]
fn j_a_password_is_hidden_as_it_stands_in_a_url_a_form_or_a_page() {
    for text in [
        "tr0ub4dor%263%20%C3%A9t%C3%A9",
        "tr0ub4dor%263+%c3%a9t%c3%a9",
        "%74%72%30%75%62%34%64%6F%72%26%33%20%C3%A9%74%C3%A9",
        "tr0ub4dor&amp;3 \u{e9}t\u{e9}",
        "tr0ub4dor&#38;3 \u{e9}t\u{e9}",
        "tr0ub4dor&3 =C3=A9t=C3=A9",
        "tr0ub4dor&3 \\xc3\\xa9t\\xc3\\xa9",
        "TR0UB4DOR&3 \u{e9}T\u{e9}",
    ] {
        assert_eq!(hidden(&format!("got <{text}>")), "got <****>", "{text}");
    }
    let quotes = veil("say \"friend\" 1").hide_in("got {say \\\"friend\\\" 1}".into());
    assert_eq!(quotes, "got {****}");
}

#[test]
fn f2_a_password_that_the_peer_has_cut_is_hidden_as_far_as_it_goes() {
    for (text, left) in [
        (
            "no command \"PASS tr0ub4dor&\"...",
            "no command \"PASS ****\"...",
        ),
        ("unknown: PASS tr0ub", "unknown: PASS ****"),
        ("unknown: PASS tr0ub\u{2026}", "unknown: PASS ****\u{2026}"),
        ("ub4dor&3 \u{e9}t", "****"),
        ("what is a tr", "what is a tr"),
        ("this is no astr0ub", "this is no astr0ub"),
        ("invalid_tr0u", "invalid_tr0u"),
    ] {
        assert_eq!(hidden(text), left);
    }
}

#[test]
fn octets_that_are_no_text_stay_as_they_are_around_it() {
    let octets = [b"\xff\x9b".as_slice(), PASSWORD.as_bytes(), b"\xfe"].concat();
    assert_eq!(veil(PASSWORD).hide(&octets).as_ref(), b"\xff\x9b****\xfe");
}

#[test]
fn without_a_password_there_is_nothing_to_hide() {
    assert_eq!(veil("").hide_in("+OK".into()), "+OK");
}

proptest! {
    #[test]
    fn f2_no_text_around_a_secret_keeps_it_from_being_hidden(
        secret in "[!-~]{8,60}", before in ".{0,40}", after in ".{0,40}",
    ) {
        let veil = veil(&secret);
        for form in [secret.clone(), hex(&secret, ""), BASE64_STANDARD.encode(&secret)] {
            let shown = veil.hide_in(format!("{before}{form}{after}"));
            prop_assert!(!shown.contains(&form), "{shown}");
        }
    }

    #[test]
    fn any_octets_are_survived(octets in any::<Vec<u8>>(), secret in ".{0,20}") {
        veil(&secret).hide(&octets);
    }
}
