//! What a person has to do at a provider before its mail can be fetched, and where.
//!
//! From the providers' own pages, 2026-11. What is to be looked into once a sign-in was refused is in
//! [`crate::profile::providers`], whose names these are.

use crate::profile::providers;
use crate::server::Protocol;

/// How one signs in at a provider.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignIn {
    /// With the account's own password.
    Password,
    /// With a password that the provider makes for programs like this one.
    AppPassword,
    /// With such a password, or with OAuth 2.0.
    AppPasswordOrOAuth(&'static str),
    /// With OAuth 2.0 alone.
    OAuth(&'static str),
}

/// What is to be done at a provider.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Steps {
    /// The name of the provider in the table of providers.
    pub provider: &'static str,
    /// How one signs in.
    pub sign_in: SignIn,
    /// What to do, in sentences, with the pages to do it on.
    pub text: &'static str,
}

/// What is to be done at the provider of this server.
pub fn of(protocol: Protocol, host: &str) -> Option<&'static Steps> {
    match protocol {
        Protocol::Pop => of_host(host),
        Protocol::Imap => BY_IMAP
            .iter()
            .find(|(hosts, _)| hosts.contains(&host))
            .map(|(_, steps)| steps),
    }
}

fn of_host(host: &str) -> Option<&'static Steps> {
    let name = providers::of_host(host)?.name;
    STEPS.iter().find(|steps| steps.provider == name)
}

/// How a program is registered with a provider, for OAuth 2.0.
pub fn registration(provider: &str) -> &'static str {
    match provider {
        "google" => {
            "Google lets in programs that you have registered, once:\n\
             1. Make a project and an OAuth client of the type \"Desktop app\" at \
             https://console.cloud.google.com/auth/clients\n\
             2. Publish it: \"In production\" at https://console.cloud.google.com/auth/audience - \
             as long as it is \"Testing\", each sign-in ends after 7 days. It need not be verified; \
             Google will warn you that it is not, and you go on.\n\
             3. Its client ID and client secret are asked for below."
        }
        _ => {
            "Microsoft lets in programs that you have registered, once:\n\
             1. Register an application at https://entra.microsoft.com (App registrations), for \
             accounts of any kind, with the redirect URI http://localhost of the kind \"Mobile and \
             desktop applications\".\n\
             2. Under Authentication, allow public client flows.\n\
             3. Its application (client) ID is asked for below. It has no secret."
        }
    }
}

const fn steps(provider: &'static str, sign_in: SignIn, text: &'static str) -> Steps {
    Steps {
        provider,
        sign_in,
        text,
    }
}

const YAHOO: Steps = steps(
    "Yahoo",
    SignIn::AppPassword,
    "Yahoo does not take your own password here: make an app password at \
     https://login.yahoo.com/account/security",
);

const AOL: Steps = steps(
    "AOL, Verizon",
    SignIn::AppPassword,
    "AOL does not take your own password here: make an app password at \
     https://login.aol.com/account/security",
);

const ATT: Steps = steps(
    "AT&T",
    SignIn::AppPassword,
    "AT&T does not take your own password here: make a secure mail key in your profile at \
     https://www.att.com/acctmgmt/",
);

const MAIL_RU: Steps = steps(
    "Mail.ru",
    SignIn::AppPassword,
    "Mail.ru does not take your own password here: make a password for external applications at \
     https://account.mail.ru/user/2-step-auth/passwords",
);

/// By the names of the IMAP servers. Gmail has IMAP switched on.
static BY_IMAP: &[(&[&str], Steps)] = &[
    (
        &["imap.mail.me.com"],
        steps(
            "iCloud Mail",
            SignIn::AppPassword,
            "iCloud does not take your own password here: make an app-specific password at \
             https://account.apple.com, under Sign-In and Security.",
        ),
    ),
    (
        &["imap.gmail.com", "imap.googlemail.com"],
        steps(
            "Gmail",
            SignIn::AppPasswordOrOAuth("google"),
            "Gmail does not take your own password here. Either make an app password, of 16 letters, \
             at https://myaccount.google.com/apppasswords (2-step verification must be on), or sign \
             in with OAuth 2.0.",
        ),
    ),
    (
        &["outlook.office365.com", "imap-mail.outlook.com"],
        steps(
            "Outlook.com, Microsoft 365",
            SignIn::OAuth("microsoft"),
            "Microsoft takes no password for IMAP, only OAuth 2.0.",
        ),
    ),
    (&["imap.mail.yahoo.com"], YAHOO),
    (&["imap.aol.com"], AOL),
    (&["imap.mail.att.net"], ATT),
    (
        &["imap.fastmail.com"],
        steps(
            "Fastmail",
            SignIn::AppPassword,
            "Fastmail does not take your own password here: make an app password, with access to \
             IMAP, at https://app.fastmail.com/settings/security/",
        ),
    ),
    (
        &["imap.yandex.com", "imap.yandex.ru"],
        steps(
            "Yandex",
            SignIn::AppPassword,
            "Yandex does not take your own password here: enable IMAP at \
             https://mail.yandex.com/#setup/client and make an app password at \
             https://id.yandex.com/security/app-passwords",
        ),
    ),
    (&["imap.mail.ru"], MAIL_RU),
];

static STEPS: &[Steps] = &[
    steps(
        "Gmail",
        SignIn::AppPasswordOrOAuth("google"),
        "Gmail does not take your own password here. Either make an app password, of 16 letters, at \
         https://myaccount.google.com/apppasswords (2-step verification must be on), or sign in \
         with OAuth 2.0. And enable POP at https://mail.google.com/mail/u/0/#settings/fwdandpop",
    ),
    steps(
        "Outlook.com, Microsoft 365",
        SignIn::OAuth("microsoft"),
        "Microsoft takes no password for POP, only OAuth 2.0. Enable POP first: Settings, Mail, \
         Forwarding and IMAP (or: Sync email), at https://outlook.live.com/mail/",
    ),
    YAHOO,
    AOL,
    ATT,
    steps(
        "Fastmail",
        SignIn::AppPassword,
        "Fastmail does not take your own password here: make an app password, with access to POP, at \
         https://app.fastmail.com/settings/security/",
    ),
    steps(
        "Yandex",
        SignIn::AppPassword,
        "Yandex does not take your own password here: enable POP3 at \
         https://mail.yandex.com/#setup/client and make an app password at \
         https://id.yandex.com/security/app-passwords",
    ),
    MAIL_RU,
    steps(
        "Zoho",
        SignIn::Password,
        "Zoho has POP switched off at first, and free plans since 2019 do without it: enable it under Settings, Mail Accounts, POP, at \
         https://mail.zoho.com/ - and where 2-step verification is on, make an app password.",
    ),
    steps(
        "GMX",
        SignIn::Password,
        "GMX has POP3 switched off at first: enable it under E-Mail, Settings, POP3 & IMAP, at \
         https://www.gmx.net/ - and where two-factor authentication is on, make an app password.",
    ),
    steps(
        "web.de",
        SignIn::Password,
        "web.de has POP3 switched off at first: enable it under E-Mail, Einstellungen, POP3/IMAP \
         Abruf, at https://web.de/ - and where two-factor authentication is on, make an app password.",
    ),
    steps(
        "Naver",
        SignIn::Password,
        "Naver has POP3 switched off at first: enable it under Settings, POP3/IMAP, at \
         https://mail.naver.com/",
    ),
    steps(
        "QQ, 163, 126",
        SignIn::AppPassword,
        "This provider does not take your own password here: enable POP3 in the settings of the web \
         mail, which shows a code of 16 letters then. That code is the password.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_them_is_a_provider_that_has_a_server() {
        for steps in STEPS {
            let known = [
                "pop.gmail.com",
                "outlook.office365.com",
                "pop.mail.yahoo.com",
                "pop.aol.com",
                "inbound.att.net",
                "pop.fastmail.com",
                "pop.yandex.com",
                "pop.mail.ru",
                "pop.zoho.com",
                "pop.gmx.net",
                "pop3.web.de",
                "pop.naver.com",
                "pop.qq.com",
            ];
            assert!(
                known.iter().any(|host| of_host(host) == Some(steps)),
                "{}",
                steps.provider
            );
        }
        assert_eq!(of_host("pop.example.com"), None);
    }

    #[test]
    fn by_imap_nobody_is_told_about_pop() {
        for (hosts, steps) in BY_IMAP {
            assert_eq!(of(Protocol::Imap, hosts.first().unwrap()), Some(steps));
            assert!(!steps.text.contains("POP"), "{}", steps.text);
        }
        let sign_in = |host| of(Protocol::Imap, host).map(|steps| steps.sign_in);
        let gmail = Some(SignIn::AppPasswordOrOAuth("google"));
        assert_eq!(sign_in("imap.gmail.com"), gmail);
        let microsoft = Some(SignIn::OAuth("microsoft"));
        assert_eq!(sign_in("outlook.office365.com"), microsoft);
        assert_eq!(sign_in("imap.example.com"), None);
    }

    #[test]
    fn a_google_client_is_to_be_published() {
        assert!(registration("google").contains("7 days"));
        assert!(registration("microsoft").contains("http://localhost"));
    }
}
