//! Files that anybody may have written.

use popfetch::import::{Surroundings, Tool, Wanted, read};
use proptest::prelude::*;
use std::fs;

/// Reads octets as each of the tool's files; the result may be any, a panic is none.
fn read_as(tool: Tool, config: &[u8], seen: &[u8]) {
    let home = crate::support::scratch::directory();
    let around = Surroundings {
        home: home.path().to_owned(),
        ..Surroundings::default()
    };
    let (rc, ids) = (home.path().join("rc"), home.path().join("ids"));
    fs::write(&rc, config).unwrap();
    fs::write(&ids, seen).unwrap();
    let wanted = Wanted {
        path: Some(&rc),
        seen: Some(&ids),
        only: None,
        around: &around,
    };
    let found = read(tool, wanted);
    if let Ok(found) = found {
        let mut shown = format!("{:?}", found.lines);
        shown.push_str(
            &found
                .drafts
                .iter()
                .map(|it| format!("{it:?}"))
                .collect::<String>(),
        );
        // What is mangled may have made anything of the password, a user's name for one.
        let intact = [MPOP, GETMAIL, FDM, FETCHMAIL, THUNDERBIRD]
            .iter()
            .any(|text| text.as_bytes() == config);
        assert!(!intact || !shown.contains("tr0ub4dor"), "{shown}");
    }
}

const MPOP: &str = "defaults\ntls on\naccount a\nhost h\nuser u\npassword tr0ub4dor\nkeep 3d\nskipsize \
                    3k\ntimeout 7\nauth plain\ndelivery maildir ~/x\nproxy_host p\naccount b : a\n";
const GETMAIL: &str = "[retriever]\ntype = SimplePOP3SSLRetriever\nserver = h\nusername = u\npassword = \
                       tr0ub4dor\n[destination]\ntype = Maildir\npath = ~/$X/\n[options]\ndelete_after \
                       = 3\n";

const FDM: &str = "$p = \"tr0ub\"\n%n = 995\nset timeout 2 minutes\nset proxy \"http://h\"\naccount \"a\" \
                   pop3s server \"h\" port %n user \"u\" pass \"${p}4dor\" new-only cache \"c\" keep\n\
                   action \"x\" { maildir \"%h/%a\" keep }\nmatch account \"a*\" {\nmatch \"q\" in \
                   headers and age > 3 days action drop continue\nmatch all action \"x\"\n}\nifdef $p\n\
                   set no-received\nendif\n";

const FETCHMAIL: &str = "set idfile x\ndefaults proto pop3 timeout 7\npoll h via 'i' port 1 plugin \"p %h\" user \
                         \"u\\x41\" there with pass tr0ub4dor is a=b * here no keep ssl limit 3 sslmode a=b mda \
                         'm' user v here is w there passwordeval 'x|y'\nskip j user k\n";

const THUNDERBIRD: &str = "// c\n/* c */ user_pref(\"mail.account.a.server\", \"s\");\nuser_pref(\"mail.accountmanager.accounts\", \
                           'a,b');\nuser_pref(\"mail.server.s.type\", \"\\x70op3\");\n\
                           user_pref(\"mail.server.s.hostname\", \"h:995\");user_pref(\"mail.server.s.userName\", \
                           \"\\ud83d\\ude00\");\nuser_pref(\"mail.server.s.password\", \"tr0ub4dor\");\n\
                           user_pref(\"mail.server.s.port\", -1, locked);\nuser_pref(\"mail.server.s.max_size\", 50);\n\
                           user_pref(\"mail.server.s.limit_offline_message_size\", true);\n";

/// A text with a part of it replaced by something else.
fn mangled(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let octets = proptest::collection::vec(any::<u8>(), 0..12);
    let word = prop_oneof![
        octets,
        "[ -~\\n\\t%$é\"'\\\\():=,]{0,12}".prop_map(String::into_bytes)
    ];
    (0..=text.len(), 0..20_usize, word).prop_map(move |(at, length, word)| {
        let end = (at + length).min(text.len());
        let mut mangled = text.as_bytes()[..at].to_vec();
        mangled.extend(word);
        mangled.extend(&text.as_bytes()[end..]);
        mangled
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_stands_in_a_tools_files_nothing_panics_and_no_password_is_shown(
        mpop in mangled(MPOP),
        getmail in mangled(GETMAIL),
        fdm in mangled(FDM),
        lengths in mangled("4 UID1\n3 a b\n12 0000b3f1a2c4\n"),
        fetchmail in mangled(FETCHMAIL),
        fetchids in mangled("u@h 1\nv w@x@h 2@3\n"),
        thunderbird in mangled(THUNDERBIRD),
        popstate in mangled("# c\n\n*h u\nk 1 17\nb 2 18\nd 3 undefined\n*i v\nf 4"),
        ids in proptest::collection::vec(any::<u8>(), 0..40),
        list in mangled(" 2 h u\nx 17\ny\n 1 h v\nz\n"),
        old in mangled("x\u{0}17\ny\u{0}18\n"),
    ) {
        read_as(Tool::Mpop, &mpop, &list);
        read_as(Tool::Mpop, MPOP.as_bytes(), &ids);
        read_as(Tool::Fetchmail, &fetchmail, &fetchids);
        read_as(Tool::Fetchmail, FETCHMAIL.as_bytes(), &ids);
        read_as(Tool::Getmail, &getmail, &old);
        read_as(Tool::Getmail, GETMAIL.as_bytes(), &ids);
        read_as(Tool::Thunderbird, &thunderbird, &popstate);
        read_as(Tool::Thunderbird, THUNDERBIRD.as_bytes(), &ids);
        read_as(Tool::Fdm, &fdm, &lengths);
        read_as(Tool::Fdm, FDM.as_bytes(), &ids);
    }
}
