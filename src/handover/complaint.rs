//! What a program prints for people: the end of it, however much there is.

use crate::process::Running;
use rustix::io::ioctl_fionbio;
use std::io::{self, Read};
use std::process::ChildStderr;

/// So many octets of what was printed last are kept: a line for people has other words as well.
const KEPT: usize = 400;

/// So many are read each time that there are any: a program that prints without end must not keep its
/// own end from being seen.
const PART: usize = 64 * 1024;

/// What has been printed so far.
pub(super) struct Complaint {
    from: Option<ChildStderr>,
    octets: Vec<u8>,
    /// More was printed before that.
    is_cut: bool,
}

impl Complaint {
    /// Of this program, whose standard error is a pipe.
    pub(super) fn of(running: &mut Running) -> io::Result<Self> {
        let from = running.take_stderr();
        if let Some(from) = &from {
            // A child that the program leaves behind may keep it open for ever.
            ioctl_fionbio(from, true)?;
        }
        Ok(Self {
            from,
            octets: Vec::new(),
            is_cut: false,
        })
    }

    /// Where more may come from.
    pub(super) fn source(&self) -> Option<&ChildStderr> {
        self.from.as_ref()
    }

    /// Takes in what is there.
    pub(super) fn listen(&mut self) {
        let mut piece = [0; 4096];
        for _ in 0..PART / piece.len() {
            let Some(from) = &mut self.from else {
                return;
            };
            match from.read(&mut piece) {
                Ok(count @ 1..) => {
                    self.octets.extend(piece.get(..count).unwrap_or_default());
                    let more = self.octets.len().saturating_sub(KEPT);
                    self.octets.drain(..more);
                    self.is_cut |= more > 0;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Nothing more comes.
                Ok(_) | Err(_) => self.from = None,
            }
        }
    }

    /// Its lines, as one; none where nothing was printed.
    pub(super) fn text(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.octets);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let before = self.is_cut.then_some("...");
        let lines: Vec<&str> = before.into_iter().chain(lines).collect();
        (!lines.is_empty()).then(|| lines.join(" / "))
    }
}
