//! The conclusion of a report, in a word and a sentence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Looked, ReportRequest, counted, number};
use crate::ends::{CollectionChecksum, Difference, differences};
use crate::parity::{Agreement, Counts, Survey, Verification};
use crate::run::{Checkpoint, Part, Plan};

/// The verdict in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// Every document that belongs in the target is there, and can be restored byte for byte.
    Holds,
    /// The same, but for documents that were rejected or left out, or for a part of the source
    /// only: somebody has to accept that.
    HoldsWithExceptions,
    /// Something is missing, extra or different.
    DoesNotHold,
    /// The two sides could not be compared.
    NotChecked,
    /// Nothing was written: the report shows what a real run would do.
    DryRun,
}

/// The conclusion of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// In a word.
    pub word: Word,
    /// In a sentence.
    pub sentence: String,
}

impl Verdict {
    fn new(word: Word, sentence: String) -> Self {
        Verdict { word, sentence }
    }
}

pub(super) fn of(
    plan: &Plan,
    checkpoint: &Checkpoint,
    looked: &Looked,
    checksums: Option<&Checksums>,
) -> Verdict {
    let verdict = of_comparison(plan, checkpoint, looked);
    verdict.except(missed(plan, checkpoint, checksums).as_deref())
}

/// The checksums of a target's collections.
type Checksums = BTreeMap<&'static str, CollectionChecksum>;

fn of_comparison(plan: &Plan, checkpoint: &Checkpoint, looked: &Looked) -> Verdict {
    match looked {
        Looked::Compared(verification) => compared(plan, checkpoint, verification),
        Looked::Surveyed { survey, why: None } => dry_run(plan, checkpoint, survey),
        Looked::Nothing { .. } if !plan.apply && checkpoint.state.is_ended() => {
            let documents = checkpoint.totals.documents;
            let sentence = format!(
                "Nothing was written. The run's own files say that {} of {} documents would be \
                 mapped, each proved to come back byte for byte. The source could not be read \
                 again for this report.",
                number(documents.mapped),
                number(documents.read)
            );
            Verdict::new(Word::DryRun, sentence)
        }
        Looked::Surveyed { why: Some(why), .. } | Looked::Nothing { why } => {
            let sentence = format!("Source and target were not compared: {why}.");
            Verdict::new(Word::NotChecked, sentence)
        }
    }
}

fn compared(plan: &Plan, checkpoint: &Checkpoint, verification: &Verification) -> Verdict {
    let counts = &verification.survey.counts;
    let (restored, jobs) = (verification.restored, number(counts.jobs()));
    let left_out = left_out(counts.rejected, counts.skipped) + &retried(counts);
    let part = part(plan, checkpoint);
    let question = is_it_the_right_one(&verification.survey, checkpoint);
    if let Some(question) = &question
        && verification.holds()
    {
        return Verdict::new(Word::HoldsWithExceptions, question.clone());
    }
    if verification.holds() {
        let sentence = format!(
            "{} of {jobs} documents are in the target as they should be, and come back byte for \
             byte.{left_out}{part}",
            number(restored.identical)
        );
        let is_whole = verification.agreement() == Agreement::Holds && part.is_empty();
        let word = if is_whole { Word::Holds } else { Word::HoldsWithExceptions };
        return Verdict::new(word, sentence);
    }
    let mismatches = counted(verification.mismatches_total, "mismatch");
    let lead = match verification.mismatched_jobs {
        0 => mismatches,
        1 => format!("1 job of the source is not in the target as it should be ({mismatches})"),
        jobs => format!(
            "{} jobs of the source are not in the target as they should be ({mismatches})",
            number(jobs)
        ),
    };
    let others = [
        (restored.different, "comes back different", "come back different"),
        (restored.missing, "is missing", "are missing"),
        (
            restored.extra.unwrap_or(0),
            "is in the target but in no source",
            "are in the target but in no source",
        ),
    ];
    let others: String = others
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, several)| {
            format!(", {} {}", number(count), if count == 1 { one } else { several })
        })
        .collect();
    let sentence = format!(
        "{lead}. {} of {jobs} documents come back byte for byte{others}.{left_out}{}",
        number(restored.identical),
        question.map_or_else(String::new, |question| format!(" {question}")),
    );
    Verdict::new(Word::DoesNotHold, sentence)
}

/// What the target does not hold of the plan that the run carried out: that is for somebody to
/// accept, however well source and target agree.
fn missed(plan: &Plan, checkpoint: &Checkpoint, checksums: Option<&Checksums>) -> Option<String> {
    let (from_plan, checksums) = plan.from_plan.as_ref().zip(checksums)?;
    if !checkpoint.state.is_ended() {
        return None;
    }
    let words = |checksum: &CollectionChecksum| {
        format!("{}, checksum {}", counted(checksum.documents, "document"), checksum.checksum)
    };
    let differences: Vec<String> = differences(&from_plan.reaches, checksums)
        .iter()
        .map(|Difference { collection, planned, found }| {
            format!("{collection} has {}; the plan says {}", words(found), words(planned))
        })
        .collect();
    (!differences.is_empty()).then(|| {
        format!("The target does not hold what the approved plan says: {}.", differences.join("; "))
    })
}

impl Verdict {
    /// The same, if something differs that source and target alone do not show.
    #[must_use]
    pub fn against(self, sentence: &str) -> Verdict {
        Verdict { word: Word::DoesNotHold, sentence: format!("{} {sentence}", self.sentence) }
    }

    /// The same, if something has to be accepted besides.
    #[must_use]
    pub fn except(self, missed: Option<&str>) -> Verdict {
        let Some(missed) = missed else { return self };
        let word = match self.word {
            Word::Holds => Word::HoldsWithExceptions,
            word => word,
        };
        Verdict { word, sentence: format!("{} {missed}", self.sentence) }
    }
}

/// What the run took, where it was told to take a part of its source.
fn part(plan: &Plan, checkpoint: &Checkpoint) -> String {
    match plan.part(checkpoint.totals.documents.read) {
        None => String::new(),
        Some(Part::First(limit)) => {
            format!(" A partial run: it took the first {} only.", counted(limit, "document"))
        }
        Some(Part::RejectsOf(run)) => {
            let run = run.file_name().unwrap_or_default().to_string_lossy().into_owned();
            format!(" A partial run: it took only what the run {run} had rejected.")
        }
    }
}

/// A source of which nothing can be carried over is hardly the one that was meant; nor is a target
/// that takes nothing of it.
fn is_it_the_right_one(survey: &Survey, checkpoint: &Checkpoint) -> Option<String> {
    let counts = &survey.counts;
    let all = counts.legacy > 0 && counts.rejected == counts.legacy;
    let totals = &checkpoint.totals;
    let what = if totals.is_all_rejected_by_target() { "target" } else { "collection" };
    let rejected = match counts.legacy {
        1 => "The only document was rejected".to_owned(),
        legacy => format!("All {} were rejected", counted(legacy, "document")),
    };
    all.then(|| format!("{rejected}, and nothing was carried over: is this the right {what}?"))
}

fn dry_run(plan: &Plan, checkpoint: &Checkpoint, survey: &Survey) -> Verdict {
    let counts = &survey.counts;
    let jobs = number(counts.jobs());
    let left_out = left_out(counts.rejected, counts.skipped);
    if !checkpoint.state.is_ended() {
        let state = checkpoint.state.as_str();
        let sentence = format!("The dry run is not finished: its state is {state}.");
        return Verdict::new(Word::NotChecked, sentence);
    }
    if let Some(question) = is_it_the_right_one(survey, checkpoint) {
        return Verdict::new(Word::DryRun, format!("Nothing was written. {question}"));
    }
    let part = part(plan, checkpoint);
    let sentence = format!(
        "Nothing was written. {jobs} of {jobs} documents that belong in the target would be mapped, \
          each proved to come back byte for byte.{left_out}{part}"
    );
    Verdict::new(Word::DryRun, sentence)
}

fn left_out(rejected: u64, skipped: u64) -> String {
    let mut text = String::new();
    let were = |count: u64| {
        let verb = if count == 1 { "was" } else { "were" };
        format!("{} {verb}", counted(count, "document"))
    };
    if rejected > 0 {
        text.push_str(&format!(" {} rejected.", were(rejected)));
    }
    if skipped > 0 {
        text.push_str(&format!(" {} left out, in flight.", were(skipped)));
    }
    text
}

/// What retries carried over of what was rejected at first.
fn retried(counts: &Counts) -> String {
    let were = |count: u64| if count == 1 { "was" } else { "were" };
    let mut text = String::new();
    let carried = counts.retried + counts.not_in_source;
    if carried > 0 {
        let carried_over = counted(carried, "document");
        text.push_str(&format!(
            " {carried_over} {} rejected at first and carried over by a retry.",
            were(carried)
        ));
    }
    if counts.repaired > 0 {
        text.push_str(&format!(
            " Of these, the target holds {} in a repaired version: the source still holds the one \
             that was rejected.",
            counts.repaired
        ));
    }
    if counts.not_in_source > 0 {
        text.push_str(&format!(
            " Of these, {} no longer in the source.",
            match counts.not_in_source {
                1 => "1 is".to_owned(),
                count => format!("{count} are"),
            }
        ));
    }
    text
}

/// What a reader must know before believing the rest.
pub(super) fn cautions(
    plan: &Plan,
    checkpoint: &Checkpoint,
    survey: Option<&Survey>,
    request: &ReportRequest,
) -> Vec<String> {
    let mut cautions = Vec::new();
    if !request.other_retries.is_empty() {
        let others = request.other_retries.join(" ");
        cautions.push(format!(
            "What was rejected was run again by {others}, and this report is not about that: what \
             was carried over then counts as rejected or extra here.{}",
            request.as_one()
        ));
    }
    if let Some(limit) = plan.limit.filter(|limit| checkpoint.totals.documents.read >= *limit) {
        cautions.push(format!(
            "The run was told to read at most {} (--limit): those after them are not in this report.",
            counted(limit, "document")
        ));
    }
    if plan.only_rejects.is_some() {
        cautions.push(format!(
            "The run took only documents that an earlier run had rejected: this report is about \
             these, not about the whole source.{}",
            request.as_one()
        ));
    }
    if checkpoint.in_doubt {
        cautions.push(
            "A checksum of the source did not match when it was read: its documents may be wrong."
                .into(),
        );
    }
    if let Some(reason) = &checkpoint.reason {
        cautions.push(format!("The run stopped: {reason}."));
    }
    let Some(survey) = survey else { return cautions };
    if checkpoint.state.is_ended() && survey.source.hash != checkpoint.source_hash {
        cautions.push(format!(
            "The source is not the one that the run read: it has other documents, or the same ones \
             in another order. This report compares the target with the source as it is now ({}); \
             the run had read {}.",
            counted(survey.source.documents, "document"),
            number(checkpoint.source.count)
        ));
    }
    let documents = checkpoint.totals.documents;
    let run = (documents.read, documents.rejected, documents.skipped);
    let counts = &survey.counts;
    if checkpoint.state.is_ended() && run != (counts.legacy, counts.rejected, counts.skipped) {
        cautions.push(format!(
            "The run counted {}, {} rejected and {} skipped; reading the source again gives {}, {} \
             and {}.",
            counted(run.0, "document"),
            number(run.1),
            number(run.2),
            number(counts.legacy),
            number(counts.rejected),
            number(counts.skipped)
        ));
    }
    cautions
}
