//! What a header told the rules, as the `h` line has it.

use crate::rules::{Fingerprint, Told, Verdict};

/// The fields behind those of the listing.
pub(super) fn told_fields(told: &Told) -> String {
    let date = told.date().map_or("-".to_owned(), |date| date.to_string());
    let mut fields = format!("{}\t{date}\t{:x}", told.fingerprint(), told.bits());
    if told.unknown_bits() != 0 {
        fields.push_str(&format!("\t?{:x}", told.unknown_bits()));
    }
    if let Some(verdict) = told.filtered() {
        fields.push('\t');
        fields.push_str(verdict.word());
    }
    fields
}

/// Reads them.
pub(super) fn read_told<'a>(mut next: impl FnMut() -> Option<&'a str>) -> Option<Told> {
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
    let told = Told::new(asked, date, bits).with_unknown(unknown);
    Some(told.with_verdict(verdict))
}
