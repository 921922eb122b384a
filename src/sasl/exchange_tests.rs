use super::*;
use crate::sasl::scram_server::{Begun, Proof, Scram as Server};
use crate::sasl::{Denial, Secret};

const KEY: [u8; 32] = [7; 32];

fn credentials(secret: Secret<'_>) -> Credentials<'_> {
    Credentials {
        user: "user",
        secret,
        host: "pop.example.com",
        port: 995,
    }
}

fn begin(mechanism: Mechanism, secret: Secret<'_>) -> Exchange {
    let binding = match mechanism.is_bound() {
        true => Binding::TlsExporter(KEY),
        false => Binding::Impossible,
    };
    Exchange::begin(mechanism, &credentials(secret), binding).unwrap()
}

fn decoded(response: &str) -> String {
    String::from_utf8(BASE64_STANDARD.decode(response).unwrap()).unwrap()
}

const PENCIL: Secret<'_> = Secret::Password("pencil");
const ROOM: usize = 200;

/// The servers of RFC 5802 section 5 and RFC 7677 section 3, with what they are sent there.
fn examples() -> [(Server, [&'static str; 4]); 2] {
    let server = |sha256, nonce: &str, salt: &str| Server {
        sha256,
        nonce: nonce.into(),
        salt: BASE64_STANDARD.decode(salt).unwrap(),
        password: "pencil".into(),
        ..Server::default()
    };
    [
        (
            server(false, "3rfcNHYJY1ZVvWVs7j", "QSXCR+Q6sek8bf92"),
            [
                "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
                "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
                "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,\
                 p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
                "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
            ],
        ),
        (
            server(
                true,
                "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
                "W22ZaJ0SNY7soEsUEjb6gQ==",
            ),
            [
                "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
                "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                 s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
                "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                 p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
                "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
            ],
        ),
    ]
}

/// Nobody can choose the client's nonce, so it is the server that is held to the examples, and the
/// client to the server.
#[test]
fn r31_the_tests_own_scram_server_does_as_the_examples_of_rfc_5802_and_7677() {
    for (server, [first, first_answer, last, last_answer]) in examples() {
        let begun = server.begin(first).unwrap();
        assert_eq!(begun.message, first_answer);
        assert_eq!(server.finish(&begun, last).as_deref(), Some(last_answer));
    }
}

fn scram(server: &Server, mechanism: Mechanism, binding: Binding) -> (Begun, Result<(), Error>) {
    let mut client = Exchange::begin(mechanism, &credentials(PENCIL), binding).unwrap();
    let first = client.initial_response(ROOM).unwrap();
    let begun = server.begin(&decoded(&first)).unwrap();
    assert_eq!(client.accepted(), Err(Error::Unfinished));
    let mut talk = || {
        let last = client.respond(encode(&begun.message).as_bytes())?;
        let answer = server
            .finish(&begun, &decoded(&last))
            .expect("a right proof");
        assert_eq!(client.respond(encode(&answer).as_bytes())?.as_str(), "");
        client.accepted()
    };
    let result = talk();
    (begun, result)
}

#[test]
fn r31_both_kinds_of_scram_come_to_a_good_end() {
    for (server, mechanism) in [
        (&examples()[0].0, Mechanism::ScramSha1),
        (&examples()[1].0, Mechanism::ScramSha256),
    ] {
        for (binding, flag) in [(Binding::Impossible, "n"), (Binding::NotOffered, "y")] {
            let (begun, result) = scram(server, mechanism, binding);
            assert_eq!(result, Ok(()));
            assert_eq!((begun.flag.as_str(), begun.user.as_str()), (flag, "user"));
        }
    }
}

#[test]
fn r31_the_plus_kinds_bind_to_the_keying_material_of_the_connection() {
    let bound = [b"p=tls-exporter,,".as_slice(), &KEY].concat();
    for (server, mechanism) in [
        (&examples()[0].0, Mechanism::ScramSha1Plus),
        (&examples()[1].0, Mechanism::ScramSha256Plus),
    ] {
        let server = Server {
            binding: Some(BASE64_STANDARD.encode(&bound)),
            ..server.clone()
        };
        let (begun, result) = scram(&server, mechanism, Binding::TlsExporter(KEY));
        assert_eq!((result, begun.flag.as_str()), (Ok(()), "p=tls-exporter"));
        let without = Exchange::begin(mechanism, &credentials(PENCIL), Binding::NotOffered);
        assert_eq!(without.err(), Some(Error::Unbindable));
    }
}

#[test]
fn r31_a_user_with_a_comma_cannot_add_attributes() {
    let mut account = credentials(PENCIL);
    account.user = "a,b=c";
    let mut client =
        Exchange::begin(Mechanism::ScramSha256, &account, Binding::Impossible).unwrap();
    let first = decoded(&client.initial_response(ROOM).unwrap());
    assert!(first.starts_with("n,,n=a=2Cb=3Dc,r="), "{first}");
}

/// The client's state after its first message, with the nonce that it chose.
fn begun() -> (Exchange, String) {
    let mut client = begin(Mechanism::ScramSha256, PENCIL);
    let first = decoded(&client.initial_response(ROOM).unwrap());
    let nonce = first.split_once(",r=").unwrap().1.to_owned();
    (client, nonce)
}

#[test]
fn s21_an_iteration_count_that_is_too_low_or_too_high_is_refused_before_any_hashing() {
    for iterations in ["0", "1", "4095", "1000001", "2147483648", "4294967295"] {
        let (mut client, nonce) = begun();
        let message = format!("r={nonce}x,s=c2FsdA==,i={iterations}");
        let refused = client.respond(encode(&message).as_bytes());
        let wanted = match iterations {
            "0" => Error::Scram("SCRAM protocol error: iteration count can't be zero".into()),
            number => Error::Iterations(number.parse().unwrap()),
        };
        assert_eq!(refused, Err(wanted));
        assert_eq!(client.accepted(), Err(Error::Unfinished));
    }
    for nonsense in ["", "-1", "4294967296", "99999999999999999999", "x", "4096 "] {
        let (mut client, nonce) = begun();
        let message = format!("r={nonce}x,s=c2FsdA==,i={nonsense}");
        let refused = client.respond(encode(&message).as_bytes());
        assert!(
            matches!(refused, Err(Error::Scram(_))),
            "{nonsense}: {refused:?}"
        );
    }
}

#[test]
fn s21_a_first_message_that_breaks_the_rules_is_refused() {
    for message in [
        "r=someone-elses,s=c2FsdA==,i=4096",
        "r=,s=c2FsdA==,i=4096",
        // The nonce alone: the server added nothing of its own.
        "r=NONCE,s=c2FsdA==,i=4096",
        "m=extension,r=NONCEx,s=c2FsdA==,i=4096",
        "r=NONCEx,s=c2FsdA==,i=4096,m=extension",
        "r=NONCEx,s=no base64,i=4096",
        "r=NONCEx,i=4096,s=c2FsdA==",
        "r=NONCEx,s=c2FsdA==",
        "r=NONCEx",
        "r=NONCEx,s,i=4096",
        "r=NONCEx,s=c2FsdA==,i",
        "r=NONCEx,,i=4096",
        "r",
        ",",
        ",,,",
        "v=AAAA",
    ] {
        let (mut client, nonce) = begun();
        let message = message.replace("NONCE", &nonce);
        let refused = client.respond(encode(&message).as_bytes());
        assert!(
            matches!(refused, Err(Error::Scram(_))),
            "{message}: {refused:?}"
        );
        // Nothing can be had from it afterwards either.
        let again = client.respond(encode("r=x,s=c2FsdA==,i=4096").as_bytes());
        assert_eq!(again, Err(Error::Unexpected));
        assert_eq!(client.accepted(), Err(Error::Unfinished));
    }
}

#[test]
fn s21_a_server_that_cannot_prove_itself_is_not_signed_in_to() {
    let server = examples()[1].0.clone();
    for (proof, wanted) in [
        (Proof::Right, Ok(())),
        (Proof::Impostor, Err(Error::Signature)),
        // It sends an empty message, here.
        (
            Proof::None,
            Err(Error::Scram("an attribute has no name or value".into())),
        ),
    ] {
        let server = Server {
            proof,
            ..server.clone()
        };
        let (_, result) = scram(&server, Mechanism::ScramSha256, Binding::Impossible);
        assert_eq!(result, wanted);
    }
    for last in [
        "v=",
        "v=AAAA",
        "v=%",
        "v",
        "",
        ",",
        "x",
        "V=AAAA",
        "r=AAAA,v=AAAA",
    ] {
        let mut client = begin(Mechanism::ScramSha256, PENCIL);
        let first = client.initial_response(ROOM).unwrap();
        let begun = server.begin(&decoded(&first)).unwrap();
        client.respond(encode(&begun.message).as_bytes()).unwrap();
        // Neither a +OK right away nor one after this.
        assert_eq!(client.accepted(), Err(Error::Unfinished));
        let refused = client.respond(encode(last).as_bytes());
        assert!(
            matches!(refused, Err(Error::Scram(_) | Error::Signature)),
            "{last}: {refused:?}"
        );
        assert_eq!(client.accepted(), Err(Error::Unfinished));
    }
    // An error of the server's own is its refusal.
    let mut client = begin(Mechanism::ScramSha256, PENCIL);
    let first = client.initial_response(ROOM).unwrap();
    let begun = server.begin(&decoded(&first)).unwrap();
    client.respond(encode(&begun.message).as_bytes()).unwrap();
    let refused = client.respond(encode("e=invalid-proof").as_bytes());
    assert_eq!(refused, Err(Error::Refused(Denial::Credentials)));
}

#[test]
fn b8_what_went_with_the_command_is_said_again_to_an_empty_challenge_and_once() {
    for (mechanism, secret) in [
        (Mechanism::Plain, PENCIL),
        (Mechanism::External, Secret::None),
        (Mechanism::ScramSha256, PENCIL),
        (Mechanism::ScramSha256Plus, PENCIL),
    ] {
        for empty in ["", " "] {
            let mut exchange = begin(mechanism, secret);
            let first = exchange.initial_response(ROOM).unwrap();
            assert_eq!(
                exchange.respond(empty.as_bytes()),
                Ok(first),
                "{mechanism:?}"
            );
            assert!(exchange.respond(empty.as_bytes()).is_err(), "{mechanism:?}");
        }
    }
    // What is no question is answered by nothing.
    let mut plain = begin(Mechanism::Plain, PENCIL);
    plain.initial_response(ROOM).unwrap();
    assert_eq!(plain.respond(b"VXNlcg=="), Err(Error::Unexpected));
}

#[test]
fn b8_scrams_own_refusals_say_what_they_are_about() {
    for (reason, error) in [
        ("unknown-user", Error::Refused(Denial::Credentials)),
        (
            "unsupported-channel-binding-type",
            Error::Refused(Denial::Binding),
        ),
        ("no-resources", Error::Refused(Denial::Passing)),
        ("channel-bindings-dont-match", Error::Mismatch),
        ("server-does-support-channel-binding", Error::Downgraded),
        ("other-error", Error::Unexpected),
    ] {
        let (mut client, _) = begun();
        let refused = client.respond(encode(&format!("e={reason}")).as_bytes());
        assert_eq!(refused, Err(error), "{reason}");
    }
}

#[test]
fn s21_the_last_message_counts_once() {
    let server = &examples()[1].0;
    let mut client = begin(Mechanism::ScramSha256, PENCIL);
    let first = client.initial_response(ROOM).unwrap();
    let begun = server.begin(&decoded(&first)).unwrap();
    let last = client.respond(encode(&begun.message).as_bytes()).unwrap();
    let answer = server.finish(&begun, &decoded(&last)).unwrap();
    client.respond(encode(&answer).as_bytes()).unwrap();
    assert_eq!(client.accepted(), Ok(()));
    let again = client.respond(encode(&answer).as_bytes());
    assert_eq!(again, Err(Error::Unexpected));
}

#[test]
fn r28_the_example_of_rfc_4616_comes_out() {
    let mut account = credentials(Secret::Password("tanstaaftanstaaf"));
    account.user = "tim";
    let mut plain = Exchange::begin(Mechanism::Plain, &account, Binding::Impossible).unwrap();
    let response = plain.initial_response(ROOM).unwrap();
    assert_eq!(response.as_str(), "AHRpbQB0YW5zdGFhZnRhbnN0YWFm");
    assert_eq!(plain.accepted(), Ok(()));
}

#[test]
fn r27_an_initial_response_that_does_not_fit_waits_for_a_challenge() {
    let mut plain = begin(Mechanism::Plain, PENCIL);
    assert_eq!(plain.initial_response(3), None);
    assert_eq!(plain.accepted(), Err(Error::Unfinished));
    let response = plain.respond(b"").unwrap();
    assert_eq!(decoded(&response), "\0user\0pencil");
    assert_eq!(plain.accepted(), Ok(()));
    // Where the first challenge could mean something it must not.
    for mechanism in [Mechanism::ScramSha256, Mechanism::External] {
        let mut exchange = begin(mechanism, PENCIL);
        assert_eq!(exchange.initial_response(3), None);
        assert_eq!(exchange.respond(b"VXNlcg=="), Err(Error::Unexpected));
    }
}

#[test]
fn r27_external_says_whose_maildrop_is_meant_and_an_empty_response_is_an_equals_sign() {
    let mut external = begin(Mechanism::External, Secret::None);
    assert_eq!(decoded(&external.initial_response(ROOM).unwrap()), "user");
    assert_eq!(external.accepted(), Ok(()));
    let mut account = credentials(Secret::None);
    account.user = "";
    let mut nobody = Exchange::begin(Mechanism::External, &account, Binding::Impossible).unwrap();
    assert_eq!(nobody.initial_response(ROOM).unwrap().as_str(), "=");
}

#[test]
fn q14_any_text_may_ask_for_the_first_message_of_login_and_the_bearers() {
    for mechanism in [Mechanism::Login, Mechanism::OAuthBearer, Mechanism::XOAuth2] {
        for prompt in [&b""[..], b"VXNlcm5hbWU6", b"Ready for additional text"] {
            let mut exchange = begin(mechanism, Secret::Token("tok"));
            assert_eq!(exchange.initial_response(ROOM), None);
            assert!(exchange.is_prompted_by_ok());
            assert!(!exchange.respond(prompt).unwrap().is_empty());
            assert!(!exchange.is_prompted_by_ok());
        }
    }
    for mechanism in [Mechanism::CramMd5, Mechanism::ScramSha256] {
        assert!(!begin(mechanism, PENCIL).is_prompted_by_ok());
    }
}

#[test]
fn login_sends_the_user_and_then_the_password() {
    let mut login = begin(Mechanism::Login, PENCIL);
    assert_eq!(decoded(&login.respond(b"VXNlcm5hbWU6").unwrap()), "user");
    assert_eq!(login.accepted(), Err(Error::Unfinished));
    assert_eq!(decoded(&login.respond(b"UGFzc3dvcmQ6").unwrap()), "pencil");
    assert_eq!(login.accepted(), Ok(()));
    assert_eq!(login.respond(b""), Err(Error::Unexpected));
    assert_eq!(login.accepted(), Err(Error::Unfinished));
    let mut login = begin(Mechanism::Login, PENCIL);
    login.respond(b"who?").unwrap();
    assert_eq!(login.respond(b"not base64"), Err(Error::NotBase64));
}

#[test]
fn s22_cram_md5_answers_one_challenge_in_base64() {
    let mut cram = begin(Mechanism::CramMd5, PENCIL);
    assert_eq!(cram.initial_response(ROOM), None);
    assert_eq!(cram.accepted(), Err(Error::Unfinished));
    let response = cram.respond(encode("<1@example.com>").as_bytes()).unwrap();
    let digest = decoded(&response).strip_prefix("user ").unwrap().to_owned();
    assert_eq!(digest.len(), 32);
    assert_eq!(cram.accepted(), Ok(()));
    assert_eq!(cram.respond(b""), Err(Error::Unexpected));
    for (challenge, error) in [
        (&b""[..], Error::Empty),
        (b"<1@example.com>", Error::NotBase64),
        (b"====", Error::NotBase64),
    ] {
        let mut cram = begin(Mechanism::CramMd5, PENCIL);
        assert_eq!(cram.respond(challenge), Err(error));
        assert_eq!(cram.accepted(), Err(Error::Unfinished));
    }
}

#[test]
fn r29_r30_s25_a_refused_token_is_answered_once_and_its_status_kept() {
    let json = encode(r#"{"status":"invalid_token","scope":"mail"}"#);
    for (mechanism, answer) in [(Mechanism::OAuthBearer, "AQ=="), (Mechanism::XOAuth2, "")] {
        for (challenge, status) in [
            (json.as_str(), Some("invalid_token")),
            ("bm8ganNvbg==", None),
            ("no base64", None),
            ("", None),
        ] {
            let mut bearer = begin(mechanism, Secret::Token("tok"));
            bearer.respond(b"").unwrap();
            assert_eq!(bearer.accepted(), Ok(()));
            let response = bearer.respond(challenge.as_bytes()).unwrap();
            assert_eq!(response.as_str(), answer);
            assert_eq!(bearer.token_status(), status);
            // It said no: a +OK behind that is no yes.
            assert_eq!(bearer.accepted(), Err(Error::Unfinished));
            assert_eq!(bearer.respond(b""), Err(Error::Unexpected));
        }
    }
}

#[test]
fn r30_a_token_of_any_length_is_sent() {
    let token = "t".repeat(6000);
    let mut xoauth2 = begin(Mechanism::XOAuth2, Secret::Token(&token));
    let response = decoded(&xoauth2.respond(b"").unwrap());
    assert_eq!(
        response,
        format!("user=user\x01auth=Bearer {token}\x01\x01")
    );
}

#[test]
fn s24_challenges_have_a_bounded_number_and_size() {
    let mut login = begin(Mechanism::Login, PENCIL);
    // No mechanism goes on for so long by itself.
    login.rounds = ROUNDS - 1;
    assert!(login.respond(b"").is_ok());
    assert_eq!(login.respond(b""), Err(Error::Endless));
    assert_eq!(login.accepted(), Err(Error::Unfinished));
    let mut cram = begin(Mechanism::CramMd5, PENCIL);
    let huge = "A".repeat(CHALLENGES + 4);
    assert_eq!(cram.respond(huge.as_bytes()), Err(Error::Endless));
}

#[test]
fn s49_no_secret_is_shown_by_debug() {
    for secret in [PENCIL, Secret::Token("tok")] {
        let shown = format!("{:?}", credentials(secret));
        assert!(
            !shown.contains("pencil") && !shown.contains("tok\""),
            "{shown}"
        );
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// rsasl by itself would panic over some.
    #[test]
    fn s43_no_message_makes_scram_panic(
        first in "(r=NONCEx?,)?(s=(c2FsdA==)?,)?(i=4096)?[a-z=,%]{0,6}",
        last in "[verm]?=?[A-Za-z=,]{0,8}",
        octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40),
    ) {
        for message in [first.as_bytes(), octets.as_slice()] {
            let (mut client, nonce) = begun();
            let message = String::from_utf8_lossy(message).replace("NONCE", &nonce);
            let _refused = client.respond(encode(&message).as_bytes());
            assert_eq!(client.accepted(), Err(Error::Unfinished));
        }
        let (mut client, nonce) = begun();
        let good = format!("r={nonce}x,s=c2FsdA==,i=4096");
        assert!(client.respond(encode(&good).as_bytes()).is_ok());
        for message in [last.as_bytes(), octets.as_slice()] {
            let _refused = client.respond(encode_octets(message).as_bytes());
            assert_eq!(client.accepted(), Err(Error::Unfinished));
        }
    }
}
