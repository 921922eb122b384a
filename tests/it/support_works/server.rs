use std::io::ErrorKind;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::account::Security;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::certificate::{Authority, Identity, Wanted};
use crate::support::client::Client;
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::process::{PATIENCE, within};
use crate::support::server::{How, Server};
use crate::support::wire::Ending;

fn three() -> Maildrop {
    Maildrop::new([
        Message::from_lf("a", "Subject: a\n\n.dot\n..\nend\n"),
        Message::new("b", "no line end"),
        Message::new("c", "").listed_as(7),
    ])
}

#[test]
fn the_server_speaks_pop3() {
    let server = Server::start(&three());
    let mut client = Client::connect(&server.account()).unwrap();
    assert_eq!(client.line().unwrap(), "+OK ready");
    assert!(client.ask("STAT").unwrap().starts_with("-ERR"));
    assert!(
        String::from_utf8(client.body("CAPA"))
            .unwrap()
            .contains("UIDL\r\n")
    );
    client.ok("user ada");
    assert!(client.ask("PASS wrong").unwrap().starts_with("-ERR [AUTH]"));
    client.ok("USER ada");
    client.ok("PASS secret");
    assert_eq!(client.ok("STAT"), "+OK 3 47");
    assert_eq!(client.body("LIST"), b"1 29\r\n2 11\r\n3 7\r\n");
    assert_eq!(client.body("UIDL"), b"1 a\r\n2 b\r\n3 c\r\n");
    assert_eq!(client.ok("LIST 2"), "+OK 2 11");
    assert_eq!(client.ok("UIDL 3"), "+OK 3 c");
    assert_eq!(
        client.body("RETR 1"),
        b"Subject: a\r\n\r\n..dot\r\n...\r\nend\r\n"
    );
    assert_eq!(client.body("RETR 2"), b"no line end\r\n");
    assert_eq!(client.body("RETR 3"), b"");
    assert_eq!(client.body("TOP 1 0"), b"Subject: a\r\n\r\n");
    assert_eq!(client.body("TOP 1 1"), b"Subject: a\r\n\r\n..dot\r\n");
    client.ok("NOOP");
    client.ok("DELE 2");
    assert!(client.ask("RETR 2").unwrap().starts_with("-ERR"));
    assert_eq!(client.body("UIDL"), b"1 a\r\n3 c\r\n");
    assert_eq!(client.ok("STAT"), "+OK 2 36");
    client.ok("RSET");
    assert_eq!(client.ok("STAT"), "+OK 3 47");
    client.ok("QUIT");
    let (rest, end) = client.rest();
    assert!(rest.is_empty());
    end.expect("TLS ends with close_notify");
    drop(client);
    let log = server.last_session();
    assert_eq!(log.ended, How::Quit);
    assert_eq!(log.commands[0], "STAT");
    assert_eq!(server.count("RETR"), 4);
}

#[test]
fn sasl_plain_works_with_and_without_an_initial_response() {
    let server = Server::start(&three());
    let mut client = Client::connect(&server.account()).unwrap();
    client.line().unwrap();
    assert!(
        client
            .ask("AUTH PLAIN AGFkYQB3cm9uZw==")
            .unwrap()
            .starts_with("-ERR [AUTH]")
    );
    client.ok("AUTH PLAIN AGFkYQBzZWNyZXQ=");
    client.ok("QUIT");
    drop(client);
    let mut client = Client::connect(&server.account()).unwrap();
    client.line().unwrap();
    assert_eq!(client.ask("AUTH PLAIN").unwrap(), "+");
    client.ok("AGFkYQBzZWNyZXQ=");
}

#[test]
fn deleted_messages_go_at_quit_and_not_before() {
    let maildrop = three();
    let server = Server::start(&maildrop);
    let mut client = Client::sign_in(&server.account());
    client.ok("DELE 1");
    drop(client);
    assert_eq!(server.last_session().ended, How::Left);
    assert_eq!(maildrop.unique_ids(), ["a", "b", "c"]);
    let mut client = Client::sign_in(&server.account());
    client.ok("DELE 1");
    client.ok("DELE 3");
    maildrop.add([Message::new("d", "new mail in the meantime")]);
    assert_eq!(maildrop.count(), 4);
    client.ok("QUIT");
    assert_eq!(maildrop.unique_ids(), ["b", "d"]);
}

#[test]
fn a_maildrop_is_for_one_client_at_a_time() {
    let server = Server::start(&three());
    let first = Client::sign_in(&server.account());
    let mut second = Client::connect(&server.account()).unwrap();
    second.line().unwrap();
    second.ok("USER ada");
    assert!(
        second
            .ask("PASS secret")
            .unwrap()
            .starts_with("-ERR [IN-USE]")
    );
    drop(first);
    let free = within(PATIENCE, || {
        second.ok("USER ada");
        second
            .ask("PASS secret")
            .unwrap()
            .starts_with("+OK")
            .then_some(())
    });
    assert!(free.is_some());
}

/// What a client without pipelining receives in a session without TLS.
fn whole_session(server: &Server) -> Vec<u8> {
    let mut client = Client::connect(&server.account()).unwrap();
    client
        .send("USER ada\r\nPASS secret\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n")
        .unwrap();
    client.rest().0
}

#[test]
fn a_connection_is_cut_after_exactly_the_octets_asked_for() {
    let server = Server::builder(&three()).security(Security::Plain).start();
    server.behave(Behaviour::new().on("QUIT", Reply::End(Ending::Close)));
    let whole = whole_session(&server);
    assert!(whole.len() > 70);
    for ending in [Ending::Close, Ending::Cut] {
        for octets in 0..=whole.len() {
            server.behave(
                Behaviour::new()
                    .on("QUIT", Reply::End(ending))
                    .cut_after(octets as u64, ending),
            );
            assert_eq!(whole_session(&server), whole[..octets]);
            let log = server.last_session();
            assert_eq!(log.octets_sent, octets as u64);
            assert_eq!(log.ended, How::Cut(ending));
        }
    }
    assert_eq!(server.maildrop().count(), 3);
}

#[test]
fn a_cut_over_tls_lacks_close_notify_and_a_reset_is_one() {
    let server = Server::start(&three());
    for (ending, error) in [
        (Ending::Cut, Some(ErrorKind::UnexpectedEof)),
        (Ending::Reset, Some(ErrorKind::ConnectionReset)),
        (Ending::Close, None),
    ] {
        server.behave(Behaviour::new().on("STAT", Reply::RawThenEnd(b"+O".into(), ending)));
        let mut client = Client::sign_in(&server.account());
        client.send("STAT\r\n").unwrap();
        let (rest, end) = client.rest();
        assert_eq!(end.err().map(|error| error.kind()), error);
        // A reset may overtake what was sent before it.
        assert!(rest == b"+O" || ending == Ending::Reset, "{rest:?}");
    }
}

#[test]
fn the_behaviour_of_one_session_is_not_that_of_the_next() {
    let server = Server::builder(&three())
        .session(0, Behaviour::new().without("UIDL").without("CAPA"))
        .start();
    let mut client = Client::sign_in(&server.account());
    assert!(client.ask("UIDL").unwrap().starts_with("-ERR"));
    assert!(client.ask("CAPA").unwrap().starts_with("-ERR"));
    client.ok("QUIT");
    assert_eq!(Client::sign_in(&server.account()).body("UIDL").len(), 15);
}

#[test]
fn a_reply_can_be_replaced_now_and_then() {
    let behaviour = Behaviour::new()
        .on("RETR 2", Reply::raw("-ERR gone\r\n"))
        .on_occurrences("RETR 1", 1..2, Reply::raw("-ERR [SYS/TEMP] later\r\n"));
    let server = Server::builder(&three()).behaviour(behaviour).start();
    let mut client = Client::sign_in(&server.account());
    client.body("RETR 1");
    assert_eq!(client.ask("RETR 1").unwrap(), "-ERR [SYS/TEMP] later");
    client.body("RETR 1");
    assert_eq!(client.ask("retr 2").unwrap(), "-ERR gone");
    client.body("RETR 3");
}

#[test]
fn the_answer_to_quit_can_be_lost_before_and_after_its_effect() {
    for (reply, left) in [
        (Reply::End(Ending::Cut), 3),
        (Reply::EffectThenEnd(Ending::Cut), 2),
        (Reply::AnswerThenEnd(Ending::Cut), 2),
    ] {
        let behaviour = Behaviour::new().on("QUIT", reply.clone());
        let server = Server::builder(&three()).behaviour(behaviour).start();
        let mut client = Client::sign_in(&server.account());
        client.ok("DELE 1");
        client.send("QUIT\r\n").unwrap();
        let answered = matches!(reply, Reply::AnswerThenEnd(_));
        assert_eq!(client.line().is_ok(), answered);
        assert_eq!(server.maildrop().count(), left, "{reply:?}");
    }
}

#[test]
fn one_octet_a_record_is_the_same_conversation() {
    let server = Server::builder(&three())
        .behaviour(Behaviour::new().chunk(1))
        .start();
    let mut client = Client::sign_in(&server.account());
    assert_eq!(client.retrieve(1), b"Subject: a\n\n.dot\n..\nend\n");
}

#[test]
fn a_stalled_server_says_nothing_more_and_still_ends_when_dropped() {
    let behaviour = Behaviour::new().on("STAT", Reply::End(Ending::Stall));
    let server = Server::builder(&three()).behaviour(behaviour).start();
    let mut client = Client::sign_in(&server.account());
    client.send("STAT\r\n").unwrap();
    let began = Instant::now();
    drop(server);
    assert!(began.elapsed() < Duration::from_secs(20));
    assert!(client.line().is_err());
}

#[test]
fn pipelined_commands_are_one_flight() {
    // Long enough for the second half of what is sent to come in time.
    let latency = Behaviour::new().latency(Duration::from_millis(500));
    let server = Server::builder(&three()).behaviour(latency).start();
    let mut client = Client::sign_in(&server.account()); // greeting, USER, PASS
    client.send("RETR 1\r\nRETR 2\r\nRET").unwrap();
    client.send("R 3\r\nQUIT\r\n").unwrap();
    let (rest, end) = client.rest();
    end.unwrap();
    assert!(rest.ends_with(b"+OK bye\r\n"));
    drop(client);
    assert_eq!(server.last_session().flights, 3);
}

#[test]
fn a_hook_sees_a_command_before_it_has_any_effect() {
    let maildrop = three();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (for_hook, on_server) = (Arc::clone(&seen), maildrop.clone());
    let server = Server::builder(&maildrop)
        .on_command(move |command| {
            let entry = (command.line.clone(), on_server.count());
            for_hook.lock().unwrap().push(entry);
        })
        .start();
    let mut client = Client::sign_in(&server.account());
    client.ok("DELE 1");
    client.ok("QUIT");
    let expected = [
        ("USER ada", 3),
        ("PASS secret", 3),
        ("DELE 1", 3),
        ("QUIT", 3),
    ];
    assert_eq!(
        *seen.lock().unwrap(),
        expected.map(|(line, n)| (line.to_string(), n))
    );
    assert_eq!(maildrop.count(), 2);
}

#[test]
#[should_panic(expected = "seen in the hook")]
fn an_assertion_in_a_hook_is_not_lost() {
    let server = Server::builder(&three())
        .on_command(|command| assert!(command.line != "STAT", "seen in the hook"))
        .start();
    let mut client = Client::sign_in(&server.account());
    client.ask("STAT").unwrap_err();
    drop(server);
}

#[test]
fn certificates_are_refused_for_what_is_wrong_with_them() {
    let authority = Authority::new();
    for (identity, word) in [
        (authority.issue(&Wanted::default().expired()), "Expired"),
        (
            authority.issue(&Wanted::default().not_yet_valid()),
            "NotValidYet",
        ),
        (
            authority.issue(&Wanted::default().names(&["other.example"])),
            "NotValidForName",
        ),
        (Identity::self_signed(&Wanted::default()), "UnknownIssuer"),
        (Authority::new().localhost(), ""),
    ] {
        let server = Server::builder(&three())
            .security(Security::identity(&identity, &authority))
            .start();
        let error = Client::connect(&server.account()).err().expect("refused");
        assert!(format!("{error:?}").contains(word), "{error:?}");
    }
    let good = Security::identity(&authority.localhost(), &authority);
    Client::sign_in(&Server::builder(&three()).security(good).start().account());
}
