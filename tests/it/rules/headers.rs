use super::{fetched, from, ruled, set_rules, three, work};
use crate::given::{assert_said, journal, mail, run};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::journal::append;
use crate::support::message::Message;
use crate::support::tree;
use crate::support::wire::Ending;
use std::fs;

#[test]
fn rules_that_only_sort_ask_for_no_header_before_the_download() {
    let rules = "from = \"*@lists.example\"; then = { folder = \".Lists\" }\n\
                 subject = \"letter 2\"; then = \"fetch\"";
    let (server, home) = fetched(three(), rules);
    assert_eq!(work(&server.last_session()), ["RETR 1", "RETR 2", "RETR 3"]);
    tree::assert_holds(&home.maildir("a"), &three()[1..]);
    tree::assert_holds(&home.maildir("a").join(".Lists"), &three()[..1]);
}

#[test]
fn rules_about_size_alone_ask_for_no_header() {
    let messages = || vec![from("lists", 1), Message::generated("large", 9000, 1)];
    let (server, home) = fetched(messages(), "size = \">5 kB\"; then = \"skip\"");
    assert_eq!(work(&server.last_session()), ["RETR 1"]);
    tree::assert_holds(&home.maildir("a"), &messages()[..1]);
    assert_eq!(server.maildrop().count(), 2);
}

#[test]
fn headers_come_before_the_bodies_and_only_of_messages_that_no_size_has_decided() {
    let mut messages = three();
    messages.push(Message::generated("large", 9000, 1));
    let rules = "size = \">5 kB\"; then = \"skip\"\nfrom = \"*@shop.example\"; then = \"skip\"";
    let (server, home) = fetched(messages, rules);
    assert_eq!(
        work(&server.last_session()),
        [
            "TOP 1 0", "TOP 2 0", "TOP 3 0", "TOP 2 0", "NOOP", "RETR 1", "RETR 3"
        ]
    );
    tree::assert_holds(&home.maildir("a"), &[from("lists", 1), from("boss", 3)]);
}

#[test]
fn what_is_left_is_not_asked_for_again_until_the_rules_ask_something_else_and_comes_without_them() {
    let shop = "from = \"*@shop.example\"; then = \"skip\"";
    let (server, home) = fetched(three(), shop);
    let output = run(&home, &[], 0);
    assert_said(&output, &["1 skipped (rule 1 (from = \"*@shop.example\"))"]);
    assert!(work(&server.last_session()).is_empty());
    // A message more is asked about alone.
    server.maildrop().add([from("shop", 4)]);
    run(&home, &[], 0);
    assert_eq!(work(&server.last_session()), ["TOP 4 0", "TOP 4 0", "NOOP"]);
    // What is done is no question to the server.
    let rule = "from = \"*@shop.example\"; then = { folder = \".Shop\" }\n\
                from = \"*@nobody.example\"; then = \"skip\"";
    set_rules(&server, &home, "", rule);
    run(&home, &["--dry-run"], 0);
    assert_eq!(work(&server.last_session())[..2], ["TOP 2 0", "TOP 4 0"]);
    set_rules(&server, &home, "", "");
    run(&home, &[], 0);
    assert_eq!(work(&server.last_session()), ["RETR 2", "RETR 4"]);
    let mut all = three();
    all.push(from("shop", 4));
    tree::assert_holds(&home.maildir("a"), &all);
}

#[test]
fn rules_for_a_thousand_messages_cost_one_flight_more_than_none() {
    let flights = |rules: &str| {
        let (server, home) = ruled(mail(1000), "", rules, Behaviour::new());
        run(&home, &[], 0);
        assert_eq!(tree::count(&home.maildir("a")), 1000);
        server.last_session()
    };
    let none = flights("");
    let some = flights("from = \"*@shop.example\"; then = \"skip\"");
    assert_eq!((none.count("TOP"), some.count("TOP")), (0, 1000));
    // Every command is there before the first reply is: all of them before the first RETR.
    let at = |word: &str| {
        some.commands
            .iter()
            .position(|it| it.starts_with(word))
            .unwrap()
    };
    let last_top = some.commands.iter().rposition(|it| it.starts_with("TOP"));
    assert_eq!(last_top, Some(at("TOP") + 999));
    assert_eq!(at("RETR"), at("TOP") + 1000);
    assert!(
        some.flights <= none.flights + 10,
        "{} and {}",
        some.flights,
        none.flights
    );
}

#[test]
fn without_top_what_headers_would_have_left_is_fetched_and_sorted_and_that_is_said_once() {
    let rules = "from = \"*@lists.example\"; then = { folder = \".Lists\" }\n\
                 from = \"*@shop.example\"; then = \"skip\"\n\
                 from = \"*@boss.example\"; then = \"delete\"";
    let (server, home) = ruled(three(), "", rules, Behaviour::new().without("TOP"));
    let output = run(&home, &[], 0);
    assert_said(&output, &["3 new messages", "(TOP)", "fetched"]);
    assert_eq!(server.maildrop().count(), 3);
    tree::assert_holds(&home.maildir("a"), &three()[1..]);
    tree::assert_holds(&home.maildir("a").join(".Lists"), &three()[..1]);
    server.maildrop().add([from("shop", 4)]);
    let output = run(&home, &[], 0);
    assert!(!output.stderr.contains("(TOP)"), "{output:#?}");
    assert_said(&output, &["1 new message"]);
}

#[test]
fn a_session_that_breaks_over_the_headers_goes_on_where_it_was() {
    let messages = (1..=6).map(|n| from("shop", n)).collect();
    let behaviour = Behaviour::new().on_occurrences(
        "TOP 4 0",
        0..1,
        Reply::End(crate::support::wire::Ending::Close),
    );
    let rules = "from = \"*@shop.example\"; then = \"skip\"";
    let (server, home) = ruled(messages, "", rules, behaviour);
    run(&home, &[], 0);
    let sessions = server.sessions();
    let last = work(sessions.last().unwrap());
    // The second time none has a neighbour that it had.
    let asked = (1..=6).chain([5, 3, 1, 6, 4, 2]);
    let asked = asked.map(|n| format!("TOP {n} 0"));
    let wire: Vec<String> = asked.chain(["NOOP".to_owned()]).collect();
    assert_eq!(last, wire, "{sessions:#?}");
    assert_eq!(tree::count(&home.maildir("a")), 0);
}

#[test]
fn a_server_that_breaks_over_a_header_each_time_sends_its_mail_all_the_same() {
    let closes = Reply::End(crate::support::wire::Ending::Close);
    for behaviour in [
        Behaviour::new().on("TOP 3 0", closes),
        Behaviour::new().on(
            "TOP 3 0",
            Reply::raw("+OK\r\nFrom: x\r\n\r\n.\r\n+OK one more\r\n"),
        ),
    ] {
        let messages: Vec<Message> = (1..=5).map(|n| from("boss", n)).collect();
        let rules = "from = \"*@shop.example\"; then = \"skip\"";
        let (server, home) = ruled(messages.clone(), "", rules, behaviour);
        home.popfetch(["fetch"]).run();
        assert!(server.sessions().len() <= 6, "{}", server.sessions().len());
        home.popfetch(["fetch"]).run();
        tree::assert_holds(&home.maildir("a"), &messages);
    }
}

#[test]
fn only_the_message_whose_header_a_session_breaks_over_comes_whatever_the_rules_say() {
    let closes = Reply::End(crate::support::wire::Ending::Close);
    let messages: Vec<Message> = (1..=5).map(|n| from("shop", n)).collect();
    let rules = "from = \"*@shop.example\"; then = \"skip\"";
    let behaviour = Behaviour::new().on("TOP 3 0", closes);
    let (server, home) = ruled(messages.clone(), "", rules, behaviour);
    let output = run(&home, &[], 0);
    assert_said(&output, &["the header of uid-3", "1 new message"]);
    tree::assert_holds(&home.maildir("a"), &messages[2..3]);
    assert!(server.sessions().len() <= 3, "{:#?}", server.sessions());
}

#[test]
fn a_server_that_is_out_of_step_behind_headers_each_time_brings_its_mail_in_the_same_run() {
    let messages: Vec<Message> = (1..=5).map(|n| from("shop", n)).collect();
    let rules = "from = \"*@shop.example\"; then = \"skip\"";
    let one_more = Reply::raw("+OK\r\nFrom: x@shop.example\r\n\r\n.\r\n-ERR one more\r\n");
    // The last one that is asked for, the second time.
    let behaviour = Behaviour::new().on("TOP 1 0", one_more);
    let (server, home) = ruled(messages.clone(), "", rules, behaviour);
    home.popfetch(["fetch"]).run();
    tree::assert_holds(&home.maildir("a"), &messages);
    assert_eq!(server.maildrop().count(), 5);
}

#[test]
fn the_journal_says_what_headers_have_told() {
    let (_server, home) = fetched(three(), "from = \"*@shop.example\"; then = \"skip\"");
    let journal = fs::read_to_string(journal(&home)).unwrap();
    let told: Vec<_> = journal.lines().filter(|it| it.starts_with("h\t")).collect();
    assert_eq!(told.len(), 3, "{journal}");
    let mut fields = told.iter().map(|it| it.split('\t').collect::<Vec<_>>());
    let fields = fields.find(|it| it[2] == "uid-2").unwrap();
    assert_eq!(fields[2], "uid-2");
    // The time of its Received, which is later than its Date, in seconds, and the first rule's bit.
    assert_eq!(fields[6..8], ["1795428001", "1"], "{journal}");
}

#[test]
fn what_headers_have_told_of_messages_that_are_gone_does_not_stay_in_the_journal() {
    // Stored, so that most of what is remembered is still of use.
    let stored = (10..60).map(|n| from("boss", n)).collect();
    let (server, home) = fetched(stored, "");
    server.maildrop().add([from("shop", 2)]);
    set_rules(
        &server,
        &home,
        "",
        "from = \"*@shop.example\"; then = \"skip\"",
    );
    run(&home, &[], 0);
    let path = journal(&home);
    let told_of = |text: &str, id: &str| -> Vec<String> {
        let lines = text.lines().filter(|it| it.starts_with("h\t"));
        let of_it = lines.filter(|it| it.split('\t').nth(2) == Some(id));
        of_it.map(str::to_owned).collect()
    };
    let text = fs::read_to_string(&path).unwrap();
    let [told] = &told_of(&text, "uid-2")[..] else {
        panic!("{text}");
    };
    // As if there had been thousands like it. What a line ends with is made anew.
    let [fields @ .., _, _] = &told.split('\t').collect::<Vec<_>>()[..] else {
        panic!("{told}");
    };
    let gone = |n: usize| format!("uid-{n:060}");
    let like_it = |n: usize| fields.join("\t").replace("uid-2", &gone(n));
    let lines: Vec<String> = (0..10_000).map(like_it).collect();
    append(&path, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(fs::metadata(&path).unwrap().len() > 1 << 20);
    run(&home, &[], 0);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(told_of(&text, &gone(1)), <[String; 0]>::default());
    assert_eq!(told_of(&text, "uid-2").len(), 1);
    // What is still there is not asked about again.
    run(&home, &[], 0);
    assert!(work(&server.last_session()).is_empty());
}

#[test]
fn what_max_size_leaves_stays_where_no_header_tells_whether_a_rule_would_have_it_fetched() {
    let rules = "from = \"*@lists.example\"; then = { folder = \".Lists\" }\n\
                 subject = \"letter 2\"; then = \"fetch\"\n\
                 from = \"*@shop.example\"; then = \"skip\"";
    let large = Message::generated("large", 9000, 1);
    let messages = || [three(), vec![large.clone()]].concat();
    let refusing = Behaviour::new().on("TOP", Reply::raw("-ERR no\r\n"));
    let closing = Behaviour::new().on("TOP", Reply::End(Ending::Close));
    for behaviour in [Behaviour::new().without("TOP"), refusing, closing] {
        let keys = "max-size = \"5 kB\"\nkeep = \"never\"\n";
        let (server, home) = ruled(messages(), keys, rules, behaviour);
        let output = home.popfetch(["-q"]).run();
        assert_eq!(server.maildrop().unique_ids(), ["large"], "{output:#?}");
        let [lists, inbox] = [home.maildir("a").join(".Lists"), home.maildir("a")];
        assert_eq!(tree::count(&lists) + tree::count(&inbox), 3);
    }
}
