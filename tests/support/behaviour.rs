//! How the embedded server answers: well by default, and as badly as a test wants.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::scram::Scram;
use super::wire::Ending;

/// What a server does in a session. The default is a good modern server.
#[derive(Clone, Debug)]
pub struct Behaviour {
    pub(super) greeting: Vec<u8>,
    pub(super) capabilities_before: Vec<String>,
    pub(super) capabilities_after: Vec<String>,
    pub(super) rules: Vec<Rule>,
    pub(super) cut_after: Option<(u64, Ending)>,
    pub(super) chunk: usize,
    pub(super) delay: Duration,
    pub(super) latency: Duration,
    pub(super) ending: Ending,
    pub(super) deletes_retrieved: bool,
    pub(super) scram: Scram,
    pub(super) prompt: Option<Vec<u8>>,
    pub(super) ignores_initial_responses: bool,
    pub(super) other_binding: Option<Vec<u8>>,
    pub(super) lists: usize,
    pub(super) loses_what_follows_sign_in: bool,
    pub(super) renumbers: bool,
    pub(super) weaves: Vec<(usize, usize)>,
    pub(super) crowded: Option<(&'static str, Option<Ending>)>,
    pub(super) gives: Option<(usize, Reply)>,
    pub(super) enough: Option<(Limit, Reply)>,
}

/// What a server may have had enough of in a session.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// So many commands are answered.
    Commands(usize),
    /// No command is answered once so many octets have been sent.
    Octets(u64),
}

/// What the server does instead of, or beside, the right answer to a command.
#[derive(Clone, Debug)]
pub enum Reply {
    /// The right answer, and the connection ends right after it.
    AnswerThenEnd(Ending),
    /// The command has its effect, but the connection ends before a single octet of the answer:
    /// with QUIT, the deletions happen and the client never hears of it.
    EffectThenEnd(Ending),
    /// The connection ends; the command has no effect.
    End(Ending),
    /// These octets precede the right answer.
    Prefix(Vec<u8>),
    /// These octets, byte for byte; the command has no effect.
    Raw(Vec<u8>),
    /// These octets, and the connection ends right after them; the command has no effect.
    RawThenEnd(Vec<u8>, Ending),
    /// The right answer as this makes it, which is given all of its octets.
    Remade(fn(Vec<u8>) -> Vec<u8>),
    /// The right answer, and these octets right behind it.
    Suffix(Vec<u8>),
    /// The right answer, and these octets a moment after all is answered that came in the same flight, or
    /// before the connection ends.
    Late(Vec<u8>),
}

impl Reply {
    /// An answer with no effect.
    pub fn raw(octets: impl AsRef<[u8]>) -> Self {
        Self::Raw(octets.as_ref().into())
    }
}

#[derive(Clone, Debug)]
pub(super) struct Rule {
    pattern: String,
    occurrences: Range<usize>,
    /// Counted over all sessions and clones, so that "the first time only" is just that.
    seen: Arc<AtomicUsize>,
    reply: Reply,
}

impl Default for Behaviour {
    fn default() -> Self {
        let capabilities = |tags: &[&str]| tags.iter().map(|tag| tag.to_string()).collect();
        let tags = [
            "TOP",
            "UIDL",
            "RESP-CODES",
            "AUTH-RESP-CODE",
            "PIPELINING",
            "USER",
            "SASL PLAIN",
            "IMPLEMENTATION test",
        ];
        Self {
            greeting: b"+OK ready\r\n".into(),
            capabilities_before: capabilities(&tags),
            capabilities_after: capabilities(&tags),
            rules: Vec::new(),
            cut_after: None,
            chunk: usize::MAX,
            delay: Duration::ZERO,
            latency: Duration::ZERO,
            ending: Ending::Close,
            deletes_retrieved: false,
            scram: Scram::default(),
            prompt: None,
            ignores_initial_responses: false,
            other_binding: None,
            lists: usize::MAX,
            loses_what_follows_sign_in: false,
            renumbers: false,
            weaves: Vec::new(),
            crowded: None,
            gives: None,
            enough: None,
        }
    }
}

impl Behaviour {
    /// A good modern server.
    pub fn new() -> Self {
        Self::default()
    }

    /// The first line, line end included, byte for byte.
    pub fn greeting(mut self, octets: impl AsRef<[u8]>) -> Self {
        self.greeting = octets.as_ref().into();
        self
    }

    /// What CAPA lists, before and after sign-in.
    pub fn capabilities(self, tags: &[&str]) -> Self {
        self.capabilities_before(tags).capabilities_after(tags)
    }

    /// What CAPA lists before sign-in.
    pub fn capabilities_before(mut self, tags: &[&str]) -> Self {
        self.capabilities_before = tags.iter().map(|tag| tag.to_string()).collect();
        self
    }

    /// What CAPA lists after sign-in.
    pub fn capabilities_after(mut self, tags: &[&str]) -> Self {
        self.capabilities_after = tags.iter().map(|tag| tag.to_string()).collect();
        self
    }

    /// A server without this capability; where it is a command's keyword (UIDL, TOP, USER, CAPA, or
    /// SASL, whose command is AUTH), that command is answered with -ERR.
    pub fn without(mut self, tag: &str) -> Self {
        let differs = |listed: &String| listed.split(' ').next() != Some(tag);
        self.capabilities_before.retain(differs);
        self.capabilities_after.retain(differs);
        let command = if tag == "SASL" { "AUTH" } else { tag };
        self.on(command, Reply::raw("-ERR unknown command\r\n"))
    }

    /// Another answer to each command that matches `pattern`: a keyword ("RETR") or a keyword with
    /// arguments ("RETR 4"), in any case. Of several that match, the one added last decides.
    pub fn on(self, pattern: &str, reply: Reply) -> Self {
        self.on_occurrences(pattern, 0..usize::MAX, reply)
    }

    /// The same for some occurrences only, counted from 0 over all sessions with this behaviour:
    /// `0..1` is the first time.
    pub fn on_occurrences(
        mut self,
        pattern: &str,
        occurrences: Range<usize>,
        reply: Reply,
    ) -> Self {
        self.rules.push(Rule {
            pattern: pattern.to_ascii_uppercase(),
            occurrences,
            seen: Arc::default(),
            reply,
        });
        self
    }

    /// The connection ends when the server has sent exactly this many octets, greeting included,
    /// counted before encryption.
    pub fn cut_after(mut self, octets: u64, ending: Ending) -> Self {
        self.cut_after = Some((octets, ending));
        self
    }

    /// At most this many octets in one write, which with TLS is one record.
    pub fn chunk(mut self, octets: usize) -> Self {
        self.chunk = octets;
        self
    }

    /// A pause before each answer.
    pub fn delay(mut self, pause: Duration) -> Self {
        self.delay = pause;
        self
    }

    /// A long line: answers are held back this long, and commands that arrive meanwhile are
    /// answered with them. So a client that waits for an answer pays this once a round trip, and
    /// flights are counted exactly; with zero, a client that sends a burst in several writes may be
    /// counted as more flights than it needs.
    pub fn latency(mut self, round_trip: Duration) -> Self {
        self.latency = round_trip;
        self
    }

    /// How the connection ends after the answer to QUIT.
    pub fn ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }

    /// At QUIT whatever was retrieved is deleted, as RFC 1939 section 8 and EXPIRE 0 allow.
    pub fn deletes_retrieved(mut self) -> Self {
        self.deletes_retrieved = true;
        self
    }

    /// What asks for the first message of a SASL mechanism, byte for byte, instead of a challenge.
    pub fn prompt(mut self, octets: impl AsRef<[u8]>) -> Self {
        self.prompt = Some(octets.as_ref().into());
        self
    }

    /// It binds SCRAM to the connection by something of its own, and says this of any other binding
    /// once it sees it, which is in the last message.
    pub fn other_binding(mut self, refusal: impl AsRef<[u8]>) -> Self {
        self.other_binding = Some(refusal.as_ref().into());
        self
    }

    /// What comes with AUTH is not looked at, but asked for.
    pub fn ignores_initial_responses(mut self) -> Self {
        self.ignores_initial_responses = true;
        self
    }

    /// Another idea of SCRAM than the right one.
    pub(crate) fn scram(mut self, scram: Scram) -> Self {
        self.scram = scram;
        self
    }

    /// A session shows no more than the first so many messages. With [`Self::deletes_retrieved`],
    /// which looks like hiding them, this is Gmail.
    pub fn lists(mut self, messages: usize) -> Self {
        self.lists = messages;
        self
    }

    /// What comes with the sign-in in one flight is lost: whoever reads it is not the one who goes
    /// on afterwards.
    pub fn loses_what_follows_sign_in(mut self) -> Self {
        self.loses_what_follows_sign_in = true;
        self
    }

    /// As soon as a message is marked as deleted, those behind it have other numbers.
    pub fn renumbers(mut self) -> Self {
        self.renumbers = true;
        self
    }

    /// Goes on to the next RETR before the last one's answer is out, where both were asked for at
    /// once: of the session's `n`th RETR (from 0), after so many octets of the message, stands the
    /// first line of the next answer, which then lacks it.
    pub fn weaves(mut self, places: &[(usize, usize)]) -> Self {
        self.weaves = places.to_vec();
        self
    }

    /// A command with this keyword that comes with others behind it in one flight makes the
    /// connection end.
    pub fn closes_on_several(mut self, keyword: &'static str, ending: Ending) -> Self {
        self.crowded = Some((keyword, Some(ending)));
        self
    }

    /// What comes in one flight behind a command with this keyword is lost.
    pub fn loses_what_follows(mut self, keyword: &'static str) -> Self {
        self.crowded = Some((keyword, None));
        self
    }

    /// A session gives so many messages, and to each further RETR this reply.
    pub fn gives(mut self, messages: usize, reply: Reply) -> Self {
        self.gives = Some((messages, reply));
        self
    }

    /// Once a session has come to this limit each further command gets this reply.
    pub fn has_enough(mut self, limit: Limit, reply: Reply) -> Self {
        self.enough = Some((limit, reply));
        self
    }

    /// What to do about `line`, if there is a rule for it. Counts the occurrence.
    pub(super) fn reply_to(&self, line: &str) -> Option<Reply> {
        let line = line.to_ascii_uppercase();
        let mut found = None;
        for rule in self.rules.iter().filter(|rule| rule.matches(&line)) {
            let occurrence = rule.seen.fetch_add(1, Ordering::SeqCst);
            if rule.occurrences.contains(&occurrence) {
                found = Some(rule.reply.clone());
            }
        }
        found
    }
}

impl Rule {
    fn matches(&self, line: &str) -> bool {
        line.strip_prefix(&self.pattern)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    }
}
