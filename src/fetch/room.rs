//! What the disk has no room for is not asked for: it keeps no other message from arriving, and the
//! session comes to its end (E10).

use super::tell::{name_of, some_of};
use super::{Account, Error, Run};
use crate::delivery::Room;
use crate::maildrop::Message;
use crate::term::{count, size};
use std::fmt;

impl Account<'_> {
    /// Leaves out, of what is to be fetched in this order, what does not fit.
    pub(super) fn leave_room(
        &self,
        fetch: &mut Vec<Message>,
        run: &mut Run<'_>,
    ) -> Result<(), Error> {
        let mut room = run.target.spool().room()?;
        let empty = room;
        let mut left_out: Vec<Message> = Vec::new();
        fetch.retain(|message| {
            let fits = room.take(message.octets.unwrap_or_default());
            if !fits {
                left_out.push(message.clone());
            }
            fits
        });
        if !left_out.is_empty() {
            let shortage = Shortage::of(&left_out, empty, run);
            run.trouble.get_or_insert(Error::NoRoom(shortage));
        }
        Ok(())
    }
}

/// What there was no room for.
#[derive(Debug)]
pub struct Shortage {
    left: u64,
    fetched: u64,
    path: String,
    /// Octets that are free, in words.
    free: String,
    /// Which, and why, where each would be too large if it came alone.
    too_large: Option<TooLarge>,
}

/// Behind how much is free, and behind all of that.
#[derive(Debug)]
struct TooLarge {
    reserve: String,
    limits: String,
}

impl Shortage {
    fn of(left_out: &[Message], empty: Room, run: &Run<'_>) -> Self {
        let fits_alone = |message: &Message| {
            let mut room = empty;
            room.take(message.octets.unwrap_or_default())
        };
        Self {
            left: left_out.len() as u64,
            fetched: 0,
            path: run.target.path().display().to_string(),
            free: size(empty.available()),
            too_large: (!left_out.iter().any(fits_alone)).then(|| too_large(left_out, &empty)),
        }
    }

    /// The same at the end of the run, which has fetched so many.
    pub(super) fn at_end(self, fetched: u64) -> Self {
        Self { fetched, ..self }
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            left,
            fetched,
            path,
            free,
            too_large,
        } = self;
        match too_large {
            Some(TooLarge { reserve, limits }) => write!(
                f,
                "{} not fetched: too large for what is free at {path} ({free}{reserve}){limits}",
                count(*left, "message")
            ),
            None => write!(
                f,
                "no space left at {path} ({free} were free): {fetched} fetched, {left} left on the \
                 server"
            ),
        }
    }
}

fn too_large(left_out: &[Message], room: &Room) -> TooLarge {
    let names = some_of(left_out, |message| {
        let octets = size(message.octets.unwrap_or_default());
        format!("{} ({octets})", name_of(message))
    });
    let octets = left_out.iter().filter_map(|message| message.octets);
    let reserve = match octets.max().is_some_and(Room::is_large) {
        true => format!(", of which {} stay free", size(Room::RESERVE)),
        false => String::new(),
    };
    let limit = room.limit().map_or_else(String::new, |limit| {
        format!(", or larger than a file may be here ({})", size(limit))
    });
    TooLarge {
        reserve,
        limits: format!("{limit}: {names}"),
    }
}
