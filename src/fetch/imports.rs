//! What a fetch asks of names that came from another tool before it takes anything.

use super::{Account, Error, MANY};
use crate::maildir::Brought;
use crate::plan::{Decision, Plan, Why};
use crate::state::Origin;

impl Account<'_> {
    /// Fails where names were imported from a tool that left mail on the server, and none of many
    /// listed messages bears one: they are another maildrop's, and all of this one would come again.
    pub(super) fn check_import(&self, awaited: Option<&Origin>, plan: &Plan) -> Result<(), Error> {
        let Some(origin) = awaited.filter(|origin| origin.left && !self.environment.as_new) else {
            return Ok(());
        };
        if plan.known() > 0 || plan.listed() < MANY {
            return Ok(());
        }
        Err(Error::NoneImported {
            listed: u32::try_from(plan.listed()).unwrap_or(u32::MAX),
            tool: origin.tool.clone(),
            has_list: self.profile.server.protocol.is_listed_by(&origin.tool),
            config: self.profile.config_option(),
            again: self.profile.word_to_fetch(),
            word: self.profile.word(),
        })
    }

    /// Fails where names were imported and are lost with an earlier state, as the Maildir says, and
    /// something is to be fetched: it may be stored elsewhere.
    pub(super) fn check_lost_imports(&self, lost: &[Brought], plan: &Plan) -> Result<(), Error> {
        if lost.is_empty() || self.environment.as_new {
            return Ok(());
        }
        match plan.places(Decision::Fetch(Why::New)).count() {
            0 => Ok(()),
            new => Err(Error::ImportsLost {
                new,
                have_lists: lost
                    .iter()
                    .all(|it| self.profile.server.protocol.is_listed_by(&it.tool)),
                tools: lost.iter().map(|it| it.tool.clone()).collect(),
                config: self.profile.config_option(),
                again: self.profile.word_to_fetch(),
            }),
        }
    }
}
