//! What a header told the rules, as the `h` line has it.

use crate::rules::{Arrival, Fingerprint, Gist, Verdict};

/// The fields behind those of the listing.
pub(super) fn gist_fields(gist: &Gist) -> String {
    let date = gist.date().map_or("-".to_owned(), |date| date.to_string());
    let mut fields = format!("{}\t{date}\t{:x}", gist.fingerprint(), gist.bits());
    match gist.arrival() {
        Arrival::Unnoted => {}
        Arrival::Unsaid => fields.push_str("\t@-"),
        Arrival::At(time) => fields.push_str(&format!("\t@{time}")),
    }
    if gist.unknown_bits() != 0 {
        fields.push_str(&format!("\t?{:x}", gist.unknown_bits()));
    }
    if let Some(verdict) = gist.filtered() {
        fields.push('\t');
        fields.push_str(verdict.word());
    }
    fields
}

/// Reads them.
pub(super) fn read_gist<'a>(mut next: impl FnMut() -> Option<&'a str>) -> Option<Gist> {
    let asked = Fingerprint::parse(next()?)?;
    let date = match next()? {
        "-" => None,
        digits => Some(digits.parse().ok()?),
    };
    let bits = u64::from_str_radix(next()?, 16).ok()?;
    let mut word = next();
    let arrival = match word.and_then(|word| word.strip_prefix('@')) {
        None => Arrival::Unnoted,
        Some(digits) => {
            word = next();
            match digits {
                "-" => Arrival::Unsaid,
                digits => Arrival::At(digits.parse().ok()?),
            }
        }
    };
    let unknown = match word.and_then(|word| word.strip_prefix('?')) {
        None => 0,
        Some(bits) => {
            word = next();
            u64::from_str_radix(bits, 16).ok()?
        }
    };
    let verdict = match word {
        None => None,
        Some(word) => Some(Verdict::of_word(word)?),
    };
    let gist = Gist::new(asked, date, bits).with_arrival(arrival);
    Some(gist.with_unknown(unknown).with_verdict(verdict))
}
