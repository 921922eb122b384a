//! Programs that people have their mail delivered by: each peer hands its messages to the one that it is
//! used with most, and popfetch to the same.

use std::path::Path;

use crate::program::account_name;
use crate::support::run::Home;

/// What becomes of messages that are fetched.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Way {
    /// They go into a Maildir.
    #[default]
    Stored,
    /// So they do, and a rule asks for their headers first, which match nothing.
    Ruled,
    /// A program takes them.
    Handed(Mda),
}

/// A program that takes a message on its standard input.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mda {
    Procmail,
    DovecotLda,
}

impl Mda {
    /// Its name in workloads and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Procmail => "procmail",
            Self::DovecotLda => "dovecot-lda",
        }
    }

    /// Where it is.
    fn program(self) -> &'static str {
        match self {
            Self::Procmail => "/usr/bin/procmail",
            Self::DovecotLda => "/usr/lib/dovecot/dovecot-lda",
        }
    }

    /// Whether it can be run here. Says so where not.
    pub fn is_here(self) -> bool {
        let here = Path::new(self.program()).is_file();
        if !here {
            eprintln!("{} is not installed: left out", self.program());
        }
        here
    }

    /// Its words: it stores what it takes in the Maildir of the home's first account. Procmail syncs
    /// nothing; dovecot-lda syncs each message, as is its default.
    pub fn argv(self, home: &Home) -> Vec<String> {
        let maildir = home.maildir(&account_name(0));
        let maildir = maildir.display();
        let words = match self {
            Self::Procmail => vec![
                "-p".to_owned(),
                format!("DEFAULT={maildir}/"),
                "/dev/null".to_owned(),
            ],
            Self::DovecotLda => {
                let at = home.path().display();
                let config = format!(
                    "log_path = {at}/lda.log\nbase_dir = {at}/run\nssl = no\nprotocols =\n\
                     mail_location = maildir:{maildir}\npostmaster_address = a@example.com\n\
                     hostname = localhost\n"
                );
                let config = home.private_file("dovecot.conf", &config);
                vec!["-c".to_owned(), config.display().to_string()]
            }
        };
        [vec![self.program().to_owned()], words].concat()
    }
}
