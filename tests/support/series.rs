//! Series that go through all there is: every system call, every state of a disk. An ordinary run
//! tries the first, the last, and some of the rest that are drawn anew in each run, so that with
//! time all have had their turn; where `CRASH_WHOLE` is set, it tries all.

use std::env;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// Set to anything, every series is gone through from end to end.
const WHOLE: &str = "CRASH_WHOLE";

/// A number, to draw once more what failed.
pub const SEED: &str = "POPFETCH_SEED";

/// Whether all of each series is asked for.
pub fn is_whole() -> bool {
    env::var_os(WHOLE).is_some()
}

/// What this run draws by: from the clock, or as [`SEED`] says.
pub fn seed() -> u64 {
    static DRAWN: OnceLock<u64> = OnceLock::new();
    *DRAWN.get_or_init(|| match env::var(SEED) {
        Ok(seed) => seed.parse().expect("POPFETCH_SEED is a number"),
        Err(_) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            now.unwrap().as_nanos() as u64
        }
    })
}

/// Which of `count` members are tried, in their order: `few` of them, a quarter from either end, or
/// all. Tells the seed, for whoever reads of a failure.
pub fn drawn(count: usize, few: usize) -> Vec<usize> {
    if is_whole() || count <= few {
        return (0..count).collect();
    }
    let edge = few / 4;
    let mut between: Vec<usize> = (edge..count - edge).collect();
    let mut random = Random::seeded();
    while between.len() > few - 2 * edge {
        between.remove(random.below(between.len()));
    }
    eprintln!("{few} of {count}, {SEED}={}", seed());
    (0..edge)
        .chain(between)
        .chain(count - edge..count)
        .collect()
}

/// Small and reproducible.
pub struct Random(u64);

impl Random {
    /// The same numbers for everybody who asks in this run, whatever else runs beside.
    pub fn seeded() -> Self {
        Self(seed() | 1)
    }

    /// Between 0 and 1 (xorshift).
    pub fn fraction(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// From 0 on.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.fraction() * limit as f64) as usize
    }
}
