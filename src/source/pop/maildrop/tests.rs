use super::*;
use crate::source::pop::testing::session;

/// What comes of these replies to STAT, UIDL and LIST, from a server that announces nothing.
fn list(replies: [&'static str; 3], expect_unique_ids: bool) -> Result<Maildrop, Error> {
    let [stat, uidl, scan] = replies;
    let (mut session, _) = session(true, move |command| match command {
        "STAT" => stat.into(),
        "UIDL" => uidl.into(),
        _ => scan.into(),
    });
    session.list("ada@host:995", expect_unique_ids)
}

const UIDS: &str = "+OK\r\n1 a\r\n2 b\r\n.\r\n";
const SIZES: &str = "+OK\r\n1 10\r\n2 20\r\n.\r\n";
const NONE: &str = "+OK\r\n.\r\n";

#[test]
fn e5_a_listing_is_complete_where_stat_counts_as_many_messages_or_says_nothing() {
    for (stat, is_complete) in [
        ("+OK 2 30\r\n", true),
        ("+OK 2\r\n", true),
        ("+OK\r\n", true),
        ("+OK two messages\r\n", true),
        ("+OK 3 60\r\n", false),
        ("+OK 1 10\r\n", false),
        ("+OK 0 0\r\n", false),
    ] {
        let maildrop = list([stat, UIDS, SIZES], true).unwrap();
        assert_eq!(maildrop.is_complete(), is_complete, "{stat:?}");
    }
}

#[test]
fn e5_an_empty_listing_is_complete_where_stat_counts_nothing() {
    for (stat, is_complete) in [("+OK 0 0\r\n", true), ("+OK 1 10\r\n", false)] {
        let maildrop = list([stat, NONE, NONE], true).unwrap();
        assert_eq!(maildrop.is_complete(), is_complete, "{stat:?}");
        assert!(maildrop.has_unique_ids);
    }
    let refused = ["+OK 0 0\r\n", "-ERR empty\r\n", "-ERR empty\r\n"];
    assert!(list(refused, true).unwrap().is_complete());
}

#[test]
fn j_messages_without_unique_ids_that_had_them_are_no_maildrop() {
    for uidl in [NONE, "+OK\r\n1\r\n2 \r\n.\r\n"] {
        let replies = ["+OK 2 30\r\n", uidl, SIZES];
        assert!(matches!(list(replies, true), Err(Error::NoUniqueIds)));
        // From a server that never spoke of them they are what they are.
        assert!(!list(replies, false).unwrap().has_unique_ids);
    }
    let some = ["+OK 2 30\r\n", "+OK\r\n1\r\n2 b\r\n.\r\n", SIZES];
    assert!(list(some, true).unwrap().has_unique_ids);
}
