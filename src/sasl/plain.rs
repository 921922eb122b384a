//! PLAIN (RFC 4616): the password as it is, for use inside TLS only.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

/// The initial response in base64: no authorization identity, then user and password.
pub fn initial_response(user: &str, password: &str) -> Zeroizing<String> {
    let message = Zeroizing::new(format!("\0{user}\0{password}"));
    Zeroizing::new(BASE64_STANDARD.encode(message.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r28_the_example_of_rfc_4616_comes_out() {
        let response = initial_response("tim", "tanstaaftanstaaf");
        assert_eq!(response.as_str(), "AHRpbQB0YW5zdGFhZnRhbnN0YWFm");
    }
}
