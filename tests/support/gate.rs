//! A proxy of the tests' own, which speaks as a test wants, and a real one.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use super::listener::Listener;
use super::process::{Daemon, PATIENCE, installed, listens, within};

/// A proxy that talks to each client as its dialogue says, and then joins it to a server.
pub struct Gate {
    listener: Listener,
    heard: Arc<Mutex<Vec<Option<Vec<u8>>>>>,
}

/// A client of a [`Gate`], and what it said.
pub struct Client<'a> {
    socket: &'a TcpStream,
    heard: Vec<u8>,
}

impl Client<'_> {
    /// Reads exactly so many octets.
    pub fn read(&mut self, octets: usize) -> Vec<u8> {
        let mut buffer = vec![0; octets];
        let mut socket = self.socket;
        socket.read_exact(&mut buffer).unwrap();
        self.heard.extend(&buffer);
        buffer
    }

    /// Reads the head of an HTTP request.
    pub fn read_head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(self.read(1));
        }
        String::from_utf8(head).unwrap()
    }

    /// Waits until the client has gone.
    pub fn wait_for_close(&mut self) {
        let _gone = io::copy(&mut &*self.socket, &mut io::sink());
    }

    /// Says something; the client may have gone.
    pub fn say(&mut self, octets: impl AsRef<[u8]>) -> bool {
        let mut socket = self.socket;
        socket.write_all(octets.as_ref()).is_ok()
    }
}

impl Gate {
    /// Starts listening. A dialogue that ends well gives the connection to join the client to;
    /// otherwise the client is left.
    pub fn start(
        dialogue: impl Fn(&mut Client<'_>) -> Option<TcpStream> + Send + Sync + 'static,
    ) -> Self {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hearing = Arc::clone(&heard);
        let listener = Listener::start(move |_, socket| {
            let mut client = Client {
                socket: &socket,
                heard: Vec::new(),
            };
            let place = {
                let mut all = hearing.lock().unwrap();
                all.push(None);
                all.len() - 1
            };
            let server = dialogue(&mut client);
            hearing.lock().unwrap()[place] = Some(client.heard);
            match server {
                Some(server) => join(&socket, &server),
                None => {
                    let _gone = socket.shutdown(Shutdown::Write);
                    let _gone = io::copy(&mut &*socket, &mut io::sink());
                }
            }
        });
        Self { listener, heard }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.listener.port()
    }

    /// What each client said before it was joined or left, once no dialogue is going on any more.
    pub fn heard(&self) -> Vec<Vec<u8>> {
        let all = || self.heard.lock().unwrap().iter().cloned().collect();
        within(PATIENCE, all).expect("a dialogue goes on and on")
    }
}

/// A connection to a server of the tests.
pub fn server(port: u16) -> Option<TcpStream> {
    Some(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap())
}

fn join(one: &TcpStream, other: &TcpStream) {
    thread::scope(|scope| {
        for (mut from, mut to) in [(one, other), (other, one)] {
            scope.spawn(move || {
                let _gone = io::copy(&mut from, &mut to);
                let _gone = to.shutdown(Shutdown::Write);
            });
        }
    });
}

/// Debian's microsocks on a port of 127.0.0.1, with more options. None where
/// it is not installed: then the test is skipped.
pub fn microsocks(options: &[&str]) -> Option<(Daemon, u16)> {
    if !installed("microsocks") {
        return None;
    }
    let launch = || {
        let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = probe.local_addr().unwrap().port();
        drop(probe);
        let mut command = Command::new("microsocks");
        command.args(["-i", "127.0.0.1", "-p", &port.to_string()]);
        command.args(options).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut daemon = Daemon::start(&mut command);
        let up = within(PATIENCE, || {
            if daemon.has_ended() {
                return Some(false);
            }
            listens(daemon.child().id()).then_some(true)
        });
        (up == Some(true)).then_some((daemon, port))
    };
    // The free port may be taken before microsocks has it: then once more.
    let started = (0..3).find_map(|_| launch());
    Some(started.expect("microsocks does not start"))
}
