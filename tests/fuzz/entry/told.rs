//! A message of a made-up journal, as the lines about it leave it.

use super::sealed;
use super::story::Version;
use popfetch::state::{Known, Standing};

/// What is shown of a message, without the number of its line.
#[derive(Debug, Eq, PartialEq)]
pub struct Remembered {
    pub time: i64,
    pub unique_ids: Vec<Box<[u8]>>,
    pub listed: Option<u64>,
    pub name: Option<String>,
    pub standing: Standing,
    pub settled: bool,
    pub held: bool,
    pub gone: bool,
}

pub struct Message {
    pub time: i64,
    /// All that it was listed under; the last is the one that it is known by.
    pub unique_ids: Vec<Vec<u8>>,
    /// What only its file's name says, where the journal was lost: it is found under it.
    pub lost_id: Option<Vec<u8>>,
    /// What the server lists, and what is known of it.
    pub size: u64,
    pub octets: Option<u64>,
    pub name: Option<String>,
    pub fate: Fate,
    pub standing: Standing,
    pub futile: u8,
    pub deleted: bool,
    pub absent: bool,
    pub unsure: bool,
    pub held: bool,
    pub gone: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    Intended,
    Stored,
    Lost,
    Marked,
    Dropped,
}

impl Message {
    /// Under the name it had, a deletion was in vain; under another it came back, and none was.
    pub fn relist(&mut self, id: usize, time: i64, renamed: bool) -> String {
        self.futile += u8::from(self.deleted && !renamed);
        (self.deleted, self.absent, self.unsure) = (false, false, false);
        self.standing = Standing::Here;
        let unique_id = self.unique_ids.last().unwrap();
        let octets = self.size;
        self.octets = Some(octets);
        format!(
            "K\t{id}\t{time}\t{}\t{octets}\t0",
            sealed::escaped(unique_id)
        )
    }

    pub fn accept(&mut self) {
        (self.gone, self.held, self.unsure) = (true, false, false);
    }

    pub fn all_ids(&self) -> Vec<Vec<u8>> {
        self.lost_id
            .iter()
            .chain(&self.unique_ids)
            .cloned()
            .collect()
    }

    pub fn remembered(&self) -> Remembered {
        Remembered {
            time: self.time,
            unique_ids: self
                .unique_ids
                .iter()
                .map(|id| id.as_slice().into())
                .collect(),
            listed: self.octets,
            name: self.name.clone(),
            standing: self.standing,
            settled: matches!(self.fate, Fate::Stored | Fate::Lost),
            held: self.held,
            gone: self.gone,
        }
    }

    pub fn known(&self, version: Version) -> Known {
        // Found in the Maildir: how it was listed nobody knows, and only today's lines can tell.
        let unsized_yet = self.octets.is_none() && version == Version::Todays;
        let changed = self.deleted || self.absent || self.unsure || unsized_yet;
        let since = self.time;
        match self.fate {
            Fate::Intended | Fate::Dropped => Known::New(None),
            Fate::Lost => Known::Lost,
            Fate::Marked => Known::Marked,
            Fate::Stored if changed => Known::Doubtful { since },
            Fate::Stored => Known::Stored {
                since,
                futile: self.futile,
                held: self.held,
            },
        }
    }
}
