//! The connection of the real program, cut all over a session: nothing lost, nothing doubled, no
//! message cut short. `tests/crash/cut.rs` tries every octet, in both directions.

use crate::support::account::Security;
use crate::support::behaviour::Behaviour;
use crate::support::maildrop::Maildrop;
use crate::support::message::generate;
use crate::support::series::drawn;
use crate::support::server::Server;
use crate::support::tree;
use crate::support::wire::Ending;

/// Octets of a whole session with the real program.
fn session_octets(keep: &str) -> u64 {
    let (server, home) = Server::builder(&Maildrop::new(generate(10, 250))).with_home(keep);
    home.popfetch(["fetch"]).expect(0);
    server.last_session().octets_sent
}

#[test]
fn t2_the_program_survives_cuts_all_over_a_session_over_tls_and_without() {
    const CUTS: usize = 60;
    const FEW: usize = 12;
    let endings = [Ending::Close, Ending::Cut, Ending::Reset];
    let mut cuts = 0;
    for keep in ["keep = \"always\"\n", "keep = \"never\"\n"] {
        let octets = session_octets(keep);
        for place in drawn(CUTS / 2, FEW) {
            let at = place as u64 * octets / (CUTS / 2) as u64;
            let ending = endings[cuts % endings.len()];
            let security = match cuts % 4 {
                3 => Security::Plain,
                _ => Security::Tls,
            };
            let what = format!("{keep:?}, {ending:?} after {at} of {octets} octets, {security:?}");
            let messages = generate(10, 250);
            let maildrop = Maildrop::new(messages.clone());
            let cut = Behaviour::new().cut_after(at, ending);
            let (server, home) = Server::builder(&maildrop)
                .security(security)
                .behaviour(cut)
                .with_home(keep);
            let first = home.popfetch(["fetch"]).run();
            // Where each session brings something the run goes on.
            assert!(matches!(first.status, Some(0 | 75)), "{what}: {first:#?}");
            assert!(
                first.stderr.contains("clos") || first.stderr.contains("reset"),
                "{first:#?}"
            );
            tree::assert_tmp_is_empty(&home.maildir("a"));
            server.behave(Behaviour::new());
            server.sessions();
            let second = home.popfetch(["fetch"]).run();
            assert_eq!(second.status, Some(0), "{what}: {second:#?}");
            tree::assert_holds(&home.maildir("a"), &messages);
            let third = home.popfetch(["--format", "paths"]).run();
            assert_eq!(
                (third.status, third.stdout.as_str()),
                (Some(0), ""),
                "{what}"
            );
            assert_eq!(server.last_session().count("RETR"), 0, "{what}");
            let left = if keep.contains("never") { 0 } else { 10 };
            assert_eq!(maildrop.count(), left, "{what}");
            cuts += 1;
        }
    }
    eprintln!("{cuts} sessions of the program cut");
}
