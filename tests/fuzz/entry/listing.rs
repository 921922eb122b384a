//! STAT, LIST, UIDL and CAPA: lines that a server may fill with anything, and the maildrop that is
//! made of them.

use super::first_line;
use popfetch::maildrop::{Identity, Joiner, Maildrop, Message};
use popfetch::plan::{Decision, Policy, decide};
use popfetch::pop3::capability::CAPABILITY_LIMIT;
use popfetch::pop3::listing::{UNIQUE_ID_LIMIT, scan_line, unique_id_line};
use popfetch::pop3::{Capabilities, DropListing, MessageNumber};
use popfetch::state::Known;
use std::collections::{BTreeSet, HashSet};

const ACCOUNT: &str = "ada@pop.example.com:995";

/// The text of a reply to STAT, and then a line of LIST behind each `L`, of UIDL behind each `U`
/// and of CAPA behind each `C`.
pub fn run(octets: &[u8]) {
    let (stat, rest) = first_line(octets);
    let lines = |of: u8| {
        rest.split(|octet| *octet == b'\n')
            .filter_map(move |line| line.strip_prefix(&[of]))
            .collect::<Vec<_>>()
    };
    check_stat(stat);
    check_maildrop(&lines(b'L'), &lines(b'U'));
    check_capabilities(&lines(b'C'));
}

fn check_stat(text: &[u8]) {
    let mut words = text.split(|octet| *octet == b' ').filter(|w| !w.is_empty());
    let messages = words.next().and_then(number);
    let octets = words.next().and_then(number).unwrap_or(0);
    let expected = messages.map(|messages| DropListing { messages, octets });
    assert_eq!(DropListing::parse(text), expected);
}

/// Both listings make the maildrop that a reading line by line makes.
pub fn check_maildrop(scan: &[&[u8]], unique_ids: &[&[u8]]) -> Vec<Message> {
    // One for each number, in the order of their first usable lines; the first line counts, but a size only
    // where no line contradicts it.
    let mut model: Vec<Entry> = Vec::new();
    let mut contradicted = HashSet::new();
    for line in unique_ids {
        let read = unique_id_line(line);
        let expected = words(line).and_then(|(number, unique_id)| {
            let fits = !unique_id.is_empty() && unique_id.len() <= UNIQUE_ID_LIMIT;
            fits.then_some((number, unique_id))
        });
        assert_eq!(read.map(|(n, id)| (n.value(), id)), expected);
        if let Some((number, unique_id)) = expected {
            entry(&mut model, number).1.get_or_insert(unique_id);
        }
    }
    for line in scan {
        let read = scan_line(line);
        let expected = words(line).and_then(|(number, rest)| {
            let octets = rest.split(|octet| *octet == b' ').next()?;
            Some((number, self::number(octets)?))
        });
        assert_eq!(read.map(|(n, octets)| (n.value(), octets)), expected);
        if let Some((number, octets)) = expected {
            let listed = &mut entry(&mut model, number).2;
            // No message has a tebibyte.
            if octets >= 1 << 40 || listed.is_some_and(|known| known != octets) {
                contradicted.insert(number);
            }
            *listed = listed.or(Some(octets));
        }
    }
    for (number, _, octets) in &mut model {
        octets.take_if(|_| contradicted.contains(number));
    }

    let messages = joined(scan, unique_ids, true);
    let listed: Vec<_> = messages
        .iter()
        .map(|m| (m.number.value(), m.unique_id.as_deref(), m.octets))
        .collect();
    assert_eq!(listed, model);
    assert!(messages.iter().all(|m| m.number.value() > 0));
    check_identities(&messages);
    let other_way_round = joined(scan, unique_ids, false);
    assert_eq!(identities(&messages), identities(&other_way_round));
    check_plan(&messages);
    messages
}

type Entry<'a> = (u32, Option<&'a [u8]>, Option<u64>);

fn entry<'m, 'a>(model: &'m mut Vec<Entry<'a>>, number: u32) -> &'m mut Entry<'a> {
    let place = model.iter().position(|(n, ..)| *n == number);
    let place = place.unwrap_or(model.len());
    if place == model.len() {
        model.push((number, None, None));
    }
    &mut model[place]
}

/// The maildrop of these lines, UIDL first or LIST first.
fn joined(scan: &[&[u8]], unique_ids: &[&[u8]], unique_ids_first: bool) -> Vec<Message> {
    let mut joiner = Joiner::default();
    for first in [unique_ids_first, !unique_ids_first] {
        if first {
            for (number, id) in unique_ids.iter().filter_map(|line| unique_id_line(line)) {
                joiner.unique_id(number, id).unwrap();
            }
        } else {
            for (number, octets) in scan.iter().filter_map(|line| scan_line(line)) {
                joiner.scan(number, octets).unwrap();
            }
        }
    }
    all_of(&joiner.finish(ACCOUNT, true))
}

fn all_of(maildrop: &Maildrop) -> Vec<Message> {
    let messages: Vec<_> = (0..maildrop.len())
        .map(|place| maildrop.message(place).unwrap())
        .collect();
    assert_eq!(maildrop.message(messages.len()), None);
    assert_eq!(maildrop.identity(messages.len()), None);
    assert_eq!(maildrop.is_empty(), messages.is_empty());
    messages
}

/// No two messages are taken for one, and none without a unique-id for any: those of one name have
/// each its turn.
fn check_identities(messages: &[Message]) {
    for message in messages {
        let unique_id = message.unique_id.as_ref();
        assert_eq!(
            message.identity,
            unique_id.map(|id| Identity::new(ACCOUNT, id))
        );
    }
    let known = messages.iter().filter_map(|m| m.identity).count();
    assert_eq!(identities(messages).len(), known);
    let numbers: HashSet<_> = messages.iter().map(|m| m.number).collect();
    assert_eq!(numbers.len(), messages.len());
}

fn identities(messages: &[Message]) -> BTreeSet<(Identity, u32)> {
    let identity = |m: &Message| Some((m.identity?, m.turn));
    messages.iter().filter_map(identity).collect()
}

/// Every message that is to be fetched is fetched once, whatever sizes the server claims.
fn check_plan(messages: &[Message]) {
    let policy = Policy {
        max_size: Some(1 << 40),
        latest: Some(3),
        ..Policy::default()
    };
    let listed = messages.iter();
    let listed = listed.map(|message| (message.octets, Known::New(None)));
    let plan = decide(listed, policy, true, i64::MAX);
    assert_eq!((plan.listed(), plan.known()), (messages.len(), 0));
    let mut order = plan.fetch_order(policy.order);
    order.sort_unstable();
    let wanted: Vec<_> = (0..messages.len())
        .filter(|place| matches!(plan.at(*place), Some(Decision::Fetch(_))))
        .collect();
    assert_eq!(order, wanted);
    assert!(order.len() <= 3);
}

fn check_capabilities(lines: &[&[u8]]) {
    let mut capabilities = Capabilities::default();
    for line in lines {
        capabilities.read_line(line);
    }
    let words: usize = lines.iter().take(CAPABILITY_LIMIT).map(|l| l.len()).sum();
    assert!(capabilities.sasl.len() <= words);
    for mechanism in &capabilities.sasl {
        assert!(mechanism.is_ascii() && !mechanism.contains(|c: char| c.is_ascii_lowercase()));
        assert!(capabilities.has_mechanism(mechanism));
    }
}

/// The message-number, and what follows it and its spaces.
fn words(line: &[u8]) -> Option<(u32, &[u8])> {
    let line = line.strip_prefix(b"+OK ").unwrap_or(line);
    let begin = line.iter().position(|octet| *octet != b' ')?;
    let line = &line[begin..];
    let end = line.iter().position(|o| *o == b' ').unwrap_or(line.len());
    let (digits, rest) = line.split_at(end);
    let spaces = rest.iter().take_while(|octet| **octet == b' ').count();
    let value = u32::try_from(number(digits)?).ok()?;
    let read = MessageNumber::new(value)?;
    assert_eq!(read.to_string(), value.to_string());
    Some((value, &rest[spaces..]))
}

/// Plain digits that make a number of 64 bits.
fn number(digits: &[u8]) -> Option<u64> {
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let digits = std::str::from_utf8(digits).ok().filter(|_| plain)?;
    match digits.trim_start_matches('0') {
        "" => Some(0),
        // The largest has twenty digits.
        significant if significant.len() > 20 => None,
        significant => u64::try_from(significant.parse::<u128>().ok()?).ok(),
    }
}
