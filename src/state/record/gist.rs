//! What a header told the rules, as the `h` line has it.

use crate::rules::{Fingerprint, Gist, Verdict};

/// The fields behind those of the listing.
pub(super) fn gist_fields(gist: &Gist) -> String {
    let date = gist.date().map_or("-".to_owned(), |date| date.to_string());
    let mut fields = format!("{}\t{date}\t{:x}", gist.fingerprint(), gist.bits());
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
    let gist = Gist::new(asked, date, bits).with_unknown(unknown);
    Some(gist.with_verdict(verdict))
}
