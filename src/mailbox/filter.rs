//! Which messages of a list are wanted.

use super::entry::Entry;

/// What is asked of messages; all of it has to be true of one.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those that nobody has read.
    pub new: bool,
    /// What stands in the sender's name or address, in large or small letters.
    pub from: Option<String>,
    /// What stands in the subject, likewise.
    pub subject: Option<String>,
    /// Only those that were written from this moment on, in seconds since 1970.
    pub since: Option<i64>,
}

impl Filter {
    /// Makes the texts comparable once, rather than for each message.
    pub fn new(new: bool, from: Option<&str>, subject: Option<&str>, since: Option<i64>) -> Self {
        Self {
            new,
            from: from.map(str::to_lowercase),
            subject: subject.map(str::to_lowercase),
            since,
        }
    }

    /// Whether all of them are wanted, or all that nobody has read: no header need be looked at for it.
    pub fn looks_into_none(&self) -> bool {
        self.from.is_none() && self.subject.is_none() && self.since.is_none()
    }

    /// Whether a message is wanted.
    pub fn takes(&self, entry: &Entry) -> bool {
        let heading = &entry.glance.heading;
        let has = |wanted: &Option<String>, text: &Option<String>| match wanted {
            None => true,
            Some(wanted) => text
                .as_ref()
                .is_some_and(|text| text.to_lowercase().contains(wanted)),
        };
        (!self.new || entry.is_new())
            && self.since.is_none_or(|since| entry.time >= since)
            && has(&self.from, &heading.from)
            && has(&self.subject, &heading.subject)
    }
}
