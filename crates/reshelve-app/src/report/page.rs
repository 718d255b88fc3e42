//! The content of a report, free of any form: sections of paragraphs, facts and tables.

use reshelve::report::{RunReport, Word};

use super::{codes, comparison, figures, jobs, record, source, what_was_run};
use crate::text::number;

/// How many rows a list has; the files that it names hold the rest.
pub(super) const ROWS_MAX: usize = 20;

/// A report.
pub(super) struct Page {
    /// The id of the run.
    pub(super) run: String,
    pub(super) word: Word,
    /// What the verdict means, in a sentence.
    pub(super) sentence: String,
    /// What has to be known before the rest is believed.
    pub(super) cautions: Vec<String>,
    /// The few figures that a reader looks for first: name and value.
    pub(super) figures: Vec<(&'static str, String)>,
    pub(super) sections: Vec<Section>,
}

impl Page {
    pub(super) fn of(report: &RunReport) -> Self {
        let sections = [
            Some(what_was_run::run(report)),
            comparison::counts(report),
            Some(comparison::parity(report)),
            figures::totals(report),
            figures::deltas(report),
            jobs::status_conflicts(report),
            jobs::in_flight(report),
            Some(codes::warnings(report)),
            Some(codes::rejects(report)),
            source::profile(report),
            Some(record::effort(report)),
            Some(record::fingerprints(report)),
            Some(record::rollback(report)),
        ];
        Page {
            run: report.plan.run.clone(),
            word: report.verdict.word,
            sentence: report.verdict.sentence.clone(),
            cautions: report.cautions.clone(),
            figures: what_was_run::first_figures(report),
            sections: sections.into_iter().flatten().collect(),
        }
    }
}

/// The verdict: a symbol and words, so that it needs no colour.
pub(super) fn verdict_words(word: Word) -> (&'static str, &'static str) {
    match word {
        Word::Holds => ("✓", "Parity holds"),
        Word::HoldsWithExceptions => ("!", "Parity holds, with exceptions"),
        Word::DoesNotHold => ("✗", "Parity does not hold"),
        Word::NotChecked => ("?", "Parity was not checked"),
        Word::DryRun => ("○", "Dry run: nothing was written"),
    }
}

/// A section of the report.
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) blocks: Vec<Block>,
}

/// A part of a section.
pub(super) enum Block {
    /// A paragraph of ours.
    Text(String),
    /// Names and values.
    Facts(Vec<(&'static str, Cell)>),
    Table(Table),
    /// Sentences in an order.
    Steps(Vec<String>),
}

/// A table, and what it leaves out.
pub(super) struct Table {
    /// What it shows; empty if the section says it.
    pub(super) caption: &'static str,
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<Vec<Cell>>,
    /// Where the rest is, if it does not show everything.
    pub(super) more: Option<String>,
}

/// A value.
pub(super) enum Cell {
    /// Words of ours.
    Text(String),
    /// A number, set to the right.
    Number(String),
    /// Text that other people wrote: never taken for markup.
    Foreign(String),
    /// Ids, paths, values: the same, in a font in which no two characters look alike.
    Code(String),
    /// Some of them, and how many there are beside these.
    Codes(Vec<String>, u64),
    /// Whether something is as it should be, in words.
    Flag { good: bool, words: &'static str },
    /// A bar; its length in thousandths of the longest one.
    Bar(u64),
}

impl Cell {
    pub(super) fn text(text: impl Into<String>) -> Cell {
        Cell::Text(text.into())
    }

    pub(super) fn code(text: impl std::fmt::Display) -> Cell {
        Cell::Code(text.to_string())
    }

    pub(super) fn count(count: u64) -> Cell {
        Cell::Number(number(count))
    }
}

/// What a list leaves out, and where that is.
pub(super) fn more(count: u64, shown: usize, place: &str) -> Option<String> {
    let rest = count.saturating_sub(u64::try_from(shown).unwrap_or(u64::MAX));
    (rest > 0).then(|| format!("and {} more: {place}", number(rest)))
}
