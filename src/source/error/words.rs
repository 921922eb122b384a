//! What errors of a session say of their message, of a refusal, and of what to do about it.

use super::Method;
use crate::exit::at_hand::takes;
use crate::sasl::Mechanism;

pub(super) fn in_brackets(message: &Option<Box<str>>) -> String {
    let message = message.as_ref();
    message.map_or_else(String::new, |message| format!(" ({message})"))
}

pub(super) fn refusal(method: &Method, token_status: Option<&str>) -> String {
    match (method, token_status) {
        (_, Some(status)) => format!("the server refused the access token (status \"{status}\")"),
        (Method::Sasl(mechanism), None) if mechanism.is_bearer() => {
            "the server refused the access token".to_owned()
        }
        _ => "the server refused the sign-in".to_owned(),
    }
}

/// What to do about a refusal of the way to sign in.
pub(super) fn other_way(method: Method) -> String {
    let not_tls_exporter = "this says nothing about the password: the server may bind a sign-in by \
                            something else than tls-exporter; do without:";
    match method {
        Method::Sasl(mechanism) if mechanism.is_bearer() => {
            "this says nothing about the token; try the other of auth = \"oauthbearer\" and \
             \"xoauth2\""
                .to_owned()
        }
        Method::Sasl(Mechanism::ScramSha256Plus) => {
            with_auth(not_tls_exporter, "scram-sha-256-unbound")
        }
        Method::Sasl(Mechanism::ScramSha1Plus) => {
            with_auth(not_tls_exporter, "scram-sha-1-unbound")
        }
        Method::Sasl(Mechanism::Plain) => {
            with_auth("this says nothing about the password; try", "user-pass")
        }
        _ => with_auth("this says nothing about the password; try", "plain"),
    }
}

/// Names another method as the config file has it, and as an option where there is one.
fn with_auth(way: &str, method: &str) -> String {
    let option = match takes("auth") {
        true => format!(" (--auth {method})"),
        false => String::new(),
    };
    format!("{way} auth = \"{method}\"{option}")
}

/// What to do about a refusal that is about the credentials.
pub(super) fn advice(method: Method) -> String {
    match method {
        Method::Sasl(mechanism) if mechanism.is_scram() => with_auth(
            "check user and password; if they are right, the server may not be able to do SCRAM for \
             this account: try",
            "plain",
        ),
        Method::Sasl(mechanism) if mechanism.is_bearer() => {
            "check the user, and that the token is new and meant for this protocol; some providers \
             want POP or IMAP switched on"
                .to_owned()
        }
        Method::Sasl(Mechanism::External) => {
            "check the client's certificate, and that the server knows it as this user's".to_owned()
        }
        Method::Sasl(Mechanism::CramMd5) | Method::Apop => {
            "check user and password; if they are right, leave `auth` out".to_owned()
        }
        _ => "check user and password; some providers want POP or IMAP switched on, or an app password"
            .to_owned(),
    }
}
