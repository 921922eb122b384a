use std::fs;

use crate::given::{assert_said, journal, journals, letter, mail, run, server};
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;

/// Ten messages, of which a mail reader has seen three.
fn fetched_ten() -> (Server, Home) {
    let (server, home) = server(10);
    run(&home, &[], 0);
    let maildir = home.maildir("a");
    for path in tree::new_files(&maildir).iter().take(3) {
        let name = path.file_name().unwrap().to_string_lossy();
        fs::rename(path, maildir.join("cur").join(format!("{name}:2,S"))).unwrap();
    }
    (server, home)
}

/// Nothing comes twice now, what is new comes, and after that all is as ever.
#[track_caller]
fn goes_on(server: &Server, home: &Home, told: bool) {
    server.maildrop().add([letter(11)]);
    let output = run(home, &[], 0);
    if told {
        assert_said(&output, &["warning: a: ", "made again from the Maildir"]);
    }
    tree::assert_holds(&home.maildir("a"), &mail(11));
    let output = run(home, &[], 0);
    assert!(!output.stderr.contains("warning"), "{output:#?}");
    tree::assert_holds(&home.maildir("a"), &mail(11));
    assert_eq!(server.last_session().count("RETR"), 0);
}

/// The damaged file's content is still somewhere in the state directory.
#[track_caller]
fn assert_kept_aside(home: &Home, damaged: &[u8]) {
    let entries = fs::read_dir(home.state()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let journal = journal(home);
    let aside: Vec<_> = paths
        .filter(|path| path.is_file() && *path != journal)
        .collect();
    let kept = aside.iter().any(|path| fs::read(path).unwrap() == damaged);
    assert!(kept, "not kept: {aside:?}");
}

#[test]
fn d2_t20_a_state_file_that_is_cut_short_is_found_out_and_made_again() {
    for divisor in [2, 3, 50] {
        let (server, home) = fetched_ten();
        let path = journal(&home);
        let mut octets = fs::read(&path).unwrap();
        octets.truncate(octets.len() / divisor);
        fs::write(&path, &octets).unwrap();
        goes_on(&server, &home, true);
        assert_kept_aside(&home, &octets);
    }
}

#[test]
fn d2_d32_t20_an_empty_state_file_is_found_out_and_made_again() {
    let (server, home) = fetched_ten();
    fs::write(journal(&home), "").unwrap();
    goes_on(&server, &home, true);
}

#[test]
fn d14_t20_a_lost_state_file_is_made_again() {
    let (server, home) = fetched_ten();
    fs::remove_file(journal(&home)).unwrap();
    goes_on(&server, &home, true);
}

#[test]
fn d14_t20_a_lost_state_directory_is_made_again() {
    let (server, home) = fetched_ten();
    fs::remove_dir_all(home.state()).unwrap();
    goes_on(&server, &home, true);
}

#[test]
fn d2_t20_one_flipped_bit_anywhere_is_found_out() {
    for tenth in [0, 2, 3, 5, 10] {
        let (server, home) = fetched_ten();
        let path = journal(&home);
        let mut octets = fs::read(&path).unwrap();
        // The last one is in the last line, but not its end.
        let place = (octets.len() - 9) * tenth / 10;
        octets[place] ^= 0x04;
        fs::write(&path, &octets).unwrap();
        goes_on(&server, &home, true);
        assert_kept_aside(&home, &octets);
    }
}

#[test]
fn d36_a_tail_of_zeros_is_found_out() {
    let (server, home) = fetched_ten();
    let path = journal(&home);
    let mut octets = fs::read(&path).unwrap();
    octets.extend([0; 4096]);
    fs::write(&path, &octets).unwrap();
    // Whether it is told is a matter of taste: nothing is lost by it.
    goes_on(&server, &home, false);
}

#[test]
fn d21_a_state_that_is_older_than_the_mail_brings_nothing_twice() {
    for with_lock in [false, true] {
        let (server, home) = fetched_ten();
        let backup: Vec<_> = fs::read_dir(home.state())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| with_lock || path.extension().is_some_and(|e| e == "journal"))
            .map(|path| (fs::read(&path).unwrap(), path))
            .collect();
        server.maildrop().add([letter(11)]);
        run(&home, &[], 0);
        for (octets, path) in backup {
            fs::write(path, octets).unwrap();
        }
        run(&home, &[], 0);
        assert_eq!(server.last_session().count("RETR"), 0, "{with_lock}");
        tree::assert_holds(&home.maildir("a"), &mail(11));
        run(&home, &[], 0);
        assert_eq!(server.last_session().count("RETR"), 0, "{with_lock}");
        tree::assert_holds(&home.maildir("a"), &mail(11));
    }
}

#[test]
fn d32_a_state_of_another_version_or_kind_is_left_alone() {
    let (server, home) = fetched_ten();
    let path = journal(&home);
    let good = fs::read(&path).unwrap();
    let text = String::from_utf8(good.clone()).unwrap();
    let (header, rest) = text.split_once('\n').unwrap();
    let fields = header.rsplit_once('\t').unwrap().0;
    let future = fields.replace("popfetch-state\t3\t", "popfetch-state\t4\t") + "\t";
    let crc = crc32fast::hash(future.as_bytes());
    let future = format!("{future}{crc:08x}\n{rest}");
    let sessions = server.sessions().len();

    fs::write(&path, &future).unwrap();
    let output = run(&home, &[], 65);
    assert_said(
        &output,
        &["another version of popfetch", "use the newest popfetch"],
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), future);

    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let output = run(&home, &[], 78);
    assert_said(&output, &[path.to_str().unwrap(), "hint: "]);

    assert_eq!(server.sessions().len(), sessions, "it connected");
    fs::remove_dir(&path).unwrap();
    fs::write(&path, good).unwrap();
    goes_on(&server, &home, false);
}

#[test]
fn d32_the_state_file_of_another_account_is_not_taken_for_ones_own() {
    let (first, home) = server(4);
    let second = Server::start(&crate::support::maildrop::Maildrop::new(mail(8)));
    let text = home.account_config("a", &first.account());
    home.config(&(text + &home.account_config("b", &second.account())));
    run(&home, &[], 0);
    let paths = journals(&home);
    let contents = [0, 1].map(|n: usize| fs::read(&paths[n]).unwrap());
    fs::write(&paths[0], &contents[1]).unwrap();
    fs::write(&paths[1], &contents[0]).unwrap();
    let output = run(&home, &[], 0);
    assert_said(&output, &["warning: a: ", "warning: b: "]);
    tree::assert_holds(&home.maildir("a"), &mail(4));
    tree::assert_holds(&home.maildir("b"), &mail(8));
    let output = run(&home, &[], 0);
    assert!(!output.stderr.contains("warning"), "{output:#?}");
    tree::assert_holds(&home.maildir("a"), &mail(4));
}

#[test]
fn d33_what_a_person_deletes_here_does_not_come_back() {
    let (server, home) = fetched_ten();
    for file in tree::new_files(&home.maildir("a")) {
        fs::remove_file(file).unwrap();
    }
    run(&home, &[], 0);
    assert_eq!(tree::count(&home.maildir("a")), 3);
    assert_eq!(server.last_session().count("RETR"), 0);
}
