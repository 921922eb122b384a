//! What only looks, and what takes an account away.

use super::{WIDTHS, at_work};
use crate::support::snapshot::Screens;

#[test]
fn what_waits() {
    let (server, home) = at_work();
    for columns in WIDTHS {
        Screens::at(&home, columns)
            .with_port(server.port())
            .run(&["check"], 0)
            .run(&["check", "--headers"], 0)
            .hold("check");
    }
}

#[test]
fn the_doctor() {
    let (server, home) = at_work();
    for columns in WIDTHS {
        Screens::at(&home, columns)
            .with_port(server.port())
            .with_mask(masked)
            .run(&["account", "test", "work"], 0)
            .hold("account-test");
    }
}

/// What differs from day to day and from machine to machine, as something of the same length.
fn masked(text: String) -> String {
    let (before, after) = text.split_once("2099-01-01,").unwrap();
    // As long as this century lasts, but for its last decades.
    let at = after.find(|c: char| c.is_ascii_digit()).unwrap();
    let (gap, after) = after.split_at(at);
    let (days, after) = after.split_at(5);
    assert!(days.parse::<u32>().unwrap() > 10_000, "{days}");
    let (between, after) = after.split_once("sha256:").unwrap();
    let (pin, after) = after.split_at(64);
    assert!(pin.chars().all(|c| c.is_ascii_hexdigit()), "{pin}");
    let pin = "0".repeat(64);
    let text = format!("{before}2099-01-01,{gap}26000{between}sha256:{pin}{after}");
    let lines = text
        .split('\n')
        .map(|line| match line.contains("free for mail") {
            true => "  ok    space       61 GB free for mail\r",
            false => line,
        });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn an_account_that_goes() {
    for columns in WIDTHS {
        let (server, home) = at_work();
        home.popfetch(["fetch"]).expect(0);
        Screens::at(&home, columns)
            .with_port(server.port())
            .talk(&["account", "remove", "work"], 0, |terminal| {
                terminal.answer("Remove it? (y/N):", "n");
            })
            .talk(&["account", "remove", "work"], 0, |terminal| {
                terminal.answer("Remove it? (y/N):", "y");
            })
            .run(&["account", "remove", "work"], 78)
            .hold("account-remove");
    }
}
