//! The last program that `cargo test` runs, for its name: it counts and names what the tests before
//! it have skipped. Where `CI` is set, those that may not be skipped have failed by themselves.
#![allow(missing_docs)]

use std::collections::BTreeSet;
use std::fs;

#[allow(dead_code, unreachable_pub)]
#[path = "support/skip.rs"]
mod skip;

fn main() {
    let Some(noted) = skip::noted() else { return };
    let text = fs::read_to_string(&noted).unwrap_or_default();
    let skipped: BTreeSet<&str> = text.lines().collect();
    println!("\nskipped: {}", skipped.len());
    for line in &skipped {
        println!("{}", line.trim_start_matches("SKIPPED: "));
    }
    println!();
    forget(&noted);
}

/// Removes this run's file, and those of runs that were ended before they came here.
fn forget(noted: &std::path::Path) {
    let _gone = fs::remove_file(noted);
    let files = noted.parent().map(fs::read_dir);
    for file in files.into_iter().flatten().flatten().flatten() {
        let name = file.file_name();
        let run = name.to_str().and_then(|it| it.strip_prefix("skipped-"));
        let is_over = |run: &str| !fs::exists(format!("/proc/{run}")).unwrap_or(true);
        if run.is_some_and(is_over) {
            let _gone = fs::remove_file(file.path());
        }
    }
}
