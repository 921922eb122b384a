//! A token endpoint for servers that ask who a token belongs to: HTTP/1.1 on loopback, just enough
//! of it for Dovecot's oauth2 passdb.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::listener::Listener;

/// What is known of a token.
#[derive(Clone, Debug)]
pub struct Token {
    /// The token itself.
    pub token: String,
    /// Whose it is.
    pub user: String,
    /// It has not expired.
    pub active: bool,
}

/// The endpoint; it ends with this value.
pub struct TokenEndpoint {
    listener: Listener,
    asked: Arc<Mutex<Vec<String>>>,
}

impl TokenEndpoint {
    /// Starts one that knows these tokens and no others.
    pub fn start(tokens: Vec<Token>) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noting = Arc::clone(&asked);
        let listener = Listener::start(move |_, socket: Arc<TcpStream>| {
            // Dovecot may break off at any time.
            let _broken_off = serve(&socket, &tokens, &noting);
        });
        Self { listener, asked }
    }

    /// What to put in front of a token to ask for it.
    pub fn url(&self) -> String {
        format!(
            "http://127.0.0.1:{}/tokeninfo?access_token=",
            self.listener.port()
        )
    }

    /// The tokens that were asked for.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(
    mut socket: &TcpStream,
    tokens: &[Token],
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    socket.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut reader = BufReader::new(socket.take(1 << 20));
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 0 && header != "\r\n" {
        header.clear();
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let wanted = path.split_once('=').map_or("", |(_, token)| token);
    asked.lock().unwrap().push(wanted.into());
    let (status, body) = match tokens.iter().find(|token| token.token == wanted) {
        Some(Token { user, active, .. }) => (
            "200 OK",
            format!("{{\"username\":\"{user}\",\"active\":{active}}}"),
        ),
        None => ("401 Unauthorized", "{\"error\":\"invalid_token\"}".into()),
    };
    write!(
        socket,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
}
