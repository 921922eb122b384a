use super::Scene;
use crate::given::letter;
use crate::support::behaviour::Behaviour;
use crate::support::message::Message;

/// As soon as a message is marked as deleted, those behind it have other numbers: qpopper's imitators
/// do so, against RFC 1939.
#[test]
fn a6_what_was_left_out_is_not_deleted_where_each_dele_renumbers() {
    let large = |n: usize| Message::generated(format!("large-{n}"), 5000 + n as u64, n as u64);
    let orders: [fn(usize) -> bool; 4] = [|n| n % 2 == 0, |n| n < 3, |n| n > 5, |n| n == 4];
    for is_large in orders {
        for pipelining in ["auto", "off"] {
            // All at once; or kept by one run, and deleted by the next.
            for keep in ["never", "always"] {
                let messages: Vec<Message> = (0..9)
                    .map(|n| if is_large(n) { large(n) } else { letter(n) })
                    .collect();
                let left_out: Vec<String> = (0..9)
                    .filter(|n| is_large(*n))
                    .map(|n| format!("large-{n}"))
                    .collect();
                let keys =
                    format!("keep = {keep:?}\npipelining = {pipelining:?}\nmax-size = \"4 kB\"\n");
                let scene = Scene::new(messages, Behaviour::new().renumbers(), &keys);
                let outputs = scene.settle(&["fetch"]);
                let deleted = scene.settle(&["fetch", "--delete"]);
                let what = format!("{keys}: {outputs:#?} {deleted:#?}");
                assert_eq!(scene.server.maildrop().unique_ids(), left_out, "{what}");
                assert_eq!(scene.files().len(), 9 - left_out.len(), "{what}");
            }
        }
    }
}
