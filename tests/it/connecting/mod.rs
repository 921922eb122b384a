/// Who we say that we are.
mod client_certificate;
/// Through a program.
mod command;
/// Where a connection comes from.
mod network;
/// Through a proxy server.
mod proxy;
/// TLS after STLS.
mod stls;
/// Which servers are trusted, and what is said of those that are not.
mod trust;
