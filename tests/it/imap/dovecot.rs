use super::{IMAP, fetched};
use crate::given::{assert_said, mail, run};
use crate::support::dovecot::Dovecot;
use crate::support::run::Home;
use crate::support::tree;

#[test]
fn three_hundred_messages_of_dovecots_arrive_as_they_are_and_once() {
    let Some(dovecot) = Dovecot::start_with_imap(&mail(300), "") else {
        return;
    };
    for account in dovecot.imap_accounts() {
        let home = Home::new();
        let start_tls = account.port == dovecot.imap_accounts()[1].port;
        let tls = if start_tls {
            "tls = \"starttls\"\n"
        } else {
            ""
        };
        home.one_account(&account, &format!("{IMAP}{tls}"));
        assert_eq!(fetched(&home), 300, "{}", dovecot.log());
        tree::assert_holds(&home.maildir("a"), &mail(300));
        assert_eq!(fetched(&home), 0);
        assert_eq!(dovecot.count(), 300);
    }
    // Nobody has seen them.
    assert_eq!(dovecot.new_files().len(), 300);
    let home = Home::of(&dovecot.imap_accounts()[0], IMAP);
    let output = run(&home, &["fetch", "--delete"], 0);
    assert_said(&output, &["300"]);
    assert_eq!(dovecot.count(), 0, "{}", dovecot.log());
    tree::assert_holds(&home.maildir("a"), &mail(300));
}
