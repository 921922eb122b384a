//! SASL mechanisms (RFC 4422), without any input or output of their own.

pub mod plain;
