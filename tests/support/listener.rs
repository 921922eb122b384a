//! Accepts connections on a free loopback port and gives each a thread; used by both servers. And
//! a port on which nobody does.

use std::any::Any;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

/// A listening socket and the threads behind it, all of which end when it is dropped. If one of
/// them panicked (in a test's hook, say), so does the drop: an assertion in a hook is not lost.
pub struct Listener {
    port: u16,
    stop: Arc<AtomicBool>,
    accepting: Option<JoinHandle<Vec<Connection>>>,
}

/// A port of 127.0.0.1 on which nobody listens, for as long as this is there. A port that was free a
/// moment ago may belong to another test by now.
pub struct ClosedPort(OwnedFd);

struct Connection {
    /// Only to wake its thread up at the end. Weak, because a connection is closed (or reset) only
    /// when the last handle to it is gone.
    socket: Weak<TcpStream>,
    thread: JoinHandle<()>,
}

impl Listener {
    /// Calls `serve(index, socket)` in a thread of its own for each connection, index from 0.
    pub fn start(serve: impl Fn(usize, Arc<TcpStream>) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = Arc::new(AtomicBool::new(false));
        let (stopping, serve) = (Arc::clone(&stop), Arc::new(serve));
        let accepting = thread::spawn(move || accept(&listener, &stopping, &serve));
        Self {
            port,
            stop,
            accepting: Some(accepting),
        }
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl ClosedPort {
    /// Takes a free port, and does not listen.
    pub fn new() -> Self {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with};
        // No program that another test starts keeps the port beyond that.
        let (family, ours) = (AddressFamily::INET, SocketFlags::CLOEXEC);
        let taken = socket_with(family, SocketType::STREAM, ours, None).unwrap();
        bind(&taken, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        Self(taken)
    }

    /// Which one it is.
    pub fn port(&self) -> u16 {
        let address = rustix::net::getsockname(&self.0).unwrap();
        SocketAddr::try_from(address).unwrap().port()
    }
}

fn accept<F>(listener: &TcpListener, stop: &AtomicBool, serve: &Arc<F>) -> Vec<Connection>
where
    F: Fn(usize, Arc<TcpStream>) + Send + Sync + 'static,
{
    let mut connections: Vec<Connection> = Vec::new();
    for (index, socket) in listener.incoming().enumerate() {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let socket = Arc::new(socket.unwrap());
        let (weak, serve) = (Arc::downgrade(&socket), Arc::clone(serve));
        // Those that ended well need no more care; a server may live through 100,000 sessions.
        let (ended, mut open): (Vec<_>, Vec<_>) = connections
            .into_iter()
            .partition(|connection| connection.thread.is_finished());
        for connection in ended {
            if let Err(panic) = connection.thread.join() {
                open.push(Connection {
                    socket: Weak::new(),
                    thread: thread::spawn(|| resume_unwind(panic)),
                });
            }
        }
        open.push(Connection {
            socket: weak,
            thread: thread::spawn(move || serve(index, socket)),
        });
        connections = open;
    }
    connections
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // accept() only returns for a connection.
        let _wake = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        let Some(Ok(connections)) = self.accepting.take().map(JoinHandle::join) else {
            return;
        };
        let mut panicked: Option<Box<dyn Any + Send>> = None;
        for connection in connections {
            if let Some(socket) = connection.socket.upgrade() {
                let _gone = socket.shutdown(Shutdown::Both);
            }
            if let Err(panic) = connection.thread.join() {
                panicked = Some(panic);
            }
        }
        if let Some(panic) = panicked.filter(|_| !thread::panicking()) {
            resume_unwind(panic);
        }
    }
}
