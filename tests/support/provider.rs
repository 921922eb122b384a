//! An OAuth 2.0 provider on 127.0.0.1: authorization, token and device endpoints, and a browser
//! whose person says yes.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use rustls::{ServerConfig, ServerConnection, Stream};
use sha2::{Digest, Sha256};

use super::listener::Listener;

/// What the token endpoint answers in place of what it would.
#[derive(Clone, Debug)]
pub enum Scripted {
    /// This status and body.
    Answer(u16, String),
    /// Octets without end, for as long as they are read.
    Endless,
    /// No HTTP at all.
    Garbage,
    /// What it would, once this says so.
    Late(Arc<Mutex<Receiver<()>>>),
    /// Nothing, until the client has had enough.
    Silent,
    /// Puts this text into a file, as another run of the client would, and refuses the grant.
    Overtaken(PathBuf, String),
}

/// What a provider knows and has seen.
#[derive(Debug)]
struct Inner {
    /// Answers to come, before the usual ones.
    script: VecDeque<Scripted>,
    /// The forms that were posted to the token endpoint.
    forms: Vec<Vec<(String, String)>>,
    /// The queries of the authorization endpoint.
    queries: Vec<Vec<(String, String)>>,
    /// Tokens given so far: the next ones are called access-N and refresh-N.
    given: u32,
    refresh_token: String,
    challenge: String,
    redirect: String,
    expires_in: i64,
    rotates: bool,
}

/// The provider; it ends with this value.
pub struct Provider {
    listener: Listener,
    inner: Arc<Mutex<Inner>>,
    scheme: &'static str,
}

impl Provider {
    /// Access tokens are good for so many seconds; refresh tokens change with each if `rotates`.
    pub fn start(expires_in: i64, rotates: bool) -> Self {
        Self::start_with(expires_in, rotates, None)
    }

    /// The same with https.
    pub fn start_tls(config: Arc<ServerConfig>) -> Self {
        Self::start_with(3600, false, Some(config))
    }

    fn start_with(expires_in: i64, rotates: bool, tls: Option<Arc<ServerConfig>>) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let inner = Arc::new(Mutex::new(Inner {
            script: VecDeque::new(),
            forms: Vec::new(),
            queries: Vec::new(),
            given: 0,
            refresh_token: String::new(),
            challenge: String::new(),
            redirect: String::new(),
            expires_in,
            rotates,
        }));
        let serving = Arc::clone(&inner);
        let listener = Listener::start(move |_, socket: Arc<TcpStream>| {
            socket
                .set_read_timeout(Some(Duration::from_secs(30)))
                .unwrap();
            // The client may break off at any time.
            let _broken_off = match &tls {
                None => serve(&mut &*socket, &serving),
                Some(config) => {
                    let mut tls = ServerConnection::new(Arc::clone(config)).unwrap();
                    let served = serve(&mut Stream::new(&mut tls, &mut &*socket), &serving);
                    tls.send_close_notify();
                    served.and_then(|()| tls.complete_io(&mut &*socket).map(drop))
                }
            };
        });
        Self {
            listener,
            inner,
            scheme,
        }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.listener.port()
    }

    /// One of its addresses.
    pub fn url(&self, path: &str) -> String {
        let host = if self.scheme == "https" {
            "localhost"
        } else {
            "127.0.0.1"
        };
        format!("{}://{host}:{}{path}", self.scheme, self.listener.port())
    }

    /// The table for an account that signs in here and keeps the sign-in in a file.
    pub fn table(&self) -> String {
        format!(
            "[accounts.a.oauth]\nclient-id = \"popfetch-test\"\nclient-secret = \"clientsecret\"\n\
             authorization-endpoint = {:?}\ntoken-endpoint = {:?}\ndevice-endpoint = {:?}\n\
             scope = \"mail offline\"\nstore = \"file\"\n",
            self.url("/authorize?tenant=1"),
            self.url("/token"),
            self.url("/device"),
        )
    }

    /// What the token endpoint says next.
    pub fn answer_next(&self, scripted: Scripted) {
        self.inner.lock().unwrap().script.push_back(scripted);
    }

    /// The forms that were posted to the token endpoint.
    pub fn forms(&self) -> Vec<Vec<(String, String)>> {
        self.inner.lock().unwrap().forms.clone()
    }

    /// The queries of the authorization endpoint.
    pub fn queries(&self) -> Vec<Vec<(String, String)>> {
        self.inner.lock().unwrap().queries.clone()
    }
}

/// The value of a field, or "".
pub fn value<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    let found = fields.iter().find(|(field, _)| field == name);
    found.map_or("", |(_, value)| value)
}

/// Opens an address as a browser does, redirects followed; the last page.
pub fn browse(url: &str) -> String {
    let mut url = url.to_owned();
    loop {
        let rest = url.strip_prefix("http://").unwrap();
        let (place, path) = rest.split_once('/').unwrap();
        let mut socket = TcpStream::connect(place).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        write!(socket, "GET /{path} HTTP/1.1\r\nHost: {place}\r\n\r\n").unwrap();
        let mut page = String::new();
        socket.read_to_string(&mut page).unwrap();
        match page
            .lines()
            .find_map(|line| line.strip_prefix("Location: "))
        {
            Some(location) => url = location.to_owned(),
            None => return page,
        }
    }
}

fn serve(socket: &mut (impl Read + Write), inner: &Mutex<Inner>) -> std::io::Result<()> {
    let mut reader = BufReader::new(&mut *socket);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let (mut header, mut length) = (String::new(), 0);
    while reader.read_line(&mut header)? > 0 && header != "\r\n" {
        let lower = header.to_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        header.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8(body).unwrap();
    let path = request.split(' ').nth(1).unwrap_or_default();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let (status, extra, body) = match path {
        "/authorize" => (
            302,
            redirect(fields(query), &mut inner.lock().unwrap()),
            String::new(),
        ),
        "/device" => (200, String::new(), device()),
        "/token" => {
            let fields = fields(&body);
            let mut inner = inner.lock().unwrap();
            inner.forms.push(fields.clone());
            match inner.script.pop_front() {
                Some(Scripted::Answer(status, body)) => (status, String::new(), body),
                Some(Scripted::Garbage) => {
                    drop(inner);
                    return socket.write_all(b"+OK POP3 here\r\n");
                }
                Some(Scripted::Silent) => {
                    drop(inner);
                    return socket.read_to_end(&mut Vec::new()).map(drop);
                }
                Some(Scripted::Late(released)) => {
                    let (status, body) = tokens(&fields, &mut inner);
                    drop(inner);
                    // An error means that the test is over.
                    let _over = released.lock().unwrap().recv();
                    (status, String::new(), body)
                }
                Some(Scripted::Overtaken(file, text)) => {
                    fs::write(file, text).unwrap();
                    (400, String::new(), "{\"error\":\"invalid_grant\"}".into())
                }
                Some(Scripted::Endless) => {
                    drop(inner);
                    socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")?;
                    loop {
                        socket.write_all(&[b' '; 4096])?;
                    }
                }
                None => {
                    let (status, body) = tokens(&fields, &mut inner);
                    (status, String::new(), body)
                }
            }
        }
        _ => (404, String::new(), String::new()),
    };
    write!(
        socket,
        "HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\n{extra}Content-Length: \
         {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn redirect(fields: Vec<(String, String)>, inner: &mut Inner) -> String {
    inner.challenge = value(&fields, "code_challenge").into();
    inner.redirect = value(&fields, "redirect_uri").into();
    let state = value(&fields, "state");
    let location = format!(
        "Location: {}?code=c%2Fode&state={state}\r\n",
        inner.redirect
    );
    inner.queries.push(fields);
    location
}

fn device() -> String {
    "{\"device_code\":\"devicecode\",\"user_code\":\"ABCD-\\u001b[31mEFGH\",\
     \"verification_uri\":\"https://id.example.com/device\",\"expires_in\":600,\"interval\":0}"
        .into()
}

fn tokens(fields: &[(String, String)], inner: &mut Inner) -> (u16, String) {
    let field = |name| value(fields, name);
    let refuse = |error: &str| (400, format!("{{\"error\":\"{error}\"}}"));
    if (field("client_id"), field("client_secret")) != ("popfetch-test", "clientsecret") {
        return refuse("invalid_client");
    }
    let good = match field("grant_type") {
        "authorization_code" => {
            let hash = Sha256::digest(field("code_verifier").as_bytes());
            field("code") == "c/ode"
                && BASE64_URL_SAFE_NO_PAD.encode(hash) == inner.challenge
                && field("redirect_uri") == inner.redirect
        }
        "refresh_token" => field("refresh_token") == inner.refresh_token,
        "urn:ietf:params:oauth:grant-type:device_code" => field("device_code") == "devicecode",
        _ => return refuse("unsupported_grant_type"),
    };
    if !good {
        return refuse("invalid_grant");
    }
    inner.given += 1;
    let first = inner.refresh_token.is_empty();
    let mut refresh = String::new();
    if first || inner.rotates || field("grant_type") != "refresh_token" {
        inner.refresh_token = format!("refresh-{}", inner.given);
        refresh = format!(",\"refresh_token\":\"{}\"", inner.refresh_token);
    }
    let (given, life) = (inner.given, inner.expires_in);
    let body = format!(
        "{{\"access_token\":\"access-{given}\",\"token_type\":\"Bearer\",\"expires_in\":{life}{refresh}}}"
    );
    (200, body)
}

/// Reads a query or a form.
fn fields(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.into(), decoded(value)))
        .collect()
}

fn decoded(text: &str) -> String {
    let mut octets = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        octets.extend(&rest.as_bytes()[..at]);
        octets.push(u8::from_str_radix(&rest[at + 1..at + 3], 16).unwrap());
        rest = &rest[at + 3..];
    }
    octets.extend(rest.as_bytes());
    String::from_utf8(octets).unwrap()
}
