//! Whether fetched mail stays on the server.

use super::Account;
use super::values::size;
use crate::import::model::Draft;

/// Sets `keep`. What mpop skips stays there in any case: popfetch skips nothing of it, and would delete it.
pub(super) fn set(draft: &mut Draft, account: &Account) {
    let get = |command: &str| account.values.get(command).map(String::as_str);
    let skips_all = |text: &str| matches!(size(text), Ok(Some(0 | 1)));
    let filters = get("filter").is_some_and(|filter| !filter.is_empty());
    let skips = filters || get("skipsize").is_some_and(skips_all);
    draft.left = !matches!(get("keep"), None | Some("off"));
    if skips && get("keep") != Some("on") {
        draft.text("keep", "always");
        draft.differs.push(format!(
            "mpop leaves on the server what its {} skips, popfetch would fetch and delete that too: keep = \
             \"always\" is written",
            if filters { "filter" } else { "skipsize" }
        ));
    } else if get("keep").is_none() {
        draft.text("keep", "never");
        draft.differs.push(
            "mpop deletes what it has fetched unless told otherwise, popfetch does not: \
             keep = \"never\" is written"
                .into(),
        );
    }
}
