//! An IMAP server that takes messages by APPEND, says what a test wants it to say, and keeps what it takes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::account::Account;
use super::process::{PATIENCE, within};
pub use super::scripted::Act;
use super::scripted::Scripted;

/// A message that it has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Taken {
    /// In which folder.
    pub folder: String,
    /// The date that it was given; of one that a test puts there, one that no search by date finds.
    pub date: String,
    /// As it came.
    pub octets: Vec<u8>,
    /// Its UID; of one that a test puts there, the next one that there is.
    pub uid: u32,
}

impl Taken {
    /// One that a test puts into a folder.
    pub fn into(folder: &str, octets: Vec<u8>) -> Self {
        Self {
            folder: folder.to_owned(),
            date: String::new(),
            octets,
            uid: 0,
        }
    }
}

/// A server. It ends with this value.
pub struct Depot {
    port: u16,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    scripted: Arc<Scripted>,
    capabilities: Mutex<String>,
    /// Folders with their attributes.
    folders: Mutex<Vec<(String, String)>>,
    taken: Mutex<Vec<Taken>>,
    /// The UID that was given last; of all folders, as if each were a view.
    last_uid: AtomicU32,
    /// What it says of its folders, UIDVALIDITY and UIDNEXT; by itself 1 and what is so.
    says: Mutex<(u32, Option<u32>)>,
}

impl Shared {
    fn next_uid(&self) -> u32 {
        self.last_uid.fetch_add(1, Ordering::SeqCst) + 1
    }
}

impl Depot {
    /// With the folder INBOX; for "ada" with the password "secret".
    pub fn start() -> Self {
        let shared = Arc::new(Shared {
            scripted: Arc::default(),
            capabilities: Mutex::new("IMAP4rev1 LITERAL+ UIDPLUS AUTH=PLAIN SASL-IR".to_owned()),
            folders: Mutex::new(vec![("INBOX".to_owned(), String::new())]),
            taken: Mutex::default(),
            last_uid: AtomicU32::new(0),
            says: Mutex::new((1, None)),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = Arc::clone(&shared);
        let accepting = move || {
            while let Ok((stream, _)) = listener.accept() {
                let shared = Arc::clone(&serving);
                let serve = move |commands: &mut Vec<String>| {
                    serve(&shared, &mut BufReader::new(stream), commands)
                };
                if !serving.scripted.attend(serve) {
                    return;
                }
            }
        };
        Self {
            port,
            shared,
            thread: Some(thread::spawn(accepting)),
        }
    }

    /// What a client needs to know; the account's keys need `protocol = "imap"`.
    pub fn account(&self) -> Account {
        Account::of_ada(self.port, None)
    }

    /// From now on it does that at this step, and what is good at the others. Steps are `greeting`, the
    /// commands, `midst` within a message, `end` behind one that it keeps, `lost` behind one that it does not.
    pub fn behave(&self, step: &'static str, act: Act) {
        self.behave_times(step, act, usize::MAX);
    }

    /// The same for so many times.
    pub fn behave_times(&self, step: &'static str, act: Act, times: usize) {
        self.shared.scripted.behave(step, act, times);
    }

    /// That as well, for so many times.
    pub fn behave_also(&self, step: &'static str, act: Act, times: usize) {
        self.shared.scripted.behave_also(step, act, times);
    }

    /// From now on all goes well.
    pub fn behave_well(&self) {
        self.shared.scripted.behave_well();
    }

    /// Whether somebody has come to a step at which something was to be done, for as many times, within patience.
    pub fn is_reached(&self, step: &'static str) -> bool {
        let is_done = || (!self.shared.scripted.has(step)).then_some(());
        within(PATIENCE, is_done).is_some()
    }

    /// It announces these.
    pub fn announce(&self, capabilities: &str) {
        capabilities.clone_into(&mut self.shared.capabilities.lock().unwrap());
    }

    /// It has these folders, each with its attributes.
    pub fn has_folders(&self, folders: &[(&str, &str)]) {
        let folders = folders
            .iter()
            .map(|(name, uses)| ((*name).to_owned(), (*uses).to_owned()));
        *self.shared.folders.lock().unwrap() = folders.collect();
    }

    /// What it has, once nobody is connected any more.
    pub fn taken(&self) -> Vec<Taken> {
        self.shared.scripted.settle();
        self.shared.taken.lock().unwrap().clone()
    }

    /// Whether it has so many within patience, while somebody may be connected.
    pub fn gets(&self, count: usize) -> bool {
        let has = || (self.shared.taken.lock().unwrap().len() >= count).then_some(());
        within(PATIENCE, has).is_some()
    }

    /// The octets of it, in order, lines ending with LF.
    pub fn octets(&self) -> Vec<Vec<u8>> {
        let taken = self.taken().into_iter();
        let mut octets: Vec<Vec<u8>> = taken.map(|it| lf(&it.octets)).collect();
        octets.sort_unstable();
        octets
    }

    /// Changes what it has.
    pub fn change(&self, change: impl FnOnce(&mut Vec<Taken>)) {
        self.shared.scripted.settle();
        let mut taken = self.shared.taken.lock().unwrap();
        change(&mut taken);
        let fresh = taken.iter_mut().filter(|it| it.uid == 0);
        fresh.for_each(|it| it.uid = self.shared.next_uid());
    }

    /// Its folders were deleted and made anew, and give their numbers from 1 once more, under the UIDVALIDITY that
    /// they had.
    pub fn is_made_anew(&self) {
        self.change(Vec::clear);
        self.shared.last_uid.store(0, Ordering::SeqCst);
    }

    /// It says that this is the UIDVALIDITY of its folders, and this their UIDNEXT, whatever is so.
    pub fn says(&self, validity: u32, next: Option<u32>) {
        *self.shared.says.lock().unwrap() = (validity, next);
    }

    /// The commands of each session without their tags, once nobody is connected any more.
    pub fn sessions(&self) -> Vec<Vec<String>> {
        self.shared.scripted.sessions()
    }

    /// How many commands began with this.
    pub fn count(&self, start: &str) -> usize {
        let sessions = self.sessions().concat();
        sessions.iter().filter(|it| it.starts_with(start)).count()
    }
}

impl Drop for Depot {
    fn drop(&mut self) {
        self.shared.scripted.end();
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The same with LF at the ends of lines.
pub fn lf(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len());
    for line in octets.split_inclusive(|it| *it == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(text) => {
                out.extend_from_slice(text);
                out.push(b'\n');
            }
            None => out.extend_from_slice(line),
        }
    }
    out
}

struct Client<'a> {
    shared: &'a Shared,
    stream: &'a mut BufReader<TcpStream>,
    folder: String,
}

fn serve(
    shared: &Shared,
    stream: &mut BufReader<TcpStream>,
    commands: &mut Vec<String>,
) -> std::io::Result<()> {
    let capabilities = shared.capabilities.lock().unwrap().clone();
    let mut client = Client {
        shared,
        stream,
        folder: String::new(),
    };
    let greeting = format!("* OK [CAPABILITY {capabilities}] ready\r\n");
    if !client.answer("greeting", "", &greeting)? {
        return Ok(());
    }
    loop {
        let mut line = String::new();
        if client.stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        let (tag, command) = line.split_once(' ').unwrap_or((line, ""));
        commands.push(command.to_owned());
        if !client.obey(tag, command, &capabilities)? {
            return Ok(());
        }
    }
}

impl Client<'_> {
    fn obey(&mut self, tag: &str, command: &str, capabilities: &str) -> std::io::Result<bool> {
        let word = command.split(' ').next().unwrap_or_default();
        let ok = format!("{tag} OK done\r\n");
        let argument = || command.split('"').nth(1).unwrap_or_default().to_owned();
        match word {
            "CAPABILITY" => self.answer(
                "CAPABILITY",
                tag,
                &format!("* CAPABILITY {capabilities}\r\n{ok}"),
            ),
            "AUTHENTICATE" => {
                let good = format!("{tag} OK [CAPABILITY {capabilities}] in\r\n");
                self.answer("AUTHENTICATE", tag, &good)
            }
            "LIST" => {
                let folders = self.shared.folders.lock().unwrap().clone();
                let line = |(name, uses): &(String, String)| {
                    format!("* LIST ({uses}) \"/\" \"{name}\"\r\n")
                };
                let lines: String = folders.iter().map(line).collect();
                self.answer("LIST", tag, &(lines + &ok))
            }
            "CREATE" => {
                let folder = (argument(), String::new());
                self.shared.folders.lock().unwrap().push(folder);
                self.answer("CREATE", tag, &ok)
            }
            "EXAMINE" => {
                self.folder = argument();
                match self.has(&self.folder) {
                    true => {
                        let exists = self.here().len();
                        let (validity, next) = *self.shared.says.lock().unwrap();
                        let last = self.shared.last_uid.load(Ordering::SeqCst);
                        let next = next.unwrap_or(last + 1);
                        let lines = format!(
                            "* {exists} EXISTS\r\n* OK [UIDVALIDITY {validity}] fine\r\n\
                             * OK [UIDNEXT {next}] next\r\n"
                        );
                        self.answer("EXAMINE", tag, &format!("{lines}{ok}"))
                    }
                    false => self.answer("EXAMINE", tag, &format!("{tag} NO what?\r\n")),
                }
            }
            "UID" if command.starts_with("UID SEARCH") => self.search(tag, command),
            "UID" => self.fetch(tag, command),
            "APPEND" => self.append(tag, command, capabilities),
            "LOGOUT" => {
                let _ = self
                    .stream
                    .get_mut()
                    .write_all(format!("* BYE\r\n{ok}").as_bytes());
                Ok(false)
            }
            _ => self.answer("other", tag, &format!("{tag} BAD what?\r\n")),
        }
    }

    fn has(&self, folder: &str) -> bool {
        let folders = self.shared.folders.lock().unwrap();
        let is_inbox = |name: &str| name.eq_ignore_ascii_case("INBOX");
        let mut folders = folders.iter();
        folders.any(|(name, _)| name == folder || is_inbox(name) && is_inbox(folder))
    }

    fn is_all(&self) -> bool {
        let folders = self.shared.folders.lock().unwrap();
        let mut folders = folders.iter();
        folders.any(|(name, uses)| *name == self.folder && uses.contains("\\All"))
    }

    /// What is in the open folder.
    fn here(&self) -> Vec<Taken> {
        let all = self.is_all();
        let taken = self.shared.taken.lock().unwrap();
        let here = taken.iter().filter(|it| all || it.folder == self.folder);
        here.cloned().collect()
    }

    fn search(&mut self, tag: &str, command: &str) -> std::io::Result<bool> {
        let id = command.split('"').nth(1).map(|id| format!("<{id}>"));
        let bound = |word| -> Option<usize> {
            let behind = command.split(word).nth(1)?;
            behind.split(' ').next()?.parse().ok()
        };
        let (more_than, less_than) = (bound("LARGER "), bound("SMALLER "));
        let here = self.here();
        let matching = here.iter().filter(|it| {
            let text = String::from_utf8_lossy(&it.octets).into_owned();
            match &id {
                Some(id) => text.contains(id.as_str()),
                None if it.date.is_empty() && command.contains("SINCE") => false,
                None => {
                    more_than.is_none_or(|least| it.octets.len() > least)
                        && less_than.is_none_or(|most| it.octets.len() < most)
                }
            }
        });
        let uids: String = matching.map(|it| format!(" {}", it.uid)).collect();
        self.answer(
            "SEARCH",
            tag,
            &format!("* SEARCH{uids}\r\n{tag} OK done\r\n"),
        )
    }

    /// A message, or its header, or the sizes from one on.
    fn fetch(&mut self, tag: &str, command: &str) -> std::io::Result<bool> {
        if let Some((start, _)) = command.split_once(":*") {
            let from: u32 = start.rsplit(' ').next().unwrap().parse().unwrap();
            let here = self.here();
            let last = here.iter().map(|it| it.uid).max().unwrap_or(0);
            let asked = here.iter().filter(|it| it.uid >= from.min(last));
            let lines: String = asked
                .map(|it| {
                    let (uid, size) = (it.uid, it.octets.len());
                    format!("* 1 FETCH (UID {uid} RFC822.SIZE {size})\r\n")
                })
                .collect();
            return self.answer("FETCH", tag, &format!("{lines}{tag} OK done\r\n"));
        }
        if command.contains("* (UID)") {
            let last = self.here().iter().map(|it| it.uid).max();
            let line = last.map(|uid| format!("* 1 FETCH (UID {uid})\r\n"));
            let line = line.unwrap_or_default();
            return self.answer("LAST", tag, &format!("{line}{tag} OK done\r\n"));
        }
        let uid: u32 = command
            .split(' ')
            .nth(2)
            .and_then(|it| it.parse().ok())
            .unwrap_or(0);
        let mut taken = self.shared.taken.lock().unwrap().clone().into_iter();
        let taken = taken.find(|it| it.uid == uid);
        let octets = taken.map(|it| it.octets).unwrap_or_default();
        if command.contains("RFC822.SIZE") {
            let size = octets.len();
            let line = format!("* 1 FETCH (UID {uid} RFC822.SIZE {size})\r\n");
            return self.answer("SIZE", tag, &format!("{line}{tag} OK done\r\n"));
        }
        let end = match octets.starts_with(b"\r\n") {
            true => Some(2),
            false => octets
                .windows(4)
                .position(|it| it == b"\r\n\r\n")
                .map(|at| at + 4),
        };
        let (section, part) = match command.contains("BODY.PEEK[]") {
            true => ("", &octets[..]),
            false => ("HEADER", &octets[..end.unwrap_or(octets.len())]),
        };
        let length = part.len();
        let start = format!("* 1 FETCH (UID {uid} BODY[{section}] {{{length}}}\r\n");
        let mut text = start.into_bytes();
        text.extend_from_slice(part);
        text.extend_from_slice(format!(")\r\n{tag} OK done\r\n").as_bytes());
        self.stream.get_mut().write_all(&text)?;
        Ok(true)
    }

    fn append(&mut self, tag: &str, command: &str, capabilities: &str) -> std::io::Result<bool> {
        let parts: Vec<&str> = command.split('"').collect();
        let (folder, date) = (parts[1].to_owned(), parts[3].to_owned());
        let literal = command.rsplit('{').next().unwrap().trim_end_matches('}');
        let at_once = literal.ends_with('+');
        let length: usize = literal.trim_end_matches('+').parse().unwrap();
        let scripted = self.shared.scripted.has("APPEND");
        let is_there = self.has(&folder);
        let no_such = format!("{tag} NO [TRYCREATE] no such folder\r\n");
        if !at_once {
            let good = if is_there { "+ go on\r\n" } else { &no_such };
            let go_on = self.answer("APPEND", tag, good)?;
            if scripted || !is_there {
                return Ok(go_on);
            }
        }
        if self.shared.scripted.has("midst") {
            self.stream.read_exact(&mut [0; 1])?;
            return self.answer("midst", tag, "");
        }
        let mut octets = vec![0; length];
        self.stream.read_exact(&mut octets)?;
        let mut end = [0; 2];
        self.stream.read_exact(&mut end)?;
        assert_eq!(end, *b"\r\n", "the command has no end");
        if at_once && (scripted || !is_there) {
            return self.answer("APPEND", tag, &no_such);
        }
        if self.shared.scripted.has("lost") {
            return self.answer("lost", tag, "");
        }
        let uid = self.shared.next_uid();
        self.shared.taken.lock().unwrap().push(Taken {
            folder,
            date,
            octets,
            uid,
        });
        let (validity, _) = *self.shared.says.lock().unwrap();
        let code = match capabilities.contains("UIDPLUS") {
            true => format!("[APPENDUID {validity} {uid}] "),
            false => String::new(),
        };
        self.answer("end", tag, &format!("{tag} OK {code}taken\r\n"))
    }

    /// What is said at a step; whether the session goes on.
    fn answer(&mut self, step: &'static str, tag: &str, good: &str) -> std::io::Result<bool> {
        let scripted = &self.shared.scripted;
        scripted.answer(self.stream, (step, tag), good)
    }
}
