use super::Scene;
use crate::given::{assert_said, letter};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::message::Message;
use crate::support::wire::Ending;

/// Another message of the very same size, under the unique-id of the first.
fn another() -> Message {
    let octets = letter(3).octets();
    let text = String::from_utf8(octets).unwrap();
    let text = text
        .replace("id 000003", "id 900003")
        .replace("<3@", "<9@")
        .replace("Letter 3", "Better 3")
        .replace("This is", "That is");
    Message::new("uid-3", text)
}

/// How an account came to believe that its message is gone.
type Before = fn(&Scene);

const BEFORE: [(&str, Before); 4] = [
    (
        "the reply to QUIT is lost, then nothing is listed",
        |scene| {
            let lost = Reply::EffectThenEnd(Ending::Close);
            scene.server.behave(Behaviour::new().on("QUIT", lost));
            scene.run(&["fetch", "--delete"]);
            scene.server.behave(Behaviour::new());
            scene.server.maildrop().replace([]);
            scene.run(&["fetch", "--delete"]);
        },
    ),
    ("the reply to QUIT is lost", |scene| {
        let lost = Reply::EffectThenEnd(Ending::Close);
        scene.server.behave(Behaviour::new().on("QUIT", lost));
        scene.run(&["fetch", "--delete"]);
        scene.server.behave(Behaviour::new());
        scene.server.maildrop().replace([letter(9)]);
        scene.run(&["fetch"]);
    }),
    (
        "its deletion is confirmed, and it is listed once more",
        |scene| {
            scene.run(&["fetch", "--delete"]);
            scene.server.maildrop().add([letter(3)]);
            let again = scene.run(&["fetch"]);
            assert_eq!(scene.copies(&letter(3)), 1, "{again:#?}");
            scene.server.maildrop().replace([]);
            scene.run(&["fetch"]);
        },
    ),
    ("a mail reader has deleted it", |scene| {
        scene.run(&["fetch"]);
        scene.server.maildrop().replace([]);
        scene.run(&["fetch"]);
    }),
];

#[test]
fn a5_a_new_message_under_an_old_unique_id_is_fetched_before_it_is_deleted() {
    for (before, happens) in BEFORE {
        for keep in ["always", "never"] {
            let scene = Scene::new(vec![letter(3)], Behaviour::new(), "");
            happens(&scene);
            assert_eq!(another().size(), letter(3).size());
            scene
                .home
                .one_account(&scene.server.account(), &format!("keep = {keep:?}\n"));
            scene.server.maildrop().replace([another()]);
            let output = scene.home.popfetch(["fetch"]).run();
            let what = format!("{before}, {keep}: {output:#?}");
            assert_eq!(output.status, Some(0), "{what}");
            assert_eq!(scene.copies(&another()), 1, "{what}");
            assert_eq!(scene.copies(&letter(3)), 1, "{what}");
            let left = if keep == "never" { 0 } else { 1 };
            assert_eq!(scene.server.maildrop().count(), left, "{what}");
            let again = scene.home.popfetch(["fetch", "--delete"]).expect(0);
            assert_eq!(scene.copies(&another()), 1, "{again:#?}");
            assert_eq!(scene.server.maildrop().count(), 0, "{what}");
        }
    }
}

/// The same without TOP: only the whole message can tell.
#[test]
fn a5_without_top_a_new_message_under_an_old_unique_id_is_fetched_before_it_is_deleted() {
    let scene = Scene::new(vec![letter(3)], Behaviour::new(), "");
    scene.run(&["fetch"]);
    scene.server.maildrop().replace([]);
    scene.run(&["fetch"]);
    scene.server.behave(Behaviour::new().without("TOP"));
    scene.server.maildrop().replace([another()]);
    let output = scene.home.popfetch(["fetch", "--delete"]).expect(0);
    assert_eq!(scene.copies(&another()), 1, "{output:#?}");
    assert_eq!(scene.server.maildrop().count(), 0, "{output:#?}");
}

#[test]
fn what_is_not_deleted_yet_as_a_run_could_not_look_at_all_of_it_is_told() {
    // A run asks for a thousand headers, and for fifty whole messages.
    let all = (1..=1060).map(letter).collect();
    let scene = Scene::new(all, Behaviour::new(), "");
    scene.run(&["fetch"]);
    let output = scene.home.popfetch(["fetch", "--delete"]).expect(0);
    assert_eq!(scene.server.maildrop().count(), 10, "{output:#?}");
    assert_said(&output, &["10 more messages are to be deleted"]);
    let output = scene.home.popfetch(["fetch", "--delete"]).expect(0);
    assert_eq!(scene.server.maildrop().count(), 0, "{output:#?}");
    assert!(!output.stderr.contains("to be deleted"), "{output:#?}");
}

/// It never was away as far as anybody could see, so that only a look before the DELE tells.
#[test]
fn a5_a_message_that_was_replaced_between_two_listings_is_not_deleted_unseen() {
    let scene = Scene::new(vec![letter(3)], Behaviour::new(), "");
    scene.run(&["fetch"]);
    scene.server.maildrop().replace([another()]);
    let output = scene.home.popfetch(["fetch", "--delete"]).run();
    let kept = scene.server.maildrop().count();
    assert!(scene.copies(&another()) + kept >= 1, "{output:#?}");
    scene.home.popfetch(["fetch", "--delete"]).expect(0);
    assert_eq!(scene.copies(&another()), 1, "{output:#?}");
}

/// Two messages of one header, and so of one unique-id on servers that make it of the header: the
/// second one has this many lines more.
fn namesakes(lines: usize) -> [Message; 2] {
    let octets = letter(3).octets();
    let longer = [&octets[..], "One line more.\r\n".repeat(lines).as_bytes()].concat();
    [octets, longer].map(|octets| Message::new("hash", octets))
}

#[test]
fn a5_a_namesake_that_was_left_out_is_not_deleted_for_the_one_that_was_fetched() {
    for lines in [1, 20, 500] {
        let [short, long] = namesakes(lines);
        // It is too large, or refused, in the first run.
        let most = format!("--max-size={}B", short.size());
        let locked = Reply::raw("-ERR message is locked\r\n");
        let refused = Behaviour::new().on("RETR 2", locked);
        for (first, behaviour) in [
            (&["fetch", &most][..], Behaviour::new()),
            (&["fetch"], refused),
        ] {
            let messages = vec![short.clone(), long.clone()];
            let scene = Scene::new(messages, behaviour, "keep = \"never\"\n");
            scene.run(first);
            assert_eq!(scene.copies(&short), 1);
            scene.server.behave(Behaviour::new());
            scene.settle(&["fetch", "--now"]);
            assert_eq!(
                (scene.copies(&short), scene.copies(&long)),
                (1, 1),
                "{lines}"
            );
            assert_eq!(scene.server.maildrop().count(), 0, "{lines}");
        }
    }
}

#[test]
fn a5_a_longer_message_under_an_old_unique_id_and_header_is_fetched_before_it_is_deleted() {
    for lines in [80, 500] {
        let [short, long] = namesakes(lines);
        let scene = Scene::new(vec![short.clone()], Behaviour::new(), "");
        scene.run(&["fetch"]);
        // Another client deletes the first one.
        scene.server.maildrop().replace([long.clone()]);
        scene.settle(&["fetch", "--delete"]);
        assert_eq!((scene.copies(&short), scene.copies(&long)), (1, 1));
        assert_eq!(scene.server.maildrop().count(), 0);
    }
}
