//! The report for programs: one JSON object a line.
//!
//! A field that has no value is `null`. A unique-id or path that is not UTF-8 has its invalid
//! octets replaced by U+FFFD, and then, and only then, a second field whose name ends in `_base64`
//! holds the very octets.

use super::tally::{Account, Totals};
use super::{Event, Listed, Message, Outcome};
use crate::exit::Status;
use crate::message::Heading;
use crate::term::{hex, json_line};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use std::borrow::Cow;
use std::os::unix::ffi::OsStrExt;

/// The line for an event; nothing for those that concern progress only.
pub(super) fn line(name: &str, event: &Event<'_>, account: &Account) -> Option<Vec<u8>> {
    let line = match event {
        Event::Connecting { .. }
        | Event::Opened { .. }
        | Event::Planned(_)
        | Event::SignedIn { .. }
        | Event::Received { .. }
        | Event::Verifying { .. }
        | Event::Wire { .. } => return None,
        Event::Message(message) => json_line(&message_object(name, message)),
        Event::Handed(message) => json_line(&Object::Handed {
            account: name,
            message: message.into(),
        }),
        Event::Deleted { message, rule } => json_line(&Object::Deleted {
            account: name,
            message: message.into(),
            rule: *rule,
        }),
        Event::Skipped { message, reason } => json_line(&Object::Skipped {
            account: name,
            message: message.into(),
            reason,
        }),
        Event::Failed { message, reason } => json_line(&Object::Failed {
            account: name,
            message: message.into(),
            reason,
        }),
        Event::Notice(text) | Event::Recovered(text) => json_line(&Object::Notice {
            account: name,
            text,
        }),
        Event::Warning(text) => json_line(&Object::Warning {
            account: name,
            text,
        }),
        Event::Finished(outcome) => json_line(&account_object(name, outcome, account)),
    };
    line.ok()
}

/// The last line of a run.
pub(super) fn summary(totals: &Totals, status: Status) -> Option<Vec<u8>> {
    json_line(&Object::Summary {
        accounts: totals.accounts,
        accounts_failed: totals.accounts_failed,
        fetched: totals.fetched,
        octets: totals.octets,
        deleted: totals.deleted,
        deleted_by_rules: totals.deleted_by_rules,
        skipped: totals.skipped,
        failed: totals.failed,
        doubtful: totals.doubtful,
        known: totals.known,
        recovered: totals.recovered,
        handed: totals.handed.saturating_add(totals.there),
        waiting: totals.waiting,
        status: status.code(),
    })
    .ok()
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Object<'a> {
    Message {
        account: &'a str,
        #[serde(flatten)]
        message: MessageId<'a>,
        path: Cow<'a, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        path_base64: Option<String>,
        sha256: String,
        date: Option<String>,
        from: Option<String>,
        subject: Option<String>,
        recovered: bool,
    },
    Handed {
        account: &'a str,
        #[serde(flatten)]
        message: MessageId<'a>,
    },
    Deleted {
        account: &'a str,
        #[serde(flatten)]
        message: MessageId<'a>,
        rule: Option<&'a str>,
    },
    Skipped {
        account: &'a str,
        #[serde(flatten)]
        message: MessageId<'a>,
        reason: &'a str,
    },
    Failed {
        account: &'a str,
        #[serde(flatten)]
        message: MessageId<'a>,
        reason: &'a str,
    },
    Notice {
        account: &'a str,
        text: &'a str,
    },
    Warning {
        account: &'a str,
        text: &'a str,
    },
    Account {
        account: &'a str,
        fetched: u64,
        octets: u64,
        deleted: u64,
        deleted_by_rules: u64,
        skipped: u64,
        failed: u64,
        doubtful: u64,
        known: u64,
        recovered: u64,
        handed: u64,
        waiting: u64,
        seen: Option<u64>,
        status: u8,
        error: Option<&'a str>,
        hint: Option<&'a str>,
    },
    Summary {
        accounts: u64,
        accounts_failed: u64,
        fetched: u64,
        octets: u64,
        deleted: u64,
        deleted_by_rules: u64,
        skipped: u64,
        failed: u64,
        doubtful: u64,
        known: u64,
        recovered: u64,
        handed: u64,
        waiting: u64,
        status: u8,
    },
}

#[derive(Serialize)]
struct MessageId<'a> {
    unique_id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unique_id_base64: Option<String>,
    number: Option<u32>,
    octets: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<&'a str>,
}

impl<'a> From<&Listed<'a>> for MessageId<'a> {
    fn from(listed: &Listed<'a>) -> Self {
        let (unique_id, unique_id_base64) = listed.unique_id.map(text).unzip();
        Self {
            unique_id,
            unique_id_base64: unique_id_base64.flatten(),
            number: listed.number,
            octets: listed.octets,
            folder: listed.folder,
        }
    }
}

/// Octets as text, and in base64 where the text alone would lose something.
fn text(octets: &[u8]) -> (Cow<'_, str>, Option<String>) {
    let text = String::from_utf8_lossy(octets);
    let base64 = matches!(text, Cow::Owned(_)).then(|| STANDARD.encode(octets));
    (text, base64)
}

fn message_object<'a>(account: &'a str, message: &Message<'a>) -> Object<'a> {
    let heading = Heading::parse(message.header);
    let (path, path_base64) = text(message.path.as_os_str().as_bytes());
    Object::Message {
        account,
        message: MessageId {
            octets: Some(message.octets),
            ..MessageId::from(&message.listed)
        },
        path,
        path_base64,
        sha256: hex(message.sha256),
        date: heading.date,
        from: heading.from,
        subject: heading.subject,
        recovered: message.recovered,
    }
}

fn account_object<'a>(name: &'a str, outcome: &'a Outcome, account: &Account) -> Object<'a> {
    let failure = outcome.failure.as_ref();
    Object::Account {
        account: name,
        fetched: outcome.fetched,
        octets: outcome.octets,
        deleted: outcome.deleted,
        deleted_by_rules: outcome.deleted_by_rules,
        skipped: outcome.skipped,
        failed: outcome.failed,
        doubtful: outcome.doubtful,
        known: outcome.known,
        recovered: outcome.recovered,
        handed: outcome.handed.saturating_add(outcome.there),
        waiting: outcome.waiting,
        seen: account.planned.map(|planned| planned.seen),
        status: outcome.status().code(),
        error: failure.map(|failure| failure.message.as_str()),
        hint: failure.and_then(|failure| failure.hint.as_deref()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{listed, message};
    use super::super::{Failure, Planned};
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use std::ffi::OsStr;
    use std::path::Path;

    fn object(event: &Event<'_>) -> Value {
        let line = line("work", event, &Account::default()).unwrap();
        assert_eq!(line.iter().filter(|octet| **octet == b'\n').count(), 1);
        serde_json::from_slice(&line).unwrap()
    }

    #[test]
    fn a_message_has_all_its_fields() {
        assert_eq!(
            object(&Event::Message(&message())),
            json!({
                "event": "message", "account": "work", "unique_id": "uid-7", "number": 7,
                "octets": 12_300, "path": "/mail/new/1.host", "sha256": "ab".repeat(32),
                "date": "2026-11-23T09:10:11+02:00", "from": "Ada <ada@example.com>",
                "subject": "Hello", "recovered": false,
            })
        );
    }

    #[test]
    fn what_is_not_there_is_null() {
        let mut message = message();
        message.header = b"";
        message.listed.unique_id = None;
        let object = object(&Event::Message(&message));
        for field in ["unique_id", "date", "from", "subject"] {
            assert_eq!(object.get(field), Some(&Value::Null), "{field}");
        }
    }

    #[test]
    fn octets_that_are_no_text_come_in_base64_too() {
        let mut message = message();
        message.listed.unique_id = Some(b"a\xff");
        message.path = Path::new(OsStr::from_bytes(b"/m\xfe"));
        let object = object(&Event::Message(&message));
        assert_eq!(object["unique_id"], "a\u{fffd}");
        assert_eq!(object["unique_id_base64"], "Yf8=");
        assert_eq!(object["path"], "/m\u{fffd}");
        assert_eq!(object["path_base64"], "L23+");
    }

    #[test]
    fn what_happened_to_a_message_is_named_with_its_reason() {
        let (message, reason) = (listed(), "larger than 25 MB");
        let expected = |event| {
            json!({
                "event": event, "account": "work", "unique_id": "uid-7", "number": 7,
                "octets": 12_345, "reason": reason,
            })
        };
        assert_eq!(
            object(&Event::Skipped { message, reason }),
            expected("skipped")
        );
        assert_eq!(
            object(&Event::Failed { message, reason }),
            expected("failed")
        );
        assert_eq!(
            object(&Event::Deleted {
                message,
                rule: None
            })["event"],
            "deleted"
        );
        assert_eq!(
            object(&Event::Warning("\u{9b}")),
            json!({"event": "warning", "account": "work", "text": "\u{9b}"})
        );
    }

    #[test]
    fn an_account_says_how_it_ended() {
        let mut account = Account::default();
        account.add(&Event::Planned(Planned {
            seen: 340,
            ..Planned::default()
        }));
        let outcome = Outcome {
            fetched: 5,
            failure: Some(Failure {
                status: Status::Temporary,
                message: "connection lost".into(),
                hint: None,
                routine: false,
            }),
            ..Outcome::default()
        };
        let line = line("work", &Event::Finished(&outcome), &account).unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&line).unwrap(),
            json!({
                "event": "account", "account": "work", "fetched": 5, "octets": 0, "deleted": 0, "deleted_by_rules": 0,
                "skipped": 0, "failed": 0, "doubtful": 0, "known": 0, "recovered": 0, "handed": 0, "waiting": 0, "seen": 340,
                "status": 75,
                "error": "connection lost", "hint": null,
            })
        );
    }

    #[test]
    fn the_summary_has_the_totals_and_the_status() {
        let mut totals = Totals::default();
        let outcome = Outcome {
            fetched: 2,
            failed: 1,
            ..Outcome::default()
        };
        totals.add("work", &outcome);
        let line = summary(&totals, Status::Partial).unwrap();
        let object: Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(object["event"], "summary");
        assert_eq!(object["fetched"], 2);
        assert_eq!(object["accounts_failed"], 1);
        assert_eq!(object["status"], 1);
    }

    proptest! {
        #[test]
        fn any_octets_give_a_harmless_line_of_json(
            header in any::<Vec<u8>>(), unique_id in any::<Vec<u8>>(), name in any::<String>(),
        ) {
            let mut message = message();
            message.header = &header;
            message.listed.unique_id = Some(&unique_id);
            let line = line(&name, &Event::Message(&message), &Account::default()).unwrap();
            let object: Value = serde_json::from_slice(&line).unwrap();
            prop_assert_eq!(object["account"].as_str(), Some(name.as_str()));
            let text = String::from_utf8(line).unwrap();
            prop_assert!(!text.trim_end_matches('\n').chars().any(char::is_control));
        }
    }
}
