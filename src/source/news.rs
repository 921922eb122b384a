//! What a server says by itself, to who stays for it.

/// What was heard.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum News {
    /// From here on it says when mail comes. What has come before nobody may have seen.
    Listening,
    /// Mail has come.
    Mail,
}
