//! What the suites have tried: their lines, added up.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::Value;

/// What was tried of one kind of fault at one kind of ends.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// Ended with the bytes that there are without the fault.
    pub(super) same: u64,
    /// Ended with a clear refusal, and nothing lost.
    pub(super) refused: u64,
    /// The tests that did it: `kill::plain`.
    pub(super) tests: BTreeSet<String>,
}

impl Row {
    pub(super) fn tried(&self) -> u64 {
        self.same + self.refused
    }
}

/// All that was tried, by ends and fault.
#[derive(Debug, Default)]
pub(super) struct Tried {
    pub(super) rows: BTreeMap<(String, String), Row>,
}

impl Tried {
    /// Adds up the lines that the tests have written.
    pub(super) fn read(text: &str) -> Result<Tried> {
        let mut tried = Tried::default();
        for line in text.lines() {
            let value: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
            let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
            let number = |name: &str| value[name].as_u64().unwrap_or_default();
            let row = tried.rows.entry((text("ends"), text("fault"))).or_default();
            row.same += number("same");
            row.refused += number("refused");
            row.tests.insert(text("suite"));
        }
        Ok(tried)
    }

    /// Whether a suite has counted anything.
    pub(super) fn has(&self, suite: &str) -> bool {
        let is_of = |test: &String| test.split("::").next() == Some(suite);
        self.rows.values().any(|row| row.tests.iter().any(is_of))
    }

    /// How many faults were tried.
    pub(super) fn faults(&self) -> u64 {
        self.rows.values().map(Row::tried).sum()
    }

    /// How many of them were kills of a process from outside.
    pub(super) fn kills(&self) -> u64 {
        let kills = self.rows.iter().filter(|((_, fault), _)| fault.starts_with("kill -9"));
        kills.map(|(_, row)| row.tried()).sum()
    }

    /// All of it in a few words.
    pub(super) fn words(&self) -> String {
        let (kinds, faults, kills) = (self.rows.len(), self.faults(), self.kills());
        format!("{faults} faults of {kinds} kinds × ends, {kills} of them kills of a process")
    }
}

/// The suite that wrote a line.
pub(super) fn suite_of(line: &str) -> Option<String> {
    let value: Value = serde_json::from_str(line).ok()?;
    Some(value["suite"].as_str()?.split("::").next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_added_up_by_ends_and_fault() {
        let line = |suite: &str, fault: &str, same: u64| {
            let line = serde_json::json!({
                "suite": suite, "fault": fault, "ends": "folder", "same": same, "refused": 1
            });
            format!("{line}\n")
        };
        let text = [line("a::b", "kill -9", 4), line("a::c", "kill -9", 5), line("a::c", "d", 6)];
        let tried = Tried::read(&text.concat()).unwrap();
        let row = &tried.rows[&("folder".to_owned(), "kill -9".to_owned())];
        assert_eq!((row.same, row.refused, row.tests.len()), (9, 2, 2));
        assert_eq!((tried.rows.len(), tried.faults(), tried.kills()), (2, 18, 11));
        assert!(tried.has("a") && !tried.has("b"));
        assert_eq!(suite_of(&text[0]).as_deref(), Some("a"));
        assert!(Tried::read("no JSON").is_err());
    }
}
