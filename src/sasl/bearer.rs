//! OAUTHBEARER (RFC 7628) and XOAUTH2: an access token instead of a password.

use super::credentials::Credentials;
use serde_json::Value;
use zeroize::Zeroizing;

/// The message of OAUTHBEARER: a GS2 header, then key-value pairs (RFC 7628 section 3.1).
pub(super) fn oauthbearer(credentials: &Credentials<'_>, token: &str) -> Zeroizing<String> {
    let user = credentials.user.replace('=', "=3D").replace(',', "=2C");
    let (host, port) = (credentials.host, credentials.port);
    Zeroizing::new(format!(
        "n,a={user},\x01host={host}\x01port={port}\x01auth=Bearer {token}\x01\x01"
    ))
}

/// The message of XOAUTH2.
pub(super) fn xoauth2(user: &str, token: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("user={user}\x01auth=Bearer {token}\x01\x01"))
}

/// The `status` of the JSON object with which a server refuses a token, as it came: it may be long,
/// and have the token in it. `None` where there is none, or no JSON: the refusal stands anyway.
pub(super) fn status(json: &[u8]) -> Option<String> {
    // serde_json bounds the depth by itself.
    let object: Value = serde_json::from_slice(json).ok()?;
    let status = match object.get("status")? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!status.is_empty()).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sasl::Secret;

    /// RFC 7628 section 4.1, and the same for POP3 as in section 4.2 for IMAP.
    #[test]
    fn r29_the_example_of_rfc_7628_comes_out() {
        let credentials = Credentials {
            user: "user@example.com",
            secret: Secret::Token(TOKEN),
            host: "server.example.com",
            port: 143,
        };
        const TOKEN: &str = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";
        assert_eq!(
            oauthbearer(&credentials, TOKEN).as_str(),
            "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01\
             auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01"
        );
    }

    #[test]
    fn r29_a_user_with_a_comma_cannot_leave_the_header() {
        let credentials = Credentials {
            user: "a,b=c",
            secret: Secret::Token("t"),
            host: "h",
            port: 995,
        };
        assert!(oauthbearer(&credentials, "t").starts_with("n,a=a=2Cb=3Dc,\x01host=h\x01"));
    }

    #[test]
    fn s25_the_status_is_taken_from_the_servers_json_and_nothing_else() {
        let told = |json: &str| status(json.as_bytes());
        assert_eq!(
            told(r#"{"status":"401","schemes":"bearer"}"#).unwrap(),
            "401"
        );
        assert_eq!(told(r#"{"status":400}"#).unwrap(), "400");
        for nothing in [
            "",
            "{",
            "[]",
            "{}",
            r#"{"status":{}}"#,
            r#"{"status":""}"#,
            "401",
        ] {
            assert_eq!(told(nothing), None, "{nothing}");
        }
        let deep = format!("{{\"status\":{}", "[".repeat(8000));
        assert_eq!(told(&deep), None);
    }
}
