//! The only place that creates, syncs, renames and removes files: what reaches the disk, and when.
//!
//! `delivery` and `state` say what must be durable before what (the rules E1 to E14 of the crate's
//! documentation); this module does each step with one system call and reports it to a
//! [`Witness`] first. A test's witness records the steps, or makes one of them fail, so that a
//! crash or a full disk can be played at every single step.
//!
//! A call that a signal interrupts is made again, a sync included: that is no error of the disk.
//!
//! What a sync promises is what the disk promises: a disk that lies about its cache loses mail
//! whatever is written here. After a failed sync the pages may count as clean although they never
//! reached the disk, so a sync is never tried again (E9): the file is given up.

mod access;
mod advice;
mod file;
mod foreign;
mod fresh;
pub mod line;
mod untrusted;

pub use access::{Access, GroupId, is_own_group};
pub use advice::{advice, unstored};
pub use file::File;
pub use untrusted::{Untrusted, is_untrusted};
use untrusted::{check_mode, check_owner, check_parent};

use crate::threads;
use rustix::fs::{self as sys, AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::{Errno, retry_on_intr};
use std::collections::BTreeSet;
use std::ffi::{CStr, OsStr};
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Files are for their owner alone, under any umask.
const FILE_MODE: Mode = Mode::from_raw_mode(0o600);

/// Directories likewise.
const DIRECTORY_MODE: Mode = Mode::from_raw_mode(0o700);

/// How many files are synced at the same time: a disk merges what it is asked for at once, up to
/// a point (measured on ext4: 1.8 ms a file one by one, 0.7 ms sixteen at a time).
const SYNCS_AT_ONCE: usize = 16;

/// Sees every step before it is taken, and may forbid it with an error.
pub trait Witness: Send + Sync {
    /// About to take this step.
    fn step(&self, step: &Step<'_>) -> io::Result<()>;
}

/// One step towards the disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step<'a> {
    /// A directory comes to be.
    CreateDirectory(&'a Path),
    /// An empty file comes to be.
    Create(&'a Path),
    /// Octets are appended to a file.
    Append(&'a Path, &'a [u8]),
    /// A file is cut to a length.
    Truncate(&'a Path, u64),
    /// A file's or a directory's mode, group or time is set.
    Describe(&'a Path),
    /// A file's octets are forced to the disk.
    SyncFile(&'a Path),
    /// A directory's names are forced to the disk.
    SyncDirectory(&'a Path),
    /// A file gets a second name.
    Link(&'a Path, &'a Path),
    /// A name moves.
    Rename(&'a Path, &'a Path),
    /// A name goes away.
    Remove(&'a Path),
    /// An empty directory goes away.
    RemoveDirectory(&'a Path),
}

/// Where steps are taken. Clones share the witness, and what was made.
#[derive(Clone, Default)]
pub struct Disk {
    witness: Option<Arc<dyn Witness>>,
    /// Directories that were made, and not taken away again.
    made: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl Disk {
    /// The real one, with nobody watching.
    pub fn new() -> Self {
        Self::default()
    }

    /// The real one, with every step shown to `witness` before it is taken.
    pub fn watched(witness: Arc<dyn Witness>) -> Self {
        Self {
            witness: Some(witness),
            ..Self::default()
        }
    }

    fn step(&self, step: Step<'_>) -> io::Result<()> {
        match &self.witness {
            Some(witness) => witness.step(&step),
            None => Ok(()),
        }
    }
}

/// An open directory. Everything in it is reached through this handle, so that nobody can put
/// another directory in its place meanwhile.
pub struct Dir {
    fd: OwnedFd,
    path: PathBuf,
    disk: Disk,
}

impl Dir {
    /// Opens a directory.
    ///
    /// # Errors
    /// Also where it is [`Untrusted`]. The sticky bit lets others add files, but not replace ours.
    pub fn open(disk: &Disk, path: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
        let fd = match retry_on_intr(|| sys::open(path, flags, Mode::empty())) {
            Err(Errno::NOTDIR) if path.is_symlink() => return Err(Untrusted::Link.into()),
            opened => opened?,
        };
        let stat = sys::fstat(&fd)?;
        check_owner(stat.st_uid)?;
        check_mode(stat.st_mode)?;
        Ok(Self {
            fd,
            path: path.to_owned(),
            disk: disk.clone(),
        })
    }

    /// The same where `path` itself may be a link to the directory.
    pub fn open_linked(disk: &Disk, path: &Path) -> io::Result<Self> {
        let opened = Self::open(disk, &path.join("."))?;
        Ok(Self {
            path: path.to_owned(),
            ..opened
        })
    }

    /// Fails where a group may replace what is in it, which decides what is deleted.
    pub fn check_private(&self) -> io::Result<()> {
        untrusted::check_group(sys::fstat(&self.fd)?.st_mode)
    }

    /// Where it was when it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where its steps are taken.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Whether files can be created here.
    pub fn check_writable(&self) -> io::Result<()> {
        let access = sys::Access::WRITE_OK | sys::Access::EXEC_OK;
        Ok(sys::accessat(&self.fd, ".", access, AtFlags::EACCESS)?)
    }

    /// The open directory itself, for [`crate::sandbox`].
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Octets that are free for us on the directory's file system.
    pub fn available(&self) -> io::Result<u64> {
        Ok(self.room()?.0)
    }

    /// The same, and the octets of a block.
    pub fn room(&self) -> io::Result<(u64, u64)> {
        let state = sys::fstatvfs(&self.fd)?;
        let block = state.f_frsize;
        Ok((state.f_bavail.saturating_mul(block), block))
    }

    /// Creates a file that must not exist yet, for appending. Links are not followed.
    pub fn create(&self, name: &OsStr) -> io::Result<File> {
        let path = self.path.join(name);
        self.disk.step(Step::Create(&path))?;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY;
        // It is a regular file and ours: it was made here and now.
        Ok(File::new(self.open_raw(name, flags)?, path, &self.disk))
    }

    /// Opens a file for reading and appending; creates it, empty, where it is missing.
    pub fn open_or_create(&self, name: &OsStr) -> io::Result<File> {
        match self.open_file(name, OFlags::RDWR, self.path.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let path = self.path.join(name);
                self.disk.step(Step::Create(&path))?;
                // Not exclusively: another process may be creating the same file right now.
                self.open_file(name, OFlags::CREATE | OFlags::RDWR, path)
            }
            opened => opened,
        }
    }

    /// Opens a file for reading. Links are not followed.
    pub fn read(&self, name: &OsStr) -> io::Result<fs::File> {
        // Opening a FIFO would otherwise wait for someone to write to it.
        let (file, _) = self.open_regular(name, OFlags::RDONLY | OFlags::NONBLOCK)?;
        Ok(file)
    }

    /// How long a regular file is, without opening it.
    pub fn octets(&self, name: &OsStr) -> io::Result<u64> {
        let stat = sys::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if sys::FileType::from_raw_mode(stat.st_mode) != sys::FileType::RegularFile {
            return Err(Untrusted::NotRegular.into());
        }
        Ok(u64::try_from(stat.st_size).unwrap_or_default())
    }

    /// Forces the octets of a file to the disk that another process has written.
    pub fn sync_file(&self, name: &OsStr) -> io::Result<()> {
        self.disk.step(Step::SyncFile(&self.path.join(name)))?;
        self.read(name)?.sync_data()
    }

    fn open_regular(&self, name: &OsStr, flags: OFlags) -> io::Result<(fs::File, fs::Metadata)> {
        let file = self.open_raw(name, flags)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(Untrusted::NotRegular.into());
        }
        Ok((file, metadata))
    }

    fn open_raw(&self, name: &OsStr, flags: OFlags) -> io::Result<fs::File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = || sys::openat(&self.fd, name, flags, FILE_MODE);
        match retry_on_intr(open) {
            Err(Errno::LOOP) => Err(Untrusted::Link.into()),
            opened => Ok(opened?.into()),
        }
    }

    fn open_file(&self, name: &OsStr, flags: OFlags, path: PathBuf) -> io::Result<File> {
        let (file, metadata) = self.open_regular(name, flags)?;
        check_owner(metadata.uid())?;
        Ok(File::new(file, path, &self.disk))
    }

    /// Whether `file` is what has this name now.
    pub fn is_still(&self, name: &OsStr, file: &File) -> io::Result<bool> {
        let opened = file.file.metadata()?;
        match sys::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok((stat.st_dev, stat.st_ino) == (opened.dev(), opened.ino())),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether there is something of this name.
    pub fn contains(&self, name: &OsStr) -> io::Result<bool> {
        match sys::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Moves `name` to `to`, under the same name. Whatever has that name there already is never
    /// replaced: the error is [`io::ErrorKind::AlreadyExists`].
    pub fn publish(&self, name: &OsStr, to: &Dir) -> io::Result<()> {
        self.publish_as(name, to, name)
    }

    /// The same under another name.
    pub fn publish_as(&self, name: &OsStr, to: &Dir, target: &OsStr) -> io::Result<()> {
        let (from_path, to_path) = (self.path.join(name), to.path.join(target));
        self.disk.step(Step::Rename(&from_path, &to_path))?;
        let rename = || sys::renameat_with(&self.fd, name, &to.fd, target, RenameFlags::NOREPLACE);
        match retry_on_intr(rename) {
            Err(Errno::INVAL | Errno::NOSYS) => self.publish_plainly(name, to, target),
            moved => Ok(moved?),
        }
    }

    /// For file systems without RENAME_NOREPLACE, as NFS: a link refuses to replace, too.
    fn publish_plainly(&self, name: &OsStr, to: &Dir, target: &OsStr) -> io::Result<()> {
        let link = || sys::linkat(&self.fd, name, &to.fd, target, AtFlags::empty());
        match retry_on_intr(link) {
            Ok(()) => {}
            // The server had made it, its answer was lost, and the call was repeated.
            Err(Errno::EXIST) if self.is_same(name, to, target)? => {}
            // Without links there is nothing but to look first. Names are unique anyhow.
            Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS) if !to.contains(target)? => {
                let rename = || sys::renameat(&self.fd, name, &to.fd, target);
                return Ok(retry_on_intr(rename)?);
            }
            Err(error) => return Err(error.into()),
        }
        let unlink = || sys::unlinkat(&self.fd, name, AtFlags::empty());
        Ok(retry_on_intr(unlink)?)
    }

    fn is_same(&self, name: &OsStr, to: &Dir, target: &OsStr) -> io::Result<bool> {
        let stat = |dir: &Self, name| sys::statat(&dir.fd, name, AtFlags::SYMLINK_NOFOLLOW);
        let (here, there) = (stat(self, name)?, stat(to, target)?);
        Ok((here.st_dev, here.st_ino) == (there.st_dev, there.st_ino))
    }

    /// Moves `name` over `target` in this directory, which is replaced at once or not at all.
    /// The file must have been synced; the move is durable after [`Dir::sync`].
    pub fn replace(&self, name: &OsStr, target: &OsStr) -> io::Result<()> {
        let (from_path, to_path) = (self.path.join(name), self.path.join(target));
        self.disk.step(Step::Rename(&from_path, &to_path))?;
        Ok(retry_on_intr(|| {
            sys::renameat(&self.fd, name, &self.fd, target)
        })?)
    }

    /// Gives a file a second name, which must be free.
    pub fn link(&self, name: &OsStr, second: &OsStr) -> io::Result<()> {
        let (from_path, to_path) = (self.path.join(name), self.path.join(second));
        self.disk.step(Step::Link(&from_path, &to_path))?;
        let link = || sys::linkat(&self.fd, name, &self.fd, second, AtFlags::empty());
        Ok(retry_on_intr(link)?)
    }

    /// Whether files could be moved to another directory: the system refuses to move what lies on
    /// another file system, or in a directory that is read-only, before it looks for the file.
    pub fn check_way_to(&self, other: &Self) -> io::Result<()> {
        const NOBODYS: &CStr = c"popfetch-has-no-file-of-this-name";
        match retry_on_intr(|| sys::renameat(&self.fd, NOBODYS, &other.fd, NOBODYS)) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes a file; that it is not there is fine.
    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        self.disk.step(Step::Remove(&self.path.join(name)))?;
        match retry_on_intr(|| sys::unlinkat(&self.fd, name, AtFlags::empty())) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Forces the directory's names to the disk.
    pub fn sync(&self) -> io::Result<()> {
        self.disk.step(Step::SyncDirectory(&self.path))?;
        Ok(retry_on_intr(|| sys::fsync(&self.fd))?)
    }

    /// Calls `each` with every name, "." and ".." left out.
    pub fn for_each_name(&self, mut each: impl FnMut(&OsStr)) -> io::Result<()> {
        for entry in sys::Dir::read_from(&self.fd)? {
            let entry = entry?;
            let name: &CStr = entry.file_name();
            if name != c"." && name != c".." {
                each(OsStr::from_bytes(name.to_bytes()));
            }
        }
        Ok(())
    }
}

/// Syncs many files, several at a time; the results are in the order of the files.
pub fn sync_all(files: &[&File]) -> Vec<io::Result<()>> {
    if let [file] = files {
        return vec![file.sync()];
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((i, file)) = next_of(files, &next) {
            done.push((i, file.sync()));
        }
        done
    };
    let mut results: Vec<(usize, io::Result<()>)> = thread::scope(|scope| {
        let helpers: Vec<_> = (1..files.len().min(SYNCS_AT_ONCE))
            .map_while(|_| threads::start(scope, work).ok())
            .collect();
        let mut results = work();
        for helper in helpers {
            results.extend(helper.join().ok().flatten().unwrap_or_default());
        }
        results
    });
    results.sort_unstable_by_key(|(i, _)| *i);
    let mut results = results.into_iter().peekable();
    (0..files.len())
        .map(|i| match results.next_if(|(done, _)| *done == i) {
            Some((_, result)) => result,
            None => Err(io::Error::other("the thread that synced it ended early")),
        })
        .collect()
}

fn next_of<'a>(files: &[&'a File], next: &AtomicUsize) -> Option<(usize, &'a File)> {
    let i = next.fetch_add(1, Ordering::Relaxed);
    files.get(i).map(|file| (i, *file))
}

/// The largest file that this process may write, where the system limits it (RLIMIT_FSIZE).
pub fn largest_file() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Fsize).current
}

#[cfg(test)]
mod tests;
