//! Files that a person names: they may be anything, and nobody is kept waiting for what never comes.

use crate::stop::Stop;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// No secret is longer than this, in octets; what is, is another file.
pub const LIMIT: usize = 64 << 10;

/// How long a pipe or a device may say nothing: whoever writes to it may ask somebody first.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens a file to read it. A FIFO is not waited for until somebody writes to it.
///
/// # Errors
/// It cannot be opened, or is a directory.
pub fn open(path: &Path) -> io::Result<File> {
    let nonblock = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(nonblock)
        .open(path)?;
    match file.metadata()?.is_dir() {
        true => Err(rustix::io::Errno::ISDIR.into()),
        false => Ok(file),
    }
}

/// Reads what [`open`] gave, and one octet more than `limit` at most: a device may have no end.
///
/// # Errors
/// It cannot be read; or it is a pipe or a device from which nothing comes, or a stop is requested by then.
pub fn read(file: &mut File, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    read_within(file, limit, PATIENCE)
}

fn read_within(file: &mut File, limit: u64, wait: Duration) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut deadline = Instant::now() + wait;
    let is_pipe = file.metadata()?.file_type().is_fifo();
    let most = usize::try_from(limit)
        .unwrap_or(usize::MAX)
        .saturating_add(1);
    // What holds a secret is not copied as it grows, without being wiped; a config file of more than this
    // is.
    let mut octets = Zeroizing::new(Vec::with_capacity(most.min(LIMIT + 1)));
    let mut piece = Zeroizing::new([0; 4096]);
    while octets.len() < most {
        let room = piece.len().min(most - octets.len());
        match file.read(piece.get_mut(..room).unwrap_or_default()) {
            // Of a pipe that nobody has written to so far that is no end.
            Ok(0) if is_pipe && octets.is_empty() && !has_ended(file, deadline)? => {}
            Ok(0) => break,
            Ok(count) => {
                octets.extend_from_slice(piece.get(..count).unwrap_or_default());
                deadline = Instant::now() + wait;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                has_ended(file, deadline)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(octets)
}

/// Waits until there is something to read, or nobody is left who might write; tells which.
fn has_ended(file: &File, deadline: Instant) -> io::Result<bool> {
    let left = deadline.saturating_duration_since(Instant::now());
    let limit = Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: left.subsec_nanos().into(),
    };
    let stop = Stop::signalled();
    let mut polled = vec![PollFd::new(file, PollFlags::IN)];
    polled.extend(stop.map(Stop::poll_fd));
    let ready = poll(&mut polled, Some(&limit));
    if let Some(reason) = stop.and_then(Stop::requested) {
        return Err(io::Error::other(reason.to_string()));
    }
    match ready {
        Ok(0) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!(
                "it is a pipe or a device, and nothing came from it for {} seconds",
                PATIENCE.as_secs()
            ),
        )),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(polled
            .first()
            .is_none_or(|file| !file.revents().contains(PollFlags::IN))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use std::io::Write;
    use std::thread;

    fn fifo() -> (tempfile::TempDir, std::path::PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("fifo");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        (home, path)
    }

    #[test]
    fn a_pipe_that_nobody_writes_to_is_not_waited_for_for_ever() {
        let (_home, path) = fifo();
        let mut file = open(&path).unwrap();
        let error = read_within(&mut file, 10, Duration::from_millis(50)).unwrap_err();
        assert!(error.to_string().contains("nothing came"), "{error}");
        // Nor one that somebody holds open.
        let _writer = OpenOptions::new().write(true).open(&path).unwrap();
        let error = read_within(&mut file, 10, Duration::from_millis(50)).unwrap_err();
        assert!(error.to_string().contains("nothing came"), "{error}");
    }

    #[test]
    fn what_is_written_to_a_pipe_is_read_to_its_end() {
        let (_home, path) = fifo();
        let mut file = open(&path).unwrap();
        let written = path.clone();
        let writer = thread::spawn(move || {
            let mut pipe = OpenOptions::new().write(true).open(written).unwrap();
            pipe.write_all(b"a b\n").unwrap();
            pipe.write_all(b"c\n").unwrap();
        });
        assert_eq!(read(&mut file, 100).unwrap().as_slice(), b"a b\nc\n");
        writer.join().unwrap();
    }

    #[test]
    fn a_device_without_end_is_read_to_the_limit_and_one_without_content_is_empty() {
        let read = |path| read(&mut open(Path::new(path)).unwrap(), 10_000).unwrap();
        assert_eq!(read("/dev/zero").len(), 10_001);
        assert!(read("/dev/null").is_empty());
        assert!(open(Path::new("/")).is_err());
    }
}
