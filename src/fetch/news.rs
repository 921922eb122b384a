//! Staying with a server to hear when mail comes, which a fetch then gets: nothing is taken here.

use super::conduct::Conduct;
use super::look::sign_in;
use super::{Account, Error};
use crate::source::News;
use std::ops::ControlFlow;

/// Signs in, and calls `each` with what the server says of mail that comes, until `each` wants no more, or
/// at once where it says nothing by itself. Writes nothing, but that the server refused us, so that it is not
/// asked too often.
///
/// # Errors
/// Also where the connection breaks: what comes from then on is not heard of.
pub fn wait_for_news(
    account: &Account<'_>,
    each: impl FnMut(News) -> ControlFlow<()> + Send,
) -> Result<(), Error> {
    let mut conduct = Conduct::of_look(account);
    conduct.check(account)?;
    let mut was_let_in = false;
    let heard = account.apart(|| {
        let mut session = sign_in(account, None, &mut conduct)?;
        was_let_in = true;
        Ok(session.wait_for_news(account.profile.every, each)?)
    })?;
    // What is remembered of the server is hours old by the time that a connection breaks.
    if let (false, Err(error)) = (was_let_in, &heard) {
        conduct.note_refusal(account, error);
        conduct.keep_refusal(account);
    }
    heard
}
