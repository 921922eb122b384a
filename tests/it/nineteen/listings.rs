use super::scene::{Scene, row};
use crate::given::letter;
use crate::support::behaviour::Behaviour;

/// A well-behaved server whose maildrop the test changes.
fn scene(keys: &str) -> Scene {
    Scene::new(keys, |server| server)
}

#[test]
fn t4_two_messages_with_one_unique_id() {
    let mut scene = scene("");
    scene.messages[6].unique_id = scene.messages[3].unique_id.clone();
    scene.server.maildrop().replace(scene.messages.clone());
    scene.fetch_well();
    let delivered = scene.tally().delivered;
    scene.fetch_well();
    let cell = format!("{delivered} delivered, {}", scene.tally());
    row("T4", &cell, "10 delivered, 0 duplicates, 0 lost");
    assert_eq!(scene.server.last_session().count("RETR"), 0);
}

#[test]
fn t5_a_server_without_uidl() {
    let old = Behaviour::new().without("UIDL");
    let scene = Scene::new("", |server| server.behaviour(old));
    scene.fetch_well();
    scene.fetch_well();
    row("T5", &scene.tally().to_string(), "0 duplicates, 0 lost");
    assert_eq!(scene.server.maildrop().count(), 10);
}

#[test]
fn t16_a_new_message_under_a_used_unique_id() {
    let mut scene = scene("keep = \"never\"\n");
    let first = scene.messages[0].clone();
    scene.server.maildrop().replace([first.clone()]);
    scene.fetch_well();
    assert_eq!(scene.server.maildrop().count(), 0);
    // Nine more come to a maildrop that has forgotten which unique-ids it gave out.
    let mut others: Vec<_> = (2..=10).map(letter).collect();
    others[0].unique_id = first.unique_id.clone();
    scene.server.maildrop().replace(others.clone());
    scene.messages = std::iter::once(first).chain(others).collect();
    scene.fetch_well();
    let unseen = scene.tally().lost();
    let cell = format!("{}, {unseen} deleted unseen", scene.tally());
    row("T16", &cell, "0 duplicates, 0 lost, 0 deleted unseen");
    assert_eq!(scene.server.maildrop().count(), 0);
}

#[test]
fn t18_half_of_the_maildrop_is_listed_once() {
    let scene = scene("");
    scene.fetch_well();
    scene
        .server
        .maildrop()
        .replace(scene.messages[..5].to_vec());
    scene.fetch_well();
    scene.server.maildrop().replace(scene.messages.clone());
    scene.fetch_well();
    row("T18", &scene.tally().to_string(), "0 duplicates, 0 lost");
    assert_eq!(scene.server.last_session().count("RETR"), 0);
}

#[test]
fn t19_all_unique_ids_change() {
    let scene = scene("");
    scene.fetch_well();
    let mut renamed = scene.messages.clone();
    for message in &mut renamed {
        message.unique_id.extend(b".new");
    }
    scene.server.maildrop().replace(renamed);
    scene.fetch_well();
    row("T19", &scene.tally().to_string(), "0 duplicates, 0 lost");
    assert_eq!(scene.server.maildrop().count(), 10);
}
