//! Marking what is listed as seen, which is not fetched then.

use super::conduct::Conduct;
use super::look::sign_in;
use super::{Account, Error, FirstListings, check_memory, decide};
use crate::maildrop::Message;
use crate::source::Marked;
use crate::state::{self, MarkedBy};
use std::collections::BTreeSet;

/// Marks all that is listed and new as seen, without fetching it. Gives the number.
pub fn mark_seen(account: &Account<'_>) -> Result<u64, Error> {
    let environment = account.environment;
    let id = account.profile.server.id();
    let directory = state::open_directory(&environment.disk, &environment.state)?;
    let (mut store, _, _) = account.open(directory, &environment.moment)?;
    let mut conduct = Conduct::of_look(account);
    let marked = account.apart(|| {
        let mut session = sign_in(account, store.unpipelined(), &mut conduct)?;
        let maildrop = session.list(&id, store.has_unique_ids())?;
        account.tell_shortfalls(&maildrop);
        let in_parts = session.traits().lists_in_parts;
        check_memory("mark-seen", &maildrop, in_parts)?;
        let policy = account.profile.policy.with_clock(store.doubts_clock());
        let (known, now) = (store.recognise(&maildrop), environment.moment.now);
        let plan = decide(policy, &maildrop, known, &FirstListings::none(), now);
        let waiting = plan.waiting().filter_map(|place| maildrop.message(place));
        let (new, nameless): (Vec<Message>, Vec<Message>) =
            waiting.partition(|message| message.identity.is_some());
        account.tell_unmarked(nameless.len());
        store.settle_first(&new, &MarkedBy::Request, &BTreeSet::new())?;
        // What comes to these from here on is new, and nothing of it is passed over.
        let due = FirstListings::of(false, store.unread_folders(), &maildrop, None)?;
        if let FirstListings::Late(late) = due {
            store.settle_late(&[], &MarkedBy::Request, &late.whole)?;
        }
        session.end(Marked::default());
        Ok::<_, Error>(new.len() as u64)
    });
    let closed = store.close();
    let marked = marked?;
    if let Err(error) = &marked {
        conduct.note_refusal(account, error);
    }
    conduct.keep_refusal(account);
    let marked = marked?;
    closed?;
    Ok(marked)
}
