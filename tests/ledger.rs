//! Holds the tests and the comments to the facts and faults that `src/facts.md` numbers. Each number in
//! the name of a test or in a comment stands there. Each S (security), D (durability), C (crash point)
//! and F (fault) number, and each fault T of the table in README.md, is in the name of a test, or stands in
//! [`NOT_TESTED`] with the reason; of the others, each is in the name of a test or in a comment.
//!
//! A test bears its numbers at the beginning of its name: `s47_...`, `d5_d6_...` for several, and
//! `c1_to_c15_...` for a range. E is for the rules of the crate's documentation; the faults of that
//! letter are written `e_4_...`.

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

/// The page of facts, and behind them faults, in whose letters C, D and F mean something else.
const PAGE: &str = include_str!("../src/facts.md");

/// The crate's documentation, with the table of the rules.
const RULES: &str = include_str!("../src/lib.rs");

/// The numbers of a part of the page, as names of tests bear them.
fn listed(part: &str) -> BTreeSet<String> {
    let items = part.lines().filter_map(|line| line.strip_prefix("- **"));
    let numbers = items.filter_map(|item| item.split_once(".**"));
    let numbers: Vec<String> = numbers.filter_map(|(number, _)| cited(number)).collect();
    let all = BTreeSet::from_iter(numbers.clone());
    assert_eq!(all.len(), numbers.len(), "one stands there twice");
    all
}

/// The facts, and the faults.
fn page() -> (BTreeSet<String>, BTreeSet<String>) {
    let (facts, faults) = PAGE.split_once("\n# Faults\n").unwrap();
    let (facts, faults) = (listed(facts), listed(faults));
    assert!(facts.len() > 150 && faults.len() > 30, "the page is cut");
    (facts, faults)
}

/// The rules E.
fn rules() -> BTreeSet<String> {
    let rows = RULES
        .lines()
        .filter_map(|line| line.strip_prefix("//! | E"));
    let numbers = rows.filter_map(|row| row.split(' ').next());
    numbers.map(|number| format!("e{number}")).collect()
}

/// What a word of a comment means as a number, as names of tests bear it: `s36` of "S36", and `e-4` of
/// "E-4", which is not rule E4.
fn cited(word: &str) -> Option<String> {
    let letter = word.chars().next()?;
    let number = &word[letter.len_utf8()..];
    let bare = number.strip_prefix('-').unwrap_or(number);
    let digits = bare.trim_end_matches(['a', 'b']);
    let is_number = (1..=2).contains(&digits.len())
        && digits.bytes().all(|octet| octet.is_ascii_digit())
        && !digits.starts_with('0')
        && bare.len() <= digits.len() + 1;
    let is_ours =
        matches!(letter, 'A'..='F' | 'H' | 'Q'..='T') && (bare == number || "EF".contains(letter));
    let hyphen = if letter == 'E' && bare != number {
        "-"
    } else {
        ""
    };
    (is_number && is_ours).then(|| format!("{}{hyphen}{bare}", letter.to_ascii_lowercase()))
}

/// The repository's files with such names, but for what is built and generated.
fn files(endings: &[&str]) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = ["src", "tests", "benches", "examples", "fuzz", "man"];
    let mut waiting: Vec<PathBuf> = places.iter().map(|place| root.join(place)).collect();
    waiting.extend(["CONTRIBUTING.md", "README.md"].map(|name| root.join(name)));
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        let name = path.file_name().unwrap().to_str().unwrap_or_default();
        if path.is_dir() {
            if !["target", "corpus", "artifacts"].contains(&name) {
                waiting.extend(
                    fs::read_dir(&path)
                        .unwrap()
                        .map(|entry| entry.unwrap().path()),
                );
            }
        } else if endings.iter().any(|ending| name.ends_with(ending))
            && path != root.join("src/facts.md")
        {
            found.push(path);
        }
    }
    found
}

/// What is written for people in a file: its comments, or all of it where it is no code.
fn prose(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    if path.extension().is_none_or(|extension| extension != "rs") {
        return text;
    }
    let comments = text.lines().filter_map(|line| {
        let line = line.trim_start();
        let at = if line.starts_with("//") {
            Some(0)
        } else {
            line.find(" // ")
        };
        line.get(at?..)
    });
    comments.collect::<Vec<_>>().join("\n")
}

/// The names of all tests.
fn tests() -> Vec<String> {
    let texts = files(&[".rs"])
        .into_iter()
        .map(|path| fs::read_to_string(path).unwrap());
    texts.flat_map(|text| tests_in(&text)).collect()
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
    let mut words = name.split('_').peekable();
    while let Some(word) = words.next() {
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
            None if word == "e" => match words.next_if(|next| next.parse::<u32>().is_ok()) {
                Some(number) => found.push(format!("e-{number}")),
                None => break,
            },
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

/// The tests that bear each number.
fn borne() -> BTreeMap<String, Vec<String>> {
    let mut borne: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in tests() {
        for number in numbers(&name) {
            borne.entry(number).or_default().push(name.clone());
        }
    }
    borne
}

/// The numbers in comments and documents, each with a file that has it.
fn mentioned() -> BTreeMap<String, PathBuf> {
    let mut mentioned = BTreeMap::new();
    for path in files(&[".rs", ".md", ".in", ".5"]) {
        let prose = prose(&path);
        let words = prose.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        let found: Vec<String> = words.filter_map(cited).collect();
        mentioned.extend(found.into_iter().map(|number| (number, path.clone())));
    }
    mentioned
}

#[test]
fn every_fact_is_tested_or_stands_in_the_list_with_its_reason() {
    let (facts, _) = page();
    let borne = borne();
    let listed: BTreeMap<&str, &str> = NOT_TESTED.iter().copied().collect();
    assert_eq!(listed.len(), NOT_TESTED.len(), "one stands there twice");
    let mut wrong = Vec::new();
    for number in facts
        .iter()
        .filter(|number| !number.starts_with(['r', 'q']))
    {
        match (borne.get(number), listed.get(number.as_str())) {
            (None, None) => wrong.push(format!("{number}: neither tested nor in the list")),
            (Some(tests), Some(_)) => {
                wrong.push(format!("{number}: in the list, but see {tests:?}"));
            }
            _ => {}
        }
    }
    for number in listed.keys().filter(|number| !facts.contains(**number)) {
        wrong.push(format!("{number}: there is no such number"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_number_in_a_tests_name_or_a_comment_stands_on_the_page_or_is_a_rule() {
    let (facts, faults) = page();
    let rules = rules();
    assert_eq!(rules.len(), 14, "{rules:?}");
    let is_known = |number: &String| {
        [&facts, &faults, &rules]
            .iter()
            .any(|all| all.contains(number))
    };
    let tests = borne().into_iter().filter(|(number, _)| !is_known(number));
    let mut wrong: Vec<String> = tests
        .map(|(number, tests)| format!("{number}: {tests:?}"))
        .collect();
    let comments = mentioned()
        .into_iter()
        .filter(|(number, _)| !is_known(number));
    wrong.extend(comments.map(|(number, path)| format!("{number}: in {}", path.display())));
    assert!(
        wrong.is_empty(),
        "not in src/facts.md:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn nothing_stands_on_the_page_that_neither_a_test_nor_a_comment_bears() {
    let (facts, faults) = page();
    let (borne, mentioned) = (borne(), mentioned());
    let is_idle = |number: &&String| {
        let is_listed = NOT_TESTED.iter().any(|(listed, _)| listed == number);
        !borne.contains_key(*number) && !mentioned.contains_key(*number) && !is_listed
    };
    let idle: Vec<&String> = facts.iter().chain(&faults).filter(is_idle).collect();
    assert!(idle.is_empty(), "{idle:?}");
}

#[test]
fn every_file_that_a_comment_cites_is_in_the_repository() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let src = root.join("src");
    let mut missing = Vec::new();
    for path in files(&[".rs", ".md", ".in", ".5"]) {
        let prose = prose(&path);
        let words = prose.split(|c: char| !c.is_ascii_alphanumeric() && !"-_./".contains(c));
        for word in words.map(|word| word.trim_end_matches('.')) {
            let is_file = |place: &Path| place.join(word).is_file();
            let mut above = path.ancestors().take_while(|place| place.starts_with(root));
            let mut is_there = || above.any(is_file) || is_file(&src);
            let is_cited = [".md", ".rs"].iter().any(|ending| word.ends_with(ending));
            if is_cited && !word.starts_with("target/") && !is_there() {
                missing.push(format!("{word}: in {}", path.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn numbers_are_read_from_names() {
    assert_eq!(numbers("s47_no_secret"), ["s47"]);
    assert_eq!(numbers("d5_e2_a_body_2"), ["d5", "e2"]);
    assert_eq!(numbers("c1_to_c4_f9_x"), ["c1", "c2", "c3", "c4", "f9"]);
    assert_eq!(numbers("t11b_a_quit"), ["t11b"]);
    assert_eq!(numbers("s69_e_9_after"), ["s69", "e-9"]);
    assert_eq!(numbers("e_signs_nothing"), [""; 0]);
    assert_eq!(numbers("a_second_run"), [""; 0]);
    let text = "#[test]\n// why\n#[ignore]\nfn s1_x() {\nfn s2_y() {\n";
    assert_eq!(tests_in(text), ["s1_x"]);
}

#[test]
fn numbers_are_read_from_comments() {
    let read = |words: &str| words.split(' ').filter_map(cited).collect::<Vec<_>>();
    assert_eq!(
        read("S36 D15a E4 E-4 F-1 T3b"),
        ["s36", "d15a", "e4", "e-4", "f1", "t3b"]
    );
    assert_eq!(read("C0 U1 S S-1 SHA-1 D100 D1x a1 \u{e9}1"), [""; 0]);
}
