//! The command line of this setup, for a person to type once more with another option.

use crate::cli::{Secret, Setup};
use crate::discover::Candidate;
use crate::net::pin::Pin;
use crate::paths;
use crate::profile::{self, Roots};
use crate::server::Protocol;
use crate::term::quoted;
use std::path::Path;

/// What was typed.
pub(super) struct Typed<'a> {
    pub(super) arguments: &'a Setup,
    /// The file that `--config` names.
    pub(super) config: Option<&'a Path>,
    /// The address, typed or answered.
    pub(super) address: String,
}

impl Typed<'_> {
    /// The same command with something changed, as a shell takes it.
    pub(super) fn again(&self, change: impl FnOnce(&mut Setup)) -> String {
        let mut setup = self.arguments.clone();
        change(&mut setup);
        let sign_in = &setup.sign_in;
        let path = |path: &Path| paths::in_full(path).display().to_string();
        let roots = sign_in.tls_roots.as_ref().map(|roots| match roots {
            Roots::File(file) => path(file),
            roots => roots.to_string(),
        });
        let secret = setup.secret.map(|secret| match secret {
            Secret::Keyring => "keyring",
            Secret::File => "file",
            Secret::Ask => "ask",
        });
        let with_value = [
            ("name", setup.name.clone()),
            ("host", setup.host.clone()),
            ("protocol", setup.protocol.map(|it| it.word().to_owned())),
            ("user", setup.user.clone()),
            ("latest", setup.latest.map(|it| it.to_string())),
            (
                "delete-after",
                setup
                    .delete_after
                    .map(|it| profile::units::duration(it.duration())),
            ),
            ("maildir", setup.maildir.as_deref().map(path)),
            ("secret", secret.map(str::to_owned)),
            ("auth", sign_in.auth.map(|it| it.word().to_owned())),
            (
                "timeout",
                sign_in
                    .timeout
                    .map(|it| profile::units::duration(it.duration())),
            ),
            ("tls-roots", roots),
        ];
        let pins = sign_in
            .tls_pin
            .iter()
            .map(|pin| ("tls-pin", Some(pin.to_string())));
        let flags = [
            ("yes", setup.yes),
            ("print", setup.print),
            ("keep", setup.keep),
            ("delete", setup.delete),
            ("password-stdin", sign_in.password_stdin),
        ];
        let mut line = format!("{} setup {}", program(), quoted(&self.address));
        for (option, _) in flags.into_iter().filter(|(_, given)| *given) {
            line.push_str(&format!(" --{option}"));
        }
        for (option, value) in with_value.into_iter().chain(pins) {
            if let Some(value) = value {
                line.push_str(&format!(" --{option} {}", quoted(&value)));
            }
        }
        line + &config_option(self.config)
    }

    /// The same at this server.
    pub(super) fn at(&self, server: &Candidate, change: impl FnOnce(&mut Setup)) -> String {
        self.again(|setup| {
            setup.host = Some(format!("{}:{}", server.host, server.port));
            if server.protocol != Protocol::default() {
                setup.protocol = Some(server.protocol);
            }
            change(setup);
        })
    }

    /// The same, trusting this key at this server alone.
    pub(super) fn with_pin(&self, server: &Candidate, pin: Pin) -> String {
        self.at(server, |setup| {
            setup.sign_in.tls_roots = Some(Roots::Pinned);
            setup.sign_in.tls_pin = vec![pin];
        })
    }
}

/// ` --config FILE`, where it was given.
pub(super) fn config_option(config: Option<&Path>) -> String {
    profile::config_option(config.map(paths::in_full).as_deref())
}

/// How the program was called: by its name, or by a path that a shell may not find it without.
pub(super) fn program() -> String {
    let called = std::env::args_os().next();
    let path = called.filter(|it| it.as_encoded_bytes().contains(&b'/'));
    let path = path.and_then(|path| std::path::absolute(path).ok());
    path.map_or_else(
        || "popfetch".to_owned(),
        |path| quoted(&path.display().to_string()),
    )
}
