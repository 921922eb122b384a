//! Holds the tests to the facts and faults that TRUST.md numbers: each S (security), D (durability),
//! C (crash point) and F (fault) number, and each row T of its table, is in the name of a test, or
//! stands in [`NOT_TESTED`] with the reason.
//!
//! A test bears its numbers at the beginning of its name: `s47_...`, `d5_e2_...` for several, and
//! `c1_to_c15_...` for a range.

#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Numbers without a test, each with the reason.
const NOT_TESTED: &[(&str, &str)] = &[
    (
        "d7",
        "tmp/ is not synced: a message counts only once new/ is synced, and one whose name in tmp/ a \
         power cut takes is fetched again",
    ),
    ("d34", "there are no delivery hooks yet"),
    (
        "d38",
        "a timed test says more of the machine than of the program: the syncs of a batch, and that \
         no message waits for a batch to fill, are tested as d6; the time belongs to a benchmark",
    ),
    (
        "f7",
        "a peer that vanishes without a word looks like one that is silent (f5) or reads nothing \
         (f8); taking the network away needs a firewall of root's",
    ),
    (
        "f11",
        "a machine cannot be suspended in a test; every deadline is on the monotonic clock, which \
         stands still meanwhile, so that f5 and f6 hold after it too",
    ),
];

/// All numbers there are.
fn all() -> BTreeSet<String> {
    let ranges = [("s", 64), ("d", 38), ("c", 20), ("f", 34)];
    let numbers = ranges
        .iter()
        .flat_map(|(letter, last)| (1..=*last).map(move |number| format!("{letter}{number}")));
    let rows = "t1 t2 t3 t3b t4 t5 t6 t7 t8 t11 t11b t13 t14 t15 t16 t17 t18 t19 t20";
    let more = "s65 s66 s67 s68 s69 s70 s71 s72 s73 d15a d2b";
    let named = rows.split(' ').chain(more.split(' ')).map(str::to_owned);
    numbers.chain(named).collect()
}

/// The names of all tests.
fn tests() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut waiting: Vec<PathBuf> = ["src", "tests"].iter().map(|dir| root.join(dir)).collect();
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(
                fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.extend(tests_in(&fs::read_to_string(&path).unwrap()));
        }
    }
    found
}

/// Functions right below a `#[test]`; comments and other attributes may stand between.
fn tests_in(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut marked = false;
    for line in text.lines().map(str::trim) {
        if line == "#[test]" {
            marked = true;
        } else if let Some(rest) = line.strip_prefix("fn ") {
            let name = rest.split('(').next().unwrap_or_default();
            if std::mem::take(&mut marked) {
                found.push(name.to_owned());
            }
        } else if !line.starts_with("//") && !line.starts_with('#') {
            marked = false;
        }
    }
    found
}

/// The numbers that a name begins with.
fn numbers(name: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut range = false;
    for word in name.split('_') {
        match split(word) {
            Some((letter, number, _)) if range => {
                let first = found.last().and_then(|first| split(first));
                let (_, first, _) = first.expect("a range begins with a number");
                let between = first + 1..=number;
                found.extend(between.map(|number| format!("{letter}{number}")));
                range = false;
            }
            Some(_) => found.push(word.to_owned()),
            None if word == "to" && !found.is_empty() => range = true,
            None => break,
        }
    }
    found
}

/// A letter, a number, and perhaps another letter.
fn split(word: &str) -> Option<(char, u32, &str)> {
    let letter = word.chars().next().filter(char::is_ascii_lowercase)?;
    let rest = &word[1..];
    let digits = rest.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let number = digits.parse().ok()?;
    let ending = &rest[digits.len()..];
    (ending.len() <= 1).then_some((letter, number, ending))
}

#[test]
fn every_number_of_trust_is_a_test_or_stands_in_the_list_with_its_reason() {
    let all = all();
    let mut proven: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in tests() {
        for number in numbers(&name) {
            proven.entry(number).or_default().push(name.clone());
        }
    }
    let listed: BTreeMap<&str, &str> = NOT_TESTED.iter().copied().collect();
    assert_eq!(listed.len(), NOT_TESTED.len(), "one stands there twice");
    let mut wrong = Vec::new();
    for number in &all {
        match (proven.get(number), listed.get(number.as_str())) {
            (None, None) => wrong.push(format!("{number}: neither tested nor in the list")),
            (Some(tests), Some(_)) => {
                wrong.push(format!("{number}: in the list, but see {tests:?}"))
            }
            _ => {}
        }
    }
    for number in listed.keys().filter(|number| !all.contains(**number)) {
        wrong.push(format!("{number}: there is no such number"));
    }
    for (number, tests) in &proven {
        let counted = number.starts_with(['s', 'd', 'c', 'f', 't']);
        if counted && !all.contains(number) {
            wrong.push(format!(
                "{number}: there is no such number, but see {tests:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn numbers_are_read_from_names() {
    assert_eq!(numbers("s47_no_secret"), ["s47"]);
    assert_eq!(numbers("d5_e2_a_body_2"), ["d5", "e2"]);
    assert_eq!(numbers("c1_to_c4_f9_x"), ["c1", "c2", "c3", "c4", "f9"]);
    assert_eq!(numbers("t11b_a_quit"), ["t11b"]);
    assert_eq!(numbers("a_second_run"), [""; 0]);
    let text = "#[test]\n// why\n#[ignore]\nfn s1_x() {\nfn s2_y() {\n";
    assert_eq!(tests_in(text), ["s1_x"]);
}
