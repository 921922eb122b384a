//! What stands at a place of an mbox file where a message was to be appended, and what a kill has left of
//! one there.

use super::ledger::Unfinished;
use super::{Open, PIECE, next_line, write};
use crate::handover::open_message;
use crate::moment::Moment;
use std::fs::File;
use std::io::{self, BufReader, Read};

/// What a line before a message begins with.
const FROM: &[u8] = b"From ";

/// The longest that a line before a message can be: with an address of 254 octets, and a date.
const LONGEST_LINE: usize = 300;

/// What stands at a place of the file.
pub(super) enum Standing {
    /// The message as a whole, up to there.
    Whole(u64),
    /// A part of it, and then the file's end.
    Half,
    /// Nothing: the file ends there.
    End,
    /// Something else.
    Other,
}

impl Open {
    /// Cuts off what earlier runs have left of messages, of any account.
    pub(super) fn cut_halves(&mut self, unfinished: Vec<Unfinished>) -> io::Result<()> {
        for it in unfinished {
            if it.at >= self.length {
                continue;
            }
            let file = it.path.as_ref().and_then(|path| open_message(path).ok());
            let standing = match file {
                Some(mut file) => self.standing(it.time, &mut file, it.at)?,
                None => Standing::Other,
            };
            let is_half = match standing {
                Standing::Whole(_) | Standing::End => false,
                Standing::Half => true,
                Standing::Other => self.is_like_half(&it)?,
            };
            if is_half {
                self.cut(it.at)?;
            }
        }
        Ok(())
    }

    pub(super) fn cut(&mut self, at: u64) -> io::Result<()> {
        self.file.truncate(at)?;
        self.file.sync()?;
        self.length = at;
        Ok(())
    }

    /// What stands where this message was to be appended.
    pub(super) fn standing(
        &mut self,
        time: i64,
        message: &mut File,
        at: u64,
    ) -> io::Result<Standing> {
        if at >= self.length {
            return Ok(match at == self.length {
                true => Standing::End,
                false => Standing::Other,
            });
        }
        let lead = self.lead(at)?;
        let mut there = BufReader::with_capacity(PIECE, self.file.reader_at(at)?);
        let (mut is_same, mut end) = (true, at);
        let mut piece = vec![0; PIECE];
        let mut is_cut = false;
        write(lead, time, message, |octets| {
            let mut octets = octets;
            while !octets.is_empty() && is_same && !is_cut {
                let most = octets.len().min(PIECE);
                let count = there.read(piece.get_mut(..most).unwrap_or_default())?;
                let (one, rest) = octets.split_at(count);
                is_same = piece.get(..count) == Some(one);
                is_cut = count == 0;
                end += count as u64;
                octets = rest;
            }
            Ok(())
        })?;
        Ok(match (is_same, is_cut) {
            (true, false) => Standing::Whole(end),
            (true, true) => Standing::Half,
            (false, _) => Standing::Other,
        })
    }

    /// Whether what stands there is half of the message, as far as that shows without its file: it begins
    /// as the message would, no other one follows, it is shorter, and it does not end as a message does.
    fn is_like_half(&mut self, unfinished: &Unfinished) -> io::Result<bool> {
        let lead = self.lead(unfinished.at)?;
        let there = self.file.reader_at(unfinished.at)?;
        let mut there = BufReader::with_capacity(PIECE, there);
        let mut begin = vec![0; lead.len()];
        let mut read = 0;
        while let Some(rest) = begin.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match there.read(rest)? {
                0 => break,
                count => read += count,
            }
        }
        if begin.get(..read) != lead.get(..read) {
            return Ok(false);
        }
        let mut line = Vec::new();
        next_line(&mut there, &mut line)?;
        let date = format!(" {}\n", Moment::as_asctime(unfinished.time));
        if !line.ends_with(b"\n") {
            let common = line.len().min(FROM.len());
            return Ok(line.get(..common) == FROM.get(..common) && line.len() <= LONGEST_LINE);
        }
        if !line.starts_with(FROM) || !line.ends_with(date.as_bytes()) {
            return Ok(false);
        }
        let (mut octets, mut is_new, mut is_empty) = (0_u64, true, false);
        loop {
            line.clear();
            let count = next_line(&mut there, &mut line)?;
            if count == 0 {
                break;
            }
            if is_new && line.starts_with(FROM) {
                return Ok(false);
            }
            let quotes = line.iter().take_while(|octet| **octet == b'>').count();
            let is_quoted = line
                .get(quotes..)
                .is_some_and(|rest| rest.starts_with(FROM));
            octets += count as u64 - u64::from(is_new && quotes > 0 && is_quoted);
            is_empty = is_new && line == b"\n";
            is_new = line.ends_with(b"\n");
        }
        Ok(octets < unfinished.octets && !is_empty)
    }
}
