//! What a program says for people, as far as that is kept.

use super::Running;
use rustix::io::ioctl_fionbio;
use std::io::{self, Read};
use std::process::ChildStderr;

/// What is kept of it, in octets. The rest is read and dropped, as a program whose pipe is full would
/// stand still.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Keep {
    /// The first of it.
    First(usize),
    /// The last of it.
    Last(usize),
}

/// What a program has said on its standard error.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Told {
    /// Any octets.
    pub octets: Vec<u8>,
    /// There was more.
    pub more: bool,
    keep: Keep,
}

impl Told {
    fn nothing(keep: Keep) -> Self {
        Self {
            octets: Vec::new(),
            more: false,
            keep,
        }
    }

    fn take_in(&mut self, octets: &[u8]) {
        let before = self.octets.len() + octets.len();
        match self.keep {
            Keep::First(most) => {
                let room = most.saturating_sub(self.octets.len());
                let kept = octets.get(..octets.len().min(room)).unwrap_or_default();
                self.octets.extend_from_slice(kept);
            }
            Keep::Last(most) => {
                self.octets.extend_from_slice(octets);
                self.octets.drain(..before.saturating_sub(most));
            }
        }
        self.more |= self.octets.len() < before;
    }

    /// Its lines, as one, not yet escaped; `None` where it has said nothing.
    pub fn line(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.octets);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let mut lines: Vec<&str> = lines.collect();
        if self.more {
            let at = match self.keep {
                Keep::First(_) => lines.len(),
                Keep::Last(_) => 0,
            };
            lines.insert(at, "...");
        }
        (!lines.is_empty()).then(|| lines.join(" / "))
    }
}

/// Where a program says it.
pub(super) struct Ear {
    from: Option<ChildStderr>,
    pub(super) told: Told,
}

impl Ear {
    /// For this program, whose standard error is a pipe.
    pub(super) fn of(running: &mut Running, keep: Keep) -> io::Result<Self> {
        let from = running.take_stderr();
        if let Some(from) = &from {
            // A child that it leaves behind may keep it open for ever.
            ioctl_fionbio(from, true)?;
        }
        let told = Told::nothing(keep);
        Ok(Self { from, told })
    }

    /// Where more may come from.
    pub(super) fn waits_for(&self) -> Option<&ChildStderr> {
        self.from.as_ref()
    }

    /// Reads what is there; one that prints faster than it is read has its turn and no more.
    pub(super) fn listen(&mut self) -> io::Result<()> {
        const PIECES: usize = 64;
        let mut piece = [0; 4096];
        for _ in 0..PIECES {
            let Some(open) = &mut self.from else {
                return Ok(());
            };
            match open.read(&mut piece) {
                Ok(0) => self.from = None,
                Ok(count) => self.told.take_in(piece.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(keep: Keep, pieces: &[&str]) -> Told {
        let mut told = Told::nothing(keep);
        pieces
            .iter()
            .for_each(|piece| told.take_in(piece.as_bytes()));
        told
    }

    #[test]
    fn the_first_or_the_last_of_it_is_kept_and_where_there_was_more_is_shown() {
        let pieces = ["one\ntwo\n", "three\n"];
        let all = told(Keep::First(14), &pieces);
        assert_eq!(
            (all.line().as_deref(), all.more),
            (Some("one / two / three"), false)
        );
        let first = told(Keep::First(8), &pieces);
        assert_eq!(
            (first.line().as_deref(), first.more),
            (Some("one / two / ..."), true)
        );
        let last = told(Keep::Last(10), &pieces);
        assert_eq!(
            (last.line().as_deref(), last.more),
            (Some("... / two / three"), true)
        );
        assert_eq!(told(Keep::Last(10), &["\n", " \n"]).line(), None);
    }
}
