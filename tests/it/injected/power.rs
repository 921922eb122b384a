//! The power goes at every system call of a fetch onto a real file system: its image is copied
//! while the program is stopped there, and so holds what the disk had been told by then, and
//! nothing of what the kernel still kept to itself.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::finish;
use crate::support::account::Security;
use crate::support::maildrop::Maildrop;
use crate::support::message::{Message, generate};
use crate::support::mounted::Mounted;
use crate::support::process::{find, installed, make_program};
use crate::support::run::Home;
use crate::support::scratch;
use crate::support::series::drawn;
use crate::support::server::Server;
use crate::support::skip::needs_root;
use crate::support::tracer::{self, Action, End};
use crate::support::tree;

/// Enough for a journal of the file system's own.
const IMAGE: u64 = 8 * 1024 * 1024;

const BLOCK: usize = 4096;

const MESSAGES: usize = 8;

/// States of the disk that an ordinary run comes back from.
const FEW: usize = 20;

/// Where the disks are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Layout {
    /// The Maildir on one file system and the state on another: what is synced on one says nothing
    /// of the other.
    Apart,
    /// Both on the same one.
    Together,
}

/// The blocks of an image that are not all zeros.
type Image = BTreeMap<usize, Vec<u8>>;

/// What there is at one moment.
#[derive(PartialEq)]
struct Snapshot {
    images: Vec<Image>,
    on_server: Vec<String>,
    /// Before which call.
    what: String,
}

struct Scene {
    messages: Vec<Message>,
    server: Server,
    home: Home,
    images: Vec<PathBuf>,
    /// Where the images are, and what runs after the cut are started with.
    _directories: [tempfile::TempDir; 2],
}

impl Scene {
    fn new(layout: Layout, keys: &str) -> Self {
        let directories = [scratch::directory(), scratch::directory()];
        // After a power cut the machine is in another boot, which the program must see.
        let [boot, program] = ["boot", "program"].map(|name| directories[1].path().join(name));
        fs::write(&boot, "00000000-0000-4000-8000-000000000000\n").unwrap();
        let script = format!(
            "#!/bin/sh\nexec unshare -m sh -c 'mount --bind \"$0\" \
             /proc/sys/kernel/random/boot_id && exec \"$@\"' {boot:?} {:?} \"$@\"\n",
            env!("CARGO_BIN_EXE_popfetch")
        );
        make_program(&program, &script);

        let messages = generate(MESSAGES, 600);
        let server = Server::builder(&Maildrop::new(messages.iter().cloned()));
        let server = server.security(Security::Plain).start();
        let mut home = Home::with_program(program);
        home.one_account(&server.account(), keys);
        let mut names = vec!["Mail", "state"];
        if layout == Layout::Together {
            names.pop();
            let state = home.path().join("Mail/state");
            home.env("XDG_STATE_HOME", state.to_str().unwrap());
        }
        Self {
            messages,
            server,
            home,
            images: names
                .iter()
                .map(|name| directories[0].path().join(name))
                .collect(),
            _directories: directories,
        }
    }

    fn make_file_systems(&self) {
        for image in &self.images {
            File::create(image).unwrap().set_len(IMAGE).unwrap();
            let mut command = Command::new(find("mkfs.ext4").unwrap());
            command.args(["-q", "-F"]).arg(image).stdout(Stdio::null());
            assert!(command.status().unwrap().success());
        }
    }

    /// Mounts each image where its name says.
    fn mount(&self) -> Option<Vec<Mounted>> {
        let mount = |image: &PathBuf| {
            let name = image.file_name().unwrap();
            Mounted::image(image, &self.home.path().join(name))
        };
        self.images.iter().map(mount).collect()
    }

    /// The power goes now. Something may be under way to the disk, so the images are read until
    /// they are the same twice: then they are of one moment.
    fn snapshot(&self, what: String) -> Snapshot {
        let read = || -> Vec<Vec<u8>> {
            let images = self.images.iter();
            images.map(|image| fs::read(image).unwrap()).collect()
        };
        let (mut before, mut now) = (read(), read());
        while before != now {
            before = std::mem::replace(&mut now, read());
        }
        Snapshot {
            images: now.iter().map(|octets| blocks(octets)).collect(),
            on_server: self.server.maildrop().unique_ids(),
            what,
        }
    }

    /// The power is back.
    fn recover(&self, snapshot: &Snapshot) {
        for (path, blocks) in self.images.iter().zip(&snapshot.images) {
            // Another file: the kernel may not be done yet with the old one.
            fs::remove_file(path).unwrap();
            let image = File::create(path).unwrap();
            image.set_len(IMAGE).unwrap();
            for (place, block) in blocks {
                image.write_all_at(block, (place * BLOCK) as u64).unwrap();
            }
        }
        let _mounted = self.mount().expect("they were mounted before");
        let left = self.messages.iter().filter(|message| {
            let id = String::from_utf8_lossy(&message.unique_id).into_owned();
            snapshot.on_server.contains(&id)
        });
        self.server.maildrop().replace(left.cloned());
        finish(&self.messages, &self.server, &self.home, &snapshot.what);
        tree::assert_tmp_is_empty(&self.home.maildir("a"));
    }
}

fn blocks(image: &[u8]) -> Image {
    let blocks = image.chunks(BLOCK).enumerate();
    let used = blocks.filter(|(_, block)| **block != [0; BLOCK]);
    used.map(|(place, block)| (place, block.to_vec())).collect()
}

fn cut_at_every_call(layout: Layout, keys: &str) {
    let can_mount = needs_root("nothing can be mounted");
    if !can_mount || !["mkfs.ext4", "unshare"].into_iter().all(installed) {
        return;
    }
    let scene = Scene::new(layout, keys);
    scene.make_file_systems();
    let Some(mounted) = scene.mount() else {
        return;
    };
    let (mut snapshots, mut calls) = (Vec::<Snapshot>::new(), 0);
    let mut take = |what: String| {
        calls += 1;
        let snapshot = scene.snapshot(what);
        let is_new = snapshots.last().is_none_or(|last| {
            (&last.images, &last.on_server) != (&snapshot.images, &snapshot.on_server)
        });
        if is_new {
            snapshots.push(snapshot);
        }
    };
    let end = tracer::run(&mut tracer::fetch(&scene.home), |call| {
        take(format!(
            "{layout:?}, before {} {}",
            call.name,
            call.file.display()
        ));
        Action::Pass
    });
    let Some(end) = end else { return };
    assert_eq!(end, End::Exited(0));
    take(format!("{layout:?}, after the end"));
    drop(mounted);
    assert!(snapshots.len() > 10, "only {} images", snapshots.len());
    for place in drawn(snapshots.len(), FEW) {
        scene.recover(&snapshots[place]);
    }
    eprintln!(
        "{layout:?}: {} states of the disk at {calls} calls",
        snapshots.len()
    );
}

#[test]
fn d23_d37_t3b_a_power_cut_at_every_system_call_with_the_state_on_a_file_system_of_its_own() {
    cut_at_every_call(Layout::Apart, "keep = \"never\"\n");
}

#[test]
fn d23_t3_a_power_cut_at_every_system_call_with_mail_and_state_on_one_file_system() {
    cut_at_every_call(Layout::Together, "keep = \"never\"\npipelining = \"off\"\n");
}
