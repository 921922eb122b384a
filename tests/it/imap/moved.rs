use super::{IMAP, fetched};
use crate::given::{assert_said, letter, mail, run};
use crate::support::dovecot::Dovecot;
use crate::support::run::Home;
use crate::support::tree;

#[test]
fn who_goes_over_from_pop3_is_told_and_has_nothing_twice() {
    let Some(mut dovecot) = Dovecot::start_with_imap(&mail(30), "") else {
        return;
    };
    let home = Home::of(&dovecot.account(), "");
    assert_eq!(fetched(&home), 30);
    // The same mailbox, into the same Maildir.
    let [imap, _] = dovecot.imap_accounts();
    let before = home.account_config("a", &dovecot.account());
    let after = home.account_config("b", &imap) + IMAP;
    let maildir = format!("{:?}", home.maildir("a"));
    let after = after.replace(&format!("{:?}", home.maildir("b")), &maildir);
    home.config(&(before + &after));
    let output = run(&home, &["fetch", "b"], 78);
    assert_said(&output, &["30 of the 30 messages", "popfetch state move"]);
    run(&home, &["state", "move", "a", "b"], 0);
    dovecot.deliver(&[letter(31)]);
    let output = home
        .popfetch(["fetch", "--now", "--format", "paths", "b"])
        .expect(0);
    assert_eq!(output.stdout.lines().count(), 1, "{output:#?}");
    tree::assert_holds(&home.maildir("a"), &mail(31));
    let output = home
        .popfetch(["fetch", "--now", "--format", "paths", "b"])
        .expect(0);
    assert_eq!(output.stdout, "");
}

#[test]
fn c3_an_inbox_that_pop3_has_fetched_does_not_come_again_with_all_folders() {
    let Some(mut dovecot) = Dovecot::start_with_imap(&mail(12), "") else {
        return;
    };
    let archived: Vec<_> = (21..=50).map(letter).collect();
    dovecot.deliver_into(".Archive", &archived);
    let home = Home::of(&dovecot.account(), "");
    assert_eq!(fetched(&home), 12);
    // The same account by IMAP, whose state nobody has moved.
    let [imap, starttls] = dovecot.imap_accounts();
    let all = format!("{IMAP}folders = [\"*\"]\n");
    home.one_account(&imap, &all);
    let output = run(&home, &["fetch"], 78);
    assert_said(&output, &["12 of the 42 messages", "popfetch state move"]);
    assert_eq!(tree::count(&home.maildir("a")), 12);
    let old = dovecot.account();
    let old = format!("{}@{}:{}", old.user, old.host, old.port);
    run(&home, &["state", "move", &old, "a"], 0);
    assert_eq!(fetched(&home), 30);
    tree::assert_holds(&home.maildir("a"), &mail(12));
    // And by its other port.
    home.one_account(&starttls, &format!("{all}tls = \"starttls\"\n"));
    let output = run(&home, &["fetch"], 78);
    assert_said(&output, &["42 of the 42 messages"]);
}

#[test]
fn the_account_may_keep_its_name_and_the_state_is_named_as_it_was() {
    // As the manual says it.
    let Some(mut dovecot) = Dovecot::start_with_imap(&mail(30), "") else {
        return;
    };
    let home = Home::of(&dovecot.account(), "");
    assert_eq!(fetched(&home), 30);
    let [imap, _] = dovecot.imap_accounts();
    home.one_account(&imap, IMAP);
    let old = dovecot.account();
    let old = format!("{}@{}:{}", old.user, old.host, old.port);
    run(&home, &["state", "move", &old, "a"], 0);
    dovecot.deliver(&[letter(31)]);
    assert_eq!(fetched(&home), 1);
    tree::assert_holds(&home.maildir("a"), &mail(31));
    assert_eq!(fetched(&home), 0);
}
