//! A web server with TLS on 127.0.0.1 that has a few documents, and says of others that it has not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, Stream};

use super::listener::Listener;

/// What stands at an address.
#[derive(Clone, Debug)]
pub enum Document {
    /// This text.
    Text(String),
    /// Another address.
    Elsewhere(String),
    /// Octets without end.
    Endless,
    /// Nothing, for as long as the client waits.
    Silence,
}

/// The server; it ends with this value.
pub struct Documents {
    listener: Listener,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Documents {
    /// Has these documents, each under its host and the beginning of its path.
    pub fn start(config: Arc<ServerConfig>, documents: &[(&str, Document)]) -> Self {
        let documents: Vec<(String, Document)> = documents
            .iter()
            .map(|(place, document)| ((*place).to_owned(), document.clone()))
            .collect();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        let listener = Listener::start(move |_, socket: Arc<TcpStream>| {
            socket
                .set_read_timeout(Some(Duration::from_secs(30)))
                .unwrap();
            let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            // The client may break off at any time.
            let _broken_off = serve(
                &mut Stream::new(&mut tls, &mut &*socket),
                &documents,
                &noted,
            );
            tls.send_close_notify();
            let _broken_off = tls.complete_io(&mut &*socket);
        });
        Self { listener, asked }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.listener.port()
    }

    /// Host and path of each request.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(
    stream: &mut (impl Read + Write),
    documents: &[(String, Document)],
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut lines = Vec::new();
    let mut reader = BufReader::new(&mut *stream);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let path = lines[0].split(' ').nth(1).unwrap().to_owned();
    let host = lines.iter().find_map(|line| {
        line.to_ascii_lowercase()
            .strip_prefix("host: ")
            .map(str::to_owned)
    });
    let place = format!("{}{path}", host.unwrap().split(':').next().unwrap());
    asked.lock().unwrap().push(place.clone());
    let found = documents
        .iter()
        .find(|(at, _)| place.starts_with(at.as_str()));
    match found.map(|(_, document)| document) {
        None => write!(
            stream,
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        )?,
        Some(Document::Text(text)) => {
            let length = text.len();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{text}"
            )?;
        }
        Some(Document::Elsewhere(url)) => {
            write!(
                stream,
                "HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n"
            )?;
        }
        Some(Document::Endless) => {
            write!(stream, "HTTP/1.1 200 OK\r\n\r\n<clientConfig>")?;
            loop {
                stream.write_all(&[b' '; 4096])?;
            }
        }
        Some(Document::Silence) => {
            let _ended = stream.read(&mut [0]);
        }
    }
    stream.flush()
}
