//! HTML as text for a terminal: paragraphs, lists, quotations, and links as footnotes.
//!
//! Nothing that a document names is ever loaded: of an image there is its description, of a link its
//! address, of a script or a style sheet nothing. One pass, without recursion, whatever is nested in
//! what; entities are those of mail-parser.

use mail_parser::decoders::html::add_html_token;
use std::collections::HashMap;

/// Links that get a footnote. Newsletters have some hundred.
const LINKS: usize = 1_000;

/// Octets of a link's address that are shown; browsers take some thousand.
const ADDRESS: usize = 2_000;

/// How deep quotations and lists are indented at most.
const DEPTH: usize = 8;

/// Octets of an entity, at most: `&CounterClockwiseContourIntegral;`.
const ENTITY: usize = 40;

/// Elements whose content is nothing to read.
const UNREAD: [&str; 4] = ["script", "style", "title", "template"];

/// A document as text, not escaped; lines as they are, to be broken by whoever shows them.
pub(super) fn text_of(html: &str) -> String {
    let mut page = Page::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at);
        page.text(before);
        rest = match tag(from) {
            Some((found, behind)) => {
                page.tag(&found);
                skipped(&found, behind)
            }
            None => {
                page.text("<");
                from.get(1..).unwrap_or_default()
            }
        };
    }
    page.text(rest);
    page.finish()
}

/// A tag, a comment or a declaration.
#[derive(Debug, Default)]
struct Tag<'a> {
    /// In small letters; empty for what is no element.
    name: String,
    is_end: bool,
    attributes: &'a str,
}

/// What begins with "<" here, and what follows; `None` where it is only a character.
fn tag(from: &str) -> Option<(Tag<'_>, &str)> {
    let inner = from.get(1..)?;
    if let Some(comment) = inner.strip_prefix("!--") {
        let behind = comment.split_once("-->").map_or("", |(_, behind)| behind);
        return Some((Tag::default(), behind));
    }
    if inner.starts_with(['!', '?']) {
        let behind = inner.split_once('>').map_or("", |(_, behind)| behind);
        return Some((Tag::default(), behind));
    }
    let (is_end, inner) = match inner.strip_prefix('/') {
        Some(inner) => (true, inner),
        None => (false, inner),
    };
    if !inner.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let end = inner.find(|c: char| c.is_ascii_whitespace() || c == '>' || c == '/');
    let (name, attributes) = inner.split_at(end.unwrap_or(inner.len()));
    // A ">" between quotes is no end. One that never ends swallows the rest, as in browsers.
    let mut quote = None;
    let mut after_equals = false;
    let end = attributes.bytes().position(|octet| {
        match (quote, octet) {
            (Some(open), octet) if open == octet => quote = None,
            (None, b'"' | b'\'') if after_equals => quote = Some(octet),
            (None, b'>') => return true,
            _ => {}
        }
        if !octet.is_ascii_whitespace() {
            after_equals = octet == b'=' && quote.is_none();
        }
        false
    });
    let (attributes, behind) = match end {
        Some(end) => attributes.split_at(end),
        None => (attributes, ""),
    };
    let found = Tag {
        name: name.to_ascii_lowercase(),
        is_end,
        attributes,
    };
    Some((found, behind.strip_prefix('>').unwrap_or(behind)))
}

/// What follows a tag whose content is nothing to read.
fn skipped<'a>(tag: &Tag<'_>, behind: &'a str) -> &'a str {
    if tag.is_end || !UNREAD.contains(&tag.name.as_str()) {
        return behind;
    }
    let mut rest = behind;
    while let Some(at) = rest.find("</") {
        rest = rest.get(at..).unwrap_or_default();
        let name = rest.as_bytes().get(2..2 + tag.name.len());
        if name.is_some_and(|name| name.eq_ignore_ascii_case(tag.name.as_bytes())) {
            return rest;
        }
        rest = rest.get(2..).unwrap_or_default();
    }
    ""
}

impl Tag<'_> {
    /// The value of an attribute.
    fn value(&self, name: &str) -> Option<String> {
        let mut rest = self.attributes;
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
            if rest.is_empty() {
                return None;
            }
            let end = rest
                .char_indices()
                .skip(1)
                .find(|(_, c)| c.is_ascii_whitespace() || *c == '=' || *c == '/');
            let (key, after) = rest.split_at(end.map_or(rest.len(), |(at, _)| at));
            let after = after.trim_start();
            let Some(after) = after.strip_prefix('=') else {
                rest = after;
                continue;
            };
            let after = after.trim_start();
            let (value, behind) = match after.chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    let inner = after.get(1..).unwrap_or_default();
                    inner.split_once(quote).unwrap_or((inner, ""))
                }
                _ => {
                    let end = after.find(|c: char| c.is_ascii_whitespace());
                    after.split_at(end.unwrap_or(after.len()))
                }
            };
            if key.eq_ignore_ascii_case(name) {
                return Some(decoded(value));
            }
            rest = behind;
        }
    }
}

/// Text with its entities put in.
fn decoded(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let window = from.as_bytes().get(..ENTITY.min(from.len()));
        let end = window.and_then(|window| memchr::memchr(b';', window));
        match end.and_then(|end| from.split_at_checked(end + 1)) {
            Some((entity, behind)) if !entity.contains(char::is_whitespace) => {
                add_html_token(&mut out, entity.as_bytes(), false);
                rest = behind;
            }
            _ => {
                out.push('&');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out
}

/// A page that is being written.
#[derive(Default)]
struct Page {
    out: String,
    /// Line breaks that are due before the next text, two of them for an empty line.
    breaks: usize,
    /// A space is due before the next text.
    space: bool,
    /// How many of these are open.
    pre: usize,
    quotes: usize,
    /// The lists that are open: the number of the next item of those that have numbers.
    lists: Vec<Option<u32>>,
    /// Lists that lie deeper than can be shown.
    deeper: usize,
    /// Something to stand before the next text of the line: an item's mark.
    mark: Option<String>,
    link: Option<Link>,
    notes: Vec<String>,
    numbers: HashMap<String, usize>,
}

/// A link that is open.
struct Link {
    address: String,
    /// Where its text begins.
    start: usize,
}

impl Page {
    fn text(&mut self, text: &str) {
        let text = decoded(text);
        if self.pre > 0 {
            for (place, line) in text.split('\n').enumerate() {
                if place > 0 {
                    self.line_break(1);
                }
                let line = line.trim_end_matches('\r');
                if !line.is_empty() {
                    self.write(line);
                }
            }
            return;
        }
        let is_space = |c: char| c.is_whitespace() && c != '\u{a0}';
        self.space |= text.starts_with(is_space);
        for word in text.split(is_space).filter(|word| !word.is_empty()) {
            self.write(&word.replace('\u{a0}', " "));
            self.space = true;
        }
        self.space &= text.ends_with(is_space);
    }

    /// Text right behind what is there, or on a new line where one is due.
    fn write(&mut self, text: &str) {
        let begins = self.out.is_empty() || self.breaks > 0;
        if !self.out.is_empty() {
            let quotes = "> ".repeat(self.quotes.min(DEPTH));
            for place in 0..self.breaks {
                if place > 0 {
                    self.out.push_str(quotes.trim_end());
                }
                self.out.push('\n');
            }
        }
        self.breaks = 0;
        if begins {
            self.out.push_str(&"> ".repeat(self.quotes.min(DEPTH)));
            let mark = self.mark.take();
            let indent = 2 * self.lists.len().min(DEPTH);
            let own = mark.as_ref().map_or(0, String::len);
            self.out.push_str(&" ".repeat(indent.saturating_sub(own)));
            self.out.push_str(&mark.unwrap_or_default());
            if let Some(link) = &mut self.link {
                link.start = link.start.max(self.out.len());
            }
        } else if self.space {
            self.out.push(' ');
        }
        self.space = false;
        self.out.push_str(text);
    }

    /// So many line breaks are due before the next text.
    fn line_break(&mut self, count: usize) {
        // Between lines of preformatted text each one counts.
        self.breaks = match self.pre {
            0 => self.breaks.max(count),
            _ => (self.breaks + count).min(2),
        };
        self.space = false;
    }

    fn tag(&mut self, tag: &Tag<'_>) {
        match (tag.name.as_str(), tag.is_end) {
            ("br", _) => self.breaks = (self.breaks + 1).min(2),
            ("p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" | "dl", _) => {
                self.line_break(2);
            }
            (
                "div" | "tr" | "section" | "article" | "header" | "footer" | "center" | "form"
                | "dt" | "dd" | "figure" | "address" | "body",
                _,
            ) => self.line_break(1),
            ("hr", _) => {
                self.line_break(1);
                self.write("----");
                self.line_break(1);
            }
            ("td" | "th", false) => self.space = true,
            ("pre", is_end) => {
                self.line_break(2);
                self.pre = change(self.pre, is_end);
            }
            ("blockquote", is_end) => {
                self.line_break(2);
                self.quotes = change(self.quotes, is_end);
            }
            ("ul" | "ol", is_end) => self.list(&tag.name, is_end),
            ("li", false) => {
                self.line_break(1);
                self.mark = Some(match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number = number.saturating_add(1);
                        format!("{}. ", number.saturating_sub(1))
                    }
                    _ => "* ".to_owned(),
                });
            }
            ("a", false) => {
                self.end_link();
                let address = tag.value("href").unwrap_or_default();
                self.link = Some(Link {
                    address: address.trim().to_owned(),
                    start: self.out.len(),
                });
            }
            ("a", true) => self.end_link(),
            ("img", false) => {
                let shown = tag.value("alt").unwrap_or_default();
                let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
                if !shown.is_empty() {
                    self.write(&format!("[{shown}]"));
                }
            }
            _ => {}
        }
    }

    fn list(&mut self, name: &str, is_end: bool) {
        self.line_break(if self.lists.is_empty() { 2 } else { 1 });
        match (is_end, self.lists.len() < DEPTH) {
            (false, true) => self.lists.push((name == "ol").then_some(1)),
            (false, false) => self.deeper = self.deeper.saturating_add(1),
            (true, _) if self.deeper > 0 => self.deeper -= 1,
            (true, _) => {
                self.lists.pop();
                if self.lists.is_empty() {
                    self.line_break(2);
                }
            }
        }
    }

    /// Behind a link's text stands the number of its footnote, unless the text is the address.
    fn end_link(&mut self) {
        let Some(link) = self.link.take() else {
            return;
        };
        let text = self.out.get(link.start..).unwrap_or_default().trim();
        let bare = |address: &str| {
            let address = address.strip_prefix("mailto:").unwrap_or(address);
            let address = address.strip_prefix("https://").unwrap_or(address);
            let address = address.strip_prefix("http://").unwrap_or(address);
            address.trim_end_matches('/').to_ascii_lowercase()
        };
        let leads_on = !link.address.is_empty()
            && !link.address.starts_with(['#'])
            && !link.address.starts_with("cid:");
        if text.is_empty() || !leads_on || bare(text) == bare(&link.address) {
            return;
        }
        let mut address = link.address;
        if address.len() > ADDRESS {
            let end = (0..=ADDRESS).rev().find(|at| address.is_char_boundary(*at));
            address.truncate(end.unwrap_or_default());
            address.push('…');
        }
        let number = match self.numbers.get(&address) {
            Some(number) => *number,
            None if self.notes.len() >= LINKS => return,
            None => {
                self.notes.push(address.clone());
                self.numbers.insert(address, self.notes.len());
                self.notes.len()
            }
        };
        self.out.push_str(&format!("[{number}]"));
    }

    fn finish(mut self) -> String {
        self.end_link();
        let mut text = self.out;
        text.truncate(text.trim_end().len());
        if !text.is_empty() {
            text.push('\n');
        }
        for (place, address) in self.notes.iter().enumerate() {
            if place == 0 {
                text.push('\n');
            }
            let address: String = address.split_whitespace().collect();
            text.push_str(&format!("[{}] {address}\n", place + 1));
        }
        text
    }
}

fn change(depth: usize, is_end: bool) -> usize {
    match is_end {
        true => depth.saturating_sub(1),
        false => depth.saturating_add(1),
    }
}

#[cfg(test)]
#[path = "html_tests.rs"]
mod tests;
