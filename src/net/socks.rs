//! SOCKS5 as far as a client needs it: one CONNECT (RFC 1928), with or without user and password
//! (RFC 1929). Each reply has a length that is known before it is read: at most 262 octets.

use super::Error;
use super::proxy::{Lack, Login, Refusal};
use super::stream::Talk;
use std::net::IpAddr;
use zeroize::Zeroizing;

const VERSION: u8 = 5;
const NO_LOGIN: u8 = 0;
const PASSWORD: u8 = 2;
const NONE_OF_THESE: u8 = 0xff;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Asks for a connection to `host:port`. A name goes to the proxy as it is: nothing is looked up
/// here, and nobody here learns of it.
pub(super) fn ask(
    mut talk: Talk<'_>,
    host: &str,
    port: u16,
    login: Option<&Login>,
) -> Result<(), Refusal> {
    greet(&mut talk, login)?;
    let mut request = vec![VERSION, CONNECT, 0];
    match host.parse() {
        Ok(IpAddr::V4(address)) => {
            request.push(IPV4);
            request.extend(address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(IPV6);
            request.extend(address.octets());
        }
        Err(_) => {
            request.push(NAME);
            request.extend(short(host).ok_or_else(|| too_long("host name"))?);
        }
    }
    request.extend(port.to_be_bytes());
    talk.send(&request)?;
    let [version, code, _, kind] = receive(&mut talk)?;
    if version != VERSION {
        return Err(gibberish());
    }
    if code != 0 {
        return Err(refusal(code));
    }
    // The address that it connects from. Nobody needs it, but the server's octets come behind it.
    let length = match kind {
        IPV4 => 4,
        IPV6 => 16,
        NAME => {
            let [length] = receive(&mut talk)?;
            usize::from(length)
        }
        _ => return Err(gibberish()),
    };
    talk.receive(&mut vec![0; length + 2])?;
    Ok(())
}

fn greet(talk: &mut Talk<'_>, login: Option<&Login>) -> Result<(), Refusal> {
    match login {
        Some(_) => talk.send(&[VERSION, 2, NO_LOGIN, PASSWORD])?,
        None => talk.send(&[VERSION, 1, NO_LOGIN])?,
    }
    let [version, method] = receive(talk)?;
    if version != VERSION {
        return Err(gibberish());
    }
    match (method, login) {
        (NO_LOGIN, _) => Ok(()),
        (PASSWORD, Some(login)) => sign_in(talk, login),
        (NONE_OF_THESE, None) => Err(lacking("it wants a user and a password", Lack::Login)),
        (NONE_OF_THESE, Some(_)) => Err(lacking("it takes no user and password", Lack::Method)),
        _ => Err(gibberish()),
    }
}

fn sign_in(talk: &mut Talk<'_>, login: &Login) -> Result<(), Refusal> {
    let user = short(&login.user).ok_or_else(|| too_long("user name"))?;
    let password = short(&login.password).ok_or_else(|| too_long("password"))?;
    let password = Zeroizing::new(password);
    let request = Zeroizing::new([&[1], user.as_slice(), &password].concat());
    talk.send(&request)?;
    let [_, status] = receive(talk)?;
    match status {
        0 => Ok(()),
        _ => Err(lacking("wrong user or password", Lack::Right)),
    }
}

/// A text with its length in front of it, where one octet can hold that.
fn short(text: &str) -> Option<Vec<u8>> {
    let length = u8::try_from(text.len()).ok()?;
    Some([&[length], text.as_bytes()].concat())
}

fn receive<const N: usize>(talk: &mut Talk<'_>) -> Result<[u8; N], Error> {
    let mut octets = [0; N];
    talk.receive(&mut octets)?;
    Ok(octets)
}

fn too_long(what: &str) -> Refusal {
    Refusal::Refused(format!("the {what} is longer than SOCKS5 can say"))
}

fn gibberish() -> Refusal {
    Refusal::Gibberish("SOCKS5")
}

fn lacking(said: &str, lack: Lack) -> Refusal {
    let said = said.to_owned();
    Refusal::Login { said, lack }
}

/// RFC 1928 section 6.
fn refusal(code: u8) -> Refusal {
    let unreachable = |why: &str| Refusal::Unreachable(why.to_owned());
    match code {
        1 => unreachable("general failure"),
        2 => Refusal::Refused("its rules do not allow it".into()),
        3 => unreachable("network unreachable"),
        4 => unreachable("host unreachable"),
        5 => unreachable("connection refused"),
        6 => unreachable("timed out"),
        7 => Refusal::Refused("it knows no CONNECT".into()),
        8 => Refusal::Refused("it knows no such kind of address".into()),
        other => Refusal::Refused(format!("for a reason of its own ({other})")),
    }
}
