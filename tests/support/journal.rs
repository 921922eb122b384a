//! An account's journal, changed as its owner's past would have had it.

use std::fs;
use std::path::Path;

/// Changes the fields of each line of a journal, or of another file of such lines, and seals them
/// anew.
pub fn rewrite(path: &Path, mut change: impl FnMut(&mut Vec<String>)) {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| {
        let mut fields: Vec<String> = line.split('\t').map(str::to_owned).collect();
        fields.pop();
        fields.pop_if(|field| field.starts_with('<'));
        change(&mut fields);
        fields.join("\t")
    });
    let lines: Vec<String> = lines.collect();
    fs::write(path, sealed(lines.iter().map(String::as_str))).unwrap();
}

/// Adds lines to the end of a journal.
pub fn append(path: &Path, lines: &[&str]) {
    let mut text = fs::read_to_string(path).unwrap();
    for line in lines {
        let line = linked(&text, line);
        text += &line;
    }
    fs::write(path, text).unwrap();
}

/// Lines with their checksums, and with what they follow where the first one is that of a journal of
/// today's version.
pub fn sealed<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    lines.into_iter().fold(String::new(), |text, line| {
        let line = linked(&text, line);
        text + &line
    })
}

/// A line for the end of this text.
pub fn linked(text: &str, fields: &str) -> String {
    let sum_of = |line: &str| line.rsplit_once('\t').unwrap().1.to_owned();
    let mut line = fields.to_owned();
    if text.starts_with("popfetch-state\t3\t") {
        let (header, last) = (text.lines().next(), text.lines().next_back());
        let (header, last) = (sum_of(header.unwrap()), sum_of(last.unwrap()));
        line += &format!("\t<{last}{}", &header[4..]);
    }
    line += "\t";
    format!("{line}{:08x}\n", crc32fast::hash(line.as_bytes()))
}
