//! Dovecot, and the maildrops that it serves: the same octets in each run of the benchmark.
//!
//! What Dovecot does once only (its index, its list of unique-ids, the sizes of messages) is done
//! before anything is measured. It is told not to mark messages as read, which would rename each
//! file for whoever comes first.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::check::Expected;
use crate::owner;
use crate::support::account::Account;
use crate::support::dovecot::Dovecot;
use crate::support::message::Message;
use crate::workload::mean_size;

/// As long as this, Dovecot looks at a directory again, since it may have changed within the
/// second.
const SETTLING: Duration = Duration::from_secs(3);
/// The header and some text.
const SMALLEST: f64 = 400.0;

/// Dovecot with any number of maildrops, made as they are asked for.
pub struct Maildrops {
    dovecot: Dovecot,
    directory: TempDir,
    made: HashMap<String, Made>,
}

/// One of them.
#[derive(Clone)]
pub struct Made {
    pub account: Account,
    /// The same by IMAP.
    pub by_imap: Account,
    pub messages: usize,
    /// What LIST says in total.
    pub octets: u64,
    pub expected: Expected,
}

impl Maildrops {
    /// Starts Dovecot; an error where it is not installed.
    pub fn start() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755))?;
        let location = directory.path().display();
        let config = format!(
            "mail_location = maildir:{location}/%u\npop3_no_flag_updates = yes\n\
             service pop3-login {{\n  process_limit = 100\n}}\n"
        );
        let dovecot = Dovecot::start_with_imap(&[], &config)
            .context("Dovecot is needed (dovecot-pop3d and dovecot-imapd in Debian)")?;
        Ok(Self {
            dovecot,
            directory,
            made: HashMap::new(),
        })
    }

    /// The maildrop `user` with so many messages, none of which is in another maildrop. `warm_up`
    /// reads it whole once.
    pub fn maildrop(
        &mut self,
        user: &str,
        messages: usize,
        warm_up: impl Fn(&Made) -> Result<()>,
    ) -> Result<Made> {
        if let Some(made) = self.made.get(user) {
            return Ok(made.clone());
        }
        let seed = self.made.len() as u64 + 1;
        let contents = contents(messages, seed);
        write(&self.directory.path().join(user), &contents)
            .with_context(|| format!("cannot make the maildrop {user}"))?;
        let of_user = |account| Account {
            user: user.into(),
            ..account
        };
        let [by_imap, _] = self.dovecot.imap_accounts();
        let made = Made {
            account: of_user(self.dovecot.account()),
            by_imap: of_user(by_imap),
            messages,
            octets: contents.iter().map(Message::size).sum(),
            expected: Expected::of(&contents),
        };
        // The first one makes what Dovecot keeps, the second finds nothing changed any more.
        for _ in 0..2 {
            thread::sleep(SETTLING);
            warm_up(&made)?;
        }
        self.made.insert(user.into(), made.clone());
        Ok(made)
    }
}

/// Messages whose sizes are spread as in a real mailbox: many short, a few long.
pub fn contents(messages: usize, seed: u64) -> Vec<Message> {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let weights: Vec<f64> = (0..messages).map(|_| random.normal().exp()).collect();
    let all: f64 = weights.iter().sum();
    let spread = (mean_size(messages) as f64 - SMALLEST) * messages as f64;
    let sizes = weights.iter().map(|w| SMALLEST + w / all * spread);
    let numbered = sizes.enumerate();
    numbered
        .map(|(index, size)| {
            // A message tells its seed in its header: no two are the same.
            let number = seed * 10_000_000 + index as u64;
            Message::generated(format!("{number}"), size.round() as u64, number)
        })
        .collect()
}

/// Xorshift: the same numbers everywhere.
struct Random(u64);

impl Random {
    /// From 0 to 1.
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Nearly normally distributed, which a sum of many is.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// Writes a Maildir whose file names say the sizes, as Dovecot's own do.
fn write(maildir: &Path, messages: &[Message]) -> Result<()> {
    for directory in ["", "tmp", "new", "cur"] {
        let path = maildir.join(directory);
        fs::create_dir(&path)?;
    }
    for (index, message) in messages.iter().enumerate() {
        let octets = message.stored();
        let name = format!(
            "{}.M{index}P1.bench,S={},W={}:2,",
            1_700_000_000 + index,
            octets.len(),
            message.size()
        );
        let path = maildir.join("cur").join(name);
        fs::write(&path, octets)?;
    }
    owner::give(maildir)?;
    Ok(())
}
