//! The flows, from the first request to a [`Grant`].

use super::loopback::Loopback;
use super::protocol::{self, Polled, grant, request};
use super::{Client, DevicePrompt, Error, Grant, Line};
use crate::net::tls::random_octets;
use crate::stop::Stop;
use crate::web::{self, Answer, Endpoint};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// A person may take so long to sign in; codes for devices are good for no longer either.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// RFC 8628 section 3.5: what `slow_down` adds.
const SLOWER: Duration = Duration::from_secs(5);

/// The authorization code flow with PKCE (RFC 6749 section 4.1, RFC 7636). `open` shows the
/// person where to go; `now` tells the time in seconds since 1970.
pub fn browser_login(
    client: &Client,
    user: &str,
    line: &Line,
    stop: &Stop,
    open: impl FnOnce(&str),
    now: impl Fn() -> i64,
) -> Result<Grant, Error> {
    let loopback = Loopback::open().map_err(Error::Loopback)?;
    let redirect = loopback.address(client.redirect_host);
    let state = protocol::word(&random()?);
    let pkce = protocol::Pkce::new(&Zeroizing::new(random()?));
    let url = protocol::authorization_url(client, user, &redirect, &state, &pkce.challenge);
    open(&url.ok_or(Error::NoFlow("flow with a browser"))?);
    let code = loopback.code(&state, client.token.host(), PATIENCE, stop)?;
    let form = request(
        client,
        &[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &redirect),
            ("code_verifier", &pkce.verifier),
        ],
    );
    let answer = post(&client.token, &form, line, stop)?;
    grant(&answer, &login()?, None, now())
}

/// The device flow (RFC 8628). `show` tells the person what to type where.
pub fn device_login(
    client: &Client,
    line: &Line,
    stop: &Stop,
    show: impl FnOnce(&DevicePrompt),
    now: impl Fn() -> i64,
) -> Result<Grant, Error> {
    let device = client.device.as_ref().ok_or(Error::NoFlow("device flow"))?;
    let form = request(client, &[("scope", &client.scope)]);
    let prompt: DevicePrompt = protocol::read(&post(device, &form, line, stop)?)?;
    show(&prompt);
    let (life, mut interval) = protocol::pace(&prompt, PATIENCE);
    let deadline = Instant::now() + life;
    let form = request(
        client,
        &[
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", &prompt.device_code),
        ],
    );
    let login = login()?;
    loop {
        if let Some(reason) = stop.wait(interval) {
            return Err(Error::Stopped(reason));
        }
        let expired = || Error::Expired(life.as_secs().div_ceil(60));
        if Instant::now() >= deadline {
            return Err(expired());
        }
        let answer = post(&client.token, &form, line, stop)?;
        match protocol::polled(&answer, &login, now()) {
            Ok(Polled::Done(grant)) => return Ok(grant),
            Ok(Polled::Pending) => {}
            Ok(Polled::SlowDown) => interval += SLOWER,
            Err(Error::Refused { error, .. }) if error == "expired_token" => return Err(expired()),
            Err(error) => return Err(error),
        }
    }
}

/// Another access token (RFC 6749 section 6), and another refresh token where the provider
/// changes it: what is returned has to be kept before it is used.
pub fn refresh(
    client: &Client,
    earlier: &Grant,
    line: &Line,
    stop: &Stop,
    now: i64,
) -> Result<Grant, Error> {
    let form = request(
        client,
        &[
            ("grant_type", "refresh_token"),
            ("refresh_token", &earlier.refresh_token),
        ],
    );
    let answer = post(&client.token, &form, line, stop)?;
    grant(&answer, &earlier.login, Some(earlier), now)
}

/// Asks the provider; what the request proves is kept out of what is told of its answer.
fn post(endpoint: &Endpoint, form: &str, line: &Line, stop: &Stop) -> Result<Answer, Error> {
    let answer = web::post(endpoint, form, line, stop)?;
    Ok(Answer {
        veil: protocol::veil_of(form),
        ..answer
    })
}

fn login() -> Result<String, Error> {
    Ok(protocol::word(&random()?).chars().take(16).collect())
}

fn random() -> Result<[u8; 32], Error> {
    let none = || Error::Loopback(std::io::Error::other("the system has no random numbers"));
    random_octets().ok_or_else(none)
}
