use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::given::{assert_said, letter, mail, plainly, run};
use crate::support::account::Security;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::journal::{append, rewrite};
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::process::{PATIENCE, within};
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;
use crate::support::wire::Ending;

fn deleted(server: &Server) -> Vec<String> {
    let commands = server.last_session().commands.into_iter();
    commands.filter(|line| line.starts_with("DELE")).collect()
}

#[test]
fn s66_only_numbers_of_the_listing_at_hand_are_deleted() {
    let (server, home) = plainly(5, Behaviour::new());
    run(&home, &[], 0);
    // Everything moves: what was stored has other numbers, and strangers have the old ones.
    let max = ["--max-size", "80 B"];
    let strangers = [30, 31, 32].map(letter);
    let [first, second, third] = strangers.clone();
    let sized = |n: usize| letter(n).listed_as(1000 + n as u64);
    let moved = vec![first, letter(5), second, letter(2), third, sized(3)];
    server.maildrop().replace(moved);
    let output = run(&home, &[&["fetch", "--delete"][..], &max].concat(), 0);
    // The last one is listed with another size, and its header says that it is the same.
    assert_eq!(
        deleted(&server),
        ["DELE 6", "DELE 4", "DELE 2"],
        "{output:#?}"
    );
    let left = ["uid-30", "uid-31", "uid-32"];
    assert_eq!(server.maildrop().unique_ids(), left);
}

#[test]
fn s66_a_number_that_is_not_listed_is_never_deleted() {
    let short = Behaviour::new()
        .on("UIDL", Reply::raw("+OK\r\n1 uid-1\r\n3 uid-3\r\n.\r\n"))
        .on("LIST", Reply::raw("+OK\r\n1 100\r\n3 100\r\n.\r\n"))
        .on("STAT", Reply::raw("+OK 4 400\r\n"));
    let (server, home) = plainly(4, short);
    let output = run(&home, &["fetch", "--delete"], 1);
    assert_said(&output, &["counts 2 messages more than it lists"]);
    assert_eq!(deleted(&server), ["DELE 3", "DELE 1"]);
    tree::assert_holds(&home.maildir("a"), &[letter(1), letter(3)]);
    assert_eq!(server.maildrop().unique_ids(), ["uid-2", "uid-4"]);
}

#[test]
fn a6_what_is_left_on_a_server_that_renumbers_at_each_dele_is_not_deleted_for_another() {
    for keys in ["", "pipelining = \"off\"\n"] {
        let (server, home) = plainly(6, Behaviour::new().renumbers());
        server
            .maildrop()
            .replace([1, 900, 3, 901, 5, 6].map(letter));
        home.one_account(&server.account(), keys);
        run(&home, &["fetch", "--delete", "--max-size", "800 B"], 0);
        let numbers = ["DELE 6", "DELE 5", "DELE 3", "DELE 1"];
        assert_eq!(deleted(&server), numbers);
        assert_eq!(server.maildrop().unique_ids(), ["uid-900", "uid-901"]);
        tree::assert_holds(&home.maildir("a"), &[1, 3, 5, 6].map(letter));
    }
}

#[test]
fn s67_an_incomplete_listing_deletes_nothing_and_makes_nothing_forgotten() {
    let end = |octets: &str, ending| Reply::RawThenEnd(octets.into(), ending);
    let half = "+OK\r\n1 uid-1\r\n2 uid-2\r\n";
    let sizes = "+OK\r\n1 100\r\n";
    for (command, reply, statuses) in [
        ("UIDL", end(half, Ending::Close), &[75][..]),
        ("UIDL", end(half, Ending::Cut), &[75]),
        ("UIDL", end(half, Ending::Reset), &[75]),
        (
            "UIDL",
            end(&format!("{half}-ERR internal error\r\n"), Ending::Close),
            &[75],
        ),
        ("UIDL", end(&format!("{half}."), Ending::Close), &[75]),
        ("UIDL", end(half, Ending::Stall), &[75]),
        ("UIDL", Reply::raw("-ERR [SYS/TEMP] not now\r\n"), &[75]),
        ("LIST", end(sizes, Ending::Close), &[75]),
        ("LIST", end(sizes, Ending::Stall), &[75]),
        ("LIST", Reply::raw("-ERR not now\r\n"), &[75]),
        ("STAT", Reply::raw("-ERR not now\r\n"), &[75]),
    ] {
        let (server, home) = plainly(6, Behaviour::new());
        home.one_account(&server.account(), "keep = \"never\"\ntimeout = \"2s\"\n");
        run(&home, &["fetch", "--keep"], 0);
        let before = run(&home, &["state", "show", "a", "--format", "json"], 0).stdout;
        server.behave(Behaviour::new().on(command, reply.clone()));
        for _ in 0..3 {
            let output = home.popfetch(["fetch", "--now"]).run();
            assert!(
                statuses.contains(&output.status.unwrap()),
                "{reply:?}: {output:#?}"
            );
            if matches!(&reply, Reply::RawThenEnd(_, Ending::Stall)) {
                break; // Each takes the timeout.
            }
        }
        assert_eq!(server.count("DELE"), 0, "{command} {reply:?}");
        assert_eq!(server.count("RETR"), 6, "{command} {reply:?}");
        let after = run(&home, &["state", "show", "a", "--format", "json"], 0).stdout;
        assert_eq!(before, after, "{command} {reply:?}");
        server.behave(Behaviour::new());
        let output = run(&home, &["fetch", "--now"], 0);
        assert_said(&output, &["nothing new", "6 deleted"]);
        tree::assert_holds(&home.maildir("a"), &mail(6));
    }
}

#[test]
fn s68_after_replies_to_dele_that_do_not_add_up_there_is_no_quit() {
    let answer = |octets: &[u8]| Reply::Raw(octets.into());
    for (pattern, reply) in [
        // One too many, one too few, something else in between, and one for each letter.
        ("DELE 3", answer(b"+OK\r\n+OK\r\n")),
        ("DELE 1", answer(b"+OK\r\n+OK\r\n")),
        ("DELE 2", answer(b"")),
        ("DELE 2", answer(b"+OK\r\n* 2 EXPUNGED\r\n")),
        ("DELE 2", answer(b"OK\r\n")),
        ("DELE", answer(b"+OK\r\n-ERR\r\n+OK\r\n")),
    ] {
        for pipelining in ["auto", "off"] {
            let (server, home) = plainly(3, Behaviour::new().on(pattern, reply.clone()));
            let keys = format!("pipelining = {pipelining:?}\ntimeout = \"2s\"\n");
            home.one_account(&server.account(), &keys);
            let output = home.popfetch(["fetch", "--delete"]).run();
            let sessions = server.sessions();
            let disorderly = &sessions[0];
            assert_eq!(
                disorderly.count("QUIT"),
                0,
                "{pattern} {reply:?}: {output:#?}"
            );
            // Whatever it did then, the mail is here, once, and not called deleted there.
            tree::assert_holds(&home.maildir("a"), &mail(3));
            server.behave(Behaviour::new());
            run(&home, &["fetch", "--delete"], 0);
            // The one that it broke the protocol over is not asked about again (fault D2).
            let left: &[&str] = match &reply {
                Reply::Raw(octets) if octets == b"OK\r\n" => &["uid-2"],
                _ => &[],
            };
            assert_eq!(server.maildrop().unique_ids(), left);
            assert_eq!(server.count("RETR"), 3);
            tree::assert_holds(&home.maildir("a"), &mail(3));
        }
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

/// Makes the last run one that took place so many seconds ago.
fn last_run_was(home: &Home, seconds_ago: i64) {
    change_lock(home, |fields| {
        fields[2] = (now() as i64 - seconds_ago).to_string();
    });
}

/// Makes all that the lock's file says of time so many seconds older: the clock goes on.
fn time_passes(home: &Home, seconds: i64) {
    change_lock(home, |fields| {
        for field in [2, 5] {
            if let Some(time) = fields.get_mut(field) {
                *time = (time.parse::<i64>().unwrap() - seconds).to_string();
            }
        }
    });
}

fn change_lock(home: &Home, change: impl FnOnce(&mut Vec<String>)) {
    let lock = lock_of(home);
    let text = fs::read_to_string(&lock).unwrap();
    let mut fields: Vec<String> = text.trim_end().split('\t').map(str::to_owned).collect();
    fields.pop();
    change(&mut fields);
    let line = fields.join("\t") + "\t";
    let sum = crc32fast::hash(line.as_bytes());
    fs::write(&lock, format!("{line}{sum:08x}\n")).unwrap();
}

fn lock_of(home: &Home) -> PathBuf {
    with_extension(home, "lock")
}

fn with_extension(home: &Home, extension: &str) -> PathBuf {
    let mut entries = fs::read_dir(home.state())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_it = |path: &PathBuf| path.extension().is_some_and(|e| e == extension);
    entries.find(is_it).unwrap()
}

/// Three messages that are old enough to be deleted.
fn three_that_are_due() -> (Server, Home) {
    let (server, home) = plainly(3, Behaviour::new());
    run(&home, &DUE, 0);
    let stored = now();
    within(PATIENCE, || (now() > stored + 1).then_some(())).unwrap();
    (server, home)
}

const DUE: [&str; 3] = ["fetch", "--delete-after", "1s"];
const DAY: i64 = 24 * 60 * 60;

#[test]
fn s69_e_9_after_a_leap_of_the_clock_nothing_is_deleted_for_its_age_until_a_run_a_day_later() {
    let (server, home) = three_that_are_due();
    for days in [20, 400, 3650] {
        last_run_was(&home, days * DAY);
        // What would be done is what is done.
        for dry in [true, false] {
            let option: &[&str] = if dry { &["-n"] } else { &[] };
            let output = run(&home, &[&DUE[..], option].concat(), 0);
            assert!(!output.stderr.contains("delete 3"), "{output:#?}");
            if dry || days == 20 {
                assert_said(
                    &output,
                    &["warning: a: ", "clock", "3 messages", "a day later"],
                );
            }
            assert_eq!(server.maildrop().count(), 3);
        }
    }
    // The second run, and one some hours later, is no proof that the clock is right.
    for hours in [0, 23] {
        time_passes(&home, hours * 3600);
        run(&home, &DUE, 0);
        assert_eq!(server.maildrop().count(), 3);
    }
    time_passes(&home, 3600);
    assert_said(&run(&home, &DUE, 0), &["3 deleted"]);
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn e_9_another_command_in_between_does_not_take_the_doubt_of_the_clock_away() {
    let (server, home) = three_that_are_due();
    last_run_was(&home, 20 * DAY);
    run(&home, &["state", "mark-seen", "a"], 0);
    run(&home, &DUE, 0);
    assert_eq!(server.maildrop().count(), 3);
}

#[test]
fn e_9_a_run_after_six_days_deletes_what_is_due_and_so_does_keep_never_after_any_time() {
    let (server, home) = three_that_are_due();
    last_run_was(&home, 6 * DAY);
    run(&home, &DUE, 0);
    assert_eq!(server.maildrop().count(), 0);

    let (server, home) = three_that_are_due();
    last_run_was(&home, 20 * DAY);
    run(&home, &["fetch", "--delete"], 0);
    assert_eq!(server.maildrop().count(), 0, "no age has a say in this");
}

#[test]
fn e_9_without_the_locks_file_the_journal_says_when_the_last_run_was() {
    let (server, home) = three_that_are_due();
    fs::remove_file(lock_of(&home)).unwrap();
    let journal = with_extension(&home, "journal");
    // As it were, had the run begun twenty days earlier.
    rewrite(&journal, |fields| {
        if fields[0] == "B" {
            fields[1] = (now() as i64 - 20 * DAY).to_string();
        }
    });
    let dry = run(&home, &[&DUE[..], &["-n"]].concat(), 0);
    assert_said(&dry, &["clock", "3 messages"]);
    run(&home, &DUE, 0);
    assert_eq!(server.maildrop().count(), 3);
}

#[test]
fn s69_a_clock_that_was_set_back_deletes_nothing_early_and_brings_nothing_twice() {
    const YEAR: i64 = 365 * 24 * 60 * 60;
    let (server, home) = plainly(3, Behaviour::new());
    run(&home, &[], 0);
    // The last run seems to lie in the future.
    last_run_was(&home, -10 * YEAR);
    let output = run(&home, &["fetch", "--delete-after", "1h"], 0);
    assert_said(&output, &["nothing new"]);
    assert_eq!(server.maildrop().count(), 3);
    tree::assert_holds(&home.maildir("a"), &mail(3));
}

/// The hour that the clock on the wall shows in a zone now, with its day.
fn hour_in(zone: &str) -> String {
    let zone = jiff::tz::TimeZone::get(zone).unwrap();
    let now = jiff::Timestamp::now().to_zoned(zone);
    now.strftime("%Y-%m-%d %H:").to_string()
}

#[test]
fn e_8_times_are_those_of_the_zone_that_tz_names_also_behind_the_sandbox() {
    let same = |zone: &'static str| (zone, zone);
    for (variable, zone) in [
        same("Europe/Berlin"),
        same("America/New_York"),
        same("Asia/Kolkata"),
        (":Pacific/Auckland", "Pacific/Auckland"),
        ("IST-5:30", "Asia/Kolkata"),
        same("UTC"),
    ] {
        let (_server, home) = three_that_are_due();
        last_run_was(&home, 20 * DAY);
        let before = hour_in(zone);
        let run = home.popfetch(DUE).env("TZ", variable);
        let output = run.expect(0);
        let hours = [before, hour_in(zone)];
        let is_said = |hour: &String| output.stderr.contains(&format!("it is {hour}"));
        assert!(hours.iter().any(is_said), "{variable}: {output:#?}");
    }
}

#[test]
fn e_8_times_before_the_sandbox_are_of_the_same_zone() {
    let reply = Reply::raw("-ERR [IN-USE] locked\r\n");
    let behaviour = Behaviour::new().on("PASS", reply.clone()).on("AUTH", reply);
    let (_server, home) = plainly(1, behaviour);
    let zone = "Asia/Kathmandu";
    let before = hour_in(zone);
    run(&home, &[], 75);
    let output = home.popfetch(["fetch"]).env("TZ", zone).expect(75);
    let hours = [before, hour_in(zone)];
    let is_said = |hour: &String| output.stderr.contains(&format!("mailbox at {hour}"));
    assert!(hours.iter().any(is_said), "{output:#?}");
}

#[test]
fn e_8_a_zone_that_nobody_knows_fails_no_run() {
    let (_server, home) = three_that_are_due();
    for zone in [
        "Nowhere/Land",
        "",
        ":",
        "/etc/passwd",
        "../../../etc/shadow",
        "\u{1b}[31m",
    ] {
        last_run_was(&home, 20 * DAY);
        let output = home.popfetch(DUE).env("TZ", zone).expect(0);
        assert!(!output.stderr.contains('\u{1b}'), "{output:#?}");
    }
}

#[test]
fn d31_times_in_the_journal_that_no_clock_ever_shows_fail_no_run() {
    for time in [i64::MIN, -1, i64::MAX] {
        let (server, home) = three_that_are_due();
        let journal = with_extension(&home, "journal");
        for fields in ["N\tTIME", "T\tTIME", "i\tTIME\tmpop\tdeleted\texact"] {
            append(&journal, &[&fields.replace("TIME", &time.to_string())]);
        }
        // What is no longer what was stored is told once, and daily.
        for file in fs::read_dir(home.maildir("a").join("new")).unwrap() {
            fs::write(file.unwrap().path(), "").unwrap();
        }
        let output = run(&home, &DUE, 0);
        assert_said(&output, &["3 messages not deleted from the server"]);
        assert_eq!(server.maildrop().count(), 3);
        run(&home, &["state", "show", "a"], 0);
    }
}

#[test]
fn s70_s71_two_accounts_with_one_maildir_get_a_copy_of_the_same_message_each() {
    let same = [Message::from_lf(
        "same",
        "Message-ID: <1@example.com>\n\nsame\n",
    )];
    let home = Home::new();
    let servers = [(); 2].map(|()| {
        Server::builder(&Maildrop::new(same.clone()))
            .security(Security::Plain)
            .start()
    });
    let [first, second] = ["a", "b"].map(|name| {
        let server = &servers[usize::from(name == "b")];
        let text = home.account_config(name, &server.account());
        let own = format!("{:?}", home.maildir(name));
        text.replace(&own, &format!("{:?}", home.maildir("shared")))
    });
    home.config(&(first.clone() + &second));
    let both = [same.clone(), same.clone()].concat();
    for _ in 0..2 {
        run(&home, &[], 0);
        tree::assert_holds(&home.maildir("shared"), &both);
    }
    // An account of the same name on another server has nothing to do with the first.
    let third = Server::builder(&Maildrop::new(same.clone()))
        .security(Security::Plain)
        .start();
    let port = |server: &Server| format!("port = {}\n", server.port());
    home.config(&first.replace(&port(&servers[0]), &port(&third)));
    run(&home, &["fetch", "--delete"], 0);
    tree::assert_holds(&home.maildir("shared"), &[both, same.to_vec()].concat());
    assert_eq!(third.maildrop().count(), 0);
    assert_eq!(servers[0].maildrop().count(), 1);
}
