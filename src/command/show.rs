//! `popfetch show`: a message, what is attached to it, or a part of it.

use super::context::Context;
use super::fail::{Failure, print};
use super::maildirs::{Maildirs, OF_NO_ACCOUNT, confined};
use super::pager::page;
use crate::cli::Show;
use crate::durable::Disk;
use crate::exit::Status;
use crate::mailbox::{self, Error, LARGEST, Numbers, Places, Which};
use crate::maildir::flags_of;
use crate::message::{Letter, Part, as_text, bare_id};
use crate::paths;
use crate::profile::config_option;
use crate::profile::without_password;
use crate::report::{Event, Report};
use crate::term::{
    Paint, columns, escape_bytes_up_to, escape_str, fold, json_line, readable, size, wrap,
};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{IsTerminal, Read, stdout};
use std::path::{Path, PathBuf};

/// Runs the command.
pub(super) fn run(context: &Context<'_>, arguments: &Show) -> Result<Status, Failure> {
    let path = find(context, arguments)?;
    let file = open(&path)?;
    let view = View {
        arguments,
        is_json: context.is_json(),
        is_terminal: stdout().is_terminal(),
        columns: columns(stdout()),
        paint: context.paint_for(stdout().is_terminal()),
    };
    let shown = confined(&[], || {
        let mut octets = Vec::new();
        let read = file.take(LARGEST).read_to_end(&mut octets);
        read.map(|_| view.of(&octets))
    })?;
    let shown = shown.map_err(|source| Error::Unreadable {
        path: path.clone(),
        source,
    })??;
    let disk = Disk::new();
    let mut lines = Vec::new();
    for (name, octets) in &shown.files {
        let directory = arguments.save.as_deref().unwrap_or(Path::new("."));
        let saved = mailbox::save(&disk, directory, name, octets)?;
        lines.extend(view.saved(&saved, octets.len()));
    }
    let path = match arguments.peek {
        true => path,
        // That it was read must not depend on that.
        false => mailbox::mark_seen(&disk, &path).unwrap_or_else(|error| {
            let text = format!("the message cannot be marked as seen: {error}");
            let report = context.text_reporter();
            report.report("show", Event::Warning(&text));
            report.clear();
            path
        }),
    };
    match shown.what {
        What::Files if lines.is_empty() && !view.is_json => {
            context.text_reporter().print("nothing is attached to it\n");
        }
        What::Files => print(lines)?,
        What::Octets(octets) => print(octets)?,
        What::Text(text) => page(&text)?,
        What::Json(mut object) => {
            if let Some(fields) = object.as_object_mut() {
                let flags = path.file_name().map(flags_of).unwrap_or_default();
                fields.insert("path".into(), json!(path.to_string_lossy()));
                fields.insert("flags".into(), json!(flags.words().collect::<Vec<_>>()));
            }
            print(json_line(&object).unwrap_or_default())?;
        }
    }
    Ok(Status::Ok)
}

/// The file of the message that is meant.
fn find(context: &Context<'_>, arguments: &Show) -> Result<PathBuf, Failure> {
    let text = arguments.message.to_string_lossy();
    if let Ok(number) = text.parse() {
        let numbers = Numbers::read(&paths::cache_dir()?);
        let around = |path: &Path| around(path);
        let found = numbers.path(number).map(Path::to_owned);
        let found = found.and_then(|known| numbers.find(number, || around(&known)));
        let config = config_option(
            context
                .global
                .config
                .as_deref()
                .map(paths::in_full)
                .as_deref(),
        );
        return found.map_err(|error| {
            let has_no_list = matches!(error, Error::NoNumber { known: 0, .. });
            let failure = Failure::from(error).with_in_hint("popfetch list", &config);
            // A list is made of the accounts.
            match context.config(&[]) {
                Err(without) if has_no_list && without.is_of_no_accounts() => {
                    failure.with_hint(OF_NO_ACCOUNT)
                }
                _ => failure,
            }
        });
    }
    // A Message-ID or a file's name may begin in that way as well.
    let message = arguments.message.clone();
    let path = paths::in_full(&paths::with_home(message.clone()).unwrap_or(message));
    if path.is_file() {
        return Ok(path);
    }
    if text.contains('@')
        && !path
            .parent()
            .is_some_and(|it| it.ends_with("new") || it.ends_with("cur"))
    {
        let report = context.text_reporter();
        let maildir = arguments.maildir.as_deref().map(paths::in_full);
        let maildirs = Maildirs::open(context, &[], maildir.as_deref(), &Which::All, &report)?;
        let wanted = bare_id(&text);
        let found = maildirs.confined(|places| {
            let entries = mailbox::list(places).entries;
            let is_it = |id: &Option<String>| id.as_deref() == Some(wanted);
            let found = entries.iter().find(|entry| is_it(&entry.glance.message_id));
            found.map(|entry| entry.path(places))
        })?;
        return Ok(match found {
            Some(path) => path,
            None => {
                // It may be where nothing could be read.
                maildirs.tell(&report);
                return Err(Error::NoMessage(without_password(&text)).into());
            }
        });
    }
    // A reader has given it flags, or moved it, since its path was printed.
    let found = around(&path).find(&path);
    Ok(found.ok_or_else(|| Error::NoMessage(without_password(&text)))?)
}

/// The Maildir that a message is or was in, with all its folders, and the one that it is a folder of.
fn around(path: &Path) -> Places {
    let (disk, mut places) = (Disk::new(), Places::default());
    let roots = path.ancestors().skip(2).take(2);
    for root in roots.filter(|root| root.join("cur").is_dir()) {
        // What cannot be read holds nothing that could be shown.
        let _ = places.add(&disk, root, &Which::All);
    }
    places
}

fn open(path: &Path) -> Result<File, Error> {
    let unreadable = |source| Error::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    match file.metadata().map_err(unreadable)?.len() {
        0..=LARGEST => Ok(file),
        _ => Err(Error::TooLarge(path.to_owned())),
    }
}

/// How something is to be shown.
struct View<'a> {
    arguments: &'a Show,
    is_json: bool,
    is_terminal: bool,
    columns: Option<usize>,
    paint: Paint,
}

/// What is to be written.
struct Shown {
    what: What,
    /// Names, as their sender chose them, and octets of what is to be saved.
    files: Vec<(String, Vec<u8>)>,
}

enum What {
    /// Only files.
    Files,
    /// As they are: to a file or a pipe.
    Octets(Vec<u8>),
    /// Safe for a terminal.
    Text(String),
    Json(Value),
}

impl View<'_> {
    fn of(&self, octets: &[u8]) -> Result<Shown, Failure> {
        let letter = Letter::read(octets);
        if self.arguments.save.is_some() {
            return Ok(Shown {
                what: What::Files,
                files: self.files(&letter)?,
            });
        }
        let what = if self.arguments.raw {
            self.octets(octets.to_vec())
        } else if self.arguments.headers {
            What::Text(self.fields(&letter.fields()))
        } else if self.arguments.html {
            let html = letter
                .html()
                .ok_or_else(|| lacks("there is no HTML in it"))?;
            self.octets(html.into_bytes())
        } else if let Some(number) = self.arguments.part {
            self.part(part(&letter, number)?, number)?
        } else if self.is_json {
            What::Json(as_json(&letter, octets.len()))
        } else {
            What::Text(self.letter(&letter))
        };
        Ok(Shown {
            what,
            files: Vec::new(),
        })
    }

    /// What is to be saved.
    fn files(&self, letter: &Letter<'_>) -> Result<Vec<(String, Vec<u8>)>, Failure> {
        let file = |number: usize, part: &Part<'_>| (file_name(number, part), part.octets());
        if let Some(number) = self.arguments.part {
            return Ok(vec![file(number, part(letter, number)?)]);
        }
        let attachments = letter.attachments();
        Ok(attachments
            .map(|(number, part)| file(number, part))
            .collect())
    }

    /// A line about a file that was saved.
    fn saved(&self, path: &Path, octets: usize) -> Vec<u8> {
        if self.is_json {
            let object = json!({
                "event": "saved", "path": path.to_string_lossy(), "octets": octets,
            });
            return json_line(&object).unwrap_or_default();
        }
        let shown = escape_bytes_up_to(path.as_os_str().as_encoded_bytes(), usize::MAX);
        (shown + "\n").into_bytes()
    }

    /// The very octets, or what of them a terminal can take.
    fn octets(&self, octets: Vec<u8>) -> What {
        if !self.is_terminal {
            return What::Octets(octets);
        }
        let lines = octets.split_inclusive(|octet| *octet == b'\n');
        let lines = lines.map(|line| {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            escape_bytes_up_to(line, usize::MAX) + "\n"
        });
        What::Text(lines.collect())
    }

    fn part(&self, part: &Part<'_>, number: usize) -> Result<What, Failure> {
        let is_text = part.kind.starts_with("text/") || part.kind == "message/delivery-status";
        Ok(match (self.is_terminal, part.kind.as_str()) {
            (true, "message/rfc822") => What::Text(self.letter(&Letter::read(&part.octets()))),
            (true, "text/html") => What::Text(self.body(&as_text(&part.text()))),
            (true, _) if is_text => What::Text(self.body(&part.text())),
            (true, kind) => {
                return Err(Failure::new(
                    Status::Usage,
                    format!("part {number} is {kind}, which a terminal cannot show"),
                    "--save DIR saves it, and `> FILE` writes it to a file",
                ));
            }
            (false, _) if is_text => What::Octets(part.text().into_bytes()),
            (false, _) => What::Octets(part.octets()),
        })
    }

    /// The fields that matter, the text, and what is attached.
    fn letter(&self, letter: &Letter<'_>) -> String {
        let heading = letter.heading();
        let heading = heading.iter().map(|(name, value)| (*name, value.as_str()));
        let heading = heading.filter(|(name, _)| *name != "Message-ID");
        let mut text: String = heading
            .map(|(name, value)| self.field(name, value))
            .collect();
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&self.body(&letter.text()));
        let mut attachments = letter.attachments().peekable();
        if attachments.peek().is_some() {
            text.push('\n');
        }
        for (number, part) in attachments {
            let name = file_name(number, part);
            let line = format!("{} ({}, {})", name, part.kind, size(part.size()));
            let label = self.paint.bold(&format!("[{number}]"));
            text.push_str(&format!("{label} {}\n", escape_str(&line)));
        }
        if letter.has_more {
            text.push_str("[there are more parts, which are not told apart]\n");
        }
        text
    }

    fn fields(&self, fields: &[(String, String)]) -> String {
        let fields = fields.iter();
        fields
            .map(|(name, value)| self.field(name, value))
            .collect()
    }

    fn field(&self, name: &str, value: &str) -> String {
        let label = self.paint.bold(&format!("{}:", escape_str(name)));
        let value = escape_bytes_up_to(value.as_bytes(), usize::MAX);
        wrap(&format!("{label} "), &value, self.columns) + "\n"
    }

    /// A text, harmless and broken where the terminal ends.
    fn body(&self, text: &str) -> String {
        let mut text = fold(&readable(text), self.columns);
        text.truncate(text.trim_end().len());
        text + "\n"
    }
}

fn part<'a, 'b>(letter: &'a Letter<'b>, number: usize) -> Result<&'a Part<'b>, Failure> {
    let found = number
        .checked_sub(1)
        .and_then(|place| letter.parts.get(place));
    found.ok_or_else(|| {
        lacks(&match letter.parts.len() {
            1 => "it has one part alone".to_owned(),
            count => format!("it has {count} parts"),
        })
    })
}

fn lacks(text: &str) -> Failure {
    Failure::new(
        Status::Partial,
        text,
        "popfetch show without options shows what there is",
    )
}

/// The name that a part is saved under: its own, made safe, or else one that says what it is.
fn file_name(number: usize, part: &Part<'_>) -> String {
    let ending = match part.kind.as_str() {
        "message/rfc822" => "eml",
        "text/plain" => "txt",
        "text/calendar" => "ics",
        "application/octet-stream" => "bin",
        kind => kind.rsplit('/').next().unwrap_or_default(),
    };
    let otherwise = mailbox::safe_name(&format!("part-{number}.{ending}"), "part");
    match &part.name {
        Some(name) => mailbox::safe_name(name, &otherwise),
        None => otherwise,
    }
}

/// All that is shown, for programs; `path` and `flags` are added by who knows them.
fn as_json(letter: &Letter<'_>, octets: usize) -> Value {
    let heading = letter.heading();
    let of = |name: &str| {
        let mut found = heading.iter().filter(|(it, _)| *it == name);
        found.next().map(|(_, value)| value)
    };
    let attached: Vec<usize> = letter.attachments().map(|(number, _)| number).collect();
    let parts = letter.parts.iter().enumerate().map(|(place, part)| {
        json!({
            "number": place + 1,
            "type": part.kind,
            "name": part.name,
            "octets": part.size(),
            "attachment": attached.contains(&(place + 1)),
        })
    });
    json!({
        "event": "message",
        "date": of("Date"),
        "from": of("From"),
        "reply_to": of("Reply-To"),
        "to": of("To"),
        "cc": of("Cc"),
        "subject": of("Subject"),
        "message_id": of("Message-ID").map(|id| bare_id(id)),
        "octets": octets,
        "text": letter.text(),
        "parts": parts.collect::<Vec<_>>(),
    })
}
