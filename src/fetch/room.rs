//! What the disk has no room for is not asked for: it keeps no other message from arriving, and the
//! session comes to its end (E10).

use super::tell::{name_of, some_of};
use super::{Account, Error, Run};
use crate::delivery::Room;
use crate::maildrop::Message;
use crate::term::{count, size};

impl Account<'_> {
    /// Leaves out, of what is to be fetched in this order, what does not fit.
    pub(super) fn leave_room(
        &self,
        fetch: &mut Vec<Message>,
        run: &mut Run<'_>,
    ) -> Result<(), Error> {
        let mut room = run.target.spool().room()?;
        let mut left_out: Vec<Message> = Vec::new();
        fetch.retain(|message| {
            let fits = room.take(message.octets.unwrap_or_default());
            if !fits {
                left_out.push(message.clone());
            }
            fits
        });
        if !left_out.is_empty() {
            let text = why(&left_out, &room, run);
            run.trouble.get_or_insert(Error::NoRoom(text));
        }
        Ok(())
    }
}

fn why(left_out: &[Message], room: &Room, run: &Run<'_>) -> String {
    let names = some_of(left_out, |message| {
        let octets = size(message.octets.unwrap_or_default());
        format!("{} ({octets})", name_of(message))
    });
    let number = count(left_out.len() as u64, "message");
    let path = run.target.path().display();
    let octets = left_out.iter().filter_map(|message| message.octets);
    let reserve = match octets.max().is_some_and(Room::is_large) {
        true => format!(", of which {} stay free", size(Room::RESERVE)),
        false => String::new(),
    };
    let limit = room.limit().map_or_else(String::new, |limit| {
        format!(", or larger than a file may be here ({})", size(limit))
    });
    format!(
        "{number} not fetched: too large for what is free at {path} ({}{reserve}){limit}: {names}",
        size(room.available()),
    )
}
