use super::scene::{DELETE, Protocol, Scene, row};
use crate::given::letter;
use crate::support::behaviour::Behaviour;
use crate::support::server::Server;

/// A well-behaved server whose maildrop the test changes.
fn scene(keys: &str) -> Scene<Server> {
    Scene::new(keys, |server| server)
}

#[test]
fn t4_two_messages_with_one_unique_id() {
    let mut scene = scene("");
    scene.messages[6].unique_id = scene.messages[3].unique_id.clone();
    scene.server.holds(&scene.messages);
    scene.fetch_well();
    let delivered = scene.tally().delivered;
    scene.fetch_well();
    let cell = format!("{delivered} delivered, {}", scene.tally());
    row("T4", &cell, "10 delivered, 0 duplicates, 0 lost");
    assert_eq!(scene.server.asked_for(), 0);
}

#[test]
fn t5_a_server_without_uidl() {
    let old = Behaviour::new().without("UIDL");
    let scene = Scene::new("", |server| server.behaviour(old));
    all_kept_in_every_run(&scene, |_| ());
}

#[test]
fn t16_a_new_message_under_a_used_unique_id() {
    a_new_message_under_a_used_name(scene(DELETE));
}

#[test]
fn t18_half_of_the_maildrop_is_listed_once() {
    half_of_it_once(&scene(""));
}

#[test]
fn t19_all_unique_ids_change() {
    let scene = scene("");
    let mut renamed = scene.messages.clone();
    for message in &mut renamed {
        message.unique_id.extend(b".new");
    }
    all_names_change(&scene, |server| server.holds(&renamed));
}

/// T5, on a server that names its messages otherwise, or not at all, in each session.
pub fn all_kept_in_every_run<S: Protocol>(scene: &Scene<S>, renames: impl Fn(&S)) {
    for _ in 0..3 {
        scene.fetch_well();
        renames(&scene.server);
    }
    row("T5", &scene.tally().to_string(), "0 duplicates, 0 lost");
    scene.assert_left(10);
}

/// T16, deleting.
pub fn a_new_message_under_a_used_name<S: Protocol>(mut scene: Scene<S>) {
    let first = scene.messages[0].clone();
    scene.server.holds(std::slice::from_ref(&first));
    scene.fetch_well();
    scene.assert_left(0);
    // Nine more come to a server that has forgotten which names it gave out.
    let mut others: Vec<_> = (2..=10).map(letter).collect();
    others[0].unique_id = first.unique_id.clone();
    scene.server.holds(&others);
    scene.messages = std::iter::once(first).chain(others).collect();
    scene.fetch_well();
    let unseen = scene.tally().lost();
    let cell = format!("{}, {unseen} deleted unseen", scene.tally());
    row("T16", &cell, "0 duplicates, 0 lost, 0 deleted unseen");
    scene.assert_left(0);
}

/// T18.
pub fn half_of_it_once<S: Protocol>(scene: &Scene<S>) {
    scene.fetch_well();
    scene.server.holds(&scene.messages[..5]);
    scene.fetch_well();
    scene.server.holds(&scene.messages);
    scene.fetch_well();
    row("T18", &scene.tally().to_string(), "0 duplicates, 0 lost");
    assert_eq!(scene.server.asked_for(), 0);
}

/// T19.
pub fn all_names_change<S: Protocol>(scene: &Scene<S>, renames: impl FnOnce(&S)) {
    scene.fetch_well();
    renames(&scene.server);
    scene.fetch_well();
    row("T19", &scene.tally().to_string(), "0 duplicates, 0 lost");
    scene.assert_left(10);
}
