//! What a command that only looks has found, account by account, and its JSON.

use super::ready::Prepared;
use crate::exit::Status;
use crate::report::Failure;
use crate::term::json_line;
use serde_json::{Map, Value, json};

/// What is counted in each account.
pub(super) trait Counts {
    /// The names of the numbers in JSON.
    const FIELDS: &'static [&'static str];

    /// The numbers, in the same order.
    fn values(&self) -> Vec<u64>;

    /// What they mean for the exit status.
    fn status(&self) -> Status {
        Status::Ok
    }
}

/// The accounts, each with what was found in it or with what kept it from being looked at.
pub(super) struct Results<T> {
    accounts: Vec<(String, Result<T, Failure>)>,
}

impl<T: Counts> Results<T> {
    /// `results` are those of the accounts that were ready, in their order; `None` where the work
    /// panicked.
    pub(super) fn new(
        prepared: Prepared,
        results: Vec<Option<Result<Result<T, Failure>, Failure>>>,
    ) -> Self {
        let failed = prepared.failed.into_iter();
        let failed = failed.map(|(name, failure)| (name, Err(failure)));
        let names = prepared.ready.into_iter().map(|ready| ready.profile.name);
        let looked = names.zip(results).map(|(name, result)| {
            let result = result.map(Result::flatten).unwrap_or_else(|| {
                Err(Failure {
                    status: Status::Internal,
                    message: "popfetch failed at this account".to_owned(),
                    hint: None,
                    routine: false,
                })
            });
            (name, result)
        });
        Self {
            accounts: failed.chain(looked).collect(),
        }
    }

    /// For what is looked at one after another.
    pub(super) fn of(accounts: Vec<(String, Result<T, Failure>)>) -> Self {
        Self { accounts }
    }

    /// The worst status of all.
    pub(super) fn status(&self) -> Status {
        let status = |result: &Result<T, Failure>| match result {
            Ok(found) => found.status(),
            Err(failure) => failure.status,
        };
        let statuses = self.accounts.iter().map(|(_, result)| status(result));
        statuses.fold(Status::Ok, Status::worst)
    }

    /// Those that could be looked at.
    pub(super) fn found(&self) -> impl Iterator<Item = (&str, &T)> {
        let accounts = self.accounts.iter();
        accounts.filter_map(|(name, result)| Some((name.as_str(), result.as_ref().ok()?)))
    }

    /// The names of those that could not.
    pub(super) fn failed(&self) -> Vec<&str> {
        let failed = self.accounts.iter().filter(|(_, result)| result.is_err());
        failed.map(|(name, _)| name.as_str()).collect()
    }

    /// The sums of all that was counted.
    pub(super) fn sums(&self) -> Vec<u64> {
        let mut sums = vec![0_u64; T::FIELDS.len()];
        for (_, found) in self.found() {
            for (sum, value) in sums.iter_mut().zip(found.values()) {
                *sum = sum.saturating_add(value);
            }
        }
        sums
    }

    /// For each account the lines that `details` makes of it and an event `account`, which has the
    /// same fields whether it failed or not; at the end an event `summary`.
    pub(super) fn json(&self, details: impl Fn(&str, &T) -> Vec<u8>) -> Vec<u8> {
        self.json_with(|name, found| found.map_or_else(Vec::new, |found| details(name, found)))
    }

    /// The same where there are details of those that failed, too.
    pub(super) fn json_with(&self, details: impl Fn(&str, Option<&T>) -> Vec<u8>) -> Vec<u8> {
        let mut data = Vec::new();
        for (name, result) in &self.accounts {
            data.extend(details(name, result.as_ref().ok()));
            data.extend(account_line(name, result));
        }
        data.extend(self.summary_line());
        data
    }

    /// An event `summary`.
    pub(super) fn summary_line(&self) -> Vec<u8> {
        let failed = self.accounts.len() - self.found().count();
        let mut object = Map::new();
        object.insert("event".into(), json!("summary"));
        object.insert("accounts".into(), json!(self.accounts.len()));
        object.insert("accounts_failed".into(), json!(failed));
        for (field, sum) in T::FIELDS.iter().zip(self.sums()) {
            object.insert((*field).into(), json!(sum));
        }
        object.insert("status".into(), json!(self.status().code()));
        line(object)
    }
}

/// An event `account`.
pub(super) fn account_line<T: Counts>(name: &str, result: &Result<T, Failure>) -> Vec<u8> {
    let found = result.as_ref().ok();
    let failure = result.as_ref().err();
    let mut object = Map::new();
    object.insert("event".into(), json!("account"));
    object.insert("account".into(), json!(name));
    let values = found.map(Counts::values);
    for (place, field) in T::FIELDS.iter().enumerate() {
        let value = values.as_ref().and_then(|values| values.get(place));
        object.insert((*field).into(), json!(value));
    }
    let status = found.map_or(Status::Ok, Counts::status);
    let status = failure.map_or(status, |failure| failure.status);
    object.insert("status".into(), json!(status.code()));
    object.insert("error".into(), json!(failure.map(|f| &f.message)));
    object.insert("hint".into(), json!(failure.and_then(|f| f.hint.as_ref())));
    line(object)
}

fn line(object: Map<String, Value>) -> Vec<u8> {
    // A value of strings and numbers can always be written.
    json_line(&object).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One;

    impl Counts for One {
        const FIELDS: &'static [&'static str] = &["messages"];

        fn values(&self) -> Vec<u64> {
            vec![1]
        }
    }

    #[test]
    fn an_account_has_the_same_fields_whether_it_failed_or_not() {
        let failure = Failure {
            status: Status::Temporary,
            message: "the server is busy".into(),
            hint: None,
            routine: false,
        };
        let looked = Results {
            accounts: vec![("a".into(), Ok(One)), ("b".into(), Err(failure))],
        };
        let json = String::from_utf8(looked.json(|_, _| Vec::new())).unwrap();
        let objects: Vec<Map<String, Value>> = json
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let keys = |object: &Map<String, Value>| object.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&objects[0]), keys(&objects[1]));
        assert_eq!(objects[0]["messages"], 1);
        assert_eq!(objects[1]["messages"], Value::Null);
        assert_eq!(objects[1]["status"], 75);
        assert_eq!(objects[2]["event"], "summary");
        assert_eq!(objects[2]["accounts_failed"], 1);
        assert_eq!(objects[2]["messages"], 1);
    }
}
