use crate::entry::{body, config, connection, imap, journal, listing};
use crate::skip::{Lack, skip};
use std::fs;
use std::path::Path;

/// Runs a target on its seeds, which fuzz/ holds and the published package does not.
fn run_seeds(target: &str, run: fn(&[u8])) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let seeds = root.join("fuzz/seeds").join(target);
    if !root.join("fuzz").exists() {
        let seeds = seeds.display();
        return skip(Lack::Tool, format_args!("there is no {seeds}"));
    }
    let mut count = 0;
    for seed in fs::read_dir(seeds).unwrap() {
        run(&fs::read(seed.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count >= 5, "only {count} seeds for {target}");
}

#[test]
fn the_seeds_of_the_fuzzers_break_no_promise() {
    run_seeds("body", body::run);
    run_seeds("config", config::run);
    run_seeds("connection", connection::run);
    run_seeds("imap", imap::run);
    run_seeds("journal", journal::run);
    run_seeds("listing", listing::run);
}
