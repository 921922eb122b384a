use super::Scene;
use crate::given::assert_said;
use crate::support::behaviour::Behaviour;
use crate::support::message::Message;
use crate::support::series::drawn;

/// Enough to see another place each time.
const RUNS: usize = 10;

/// WildDuck 1.46.1: announces PIPELINING, and goes on to the next RETR before the last answer is out,
/// so that its first line lands inside the message before.
fn runs(keep: &str, places: impl Fn(usize) -> Vec<(usize, usize)>) {
    let messages: Vec<Message> = (1..=50)
        .map(|n| Message::generated(format!("wild-{n}"), 1000 + 37 * n, n))
        .collect();
    // Each of them several runs of the program.
    for run in drawn(RUNS, 4) {
        let places = places(run);
        let behaviour = Behaviour::new().weaves(&places);
        let scene = Scene::new(messages.clone(), behaviour, &format!("keep = {keep:?}\n"));
        let outputs = scene.settle(&["fetch"]);
        let what = format!("{places:?}: {outputs:#?}");
        assert_said(&outputs[0], &["going on with one command at a time"]);
        scene.assert_here_once(&messages, &what);
        assert_eq!(scene.files().len(), 50, "{what}");
        let kept = if keep == "never" { 0 } else { 50 };
        assert_eq!(scene.server.maildrop().count(), kept, "{what}");
        assert!(outputs.iter().all(|it| it.status == Some(0)), "{what}");
        let verified = scene.home.popfetch(["verify"]).expect(0);
        assert!(verified.stderr.contains("50"), "{verified:#?}");
    }
}

#[test]
fn a4_answers_that_are_woven_into_messages_leave_all_of_them_whole() {
    for keep in ["always", "never"] {
        // One place, anywhere.
        runs(keep, |run| vec![(5 * run, 97 * run)]);
        // Two messages in ten.
        runs(keep, |run| {
            let woven = (0..49).filter(|n| (n * 7 + run) % 10 < 2);
            woven.map(|n| (n, (n * 131 + run * 977) % 1000)).collect()
        });
        // All, at the very beginning and at the very end.
        runs(keep, |run| {
            (0..49).map(|n| (n, [0, 100_000][run % 2])).collect()
        });
    }
}

#[test]
fn a4_the_last_answer_but_one_is_woven_into_the_last_but_two() {
    runs("never", |_| vec![(48, 500)]);
}
