//! SASL (RFC 4422) as POP3 uses it (RFC 5034), without any input or output of its own.
//!
//! ```text
//! Exchange::begin(mechanism, ...) -> initial_response()      with the command, or not
//!                                    respond(challenge)      until the server has enough
//!                                    accepted()              at +OK: may it count?
//! ```
//! Challenges and responses are in base64, as they go over the wire. A mechanism that proves the
//! server's identity as well (SCRAM) is not over before the server has done so: a `+OK` that comes
//! earlier is an error.
//!
//! | mechanism | file | source |
//! |---|---|---|
//! | PLAIN, LOGIN, EXTERNAL | [`exchange`] | RFC 4616, the LOGIN draft, RFC 4422 appendix A |
//! | SCRAM-SHA-256, SCRAM-SHA-1, both with -PLUS | `scram` | RFC 5802, 7677, 9266; by the crate rsasl |
//! | OAUTHBEARER, XOAUTH2 | `bearer` | RFC 7628; Google's description |
//! | CRAM-MD5, and APOP, which is no SASL | [`md5`] | RFC 2195; RFC 1939 section 7 |

mod bearer;
mod credentials;
mod error;
pub mod exchange;
pub mod md5;
mod mechanism;
mod scram;
#[cfg(test)]
#[path = "../../tests/support/scram.rs"]
mod scram_server;

pub use credentials::{Binding, Credentials, Secret};
pub use error::{Denial, Error};
pub use exchange::{Exchange, Response};
pub use mechanism::Mechanism;
