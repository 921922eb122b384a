//! A program instead of a Maildir, and beside one.

use super::{TAKE, account, assert_taken_once, by_shell, serving, spool, taken, write_config};
use crate::given::{assert_said, mail, run};
use crate::support::behaviour::Behaviour;
use crate::support::message::Message;
use crate::support::tree;
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn each_message_is_given_to_the_program_once_and_then_deleted_in_the_same_session() {
    let (server, home) = account(30, &format!("keep = \"never\"\n{}", by_shell(TAKE)));
    let messages = server.maildrop().messages();
    let output = run(&home, &[], 0);
    assert_said(&output, &["30 handed on", "30 deleted"]);
    assert_taken_once(&home, &messages);
    assert_eq!(server.maildrop().count(), 0);
    assert!(!home.maildir("a").exists());
    // What has been handed on has left.
    assert_eq!(tree::count(&spool(&home)), 0);
    run(&home, &[], 0);
    assert_taken_once(&home, &messages);
}

#[test]
fn what_is_kept_on_the_server_is_not_handed_on_again() {
    let (server, home) = account(3, &by_shell(TAKE));
    run(&home, &[], 0);
    let again = run(&home, &[], 0);
    assert_said(&again, &["nothing new"]);
    assert_taken_once(&home, &server.maildrop().messages());
    assert_eq!(server.last_session().count("RETR"), 0);
}

#[test]
fn the_place_beside_the_state_is_for_its_owner_alone() {
    let (_server, home) = account(1, &by_shell("cat > /dev/null; exit 75"));
    run(&home, &[], 1);
    let spool = spool(&home);
    assert_eq!(tree::count(&spool), 1);
    for place in [&spool, spool.parent().unwrap()] {
        let mode = fs::metadata(place).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{place:?}");
    }
}

#[test]
fn what_waits_to_be_handed_on_is_told_where_mail_is_listed() {
    let (_server, home) = account(2, &by_shell("cat > /dev/null; exit 75"));
    run(&home, &[], 1);
    // One that has a Maildir is listed beside it.
    let own = fs::read_to_string(home.config_file()).unwrap();
    let maildir = home.maildir("b");
    for part in ["tmp", "new", "cur"] {
        fs::create_dir_all(maildir.join(part)).unwrap();
    }
    home.config(&format!(
        "{own}[accounts.b]\nhost = \"pop.example.com\"\nuser = \"b\"\nmaildir = {maildir:?}\n"
    ));
    let said = "a: 2 messages wait to be handed on and are not listed: popfetch fetch a says why";
    assert_said(&run(&home, &["list"], 0), &["no messages", said]);
    assert_said(
        &run(&home, &["list", "a"], 78),
        &["each message is handed on", said],
    );
    assert_eq!(run(&home, &["list", "-q"], 0).stderr, "");
    let said = "a: 2 messages wait to be handed on: popfetch fetch a says why";
    assert_said(&run(&home, &["check", "a"], 0), &[said]);
    let tested = run(&home, &["account", "test", "a"], 0).stdout;
    assert!(
        tested.contains(", of which 2 wait to be handed on"),
        "{tested}"
    );
    home.config(&own.replace("exit 75", "exit 0"));
    run(&home, &["fetch", "--now"], 0);
    let told = run(&home, &["list"], 78);
    assert!(!told.stderr.contains("wait"), "{told:#?}");
}

#[test]
fn with_a_maildir_the_program_gets_what_is_in_it_and_it_stays_there() {
    let maildir = "maildir = \"~/Mail/a\"\nkeep = \"never\"";
    let (server, home) = account(10, &format!("{maildir}\n{}", by_shell(TAKE)));
    let messages = server.maildrop().messages();
    run(&home, &[], 0);
    assert_taken_once(&home, &messages);
    tree::assert_holds(&home.maildir("a"), &messages);
    assert_eq!(server.maildrop().count(), 0);
    assert!(!home.state().join("spool").exists());
}

#[test]
fn an_account_that_gets_a_program_later_hands_on_what_comes_from_then_on() {
    let maildir = "maildir = \"~/Mail/a\"";
    let (server, home) = account(5, maildir);
    run(&home, &[], 0);
    write_config(&server, &home, &format!("{maildir}\n{}", by_shell(TAKE)));
    let new = Message::from_lf("new-one", "Subject: new\n\nnew\n");
    server.maildrop().add([new.clone()]);
    run(&home, &[], 0);
    assert_taken_once(&home, &[new]);
    assert_eq!(tree::count(&home.maildir("a")), 6);
}

#[test]
fn a_program_that_says_later_is_asked_in_each_run_and_nothing_is_deleted_before() {
    let script =
        format!("test -e open || {{ cat > /dev/null; echo closed >&2; exit 75; }}; {TAKE}");
    let (server, home) = account(2, &format!("keep = \"never\"\n{}", by_shell(&script)));
    let messages = server.maildrop().messages();
    for _ in 0..4 {
        let output = run(&home, &[], 1);
        assert_said(
            &output,
            &["EX_TEMPFAIL", "it says: closed", "2 not handed on yet"],
        );
    }
    assert_eq!(server.maildrop().count(), 2);
    assert_eq!(server.count("RETR"), 2);
    fs::write(home.path().join("open"), "").unwrap();
    run(&home, &[], 0);
    assert_taken_once(&home, &messages);
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn what_says_later_is_named_once_a_day_where_only_problems_are_told() {
    let (_server, home) = account(1, &by_shell("cat > /dev/null; exit 75"));
    let first = run(&home, &["-q"], 1);
    assert_said(&first, &["EX_TEMPFAIL"]);
    assert_eq!(run(&home, &["-q"], 1).stderr, "");
}

#[test]
fn a_message_that_is_refused_is_named_and_the_others_are_handed_on() {
    let script = format!(
        "case $POPFETCH_UNIQUE_ID in bad) cat > /dev/null; echo who is that >&2; exit 67;; esac; {TAKE}"
    );
    let mut messages = mail(3);
    messages.insert(1, Message::from_lf("bad", "Subject: bad\n\nbad\n"));
    let keys = format!("keep = \"never\"\n{}", by_shell(&script));
    let (server, home) = serving(messages, Behaviour::new(), &keys);
    let output = run(&home, &[], 1);
    assert_said(
        &output,
        &["bad", "exit status 67 (EX_NOUSER)", "who is that"],
    );
    assert_taken_once(&home, &mail(3));
    assert_eq!(server.maildrop().unique_ids(), ["bad"]);
    // It is tried twice more, and then once a day.
    for _ in 0..2 {
        assert_said(&run(&home, &["fetch", "--quiet"], 1), &[]);
        let output = run(&home, &[], 1);
        assert_said(&output, &["bad"]);
    }
    let waits = run(&home, &[], 1);
    assert_said(&waits, &["bad", "tried once a day"]);
    assert_eq!(server.count("RETR"), 4);
}

#[test]
fn a_program_that_ends_well_before_it_has_read_everything_has_not_taken_the_message() {
    for script in ["true", "head -c 10 > /dev/null", "exec <&-"] {
        let long = Message::generated("long", 3_000_000, 1);
        let messages = vec![Message::from_lf("short", "Subject: s\n\ns\n"), long];
        let keys = format!("keep = \"never\"\n{}", by_shell(script));
        let (server, home) = serving(messages, Behaviour::new(), &keys);
        let output = run(&home, &[], 1);
        assert_said(
            &output,
            &["before it had read all", "short", "long", "2 failed"],
        );
        assert_eq!(server.maildrop().count(), 2, "{script}");
        assert_eq!(tree::count(&spool(&home)), 2, "{script}");
    }
}

#[test]
fn a_long_message_goes_through_the_pipe_octet_for_octet() {
    let messages = vec![Message::generated("long", 5_000_000, 7)];
    let (_server, home) = serving(messages.clone(), Behaviour::new(), &by_shell(TAKE));
    run(&home, &[], 0);
    assert_taken_once(&home, &messages);
}

#[test]
fn d34_a_program_that_hangs_is_ended_with_what_it_has_started_and_the_message_waits() {
    let script = "sleep 1000 & echo $! > child; cat > /dev/null; sleep 1000";
    let deliver = format!(
        "deliver = {{ command = [\"sh\", \"-c\", {script:?}], deadline = \"1 s\" }}\nkeep = \"never\""
    );
    let (server, home) = account(1, &deliver);
    let output = run(&home, &[], 1);
    assert_said(&output, &["did not end within 1 s"]);
    assert_eq!(server.maildrop().count(), 1);
    let child = fs::read_to_string(home.path().join("child")).unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.trim()));
    // Gone, or a zombie that nobody has waited for yet.
    assert!(
        stat.as_ref().map_or(true, |stat| stat.contains(") Z ")),
        "{stat:?}"
    );
}

#[test]
fn a_program_that_is_ended_by_a_signal_gets_the_message_again() {
    let script = format!("test -e once || {{ touch once; kill -9 $$; }}; {TAKE}");
    let (server, home) = account(1, &by_shell(&script));
    assert_said(&run(&home, &[], 1), &["ended by signal 9"]);
    run(&home, &[], 0);
    assert_taken_once(&home, &server.maildrop().messages());
}

#[test]
fn a_program_that_dies_in_the_middle_of_a_message_gets_it_again() {
    let script = format!("test -e once || {{ touch once; head -c 1000 >&2; kill -9 $$; }}; {TAKE}");
    let messages = vec![Message::generated("long", 3_000_000, 7)];
    let keys = format!("keep = \"never\"\n{}", by_shell(&script));
    let (server, home) = serving(messages.clone(), Behaviour::new(), &keys);
    assert_said(&run(&home, &[], 1), &["long", "1 not handed on yet"]);
    assert_eq!(server.maildrop().count(), 1);
    run(&home, &[], 0);
    assert_taken_once(&home, &messages);
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn a_program_that_never_ends_to_print_is_ended_like_one_that_hangs() {
    for (prints, messages) in [
        ("yes", 1),
        ("yes >&2", 1),
        ("cat > /dev/null; yes 'a line' >&2", 2),
    ] {
        let deliver = format!(
            "deliver = {{ command = [\"sh\", \"-c\", {prints:?}], deadline = \"1 s\" }}\nkeep = \"never\""
        );
        let (server, home) = account(messages, &deliver);
        let output = run(&home, &[], 1);
        assert_said(&output, &["did not end within 1 s"]);
        assert!(output.stderr.len() < 8000, "{}", output.stderr.len());
        assert!(output.peak_memory < 200_000_000, "{}", output.peak_memory);
        assert_eq!(output.stdout, "", "{prints}");
        assert_eq!(server.maildrop().count(), messages, "{prints}");
    }
}

#[test]
fn of_a_program_that_prints_without_end_only_the_end_is_kept() {
    let script = "yes 'a line that is printed' | head -c 20000000 >&2; printf '\\033[31mlast' >&2; cat > /dev/null; exit 69";
    let (_server, home) = account(1, &by_shell(script));
    let output = run(&home, &[], 1);
    assert_said(&output, &["EX_UNAVAILABLE", "\\x1b[31mlast"]);
    assert!(output.stderr.len() < 8000, "{}", output.stderr.len());
    assert!(output.peak_memory < 200_000_000, "{}", output.peak_memory);
}

#[test]
fn a_program_that_is_not_there_ends_the_run_with_78_and_nothing_is_lost() {
    let keys = "keep = \"never\"\ndeliver = { command = [\"no-such-program\"] }";
    let (server, home) = account(3, keys);
    let messages = server.maildrop().messages();
    let output = run(&home, &[], 78);
    assert_said(&output, &["cannot start `no-such-program`", "hint:"]);
    assert_eq!(server.maildrop().count(), 3);
    write_config(&server, &home, &by_shell(TAKE));
    run(&home, &[], 0);
    assert_taken_once(&home, &messages);
    assert_eq!(server.count("RETR"), 3);
}

#[test]
fn what_waits_is_handed_on_when_the_server_is_away_too() {
    let script = format!("test -e open || {{ cat > /dev/null; exit 75; }}; {TAKE}");
    let (server, home) = account(2, &by_shell(&script));
    let messages = server.maildrop().messages();
    run(&home, &[], 1);
    fs::write(home.path().join("open"), "").unwrap();
    server.behave(Behaviour::new().greeting("-ERR [SYS/TEMP] away\r\n"));
    let output = run(&home, &["-v"], 75);
    assert_said(&output, &["handed on message"]);
    assert_taken_once(&home, &messages);
}

#[test]
fn the_program_knows_whose_message_it_is_and_gets_a_line_of_the_envelope_where_it_wants_one() {
    let script = "cat > taken/m.$$; printf '%s\\n' \"$@\" $POPFETCH_ACCOUNT $POPFETCH_USER $POPFETCH_HOST \\
                  $POPFETCH_UNIQUE_ID $POPFETCH_OCTETS > words";
    let script = script.replace("\\\n                  ", "");
    let deliver = format!(
        "deliver = {{ command = [\"sh\", \"-c\", {script:?}, \"sh\", \"{{account}}\", \"{{user}}@x\", \
         \"{{host}}\", \"{{unique-id}}\", \"{{octets}}\", \"{{}}\"], from-line = true }}"
    );
    let text = "Return-Path: <bob@example.org>\nSubject: x\n\nFrom here\n";
    let message = Message::from_lf("-u 1", text);
    let (server, home) = serving(vec![message], Behaviour::new(), &deliver);
    run(&home, &[], 0);
    let user = server.account().user;
    let octets = text.len();
    let words = fs::read_to_string(home.path().join("words")).unwrap();
    let given = format!("a\n{user}@x\nlocalhost\n%2Du%201\n{octets}\n{{}}\n");
    assert_eq!(
        words,
        format!("{given}a\n{user}\nlocalhost\n-u%201\n{octets}\n")
    );
    let taken = taken(&home);
    let got = String::from_utf8(taken["m"][0].clone()).unwrap();
    let (line, rest) = got.split_once('\n').unwrap();
    assert!(line.starts_with("From bob@example.org "), "{line}");
    assert_eq!(rest, text);
}

#[test]
fn a_program_prints_nothing_among_the_data_of_a_run() {
    let script = format!("echo data; {TAKE}");
    let (_server, home) = account(1, &by_shell(&script));
    let output = run(&home, &["--format", "json"], 0);
    assert!(!output.stdout.contains("data"), "{}", output.stdout);
    assert!(
        output.stdout.contains("\"event\":\"handed\""),
        "{}",
        output.stdout
    );
}

#[test]
fn with_quiet_the_number_of_those_that_wait_is_told_with_the_first_of_them_and_not_again() {
    for (count, number) in [(6, Some("6 messages wait to be handed on")), (3, None)] {
        let (_server, home) = account(count, &by_shell("cat > /dev/null; exit 75"));
        let output = run(&home, &["-q"], 1);
        let named = output.stderr.matches("waits to be handed on").count();
        assert_eq!(named, 3, "{output:#?}");
        assert!(!output.stderr.contains("passed over"), "{output:#?}");
        match number {
            Some(number) => assert_said(&output, &[number]),
            None => assert!(!output.stderr.contains("messages wait"), "{output:#?}"),
        }
        // Those whose turn it is next may be news, and then nothing is.
        run(&home, &["-q"], 1);
        assert_eq!(run(&home, &["-q"], 1).stderr, "");
    }
}
