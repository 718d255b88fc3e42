//! The end of a report: what is signed, and the choices of the person who signs.

use reshelve::report::{RunReport, Word};

use super::page::{Block, Cell, Headline, Table, headline};
use super::{answers, decisions};
use crate::text::{agree, counted, number};

/// What is signed.
pub(super) struct SignOff {
    /// Run, verdict, target, and the decisions that changed data.
    pub(super) facts: Block,
    /// The checksums of the four collections, or why there are none.
    pub(super) checksums: Block,
    /// The choices, in the order in which they are offered; none if there is nothing to sign.
    pub(super) choices: &'static [&'static str],
    /// What is accepted by accepting with exceptions; empty if there is none.
    pub(super) exceptions: Vec<String>,
}

/// What a signature says.
pub(super) const STATEMENT: &str = "I have read this report. My decision:";
/// What is there instead, if nothing can be signed.
pub(super) const NOTHING_TO_SIGN: &str =
    "There is nothing to sign: source and target were not compared.";
/// The choice that the exceptions follow.
pub(super) const WITH_EXCEPTIONS: &str = "Accept with these exceptions:";
/// What is there in the place of exceptions that are not known.
pub(super) const NO_EXCEPTIONS: &str = "this report knows of none; write yours here:";
/// What the lines to be filled in are for.
pub(super) const LINES: [&str; 3] = ["Reviewer", "Date", "Signature"];

pub(super) fn of(report: &RunReport) -> SignOff {
    let plan = &report.plan;
    let Headline { symbol, words, .. } = headline(report.verdict.word);
    let mut facts = vec![
        ("run", Cell::code(&plan.run)),
        ("verdict", Cell::Text(format!("{symbol} {words}"))),
        ("target", Cell::code(plan.target.name())),
        ("report made", Cell::code(&report.made_at)),
    ];
    let decisions = decisions::sentences(report).into_iter();
    facts.extend(decisions.map(|sentence| ("decision", Cell::Text(sentence))));
    SignOff {
        facts: Block::Facts(facts),
        checksums: checksums(report),
        // What must not be accepted is not offered.
        choices: match report.verdict.word {
            Word::Holds => &["Accept", WITH_EXCEPTIONS, "Reject"],
            Word::HoldsWithExceptions => &[WITH_EXCEPTIONS, "Reject"],
            Word::DoesNotHold => &["Reject"],
            Word::NotChecked | Word::DryRun => &[],
        },
        exceptions: exceptions(report),
    }
}

fn checksums(report: &RunReport) -> Block {
    let Some(checksums) = &report.checksums else {
        let text = match report.verdict.word {
            Word::DryRun => "A dry run has no target: there are no checksums to sign.",
            _ => "The target was not read: there are no checksums to sign.",
        };
        return Block::Text(text.into());
    };
    let rows = checksums.iter().map(|(collection, checksum)| {
        vec![
            Cell::code(collection),
            Cell::count(checksum.documents),
            Cell::code(&checksum.checksum),
        ]
    });
    Table::whole(vec!["collection", "documents", "checksum"], rows.collect())
}

/// Everything that is not as it is in the source, a sentence each.
fn exceptions(report: &RunReport) -> Vec<String> {
    let documents = report.checkpoint.totals.documents;
    let mut exceptions = Vec::new();
    if let Some(parity) = &report.parity {
        if parity.mismatches_total > 0 {
            exceptions.push(counted(parity.mismatches_total, "mismatch"));
        }
        let missing = parity.restored.missing;
        if missing > 0 {
            exceptions.push(format!("{} missing in the target", counted(missing, "job")));
        }
    }
    if let Some(counts) = report.parity.as_ref().map(|parity| &parity.survey.counts) {
        for (count, what) in [
            (counts.repaired, "carried over in a repaired version: the source holds another one"),
            (counts.not_in_source, "carried over by a retry and not in the source"),
        ] {
            if count > 0 {
                exceptions.push(format!("{} {what}", counted(count, "document")));
            }
        }
    }
    for (code, tally) in &report.checkpoint.totals.rejects {
        exceptions.push(format!("{} rejected as `{code}`", counted(tally.count, "document")));
    }
    if documents.skipped > 0 {
        let were = agree(documents.skipped, "was", "were");
        exceptions.push(format!(
            "{} {} left out: {} in flight",
            number(documents.skipped),
            agree(documents.skipped, "document", "documents"),
            were
        ));
    }
    if report.verdict.word == Word::NotChecked {
        exceptions.push("source and target were not compared".into());
    }
    exceptions.extend(answers::exceptions(report));
    exceptions.extend(report.cautions.iter().cloned());
    exceptions
}
