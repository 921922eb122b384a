//! The mechanisms by their registered names.

/// A SASL mechanism; the strongest first, as far as they can be compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mechanism {
    /// SCRAM-SHA-256-PLUS (RFC 7677), bound to the TLS connection.
    ScramSha256Plus,
    /// SCRAM-SHA-1-PLUS (RFC 5802), bound to the TLS connection.
    ScramSha1Plus,
    /// SCRAM-SHA-256 (RFC 7677).
    ScramSha256,
    /// SCRAM-SHA-1 (RFC 5802).
    ScramSha1,
    /// PLAIN (RFC 4616).
    Plain,
    /// LOGIN, which was never more than a draft.
    Login,
    /// EXTERNAL (RFC 4422 appendix A): by the client's certificate.
    External,
    /// OAUTHBEARER (RFC 7628).
    OAuthBearer,
    /// XOAUTH2, Google's and Microsoft's.
    XOAuth2,
    /// CRAM-MD5 (RFC 2195).
    CramMd5,
}

impl Mechanism {
    /// What `auth = "auto"` takes for a password, the best first.
    pub const FOR_PASSWORDS: [Self; 6] = [
        Self::ScramSha256Plus,
        Self::ScramSha1Plus,
        Self::ScramSha256,
        Self::ScramSha1,
        Self::Plain,
        Self::Login,
    ];

    /// What `auth = "auto"` takes for a token, the best first.
    pub const FOR_TOKENS: [Self; 2] = [Self::OAuthBearer, Self::XOAuth2];

    /// Its name in AUTH and CAPA.
    pub fn name(self) -> &'static str {
        match self {
            Self::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Self::ScramSha1Plus => "SCRAM-SHA-1-PLUS",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha1 => "SCRAM-SHA-1",
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::External => "EXTERNAL",
            Self::OAuthBearer => "OAUTHBEARER",
            Self::XOAuth2 => "XOAUTH2",
            Self::CramMd5 => "CRAM-MD5",
        }
    }

    /// It proves to the server that both are at the ends of the same TLS connection.
    pub fn is_bound(self) -> bool {
        matches!(self, Self::ScramSha256Plus | Self::ScramSha1Plus)
    }

    /// SCRAM of whichever kind.
    pub fn is_scram(self) -> bool {
        matches!(self, Self::ScramSha256 | Self::ScramSha1) || self.is_bound()
    }

    /// It presents a token rather than a password.
    pub fn is_bearer(self) -> bool {
        matches!(self, Self::OAuthBearer | Self::XOAuth2)
    }

    /// The first message waits for a challenge. The bearer mechanisms need not, but Microsoft's
    /// servers close the connection over an initial response (fact R30).
    pub(super) fn waits(self) -> bool {
        matches!(self, Self::Login | Self::CramMd5) || self.is_bearer()
    }

    /// Nothing depends on what the first challenge says, so it may be any text (fact Q14).
    pub(super) fn takes_any_prompt(self) -> bool {
        matches!(self, Self::Plain | Self::Login) || self.is_bearer()
    }
}
