//! What a run did: counts of passed and failed, what failed, and what was left out and why.

use std::time::Duration;

use crate::{left_out, printer};

/// Collected over all parts of a run.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    passed: u64,
    failed: u64,
    failures: Vec<String>,
    left_out: Vec<(String, String)>,
    notes: Vec<String>,
    parts: Vec<(String, Duration)>,
}

impl Summary {
    /// A part that is one check by itself.
    pub(crate) fn check(&mut self, name: &str, passed: bool) {
        if passed {
            self.passed += 1;
        } else {
            self.fail(name);
        }
    }

    /// A failure that is counted once.
    pub(crate) fn fail(&mut self, name: &str) {
        self.failed += 1;
        self.failures.push(name.to_owned());
    }

    /// Tests that a test binary counted itself.
    pub(crate) fn count(&mut self, name: &str, passed: u64, failed: u64) {
        self.passed += passed;
        self.failed += failed;
        if failed > 0 {
            self.failures.push(name.to_owned());
        }
    }

    /// A part that could not run here. It is never silent, and in CI it is a failure.
    pub(crate) fn leave_out(&mut self, what: &str, why: &str) {
        self.left_out.push((what.to_owned(), why.to_owned()));
    }

    /// Makes a failure of everything that was left out and is not on the list.
    pub(crate) fn refuse_left_out(&mut self) {
        let mut excused = Vec::new();
        for (what, why) in std::mem::take(&mut self.left_out) {
            match left_out::excuse(&what, &why) {
                Some(reason) => excused.push((what, format!("{why}; {reason}"))),
                None => self.fail(&format!("left out: {what} ({why})")),
            }
        }
        self.left_out = excused;
    }

    /// Something that a reader of the counts should know.
    pub(crate) fn note(&mut self, text: &str) {
        self.notes.push(text.to_owned());
    }

    /// How long a part took.
    pub(crate) fn time(&mut self, name: &str, elapsed: Duration) {
        self.parts.push((name.to_owned(), elapsed));
    }

    pub(crate) fn has_failures(&self) -> bool {
        self.failed > 0
    }

    /// Ends the run's output; the counts come last, in one line.
    pub(crate) fn print(&self) {
        printer::heading("summary");
        for (name, elapsed) in &self.parts {
            printer::line(&format!("{:>7.1} s  {name}", elapsed.as_secs_f64()));
        }
        for note in &self.notes {
            printer::line(note);
        }
        for (what, why) in &self.left_out {
            printer::line(&format!("left out: {what} ({why})"));
        }
        for failure in &self.failures {
            printer::line(&format!("failed: {failure}"));
        }
        printer::line(&format!("{} passed, {} failed", self.passed, self.failed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_in_ci_fails_unless_it_is_listed() {
        let mut summary = Summary::default();
        let listed = &left_out::EXCUSED[0];
        summary.leave_out(listed.what, listed.why);
        summary.leave_out("fuzz run", "cargo-fuzz is not installed");
        assert!(!summary.has_failures());
        summary.refuse_left_out();
        assert_eq!((summary.failed, summary.left_out.len()), (1, 1));
        assert_eq!(summary.failures, ["left out: fuzz run (cargo-fuzz is not installed)"]);
    }
}
