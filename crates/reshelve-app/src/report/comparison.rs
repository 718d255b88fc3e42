//! Source and target compared: counts, parity, mismatches.

use reshelve::parity::{Group, Mismatch};
use reshelve::report::{RunReport, Word};
use reshelve::run::State;

use super::page::{Block, Cell, ROWS_MAX, Section, Standing, Table, more};
use crate::text::{counted, length, number};
use crate::{groups, hints};

/// Documents on both sides.
pub(super) fn counts(report: &RunReport) -> Option<Section> {
    let counts = &report.survey.as_ref()?.counts;
    let row = |what: &str, count: u64| vec![Cell::text(what), Cell::count(count)];
    let mut rows = vec![
        row("legacy documents", counts.legacy),
        row("− rejected", counts.rejected),
        row("− left out, in flight", counts.skipped),
        row("= belong in the target", counts.jobs()),
    ];
    if counts.retried > 0 {
        rows.push(row("of these, rejected at first and carried over by a retry", counts.retried));
    }
    if counts.repaired > 0 {
        rows.push(row(
            "of these, repaired; the source still holds the rejected one",
            counts.repaired,
        ));
    }
    if counts.not_in_source > 0 {
        rows.push(row("carried over by a retry, and not in the source", counts.not_in_source));
    }
    for (collection, documents) in &counts.collections {
        rows.push(vec![Cell::code(collection), Cell::count(*documents)]);
    }
    if counts.left_alone > 0 {
        rows.push(row("of others, left alone", counts.left_alone));
    }
    let text = match &report.parity {
        Some(_) => {
            "Counted now, on both sides. There must be as many jobs, metrics and metadata as \
             documents that belong in the target."
        }
        None => "Counted now, from the source.",
    };
    let blocks = vec![Block::Text(text.into()), Table::whole(vec!["what", "documents"], rows)];
    let once = ["novel_jobs", "novel_job_metrics", "novel_job_metadata"];
    let is_off = |name: &&str| counts.collections.get(*name).is_some_and(|it| *it != counts.jobs());
    let standing = match report.parity {
        None => Standing::Recorded,
        Some(_) if once.iter().any(is_off) => Standing::Fails,
        Some(_) => Standing::Holds,
    };
    let brief = counted(counts.legacy, "legacy document");
    Some(Section::new("Counts", standing, blocks).brief(brief))
}

/// The comparison, and the proof that nothing was lost.
pub(super) fn parity(report: &RunReport) -> Section {
    let proved = "Lossless proof: before anything is written, each legacy document is rebuilt from \
                  its four target documents alone and compared byte for byte.";
    let mut blocks = Vec::new();
    match &report.parity {
        Some(parity) => {
            let jobs = parity.survey.counts.jobs();
            blocks.push(Block::Text(format!(
                "{proved} For this report it was done again with what the target holds now: {} of \
                 {} restored. Every target document was compared with a fresh mapping of its \
                 legacy document, byte for byte.",
                number(parity.restored.identical),
                number(jobs)
            )));
            let restored = parity.restored;
            blocks.push(Block::Facts(vec![
                ("restored", Cell::count(restored.identical)),
                ("different", Cell::count(restored.different)),
                ("missing", Cell::count(restored.missing)),
                ("extra", Cell::count(restored.extra.unwrap_or(0))),
                ("mismatches", Cell::count(parity.mismatches_total)),
            ]));
        }
        None if report.verdict.word == Word::DryRun => {
            let documents = report.checkpoint.totals.documents;
            blocks.push(Block::Text(format!(
                "{proved} The dry run did so for {} of {}. There is no target to compare with.",
                number(documents.mapped),
                counted(documents.read, "document")
            )));
        }
        None => {
            let next = match report.checkpoint.state {
                state if state.is_ended() => {
                    "`reshelve report RUN --source SOURCE --target TARGET` reads the two where \
                     they are now."
                }
                State::Cancelled | State::RollingBack => {
                    "`reshelve rollback RUN --apply` takes back what it wrote."
                }
                State::RolledBack => "What it wrote is taken back.",
                _ => "`reshelve resume RUN` finishes the run; then write the report again.",
            };
            blocks.push(Block::Text(format!(
                "{} This report makes no statement about parity. {next}",
                report.verdict.sentence
            )));
        }
    }
    let standing = match &report.parity {
        Some(parity) if parity.is_clean() => Standing::Holds,
        Some(_) => Standing::Fails,
        None if report.verdict.word == Word::DryRun => Standing::Holds,
        None => Standing::Open,
    };
    let brief = match &report.parity {
        Some(parity) => format!(
            "{} of {} restored byte for byte",
            number(parity.restored.identical),
            number(parity.survey.counts.jobs())
        ),
        None => String::new(),
    };
    Section::new("Parity and lossless proof", standing, blocks).brief(brief)
}

/// What differs, each difference once.
fn grouped(list: &[Group]) -> Block {
    let row = |group: &Group| {
        vec![
            Cell::Text(groups::amount(group)),
            Cell::code(groups::place(group)),
            Cell::code(groups::difference(group)),
            Cell::job(&group.example),
        ]
    };
    let rows: Vec<_> = list.iter().take(ROWS_MAX).map(row).collect();
    let more = more(length(list), rows.len(), "`report-data.json` has all of them");
    let columns = vec!["how many", "where", "expected → found", "such as"];
    Block::Table(Table { caption: "What differs, each difference once", columns, rows, more })
}

/// Every place where the target differs, up to a bound; none if it does not differ.
pub(super) fn mismatches(report: &RunReport) -> Option<Section> {
    let parity = report.parity.as_ref().filter(|parity| parity.mismatches_total > 0)?;
    let row = |mismatch: &Mismatch| {
        let [expected, found] = Cell::compared(&mismatch.expected, &mismatch.actual);
        vec![
            Cell::job(&mismatch.job),
            Cell::code(mismatch.collection),
            Cell::code(&mismatch.path),
            expected,
            found,
        ]
    };
    let rows: Vec<_> = parity.mismatches.iter().take(ROWS_MAX).map(row).collect();
    let more =
        more(parity.mismatches_total, rows.len(), "`reshelve verify --out DIR` writes all of them");
    let columns = vec!["job", "collection", "path", "expected", "found"];
    let table = Table { caption: "One by one", columns, rows, more };
    let mut text =
        "Each is one place of one document. What is expected and not found is struck out; \
                    what is found and not expected is underlined."
            .to_owned();
    if !report.with_texts {
        text.push_str(
            " Texts are shown as their shape: `reshelve report RUN --with-texts` quotes them.",
        );
    }
    let mut blocks = vec![grouped(&parity.groups)];
    blocks.extend(parity.causes.iter().map(|cause| Block::Text(hints::of_cause(cause))));
    blocks.extend([Block::Text(text), Block::Table(table)]);
    let brief = number(parity.mismatches_total);
    Some(Section::new("Mismatches", Standing::Fails, blocks).brief(brief))
}
