//! A journal that is cut after any octet, or has any octet changed: it is never taken for whole.

use super::account::try_open;
use super::explore::Mode;
use super::image::{Image, Octets, mix};
use super::rebuild::{fetched, go_on, path};
use popfetch::durable::Disk;
use std::collections::BTreeSet;
use std::fs;

/// Gives the number of damaged journals.
pub fn damage_every_octet() -> usize {
    let mut explorer = fetched(Mode::Keep);
    let before = Image::read(&explorer.root());
    let good = fs::read(path(&explorer, "journal")).unwrap();
    let mut damaged = 0;
    for place in 0..good.len() {
        let mut flipped = good.clone();
        flipped[place] ^= 1 << (mix(3, place) % 8);
        for (octets, what) in [(&good[..place], "cut"), (&flipped[..], "changed")] {
            let what = format!("{what} at octet {place} of {}", good.len());
            before.write(&explorer.root(), |_| true, Octets::Kept);
            fs::write(path(&explorer, "journal"), octets).unwrap();
            let now = explorer.now;
            let (store, _, opened) = try_open(&mut explorer, &Disk::new(), now).unwrap();
            assert!(opened.is_rebuilt, "{what}: nothing was noticed");
            store.close().unwrap();
            damaged += 1;
            // What it knows then does not depend much on where exactly the damage is.
            if place % 7 == 0 {
                go_on(&mut explorer, &BTreeSet::new(), &what);
            }
        }
    }
    damaged
}
