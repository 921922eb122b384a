//! The keys about the line to the server: TLS, whom to trust, and the way there.

use std::path::PathBuf;

use toml::Spanned;

use super::wrong::Wrong;
use super::{Resolver, value};
use crate::net::proxy;
use crate::profile::address::normal_host;
use crate::profile::diagnose::ConfigError;
use crate::profile::file::TlsMode;
use crate::profile::{ClientCertificate, Proxy, Roots, Server, Tls, TlsPolicy, Way};

impl Resolver<'_> {
    /// What `tls` says, whether or not it may be so.
    pub(super) fn tls_mode(&self) -> TlsMode {
        value(key!(self.tls)).unwrap_or(TlsMode::Implicit)
    }

    pub(super) fn tls(&self, wrong: &mut Wrong) -> Option<Tls> {
        match self.tls_mode() {
            TlsMode::Implicit => self.tls_policy(wrong).map(Tls::Implicit),
            TlsMode::StartTls => self.tls_policy(wrong).map(Tls::StartTls),
            TlsMode::None => {
                self.check_without_tls(wrong);
                Some(Tls::None)
            }
        }
    }

    fn check_without_tls(&self, wrong: &mut Wrong) {
        // An option about certificates says that the person counts on TLS (CVE-2006-5867).
        let tls_keys = [
            ("tls-roots", key!(self.tls_roots).map(Spanned::span)),
            ("tls-pin", key!(self.tls_pin).map(Spanned::span)),
            (
                "tls-server-name",
                key!(self.tls_server_name).map(Spanned::span),
            ),
            (
                "tls-min-version",
                key!(self.tls_min_version).map(Spanned::span),
            ),
            (
                "tls-client-cert",
                key!(self.tls_client_cert).map(Spanned::span),
            ),
            (
                "tls-client-key",
                key!(self.tls_client_key).map(Spanned::span),
            ),
        ];
        for (key, span) in tls_keys {
            let Some(span) = span else { continue };
            wrong.note::<()>(Err(self.error_with(
                span,
                format!("`{key}` has no meaning with `tls = \"none\"`"),
                "remove `tls = \"none\"`, or the other key".into(),
            )));
        }
        // The account's own word: in the defaults it would silently hold for accounts to come.
        if value(self.account.allow_insecure.as_ref()) != Some(true) {
            let place = key!(self.tls).map_or_else(|| self.name.span(), Spanned::span);
            wrong.note::<()>(Err(self.lacking(
                &["allow-insecure"],
                place,
                "without TLS anyone on the way can read the password and the mail",
                "remove `tls = \"none\"`; if the line is safe, add `allow-insecure = true` to \
                 the account itself",
            )));
        }
    }

    fn tls_policy(&self, wrong: &mut Wrong) -> Option<TlsPolicy> {
        let roots = match key!(self.tls_roots) {
            None => Some(Roots::default()),
            Some(roots) => match roots.get_ref() {
                Roots::File(path) => wrong
                    .note(self.plain_path(roots.span(), path))
                    .map(Roots::File),
                other => Some(other.clone()),
            },
        };
        let server_name = key!(self.tls_server_name).map(|name| {
            wrong.note(normal_host(name.get_ref()).map_err(|e| self.error(name.span(), e)))
        });
        let pins = key!(self.tls_pin).map(|pins| pins.get_ref().0.clone());
        if let (Some(place), Some(Roots::Pinned), None) = (key!(self.tls_roots), &roots, &pins) {
            wrong.note::<()>(Err(self.lacking(
                &["tls-pin"],
                place.span(),
                "`tls-roots = \"pinned\"` trusts the pins alone, and there is no `tls-pin`",
                "add the pin of the server's key, or leave `tls-roots` out",
            )));
        }
        let client = self.client_certificate(wrong);
        let server_name = match server_name {
            Some(name) => Some(name?),
            None => None,
        };
        Some(TlsPolicy {
            roots: roots?,
            pins: pins.unwrap_or_default(),
            server_name,
            min_version: value(key!(self.tls_min_version)).unwrap_or_default(),
            client: client?,
        })
    }

    fn client_certificate(&self, wrong: &mut Wrong) -> Option<Option<ClientCertificate>> {
        let (certificate, key) = (key!(self.tls_client_cert), key!(self.tls_client_key));
        let mut path = |key: &Spanned<PathBuf>| {
            let path = self.plain_path(key.span(), key.get_ref());
            wrong.note(path)
        };
        let (certificate, key) = match (certificate, key) {
            (None, None) => return Some(None),
            (None, Some(key)) => {
                wrong.note::<()>(Err(self.lacking(
                    &["tls-client-cert"],
                    key.span(),
                    "`tls-client-key` has no meaning without `tls-client-cert`",
                    "add the certificate that the key belongs to",
                )));
                return None;
            }
            (Some(certificate), None) => {
                let path = path(certificate);
                (path.clone(), path)
            }
            (Some(certificate), Some(key)) => (path(certificate), path(key)),
        };
        Some(Some(ClientCertificate {
            certificate: certificate?,
            key: key?,
        }))
    }

    /// The account's own proxy, or else the default's, or else none.
    pub(super) fn way(&self, server: &Server, wrong: &mut Wrong) -> Option<Way> {
        let source_address = key!(self.source_address);
        let mut way = Way {
            source_address: value(source_address).map(|address| address.0),
            proxy: None,
        };
        for account in [self.account, self.defaults] {
            match (&account.proxy, &account.proxy_command) {
                (None, None) => continue,
                (Some(proxy), None) => {
                    way.proxy = proxy.get_ref().0.clone().map(Proxy::Server);
                }
                (None, Some(command)) => {
                    if let Some(address) = source_address {
                        let message = "`source-address` has no meaning with `proxy-command`";
                        wrong.note::<()>(Err(self.error(address.span(), message)));
                    }
                    let argv = wrong.note(self.proxy_argv(command, server));
                    way.proxy = Some(Proxy::Command(argv?));
                }
                (Some(proxy), Some(command)) => {
                    let later = match proxy.span().start > command.span().start {
                        true => proxy.span(),
                        false => command.span(),
                    };
                    return wrong.note(Err(self.error_with(
                        later,
                        "there is more than one proxy".into(),
                        "keep one of `proxy` and `proxy-command`".into(),
                    )));
                }
            }
            break;
        }
        Some(way)
    }

    fn proxy_argv(
        &self,
        command: &Spanned<Vec<String>>,
        server: &Server,
    ) -> Result<Vec<String>, ConfigError> {
        let argv = command.get_ref();
        if argv.first().is_none_or(String::is_empty) {
            let wrong = "a command needs a program, as in [\"ssh\", \"-W\", \"%h:%p\", \"gate\"]";
            return Err(self.error(command.span(), wrong));
        }
        if let Err(unknown) = proxy::expand(argv, &server.host, server.port) {
            return Err(self.error_with(
                command.span(),
                format!("`{unknown}` stands for nothing here"),
                "%h is the host, %p the port, %% a percent sign".into(),
            ));
        }
        Ok(argv.clone())
    }
}
