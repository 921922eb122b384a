//! What another tool leaves on the server, or puts elsewhere there, is not deleted because import has read that the
//! tool deletes.

use crate::support::run::Home;

/// A home with these files, and the `keep` of the account that import makes of it.
fn keep_of(tool: &str, files: &[(&str, String)]) -> String {
    let mut home = Home::new();
    home.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    for (name, text) in files {
        home.private_file(name, text);
    }
    let output = home
        .popfetch(["import", tool, "-n"])
        .env("XDG_CONFIG_HOME", home.path().join(".config"))
        .run();
    assert_eq!(output.status, Some(0), "{}", output.stderr);
    let line = |it: &&str| it.trim_start().starts_with("keep = ");
    let keep = output.stdout.lines().find(line);
    let keep = keep.unwrap_or_else(|| panic!("no `keep`:\n{}", output.stdout));
    keep.trim().trim_start_matches("keep = ").to_owned()
}

fn getmail(kind: &str, retriever: &str, options: &str) -> String {
    let text = format!(
        "[retriever]\ntype = {kind}\nserver = h\nusername = u\npassword = p\n{retriever}\n[destination]\ntype = \
         Maildir\npath = ~/M/\n[options]\n{options}\n"
    );
    keep_of("getmail", &[(".getmail/getmailrc", text)])
}

#[test]
fn mail_that_getmail_moves_or_flags_or_does_not_look_for_is_not_deleted() {
    const IMAP: &str = "SimpleIMAPSSLRetriever";
    for instead in [
        "move_on_delete = Sent",
        "imap_on_delete = \\Seen",
        "imap_on_delete = (\\Flagged \\Seen)",
        "imap_search = UNSEEN",
        "imap_search = (Unseen)",
        "imap_search = Unseen\nimap_on_delete = \\Seen",
    ] {
        for deletes in [
            "delete = true",
            "delete_after = 30",
            "delete = yes\ndelete_after = 3",
        ] {
            assert_eq!(
                getmail(IMAP, instead, deletes),
                "\"always\"",
                "{instead}, {deletes}"
            );
        }
    }
    for same in [
        "",
        "move_on_delete =",
        "imap_on_delete = (\\DELETED \\Seen)",
        "imap_search = All",
        "imap_search = (ALL)",
    ] {
        assert_eq!(getmail(IMAP, same, "delete = true"), "\"never\"", "{same}");
        assert_eq!(
            getmail(IMAP, same, "delete_after = 3"),
            "\"3 days\"",
            "{same}"
        );
        assert_eq!(getmail(IMAP, same, ""), "\"always\"", "{same}");
    }
    // By POP3 getmail has no such keys.
    let by_pop = getmail(
        "SimplePOP3SSLRetriever",
        "move_on_delete = Sent",
        "delete = true",
    );
    assert_eq!(by_pop, "\"never\"");
}

#[test]
fn mail_that_mpop_skips_is_not_deleted() {
    let keep = |more: &str| {
        let text = format!("account a\nhost h\nuser u\ntls on\n{more}\n");
        keep_of("mpop", &[(".mpoprc", text)])
    };
    for (more, expected) in [
        ("", "\"never\""),
        ("keep off", "\"never\""),
        ("keep 3d", "\"3 days\""),
        ("keep off\nfilter /bin/f", "\"always\""),
        ("keep 3d\nfilter /bin/f", "\"always\""),
        ("filter /bin/f", "\"always\""),
        ("filter", "\"never\""),
        ("skipsize 0", "\"always\""),
        ("keep off\nskipsize 1", "\"always\""),
        ("skipsize 100k", "\"never\""),
    ] {
        assert_eq!(keep(more), expected, "{more}");
    }
}

#[test]
fn mail_that_fdm_does_not_fetch_or_keeps_is_not_deleted() {
    let keep = |account: &str, rules: &str| {
        let text = format!("account \"a\" {account}\n{rules}\n");
        keep_of("fdm", &[(".fdm.conf", text)])
    };
    let pop = "pop3s server \"h\" user \"u\" pass \"p\"";
    let imap = "imaps server \"h\" user \"u\" pass \"p\"";
    let all = "match all action maildir \"~/M\"";
    for (account, rules, expected) in [
        (pop.to_owned(), all, "\"never\""),
        (format!("{pop} new-only cache \"~/c\""), all, "\"never\""),
        (format!("{pop} old-only cache \"~/c\""), all, "\"always\""),
        (format!("{pop} keep"), all, "\"always\""),
        // What no rule matches stays there.
        (pop.to_owned(), "", "\"always\""),
        (
            pop.to_owned(),
            "match \"^From\" action maildir \"~/M\"",
            "\"always\"",
        ),
        (
            pop.to_owned(),
            "match \"^From\" action keep\nmatch all action maildir \"~/M\"",
            "\"always\"",
        ),
        (imap.to_owned(), all, "\"never\""),
        (format!("{imap} new-only"), all, "\"always\""),
        (format!("{imap} old-only"), all, "\"always\""),
    ] {
        assert_eq!(keep(&account, rules), expected, "{account} {rules}");
    }
}

#[test]
fn mail_that_fetchmail_does_not_delete_is_not_deleted() {
    let keep = |options: &str| {
        let text = format!("poll h {options}\n");
        keep_of("fetchmail", &[(".fetchmailrc", text)])
    };
    for (options, expected) in [
        ("protocol pop3 user u password p", "\"never\""),
        ("protocol pop3 user u password p keep", "\"always\""),
        // What was read is left there by `protocol imap`, unless it fetches all.
        ("protocol imap user u password p", "\"always\""),
        ("protocol imap user u password p keep flush", "\"always\""),
    ] {
        assert_eq!(keep(options), expected, "{options}");
    }
}

#[test]
fn mail_of_which_thunderbird_leaves_a_part_or_filters_leave_some_is_not_deleted() {
    let keep = |prefs: &str, rules: Option<&str>| {
        let text = format!(
            "user_pref(\"mail.accountmanager.accounts\", \"account1\");\n\
             user_pref(\"mail.account.account1.server\", \"server1\");\n\
             user_pref(\"mail.server.server1.type\", \"pop3\");\n\
             user_pref(\"mail.server.server1.hostname\", \"h\");\n\
             user_pref(\"mail.server.server1.socketType\", 3);\n\
             user_pref(\"mail.server.server1.userName\", \"u\");\n\
             user_pref(\"mail.server.server1.directory-rel\", \"[ProfD]Mail/h\");\n{prefs}"
        );
        let profile = ".thunderbird/x.default";
        let mut files = vec![
            (
                ".thunderbird/profiles.ini".to_owned(),
                "[Profile0]\nName=d\nIsRelative=1\nPath=x.default\nDefault=1\n".to_owned(),
            ),
            (format!("{profile}/prefs.js"), text),
        ];
        if let Some(rules) = rules {
            files.push((
                format!("{profile}/Mail/h/msgFilterRules.dat"),
                rules.to_owned(),
            ));
        }
        let files: Vec<_> = files
            .iter()
            .map(|(name, text)| (name.as_str(), text.clone()))
            .collect();
        keep_of("thunderbird", &files)
    };
    let leaves = "version=\"9\"\nname=\"x\"\nenabled=\"yes\"\naction=\"Leave on Pop3 server\"\n";
    let moves = "version=\"9\"\nname=\"x\"\nenabled=\"yes\"\naction=\"Move to folder\"\n";
    let headers = "user_pref(\"mail.server.server1.headers_only\", true);\n";
    let by_age = "user_pref(\"mail.server.server1.leave_on_server\", true);\n\
                  user_pref(\"mail.server.server1.delete_by_age_from_server\", true);\n\
                  user_pref(\"mail.server.server1.num_days_to_leave_on_server\", 5);\n";
    assert_eq!(keep("", None), "\"never\"");
    assert_eq!(keep("", Some(moves)), "\"never\"");
    assert_eq!(keep(by_age, Some(moves)), "\"5 days\"");
    assert_eq!(keep(headers, None), "\"always\"");
    assert_eq!(keep(&format!("{by_age}{headers}"), None), "\"always\"");
    assert_eq!(keep("", Some(leaves)), "\"always\"");
    assert_eq!(keep(by_age, Some(leaves)), "\"always\"");
}
