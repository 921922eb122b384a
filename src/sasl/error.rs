//! Why a sign-in is refused, or must not count.

/// What a refusal in the mechanism's own words is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Denial {
    /// User and password.
    Credentials,
    /// The kind of binding, which the server cannot do.
    Binding,
    /// Trouble of its own.
    Passing,
}

/// Why an exchange cannot go on, or must not count.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// A -PLUS mechanism without the means for it.
    #[error("the connection cannot be bound to the sign-in")]
    Unbindable,
    /// A challenge that the mechanism does not know, or the server's own word that it refuses.
    #[error("the server sent a challenge that has no meaning")]
    Unexpected,
    /// The server's refusal in the mechanism's own words (RFC 5802 section 7).
    #[error("the server refused the sign-in")]
    Refused(Denial),
    /// What the sign-in was bound to is not the connection that the server has.
    #[error("the server says that it is at the end of another TLS connection than this one")]
    Mismatch,
    /// We said that we could bind the sign-in if the server offered it, and it did.
    #[error("the server offers to bind the sign-in, but its offer did not arrive here")]
    Downgraded,
    /// A challenge that says nothing where it must.
    #[error("the server sent an empty challenge")]
    Empty,
    /// A challenge that is not base64.
    #[error("the server sent a challenge that is not base64")]
    NotBase64,
    /// Challenges without end.
    #[error("the server sent one challenge after the other")]
    Endless,
    /// SCRAM: an iteration count outside of what is safe.
    #[error("the server asks for {0} rounds of hashing, where 4096 to 1000000 are sensible")]
    Iterations(u32),
    /// SCRAM: a message that breaks the mechanism's rules.
    #[error("the server broke the rules of SCRAM: {0}")]
    Scram(String),
    /// SCRAM: the server does not know the password that it checks.
    #[error("the server could not prove that it knows the account: it may be an impostor")]
    Signature,
    /// `+OK` before the exchange was over.
    #[error("the server said that we are signed in before the sign-in was complete")]
    Unfinished,
}
