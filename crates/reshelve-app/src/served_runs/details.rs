//! Everything that the page of a run shows.

use reshelve::ends::{Action, OnExisting};
use reshelve::run::journal::{Reader, Record};
use reshelve::run::{Checkpoint, Plan, RunFolder, Tally};
use reshelve_serve::runs::{Coded, Journal, JournalRecords, RunPage};
use serde::Serialize;

use super::known::Known;
use super::{ServedRuns, files};
use crate::failure::Failure;
use crate::status::status_of;
use crate::text::{counted, limits, number};

/// The longest journal whose records are counted for a page, in bytes.
const COUNTED_BYTES_MAX: u64 = 64 << 20;

impl ServedRuns {
    pub(super) fn details(&self, known: &Known) -> Result<RunPage, Failure> {
        let status = status_of(&known.folder)?;
        let offers = self.offers(known, &status);
        let run = self.summary(known, status);
        let Known { folder, plan, .. } = known;
        let checkpoint = folder.checkpoint()?;
        let throttle = folder.control().map(|control| control.throttle).unwrap_or_default();
        let totals = &checkpoint.totals;
        let coded = |(code, tally): (&String, &Tally)| Coded {
            code: code.clone(),
            count: tally.count,
            examples: tally.examples.iter().map(|it| (it.job.clone(), it.path.clone())).collect(),
        };
        Ok(RunPage {
            folder: folder.path().display().to_string(),
            facts: facts(plan, &checkpoint),
            limits: (!throttle.is_off()).then(|| limits(&throttle)),
            warnings: totals.warnings.iter().map(coded).collect(),
            rejects: totals.rejects.iter().map(coded).collect(),
            journal: plan.apply.then(|| journal(folder, &checkpoint, run.is_at_work)),
            files: files::listed(folder),
            report_with: known.command_line("report", &["--bundle"]).filter(|_| plan.apply),
            offers,
            task: self.board.task(&run.id),
            ended: self.board.ended(&run.id),
            run,
        })
    }
}

/// What was decided, and with which version.
fn facts(plan: &Plan, checkpoint: &Checkpoint) -> Vec<(&'static str, String)> {
    let options = &plan.options;
    let mut facts = vec![("Mapping", plan.mapping.clone())];
    let in_flight = options.in_flight.map(|it| word(&it));
    facts.push(("Jobs in flight", in_flight.unwrap_or_else(|| "not decided".to_owned())));
    facts.push(("Status policy", word(&options.status_policy)));
    facts.push(("Unknown statuses", word(&options.on_unknown_status)));
    if plan.apply {
        let existing = match plan.on_existing {
            OnExisting::Refuse => "the target had to be empty",
            OnExisting::Keep => "kept; jobs with other bytes are rejects",
            OnExisting::Replace => "replaced; earlier versions are kept for a rollback",
        };
        facts.push(("What was there", existing.to_owned()));
    }
    if let Some(limit) = plan.limit {
        facts.push(("Limit", format!("the first {}", counted(limit, "document"))));
    }
    if checkpoint.totals.replaced > 0 {
        facts.push(("Replaced", format!("{} jobs", number(checkpoint.totals.replaced))));
    }
    if let Some(from_plan) = &plan.from_plan {
        facts.push(("Plan", from_plan.hash.clone()));
    }
    facts.push(("Tool", plan.tool_version.clone()));
    facts
}

/// The word that a decision has in files.
fn word(decision: &impl Serialize) -> String {
    let word = serde_json::to_value(decision).ok();
    word.as_ref().and_then(|word| word.as_str()).unwrap_or_default().to_owned()
}

fn journal(folder: &RunFolder, checkpoint: &Checkpoint, is_written: bool) -> Journal {
    let bytes = checkpoint.journal.records;
    let is_counted = !is_written && bytes <= COUNTED_BYTES_MAX;
    Journal { bytes, records: is_counted.then(|| records(folder)).flatten() }
}

/// The records by kind; none if the journal cannot be read.
fn records(folder: &RunFolder) -> Option<JournalRecords> {
    let mut reader = Reader::of_run(folder).ok()?;
    let mut records = JournalRecords::default();
    while let Some(record) = reader.next_record().ok()? {
        let count = match record {
            Record::Job(job) => match job.action {
                Action::Insert => &mut records.inserted,
                Action::Complete => &mut records.completed,
                Action::Replace => &mut records.replaced,
            },
            Record::Withdrawn(_) => &mut records.withdrawn,
            Record::Completed { .. } => &mut records.batches,
        };
        *count += 1;
    }
    Some(records)
}
