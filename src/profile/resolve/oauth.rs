//! The table `oauth` of an account: what it means, and what is known of Google and Microsoft.

use std::ops::Range;

use toml::Spanned;

use super::Resolver;
use crate::oauth::{Client, Endpoint};
use crate::profile::diagnose::ConfigError;
use crate::profile::file::{Account, Key, OAuthTable, ProviderWord};
use crate::profile::{Auth, PasswordSource, Server, providers};
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
    ) -> Result<Option<(Range<usize>, PasswordSource)>, ConfigError> {
        let Some(spanned) = &account.oauth else {
            return Ok(None);
        };
        let (span, table) = (spanned.span(), spanned.get_ref());
        if !matches!(auth, Auth::Auto | Auth::OAuthBearer | Auth::XOAuth2) {
            return Err(self.error_with(
                span,
                format!("`auth = \"{}\"` does not sign in with a token", auth.word()),
                "leave `auth` out, or set it to \"oauthbearer\" or \"xoauth2\"".into(),
            ));
        }
        let oauth = match &table.token_command {
            Some(command) => {
                if let Some(other) = table.client_id.as_ref().or(table.token_endpoint.as_ref()) {
                    return Err(self.error_with(
                        other.span(),
                        "with `token-command` popfetch asks for no token by itself".into(),
                        "keep `token-command` or the other keys of the table".into(),
                    ));
                }
                let argv = command.get_ref();
                if argv.first().is_none_or(String::is_empty)
                    || argv.iter().any(|word| word.contains('\0'))
                {
                    let wrong = "a command needs a program, as in [\"my-helper\", \"--token\"]";
                    return Err(self.error(command.span(), wrong));
                }
                OAuth::Command(argv.clone())
            }
            None => self.login(span.clone(), table, server)?,
        };
        Ok(Some((span, PasswordSource::OAuth(oauth))))
    }

    fn login(
        &self,
        span: Range<usize>,
        table: &OAuthTable,
        server: &Server,
    ) -> Result<OAuth, ConfigError> {
        let word = table.provider.as_ref().map(|word| *word.get_ref());
        let preset = match (&table.token_endpoint, word) {
            (Some(_), None) => None,
            (_, word) => word.or_else(|| ProviderWord::of_host(&server.host)),
        };
        let preset = preset.map(ProviderWord::preset);
        let id = table
            .client_id
            .as_ref()
            .filter(|id| !id.get_ref().is_empty());
        let id = id.ok_or_else(|| {
            self.error_with(
                span.clone(),
                "OAuth 2.0 needs a `client-id`".into(),
                preset
                    .map_or(
                        "the provider gives one to programs that are registered with it",
                        |p| p.advice,
                    )
                    .into(),
            )
        })?;
        let endpoint = |key: &Key<String>, known: Option<&'static str>| match (key, known) {
            (Some(key), _) => Endpoint::parse(key.get_ref())
                .map(Some)
                .map_err(|wrong| self.error(key.span(), wrong)),
            (None, known) => Ok(known.and_then(|known| Endpoint::parse(known).ok())),
        };
        let missing = |key: &str| {
            self.error_with(
                span.clone(),
                format!("this provider is not known, and there is no `{key}`"),
                "set `provider` to \"google\" or \"microsoft\", or add the key".into(),
            )
        };
        let token = endpoint(&table.token_endpoint, preset.map(|preset| preset.token))?;
        let scope = table.scope.as_ref().map(Spanned::get_ref).cloned();
        let secret = table.client_secret.as_ref();
        Ok(OAuth::Login {
            client: Box::new(Client {
                id: id.get_ref().clone(),
                secret: secret.map(|secret| secret.get_ref().0.clone()),
                authorization: endpoint(
                    &table.authorization_endpoint,
                    preset.map(|preset| preset.authorization),
                )?,
                token: token.ok_or_else(|| missing("token-endpoint"))?,
                device: endpoint(
                    &table.device_endpoint,
                    preset.and_then(|preset| preset.device),
                )?,
                scope: scope
                    .or_else(|| preset.map(|preset| preset.scope.to_owned()))
                    .ok_or_else(|| missing("scope"))?,
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
