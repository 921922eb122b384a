//! What the disk has no room for is not asked for: it keeps no other message from arriving, and the
//! session comes to its end (E10).

use super::{Account, Error, Run};
use crate::delivery::Room;
use crate::maildrop::Message;
use crate::term::{count, escape, size};

/// Messages that a line for people names.
const NAMED: usize = 3;

impl Account<'_> {
    /// Leaves out, of what is to be fetched in this order, what does not fit.
    pub(super) fn leave_room(
        &self,
        fetch: &mut Vec<Message>,
        run: &mut Run<'_>,
    ) -> Result<(), Error> {
        let mut room = run.maildir.room()?;
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
    let name = |message: &Message| {
        let octets = size(message.octets.unwrap_or_default());
        match &message.unique_id {
            Some(unique_id) => format!("{} ({octets})", escape(unique_id)),
            None => format!("message {} ({octets})", message.number),
        }
    };
    let names: Vec<String> = left_out.iter().take(NAMED).map(name).collect();
    let more = match left_out.len() > NAMED {
        true => ", ...",
        false => "",
    };
    let number = count(left_out.len() as u64, "message");
    let path = run.maildir.path().display();
    let octets = left_out.iter().filter_map(|message| message.octets);
    let reserve = match octets.max().is_some_and(Room::is_large) {
        true => format!(", of which {} stay free", size(Room::RESERVE)),
        false => String::new(),
    };
    let limit = room.limit().map_or_else(String::new, |limit| {
        format!(", or larger than a file may be here ({})", size(limit))
    });
    format!(
        "{number} not fetched: too large for what is free at {path} ({}{reserve}){limit}: {}{more}",
        size(room.available()),
        names.join(", "),
    )
}
