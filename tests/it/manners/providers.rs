use std::time::{Duration, Instant};

use crate::given::{assert_said, run};
use crate::support::run::Home;

#[test]
fn who_has_no_pop3_is_said_at_once_without_a_password_or_a_connection() {
    for (host, name, instead) in [
        ("imap.mail.me.com", "iCloud", "IMAP"),
        ("icloud.com", "iCloud", "IMAP"),
        ("pop.proton.me", "Proton", "Bridge"),
        ("mail.tutanota.com", "Tuta", "apps"),
    ] {
        let home = Home::in_memory();
        // A command that would leave its mark if it were run.
        home.config(&format!(
            "[accounts.a]\nhost = {host:?}\nuser = \"ada\"\n\
             password-command = [\"touch\", \"asked\"]\n"
        ));
        let began = Instant::now();
        for arguments in [&["fetch"][..], &["check"], &["account", "test"]] {
            let output = run(&home, arguments, 69);
            assert_said(
                &output,
                &["error: a: ", name, "has no POP3", "hint: ", instead],
            );
        }
        assert!(began.elapsed() < Duration::from_secs(5));
        assert!(!home.path().join("asked").exists());
        assert!(!home.maildir("a").exists());
    }
}
