//! A message that is to be sent, and what is said of it to a server that can do this and that.

use super::data::{Measures, measure};
use super::wire::Reply;
use crate::handover::envelope::sender;
use std::fs::File;
use std::io::{self, Seek, SeekFrom};

/// What a server says that it can do.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Abilities {
    /// Commands may be sent ahead (RFC 2920).
    pub(super) pipelines: bool,
    /// Octets beyond ASCII (RFC 6152).
    takes_8_bits: bool,
    /// Header fields and addresses in UTF-8 (RFC 6531).
    takes_utf8: bool,
    /// It wants to know sizes (RFC 1870), and takes none above this one where it is not zero.
    pub(super) sizes: Option<u64>,
}

impl Abilities {
    /// The lines behind the first one of the reply to LHLO, each a word with parameters.
    pub(super) fn of(reply: &Reply) -> Self {
        let mut abilities = Self::default();
        for line in reply.lines().skip(1) {
            let line = String::from_utf8_lossy(line).to_ascii_uppercase();
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("PIPELINING") => abilities.pipelines = true,
                Some("8BITMIME") => abilities.takes_8_bits = true,
                Some("SMTPUTF8") => abilities.takes_utf8 = true,
                Some("SIZE") => {
                    let limit = words.next().and_then(|word| word.parse().ok());
                    abilities.sizes = Some(limit.unwrap_or(0));
                }
                _ => {}
            }
        }
        abilities
    }
}

/// A message that is to be sent.
pub(super) struct Outgoing {
    pub(super) file: File,
    pub(super) measures: Measures,
    sender: String,
    recipient: String,
}

impl Outgoing {
    pub(super) fn of(mut file: File, recipient: String) -> io::Result<Self> {
        let measures = measure(&mut file)?;
        file.seek(SeekFrom::Start(0))?;
        let sender = sender(&mut file)?.unwrap_or_default();
        Ok(Self {
            file,
            measures,
            sender,
            recipient,
        })
    }

    pub(super) fn commands(&self, abilities: Abilities) -> [String; 3] {
        let Self {
            measures,
            sender,
            recipient,
            ..
        } = self;
        let mut mail = format!("MAIL FROM:<{sender}>");
        if abilities.sizes.is_some() {
            mail.push_str(&format!(" SIZE={}", measures.octets));
        }
        if abilities.takes_8_bits && measures.has_8_bits {
            mail.push_str(" BODY=8BITMIME");
        }
        if abilities.takes_utf8 && (measures.has_utf8_header || !recipient.is_ascii()) {
            mail.push_str(" SMTPUTF8");
        }
        [mail, format!("RCPT TO:<{recipient}>"), "DATA".to_owned()]
    }
}
