//! `popfetch account test`: what a fetch needs, looked at without a trace.

mod around;
mod found;
mod screens;

use crate::given::run;
use crate::support::run::Home;
use serde_json::Value;

/// The findings of the account "a", by what was looked at; the first of each.
fn findings(home: &Home, status: i32) -> Findings {
    let output = run(home, &["account", "test", "a", "--format", "json"], status);
    let events = output.stdout.lines();
    Findings(
        events
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    )
}

struct Findings(Vec<Value>);

impl Findings {
    #[track_caller]
    fn of(&self, check: &str) -> &Value {
        let found = self.0.iter().find(|it| it["check"] == check);
        found.unwrap_or_else(|| panic!("no {check} in {:#?}", self.0))
    }

    #[track_caller]
    fn verdict(&self, check: &str) -> &str {
        self.of(check)["verdict"].as_str().unwrap()
    }

    /// What did not get "ok".
    fn amiss(&self) -> Vec<&str> {
        let checks = self.0.iter().filter(|it| it["event"] == "check");
        let amiss = checks.filter(|it| it["verdict"] != "ok");
        amiss.map(|it| it["check"].as_str().unwrap()).collect()
    }
}
