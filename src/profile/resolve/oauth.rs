//! The table `oauth` of an account: what it means, and what is known of Google and Microsoft.

use std::ops::Range;

use toml::Spanned;

use super::wrong::Wrong;
use super::{Resolver, password};
use crate::oauth::{Client, Endpoint};
use crate::profile::file::{Account, Key, OAuthTable, ProviderWord};
use crate::profile::{Auth, PasswordSource, Protocol, Server, providers};
use crate::secrets::OAuth;

/// What is known of a provider's OAuth 2.0.
struct Preset {
    authorization: &'static str,
    token: &'static str,
    device: Option<&'static str>,
    scope: &'static str,
    redirect_host: &'static str,
    extra: &'static [(&'static str, &'static str)],
    /// How to get a client id.
    advice: &'static str,
}

const LOOPBACK: &str = "127.0.0.1";

const GOOGLE: Preset = Preset {
    authorization: "https://accounts.google.com/o/oauth2/v2/auth",
    token: "https://oauth2.googleapis.com/token",
    // It is offered for a few scopes alone, and mail is not one of them.
    device: None,
    scope: "https://mail.google.com/",
    redirect_host: LOOPBACK,
    // Without these two there is no refresh token, or only the first time.
    extra: &[("access_type", "offline"), ("prompt", "consent")],
    advice: "make one at https://console.cloud.google.com/apis/credentials, as an OAuth client of \
             the type \"Desktop app\", and put its id and secret into `client-id` and \
             `client-secret`",
};

const MICROSOFT: Preset = Preset {
    authorization: "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
    token: "https://login.microsoftonline.com/common/oauth2/v2.0/token",
    device: Some("https://login.microsoftonline.com/common/oauth2/v2.0/devicecode"),
    scope: "https://outlook.office.com/POP.AccessAsUser.All offline_access",
    // It takes any port for this name, and for the address only what was registered.
    redirect_host: "localhost",
    extra: &[],
    advice: "register an application at https://entra.microsoft.com with the redirect URI \
             http://localhost of the kind \"Mobile and desktop\", allow public client flows, and \
             put its application id into `client-id`",
};

impl Preset {
    /// What the token is to be good for.
    fn scope_for(&self, protocol: Protocol) -> String {
        match protocol {
            Protocol::Pop => self.scope.to_owned(),
            // Microsoft has a word for each protocol, and Google one for all.
            Protocol::Imap => self.scope.replace("/POP.", "/IMAP."),
        }
    }
}

impl ProviderWord {
    fn preset(self) -> &'static Preset {
        match self {
            Self::Google => &GOOGLE,
            Self::Microsoft => &MICROSOFT,
        }
    }

    fn of_host(host: &str) -> Option<Self> {
        match providers::of_host(host)?.name {
            "Gmail" => Some(Self::Google),
            "Outlook.com, Microsoft 365" => Some(Self::Microsoft),
            _ => None,
        }
    }
}

impl Resolver<'_> {
    /// Where the account's access tokens come from, if it has the table.
    pub(super) fn oauth_of(
        &self,
        account: &Account,
        server: &Server,
        auth: Auth,
        wrong: &mut Wrong,
    ) -> Option<password::Source> {
        let spanned = account.oauth.as_ref()?;
        let (span, table) = (spanned.span(), spanned.get_ref());
        if !matches!(auth, Auth::Auto | Auth::OAuthBearer | Auth::XOAuth2) {
            wrong.note::<()>(Err(self.error_with(
                span.clone(),
                format!("`auth = \"{}\"` does not sign in with a token", auth.word()),
                "leave `auth` out, or set it to \"oauthbearer\" or \"xoauth2\"".into(),
            )));
        }
        let oauth = match &table.token_command {
            Some(command) => {
                if let Some(other) = table.client_id.as_ref().or(table.token_endpoint.as_ref()) {
                    wrong.note::<()>(Err(self.error_with(
                        other.span(),
                        "with `token-command` popfetch asks for no token by itself".into(),
                        "keep `token-command` or the other keys of the table".into(),
                    )));
                }
                let argv = command.get_ref();
                let is_none = argv.first().is_none_or(String::is_empty)
                    || argv.iter().any(|word| word.contains('\0'));
                let good = (!is_none).then(|| argv.clone()).ok_or_else(|| {
                    let wrong = "a command needs a program, as in [\"my-helper\", \"--token\"]";
                    self.error(command.span(), wrong)
                });
                wrong.note(good).map(OAuth::Command)
            }
            None => self.login(span.clone(), table, server, wrong),
        };
        Some((span, oauth.map(PasswordSource::OAuth)))
    }

    fn login(
        &self,
        span: Range<usize>,
        table: &OAuthTable,
        server: &Server,
        wrong: &mut Wrong,
    ) -> Option<OAuth> {
        let word = table.provider.as_ref().map(|word| *word.get_ref());
        let preset = match (&table.token_endpoint, word) {
            (Some(_), None) => None,
            (_, word) => word.or_else(|| ProviderWord::of_host(&server.host)),
        };
        let preset = preset.map(ProviderWord::preset);
        let id = table.client_id.as_ref().ok_or_else(|| {
            let advice = preset.map_or(
                "the provider gives one to programs that are registered with it",
                |preset| preset.advice,
            );
            let keys = &["oauth.client-id", "oauth.token-command"];
            self.lacking(keys, span.clone(), "OAuth 2.0 needs a `client-id`", advice)
        });
        let id = wrong.note(id);
        let mut endpoint = |key: &Key<String>, known: Option<&'static str>| match (key, known) {
            (Some(key), _) => {
                let parsed = Endpoint::parse(key.get_ref());
                let parsed = parsed.map_err(|wrong| self.error(key.span(), wrong));
                wrong.note(parsed).map(Some)
            }
            (None, known) => Some(known.and_then(|known| Endpoint::parse(known).ok())),
        };
        let token = endpoint(&table.token_endpoint, preset.map(|preset| preset.token));
        let authorization = endpoint(
            &table.authorization_endpoint,
            preset.map(|preset| preset.authorization),
        );
        let device = endpoint(
            &table.device_endpoint,
            preset.and_then(|preset| preset.device),
        );
        let scope = table.scope.as_ref().map(Spanned::get_ref).cloned();
        let scope = scope.or_else(|| preset.map(|preset| preset.scope_for(server.protocol)));
        let mut missing = |keys: &'static [&'static str], key: &str| {
            let message = format!("this provider is not known, and there is no `{key}`");
            let help = "set `provider` to \"google\" or \"microsoft\", or add the key";
            wrong.note::<()>(Err(self.lacking(keys, span.clone(), message, help)));
        };
        if token == Some(None) {
            let keys = &[
                "oauth.token-endpoint",
                "oauth.provider",
                "oauth.token-command",
            ];
            missing(keys, "token-endpoint");
        }
        if scope.is_none() {
            missing(
                &["oauth.scope", "oauth.provider", "oauth.token-command"],
                "scope",
            );
        }
        let secret = table.client_secret.as_ref();
        Some(OAuth::Login {
            client: Box::new(Client {
                id: id?.get_ref().clone(),
                secret: secret.map(|secret| secret.get_ref().0.clone()),
                authorization: authorization?,
                token: token??,
                device: device?,
                scope: scope?,
                redirect_host: preset.map_or(LOOPBACK, |preset| preset.redirect_host),
                extra: preset.map_or(&[], |preset| preset.extra),
            }),
            store: table
                .store
                .as_ref()
                .map(|store| *store.get_ref())
                .unwrap_or_default(),
        })
    }
}
