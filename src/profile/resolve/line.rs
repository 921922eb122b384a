//! The keys about the line to the server: TLS, whom to trust, and the way there.

use std::path::PathBuf;

use toml::Spanned;

use super::{Resolver, value};
use crate::net::proxy;
use crate::profile::address::normal_host;
use crate::profile::diagnose::ConfigError;
use crate::profile::file::TlsMode;
use crate::profile::{ClientCertificate, Proxy, Roots, Server, Tls, TlsPolicy, Way};

impl Resolver<'_> {
    pub(super) fn tls(&self) -> Result<Tls, ConfigError> {
        let mode = match key!(self.tls) {
            Some(mode) if *mode.get_ref() == TlsMode::None => mode,
            Some(mode) if *mode.get_ref() == TlsMode::StartTls => {
                return self.tls_policy().map(Tls::StartTls);
            }
            _ => return self.tls_policy().map(Tls::Implicit),
        };
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
            if let Some(span) = span {
                return Err(self.error_with(
                    span,
                    format!("`{key}` has no meaning with `tls = \"none\"`"),
                    "remove `tls = \"none\"`, or the other key".into(),
                ));
            }
        }
        // The account's own word: in the defaults it would silently hold for accounts to come.
        if value(self.account.allow_insecure.as_ref()) != Some(true) {
            return Err(self.error_with(
                mode.span(),
                "without TLS anyone on the way can read the password and the mail".into(),
                "remove `tls = \"none\"`; if the line is safe, add `allow-insecure = true` to \
                 the account itself"
                    .into(),
            ));
        }
        Ok(Tls::None)
    }

    fn tls_policy(&self) -> Result<TlsPolicy, ConfigError> {
        let roots = match key!(self.tls_roots) {
            None => Roots::default(),
            Some(roots) => match roots.get_ref() {
                Roots::File(path) => Roots::File(self.plain_path(roots.span(), path)?),
                other => other.clone(),
            },
        };
        let server_name = match key!(self.tls_server_name) {
            None => None,
            Some(name) => {
                Some(normal_host(name.get_ref()).map_err(|e| self.error(name.span(), e))?)
            }
        };
        let pins = key!(self.tls_pin).map(|pins| pins.get_ref().0.clone());
        if let (Some(place), Roots::Pinned, None) = (key!(self.tls_roots), &roots, &pins) {
            return Err(self.error_with(
                place.span(),
                "`tls-roots = \"pinned\"` trusts the pins alone, and there is no `tls-pin`".into(),
                "add the pin of the server's key, or leave `tls-roots` out".into(),
            ));
        }
        Ok(TlsPolicy {
            roots,
            pins: pins.unwrap_or_default(),
            server_name,
            min_version: value(key!(self.tls_min_version)).unwrap_or_default(),
            client: self.client_certificate()?,
        })
    }

    fn client_certificate(&self) -> Result<Option<ClientCertificate>, ConfigError> {
        let (certificate, key) = (key!(self.tls_client_cert), key!(self.tls_client_key));
        let path = |key: &Spanned<PathBuf>| self.plain_path(key.span(), key.get_ref());
        match (certificate, key) {
            (None, None) => Ok(None),
            (None, Some(key)) => Err(self.error_with(
                key.span(),
                "`tls-client-key` has no meaning without `tls-client-cert`".into(),
                "add the certificate that the key belongs to".into(),
            )),
            (Some(certificate), key) => Ok(Some(ClientCertificate {
                certificate: path(certificate)?,
                key: path(key.unwrap_or(certificate))?,
            })),
        }
    }

    /// The account's own proxy, or else the default's, or else none.
    pub(super) fn way(&self, server: &Server) -> Result<Way, ConfigError> {
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
                    if let Some(address) = source_address {
                        let wrong = "`source-address` has no meaning with `proxy-command`";
                        return Err(self.error(address.span(), wrong));
                    }
                    way.proxy = Some(Proxy::Command(argv.clone()));
                }
                (Some(proxy), Some(command)) => {
                    let later = proxy.span().start.max(command.span().start);
                    let span = match later == command.span().start {
                        true => command.span(),
                        false => proxy.span(),
                    };
                    return Err(self.error_with(
                        span,
                        "there is more than one proxy".into(),
                        "keep one of `proxy` and `proxy-command`".into(),
                    ));
                }
            }
            break;
        }
        Ok(way)
    }
}
