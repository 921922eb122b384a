use super::{letter, mail, named, retrieved, serving};
use crate::given::{assert_said, run};
use crate::support::behaviour::Behaviour;
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::tree;

#[test]
fn c3_few_messages_under_another_host_or_port_are_not_delivered_again() {
    for count in [1, 2, 3, 5, 9] {
        for other_port in [false, true] {
            let maildrop = Maildrop::new(mail(count));
            let first = serving(&maildrop, "ada", Behaviour::new());
            let second = serving(&maildrop, "ada", Behaviour::new());
            let home = Home::in_memory();
            home.one_account(&first.account(), "");
            run(&home, &[], 0);
            let mut account = second.account();
            if !other_port {
                (account.host, account.port) = ("127.0.0.1".into(), first.port());
            }
            home.one_account(&account, "keep = \"never\"\n");
            // One of them is new, where all would not be enough to be told by.
            let all = count + usize::from(count < 9);
            maildrop.add((count + 1..=all).map(letter));
            let output = run(&home, &["-q"], 0);
            tree::assert_holds(&home.maildir("a"), &mail(all));
            let old = format!("ada@localhost:{}", first.port());
            assert_said(
                &output,
                &[
                    "already, octet for octet",
                    &format!("popfetch state move {old} a"),
                ],
            );
            // What is another account's stays there until its owner says that it is one mailbox.
            assert_eq!(maildrop.count(), count);
            let output = run(&home, &["-q"], 0);
            assert!(!output.stderr.contains("already"), "{output:#?}");
            run(&home, &["state", "move", &old, "a"], 0);
            run(&home, &[], 0);
            assert_eq!(maildrop.count(), 0, "{count} {other_port}");
            tree::assert_holds(&home.maildir("a"), &mail(all));
        }
    }
}

#[test]
fn c3_few_messages_that_come_in_several_runs_under_another_name_are_not_delivered_again() {
    let maildrop = Maildrop::new(mail(6));
    let server = serving(&maildrop, "ada", Behaviour::new());
    let home = Home::in_memory();
    home.one_account(&server.account(), "");
    run(&home, &[], 0);
    let mut account = server.account();
    account.host = "127.0.0.1".into();
    let small = letter(3).listed_size();
    home.one_account(&account, &format!("max-size = \"{small} B\"\n"));
    run(&home, &[], 0);
    assert_eq!(retrieved(&server), 3);
    home.one_account(&account, "");
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(6));
}

#[test]
fn c3_two_mailboxes_of_one_host_with_like_names_are_both_fetched_into_one_maildir() {
    // Unique-ids count from 1 in each; one message was sent to both, the rest are each one's own.
    let at = |n: usize, name: &str| named(letter(n), name);
    let ada = vec![at(1, "1"), at(2, "2"), at(3, "3")];
    let bob = vec![at(4, "1"), at(2, "9"), at(5, "3")];
    let (first, second) = (Maildrop::new(ada.clone()), Maildrop::new(bob.clone()));
    let one = serving(&first, "ada", Behaviour::new());
    let other = serving(&second, "bob", Behaviour::new());
    let home = Home::in_memory();
    let text = home.account_config("b", &other.account());
    let maildir = |name| format!("maildir = {:?}\n", home.maildir(name));
    let text = text.replace(&maildir("b"), &maildir("a"));
    home.config(&[home.account_config("a", &one.account()), text].concat());
    run(&home, &["fetch", "a"], 0);
    let output = run(&home, &["fetch", "b"], 0);
    assert!(!output.stderr.contains("already"), "{output:#?}");
    let all: Vec<Message> = ada.into_iter().chain(bob).collect();
    tree::assert_holds(&home.maildir("a"), &all);
}

#[test]
fn c3_as_new_delivers_few_messages_under_another_name_all_the_same() {
    let maildrop = Maildrop::new(mail(3));
    let server = serving(&maildrop, "ada", Behaviour::new());
    let home = Home::in_memory();
    home.one_account(&server.account(), "");
    run(&home, &[], 0);
    let mut account = server.account();
    account.host = "127.0.0.1".into();
    home.one_account(&account, "");
    run(&home, &["fetch", "--as-new"], 0);
    assert_eq!(retrieved(&server), 3);
    assert_eq!(tree::count(&home.maildir("a")), 6);
}
