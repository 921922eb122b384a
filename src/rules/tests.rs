use super::*;
use crate::maildir::Folder;
use proptest::prelude::*;

const NOW: i64 = 1_800_000_000;
const DAY: u64 = 86_400;

fn rule(conditions: Conditions, action: Action) -> Rule {
    Rule {
        conditions,
        action,
        text: "...".into(),
    }
}

fn from(glob: &str) -> Conditions {
    Conditions {
        header: vec![Test {
            field: Field::From,
            pattern: Some(Pattern::glob(glob).unwrap()),
        }],
        ..Conditions::default()
    }
}

fn larger(octets: u64) -> Conditions {
    Conditions {
        size: Bounds {
            over: Some(octets),
            under: None,
        },
        ..Conditions::default()
    }
}

fn older(days: u64) -> Conditions {
    Conditions {
        age: Bounds {
            over: Some(days * DAY),
            under: None,
        },
        ..Conditions::default()
    }
}

fn lists() -> Action {
    Action::Folder(Folder::parse(".Lists").unwrap())
}

fn rules(rules: Vec<Rule>) -> Rules {
    Rules::new(rules).unwrap()
}

fn listed(octets: u64) -> Listed {
    Listed {
        octets: Some(octets),
        now: Some(NOW),
        is_fetched_otherwise: true,
    }
}

fn header(from: &str, days: i64) -> Vec<u8> {
    let date = jiff::Timestamp::from_second(NOW - days * 86_400).unwrap();
    let date = date.strftime("%a, %d %b %Y %H:%M:%S +0000");
    format!("From: {from}\r\nDate: {date}\r\n\r\n").into_bytes()
}

/// A ruling in a word.
fn word(ruling: Ruling<'_>) -> String {
    match ruling {
        Ruling::Otherwise => "otherwise".into(),
        Ruling::Rule(it) => format!("{} {}", it.rule.action.word(), it.number),
        Ruling::Delete(hit) => format!("delete {}", hit.rule().number),
        Ruling::Fetch => "fetch".into(),
        Ruling::NeedsHeader => "header".into(),
        Ruling::AskFilter => "filter".into(),
    }
}

fn judged(rules: &Rules, octets: u64, header: Knowledge<'_>) -> String {
    word(rules.judge(listed(octets), header))
}

#[test]
fn the_first_rule_whose_conditions_all_hold_decides() {
    let both = Conditions {
        size: larger(100).size,
        ..from("*@a")
    };
    let rules = rules(vec![
        rule(both, Action::Delete),
        rule(from("*@a"), lists()),
        rule(larger(1000), Action::Skip),
    ]);
    let gist = |from: &str| rules.read(&header(from, 0)).unwrap();
    let ruled = |octets, from| judged(&rules, octets, Knowledge::Read(&gist(from)));
    assert_eq!(ruled(101, "x <b@a>"), "delete 1");
    assert_eq!(ruled(100, "b@a"), "folder 2");
    assert_eq!(ruled(1001, "b@c"), "skip 3");
    assert_eq!(ruled(1000, "b@c"), "otherwise");
}

#[test]
fn a_header_is_asked_for_only_where_it_could_change_what_is_done() {
    let ruled = |all: Vec<Rule>, octets| judged(&rules(all), octets, Knowledge::Unasked);
    let skip = || rule(from("*@a"), Action::Skip);
    // Folders are told from what was downloaded.
    assert_eq!(ruled(vec![rule(from("*@a"), lists())], 5), "fetch");
    assert_eq!(ruled(vec![skip()], 5), "header");
    // A size that decides first, or that does not fit, needs no header.
    let first = || rule(larger(10), Action::Skip);
    assert_eq!(ruled(vec![first(), skip()], 11), "skip 1");
    assert_eq!(ruled(vec![first(), skip()], 10), "header");
    let sized = Conditions {
        size: larger(10).size,
        ..from("*@a")
    };
    assert_eq!(ruled(vec![rule(sized, Action::Delete)], 10), "otherwise");
    assert_eq!(ruled(vec![rule(older(3), Action::Delete)], 5), "header");
}

#[test]
fn without_its_header_a_message_is_neither_deleted_nor_left_by_a_rule_that_needs_one() {
    let ruled = |all: Vec<Rule>, octets| judged(&rules(all), octets, Knowledge::Unknown);
    assert_eq!(
        ruled(vec![rule(from("*@a"), Action::Delete)], 5),
        "otherwise"
    );
    assert_eq!(ruled(vec![rule(from("*@a"), Action::Skip)], 5), "otherwise");
    assert_eq!(ruled(vec![rule(older(3), Action::Delete)], 5), "otherwise");
    // Nor by a later one, of which nobody knows whether it would have come to it.
    let deletes = || rule(larger(10), Action::Delete);
    let keeps = |action| vec![rule(from("boss@a"), action), deletes()];
    assert_eq!(ruled(keeps(Action::Fetch), 11), "fetch");
    assert_eq!(ruled(keeps(Action::Skip), 11), "otherwise");
    assert_eq!(ruled(vec![deletes()], 11), "delete 1");
    // Nor where the server tells no sizes.
    let rules = rules(vec![
        rule(larger(10), Action::Skip),
        rule(from("*@a"), Action::Delete),
    ]);
    let gist = rules.read(&header("x@a", 0)).unwrap();
    let unsized_one = Listed {
        octets: None,
        ..listed(0)
    };
    assert_eq!(
        word(rules.judge(unsized_one, Knowledge::Read(&gist))),
        "otherwise"
    );
    assert_eq!(judged(&rules, 10, Knowledge::Read(&gist)), "delete 2");
}

#[test]
fn without_its_header_what_is_too_large_stays_unless_a_rule_is_known_to_have_it_fetched() {
    let ruled = |all: Vec<Rule>| {
        let too_large = Listed {
            is_fetched_otherwise: false,
            ..listed(11)
        };
        word(rules(all).judge(too_large, Knowledge::Unknown))
    };
    assert_eq!(ruled(vec![rule(from("*@a"), Action::Fetch)]), "otherwise");
    assert_eq!(ruled(vec![rule(from("*@a"), lists())]), "otherwise");
    let sized = || rule(larger(10), Action::Fetch);
    assert_eq!(ruled(vec![sized()]), "fetch 1");
    let both = vec![rule(from("*@a"), Action::Skip), sized()];
    assert_eq!(ruled(both), "fetch 2");
}

#[test]
fn what_an_earlier_session_has_read_deletes_nothing() {
    let rules = rules(vec![
        rule(from("*@a"), Action::Skip),
        rule(larger(10), Action::Delete),
    ]);
    let gist = rules.read(&header("x@b", 0)).unwrap();
    assert_eq!(judged(&rules, 11, Knowledge::Remembered(&gist)), "header");
    assert_eq!(judged(&rules, 11, Knowledge::Read(&gist)), "delete 2");
    assert_eq!(
        judged(&rules, 10, Knowledge::Remembered(&gist)),
        "otherwise"
    );
    let gist = rules.read(&header("x@a", 0)).unwrap();
    assert_eq!(judged(&rules, 11, Knowledge::Remembered(&gist)), "skip 1");
}

#[test]
fn when_a_message_came_says_nothing_of_what_rules_ask() {
    let arrival = Arrival::At(NOW - 40 * 86_400);
    for action in [Action::Skip, Action::Delete] {
        let rules = rules(vec![
            rule(from("*@a"), action.clone()),
            rule(older(30), action.clone()),
            rule(larger(10), action),
        ]);
        let gist = Gist::of_arrival(rules.fingerprint(), arrival);
        let ruling = rules.judge(listed(5), Knowledge::Remembered(&gist));
        assert_eq!(word(ruling), "otherwise");
    }
    let gist = rules(vec![rule(older(30), Action::Skip)]).read(
        b"Received: by mx; Mon, 23 Nov 2026 10:00:01 +0000\r\n\
          From: x@a\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\n",
    );
    assert_eq!(gist.unwrap().arrival(), Arrival::At(1_795_428_001));
}

#[test]
fn a_clock_in_doubt_makes_no_message_old() {
    let rules = rules(vec![
        rule(older(30), Action::Delete),
        rule(larger(10), Action::Delete),
    ]);
    let gist = rules.read(&header("x@a", 31)).unwrap();
    assert_eq!(judged(&rules, 5, Knowledge::Read(&gist)), "delete 1");
    let doubtful = |octets| Listed {
        now: None,
        ..listed(octets)
    };
    let ruling = |octets| word(rules.judge(doubtful(octets), Knowledge::Read(&gist)));
    assert_eq!(ruling(5), "otherwise");
    assert_eq!(ruling(11), "otherwise");
    let young = rules.read(&header("x@a", 29)).unwrap();
    assert_eq!(judged(&rules, 5, Knowledge::Read(&young)), "otherwise");
    let future = rules.read(&header("x@a", -400)).unwrap();
    assert_eq!(judged(&rules, 5, Knowledge::Read(&future)), "otherwise");
    let undated = rules.read(b"From: x@a\r\n\r\n").unwrap();
    assert_eq!(judged(&rules, 5, Knowledge::Read(&undated)), "otherwise");
}

#[test]
fn a_rule_takes_the_place_of_max_size() {
    let rules = rules(vec![rule(from("boss@a"), Action::Fetch)]);
    let large = Listed {
        is_fetched_otherwise: false,
        ..listed(10)
    };
    assert_eq!(word(rules.judge(large, Knowledge::Unasked)), "header");
    let gist = rules.read(&header("boss@a", 0)).unwrap();
    assert_eq!(word(rules.judge(large, Knowledge::Read(&gist))), "fetch 1");
    assert_eq!(word(rules.judge(listed(10), Knowledge::Unasked)), "fetch");
}

#[test]
fn a_header_that_is_cut_or_none_or_endless_is_in_doubt() {
    let rules = rules(vec![rule(from("*@a"), Action::Delete)]);
    let good = header("x@a", 0);
    assert!(rules.read(&good).is_some());
    for length in 0..good.len() {
        assert!(rules.read(&good[..length]).is_none(), "{length}");
    }
    assert!(rules.read(b"hello world\r\n\r\n").is_none());
    let long = header(&format!("x@a, {}", "y@b, ".repeat(14_000)), 0);
    assert!(rules.read(&long).is_none());
    let endless = [vec![b'a'; 512 * 1024], good].concat();
    assert!(rules.read(&endless).is_none());
}

#[test]
fn fields_are_found_wherever_they_stand_and_however_they_are_written() {
    let test = |field, pattern: Option<&str>| Conditions {
        header: vec![Test {
            field,
            pattern: pattern.map(|it| Pattern::glob(it).unwrap()),
        }],
        ..Conditions::default()
    };
    let header =
        b"FROM: =?utf-8?q?Ad=C3=A1?= <Ada@Lists.Example.ORG>\r\nCc: c@d\r\nTo: A <a@b>\r\n\
        List-Id: The \"list\" <rust.lists.example.org>\r\nX-Spam-Flag:\tYES\r\nX-Spam-Flag: no\r\n\
        Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\n";
    let named = |name: &str| Field::Named(name.into());
    for (conditions, holds) in [
        (test(Field::From, Some("*@lists.example.org")), true),
        (test(Field::From, Some("Adá <*")), true),
        (test(Field::From, Some("ada")), false),
        (test(Field::To, Some("c@d")), true),
        (test(Field::To, Some("a@b")), true),
        (test(Field::ListId, Some("rust.lists.example.org")), true),
        (test(Field::ListId, Some("the*")), true),
        (test(Field::Subject, Some("GRÜSSE")), false),
        (test(Field::Subject, Some("grüße")), true),
        (test(named("x-spam-flag"), Some("yes")), true),
        (test(named("x-spam-flag"), Some("no")), true),
        (test(named("x-spam-flag"), None), true),
        (test(named("x-virus"), None), false),
    ] {
        let text = format!("{conditions:?}");
        let rules = rules(vec![rule(conditions, Action::Skip)]);
        let gist = rules.read(header).unwrap();
        let skipped = judged(&rules, 5, Knowledge::Read(&gist)) == "skip 1";
        assert_eq!(skipped, holds, "{text}");
    }
}

#[test]
fn where_a_field_is_written_in_an_odd_form_nothing_behind_a_rule_that_might_be_meant_is_left_or_deleted()
 {
    let odd = "x@[192.0.2.1]";
    let shop = || rule(from("*@shop"), Action::Delete);
    let all = || Conditions::default();
    let judged = |all: Vec<Rule>, from: &str| {
        let rules = rules(all);
        let gist = rules.read(&header(from, 0)).unwrap();
        let remembered = judged(&rules, 5, Knowledge::Remembered(&gist));
        (judged(&rules, 5, Knowledge::Read(&gist)), remembered)
    };
    let same = |word: &str| (word.to_owned(), word.to_owned());
    for saves in [Action::Fetch, lists()] {
        let saves = || rule(from("boss@a"), saves.clone());
        for leaves in [rule(all(), Action::Skip), rule(larger(1), Action::Delete)] {
            let plainly = match leaves.action {
                Action::Skip => same("skip 2"),
                // Its header is looked at again before it is deleted.
                _ => ("delete 2".into(), "header".into()),
            };
            assert_eq!(judged(vec![saves(), leaves.clone()], "x@b"), plainly);
            assert_eq!(judged(vec![saves(), leaves], odd), same("fetch"));
        }
    }
    // Left is what the first rule would have, so that nothing is lost by it either.
    let skip = || rule(from("boss@a"), Action::Skip);
    assert_eq!(
        judged(vec![skip(), rule(larger(1), Action::Delete)], odd),
        same("otherwise")
    );
    assert_eq!(
        judged(vec![skip(), rule(larger(1), Action::Skip)], odd),
        same("skip 2")
    );
    // A rule that deletes is about what it is seen to be about.
    assert_eq!(
        judged(vec![shop(), rule(all(), Action::Skip)], odd),
        same("skip 2")
    );
    assert_eq!(judged(vec![shop()], odd), same("otherwise"));
}

#[test]
fn several_from_fields_none_and_hidden_ones_are_odd() {
    let rules = rules(vec![
        rule(from("boss@a"), Action::Fetch),
        rule(Conditions::default(), Action::Skip),
    ]);
    let date = "Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\n";
    for (fields, word) in [
        ("From: x@b\r\n", "skip 2"),
        (
            "From x@b Mon Nov 23 10:00:00 2026\r\nFrom: x@b\r\n",
            "skip 2",
        ),
        ("From: x@b\r\nFrom: y@b\r\n", "fetch"),
        ("From: x@b\r\nFrom: boss@a\r\n", "fetch 1"),
        ("", "fetch"),
        ("Fr\r\n om: boss@a\r\nFrom: x@b\r\n", "fetch"),
        ("From: x@b\r\nno field\r\n", "fetch"),
    ] {
        let gist = rules.read(format!("{fields}{date}").as_bytes()).unwrap();
        assert_eq!(
            judged(&rules, 5, Knowledge::Read(&gist)),
            word,
            "{fields:?}"
        );
    }
}

#[test]
fn rules_that_make_no_sense_are_refused() {
    let refused = |all: Vec<Rule>| Rules::new(all).unwrap_err();
    let fault = |place, reason| Fault { place, reason };
    let any = || Conditions::default();
    let narrow = Conditions {
        size: Bounds {
            over: Some(10),
            under: Some(11),
        },
        ..any()
    };
    assert_eq!(
        refused(vec![rule(narrow, Action::Skip)]),
        fault(0, Reason::Contradictory("a size"))
    );
    assert_eq!(
        refused(vec![rule(any(), Action::Delete)]),
        fault(0, Reason::DeletesAll)
    );
    for (first, second) in [
        (any(), from("*@a")),
        (from("*@a"), from("*@a")),
        (larger(10), larger(20)),
        (
            from("*@a"),
            Conditions {
                size: larger(5).size,
                ..from("*@a")
            },
        ),
    ] {
        let all = vec![rule(first, Action::Fetch), rule(second, Action::Skip)];
        assert_eq!(refused(all), fault(1, Reason::Unreachable(0)));
    }
    let many = (0..65).map(|it| rule(from(&format!("{it}@a")), Action::Skip));
    assert_eq!(refused(many.collect()), fault(64, Reason::TooMany));
    let good = vec![
        rule(larger(20), Action::Skip),
        rule(larger(10), Action::Fetch),
        rule(any(), Action::Skip),
    ];
    assert!(Rules::new(good).is_ok());
}

#[test]
fn only_what_rules_ask_of_a_header_makes_it_be_asked_for_anew() {
    let one = |conditions, action| rules(vec![rule(conditions, action)]).fingerprint();
    let before = one(from("*@a"), Action::Skip);
    assert_eq!(before, one(from("*@a"), Action::Delete));
    // One that has a message come takes a match in any form.
    assert_ne!(before, one(from("*@a"), Action::Fetch));
    assert_eq!(one(from("*@a"), Action::Fetch), one(from("*@a"), lists()));
    assert_ne!(before, one(from("*@b"), Action::Skip));
    assert_eq!(Fingerprint::parse(&before.to_string()), Some(before));
}

#[test]
fn where_rules_are_to_spare_what_they_would_delete_it_is_left() {
    let rules = rules(vec![rule(larger(10), Action::Delete)]).sparing();
    assert_eq!(judged(&rules, 11, Knowledge::Unasked), "skip 1");
}

#[test]
fn a_filter_is_asked_where_no_rule_decides_and_deletes_only_by_what_it_has_just_read() {
    let rules = rules(vec![rule(from("*@a"), lists())])
        .with_filter(FilterCommand::new(vec!["filter".into()]));
    assert_eq!(judged(&rules, 5, Knowledge::Unasked), "header");
    assert_eq!(judged(&rules, 5, Knowledge::Unknown), "fetch");
    let listed_one = rules.read(&header("x@a", 0)).unwrap();
    assert_eq!(judged(&rules, 5, Knowledge::Read(&listed_one)), "folder 1");
    let other = rules.read(&header("x@b", 0)).unwrap();
    assert_eq!(judged(&rules, 5, Knowledge::Read(&other)), "filter");
    for (verdict, read, remembered) in [
        (Verdict::Fetch, "otherwise", "otherwise"),
        (Verdict::Skip, "skip 0", "skip 0"),
        (Verdict::Delete, "delete 0", "header"),
    ] {
        let gist = other.with_verdict(Some(verdict));
        assert_eq!(judged(&rules, 5, Knowledge::Read(&gist)), read);
        assert_eq!(judged(&rules, 5, Knowledge::Remembered(&gist)), remembered);
        let spared = rules.sparing();
        assert_ne!(judged(&spared, 5, Knowledge::Read(&gist)), "delete 0");
    }
    assert_ne!(
        rules.fingerprint(),
        self::rules(vec![rule(from("*@a"), lists())]).fingerprint()
    );
}

proptest! {
    #[test]
    fn any_octets_can_be_read_as_a_header(octets in any::<Vec<u8>>()) {
        let rules = rules(vec![rule(from("*@a"), lists()), rule(older(1), Action::Skip)]);
        rules.read(&octets);
        rules.folder_of(listed(1), &octets);
    }
}
