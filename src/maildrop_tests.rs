use super::*;
use std::collections::BTreeSet;

fn number(n: u32) -> MessageNumber {
    MessageNumber::new(n).unwrap()
}

fn join(scan: &[(u32, u64)], unique_ids: &[(u32, &str)]) -> Vec<Message> {
    let mut joiner = Joiner::default();
    for (n, octets) in scan {
        joiner.scan(number(*n), *octets).unwrap();
    }
    for (n, id) in unique_ids {
        joiner.unique_id(number(*n), id.as_bytes()).unwrap();
    }
    let maildrop = joiner.finish("ada@host:995", true);
    (0..maildrop.len())
        .map(|i| maildrop.message(i).unwrap())
        .collect()
}

#[test]
fn the_listings_are_joined_by_number_whatever_their_order() {
    let messages = join(&[(3, 30), (1, 10)], &[(1, "a"), (3, "c")]);
    let told: Vec<_> = messages
        .iter()
        .map(|m| {
            (
                m.number.value(),
                m.octets.unwrap(),
                m.unique_id.clone().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [(3, 30, b"c"[..].into()), (1, 10, b"a"[..].into())]);
}

#[test]
fn s33_of_two_lines_for_one_number_the_first_counts() {
    let messages = join(&[(1, 10), (1, 10)], &[(1, "a"), (1, "b")]);
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].octets, Some(10));
    assert_eq!(messages[0].unique_id.as_deref(), Some(&b"a"[..]));
}

#[test]
fn a_size_that_is_listed_twice_and_differently_is_not_known() {
    let huge = 1 << 50;
    for sizes in [
        &[10, 99][..],
        &[99, 10, 99],
        &[10, 10, 99],
        &[huge, 10],
        &[10, huge],
    ] {
        let lines: Vec<_> = sizes.iter().map(|size| (1, *size)).collect();
        let messages = join(&lines, &[(1, "a")]);
        assert_eq!(messages.len(), 1, "{sizes:?}");
        assert_eq!(messages[0].octets, None, "{sizes:?}");
    }
}

#[test]
fn s34_a_message_without_a_usable_unique_id_is_listed_without_identity() {
    let messages = join(&[(1, 10), (2, 20)], &[(1, "a")]);
    assert!(messages[0].identity.is_some());
    assert_eq!(messages[1].identity, None);
}

#[test]
fn t4_messages_with_one_unique_id_have_one_identity_and_a_turn_each() {
    let messages = join(
        &[(1, 10), (2, 10), (3, 30)],
        &[(1, "a"), (2, "a"), (3, "a")],
    );
    let turns: Vec<_> = messages.iter().map(|m| (m.identity, m.turn)).collect();
    let identity = messages[0].identity;
    assert_eq!(turns, [(identity, 0), (identity, 1), (identity, 2)]);
}

#[test]
fn t4_messages_that_are_alike_are_told_apart_wherever_they_stand() {
    let turns = |unique_ids: &[(u32, &str)]| -> Vec<_> {
        let scan = [(1, 10), (2, 10), (3, 10), (4, 10), (5, 10)];
        let messages = join(&scan, unique_ids);
        let named = messages.iter().filter_map(|m| Some((m.identity?, m.turn)));
        assert_eq!(named.collect::<BTreeSet<_>>().len(), unique_ids.len());
        messages
            .iter()
            .map(|m| (m.number.value(), m.turn))
            .collect()
    };
    let none = [(1, 0), (2, 0), (3, 0), (4, 0), (5, 0)];
    assert_eq!(turns(&[]), none);
    assert_eq!(turns(&[(1, "a"), (2, "b"), (4, "c"), (5, "d")]), none);
    assert_eq!(turns(&[(1, "b"), (2, "a"), (3, "d"), (4, "c")]), none);
    let beside = turns(&[(1, "a"), (2, "b"), (3, "b"), (4, "c"), (5, "c")]);
    assert_eq!(beside, [(1, 0), (2, 0), (3, 1), (4, 0), (5, 1)]);
    let apart = turns(&[(1, "b"), (2, "a"), (3, "b"), (5, "b")]);
    assert_eq!(apart, [(1, 0), (2, 0), (3, 1), (4, 0), (5, 2)]);
}

#[test]
fn c1_a_message_whose_listed_size_changes_keeps_its_identity() {
    let identity = |octets| join(&[(1, octets)], &[(1, "a")])[0].identity;
    assert_eq!(identity(10), identity(11));
}

#[test]
fn s70_the_same_unique_id_on_another_account_is_another_message() {
    let of = |account| Identity::new(account, b"a");
    assert_ne!(of("ada@host:995"), of("ada@other:995"));
}

#[test]
fn b6_a_million_messages_with_unique_ids_of_seventy_octets_are_taken_in() {
    let id = |number: u32| format!("{number:070}").into_bytes();
    let mut joiner = Joiner::default();
    for number in 1..=1_000_000 {
        let message = MessageNumber::new(number).unwrap();
        joiner.unique_id(message, &id(number)).unwrap();
    }
    let more = MessageNumber::new(1_000_001).unwrap();
    let told = joiner.unique_id(more, b"x").unwrap_err().to_string();
    assert!(told.contains("more than 1000000 messages"), "{told}");
    for number in 1..=1_000_000 {
        joiner.scan(MessageNumber::new(number).unwrap(), 1).unwrap();
    }
    let maildrop = joiner.finish("ada@host:995", true);
    assert_eq!(maildrop.len(), 1_000_000);
    let last = maildrop.message(999_999).unwrap();
    assert_eq!(last.unique_id.unwrap(), id(1_000_000).into());
}

#[test]
fn a_folder_that_is_taken_back_leaves_the_others_as_they_were() {
    let folder = |name: &str| {
        Arc::new(RemoteFolder {
            name: name.into(),
            parts: vec![name.into()],
        })
    };
    let number = |value| MessageNumber::new(value).unwrap();
    let mut joiner = Joiner::default();
    let list = |joiner: &mut Joiner, name: &str, messages: &[(u32, &str)]| {
        joiner.begin_folder(folder(name));
        for (value, id) in messages {
            joiner.scan(number(*value), 9).unwrap();
            joiner.unique_id(number(*value), id.as_bytes()).unwrap();
        }
    };
    list(&mut joiner, "a", &[(1, "a/1"), (2, "a/2")]);
    list(&mut joiner, "b", &[(3, "b/1"), (4, "b/2")]);
    joiner.take_back_folder();
    list(&mut joiner, "c", &[(3, "c/1")]);
    let maildrop = joiner.finish("x", true);
    let found: Vec<_> = (0..maildrop.len())
        .map(|place| maildrop.message(place).unwrap())
        .map(|it| (it.folder.unwrap().name.to_string(), it.unique_id.unwrap()))
        .collect();
    let expected = [("a", "a/1"), ("a", "a/2"), ("c", "c/1")];
    let expected = expected.map(|(name, id)| (name.to_owned(), Box::from(id.as_bytes())));
    assert_eq!(found, expected);
}
