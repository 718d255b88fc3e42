//! What a rollback did, or would do, in words.

use reshelve::rollback::{Ended, LISTED_MAX, OnEdited};

use super::Outcome;
use crate::hints;
use crate::text::{counted, length, number, plain, were};

impl Outcome {
    /// How it ended, in a sentence.
    pub fn verdict(&self) -> String {
        let report = &self.report;
        let run = &report.plan.run;
        match report.ended {
            Ended::Dry if self.has_begun() => format!(
                "A rollback of {run} has begun and not ended. Nothing was changed now: this is what \
                 it takes back in all."
            ),
            Ended::Dry => {
                format!("Nothing was changed: this is what would be taken back of {run}.")
            }
            Ended::RolledBack => format!("The run {run} is rolled back."),
            Ended::Already => format!("The run {run} was rolled back already."),
            Ended::Undecided => format!(
                "Nothing was changed: {} changed since {run} wrote {}.",
                jobs_were(report.jobs.edited),
                if report.jobs.edited == 1 { "it" } else { "them" }
            ),
            Ended::Interrupted => "The rollback was interrupted.".to_owned(),
        }
    }

    /// Whether an earlier process has changed something already.
    fn has_begun(&self) -> bool {
        let documents = self.report.documents;
        documents.deleted + documents.put_back > 0
    }

    /// The figures: names and values.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let (jobs, documents) = (self.report.jobs, self.report.documents);
        // Nothing has been done yet, or not all of it, or the decision is missing.
        let ended = self.report.ended;
        let is_planned = matches!(ended, Ended::Dry | Ended::Undecided | Ended::Interrupted);
        let (deleted, put_back) = match is_planned {
            true => ("to delete", "to put back"),
            false => ("deleted", "put back"),
        };
        let mut rows = vec![
            ("target", plain(&self.report.plan.target.name())),
            (deleted, counted(jobs.deleted, "job")),
        ];
        if jobs.put_back > 0 {
            let what = format!("the earlier versions of {}", counted(jobs.put_back, "job"));
            rows.push((put_back, what));
        }
        if jobs.gone > 0 {
            let what = format!("{}, not in the target any more", counted(jobs.gone, "job"));
            rows.push(("gone", what));
        }
        if self.is_applied() || self.has_begun() {
            let put_back = match documents.put_back {
                0 => String::new(),
                count => format!(", {} put back", number(count)),
            };
            let so_far = if is_planned { " so far" } else { "" };
            let deleted = number(documents.deleted);
            rows.push(("documents", format!("{deleted} deleted{put_back}{so_far}")));
        }
        if jobs.edited > 0 {
            let what = match self.report.ended {
                _ if jobs.kept > 0 => ", and left as they are",
                Ended::RolledBack => {
                    ", and taken back too: copies are in discarded.bson in the run folder"
                }
                _ => "",
            };
            rows.push(("edited", format!("{} changed since{what}", counted(jobs.edited, "job"))));
        }
        rows
    }

    /// The first edited jobs, a line each, with what is different; at most `count`, and a line that
    /// says how many more there are.
    pub fn edited_lines(&self, count: usize) -> Vec<String> {
        let report = &self.report;
        let mut lines = Vec::new();
        for (at, edited) in report.edited.iter().take(count).enumerate() {
            let (collection, what) = (edited.edit.collection, edited.edit.what);
            let path = self.paths.get(at).and_then(Option::as_deref);
            let path = path.map(|path| format!(": {}", plain(path))).unwrap_or_default();
            lines.push(format!("{}  {collection} {what}{path}", plain(&edited.job)));
        }
        let shown = length(&lines);
        if length(&report.edited) > shown {
            let more = number(report.jobs.edited.saturating_sub(shown));
            lines.push(format!("and {more} more; --json lists the first {LISTED_MAX}"));
        }
        lines
    }

    /// How it ended, with its figures, on one line.
    pub fn sentence(&self) -> String {
        let rows = self.rows().into_iter().skip(1);
        let rows: Vec<String> = rows.map(|(name, value)| format!("{name}: {value}")).collect();
        format!("{} {}", self.verdict(), rows.join("; "))
    }

    /// If it waits for a decision: what is wrong with the one that was given, if one was, and how to
    /// make one.
    pub fn undecided(&self, given: Option<OnEdited>) -> Option<(Option<String>, String)> {
        if self.report.ended != Ended::Undecided {
            return None;
        }
        let edited = self.report.jobs.edited;
        Some(match given {
            Some(OnEdited::Discard { jobs }) if jobs != edited => {
                let given = number(jobs);
                let changed = jobs_were(edited);
                let what = format!("--edited discard={given} was given, and {changed} changed");
                (Some(what), hints::wrong_number(&self.report.plan.run, edited))
            }
            _ => (None, hints::on_edited(edited)),
        })
    }
}

fn jobs_were(jobs: u64) -> String {
    format!("{} {}", counted(jobs, "job"), were(jobs))
}
