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

/// Which combinations of choices are tried, where there are so many of each: `few`, in which each choice has
/// its turn as often as the others of its kind, or all. With time all have had theirs.
pub fn mixed<const N: usize>(choices: [usize; N], few: usize) -> Vec<[usize; N]> {
    let count: usize = choices.iter().product();
    if is_whole() || count <= few {
        return (0..count).map(|n| combination(choices, n)).collect();
    }
    let mut random = Random::seeded();
    let columns = choices.map(|choices| random.turns(choices, few));
    eprintln!("{few} of {count}, {SEED}={}", seed());
    let row = |n: usize| std::array::from_fn(|column| columns[column][n]);
    (0..few).map(row).collect()
}

/// The `n`th of all combinations.
fn combination<const N: usize>(choices: [usize; N], mut n: usize) -> [usize; N] {
    choices.map(|choices| {
        let choice = n % choices;
        n /= choices;
        choice
    })
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

    /// So many turns of the numbers below a limit: each has had one before any has another.
    fn turns(&mut self, limit: usize, count: usize) -> Vec<usize> {
        let mut turns = Vec::new();
        while turns.len() < count {
            let mut left: Vec<usize> = (0..limit).collect();
            while !left.is_empty() {
                turns.push(left.swap_remove(self.below(left.len())));
            }
        }
        turns
    }

    /// From 0 on.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.fraction() * limit as f64) as usize
    }
}
