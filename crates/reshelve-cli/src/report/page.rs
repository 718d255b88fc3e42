//! The content of a report, free of any form: sections of paragraphs, facts and tables.

use reshelve::report::{RunReport, Word};

use super::{figures, sections, source};

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
            Some(sections::run(report)),
            sections::counts(report),
            Some(sections::parity(report)),
            figures::totals(report),
            figures::deltas(report),
            sections::status_conflicts(report),
            sections::in_flight(report),
            Some(sections::warnings(report)),
            Some(sections::rejects(report)),
            source::profile(report),
            Some(sections::effort(report)),
            Some(sections::fingerprints(report)),
            Some(sections::rollback(report)),
        ];
        Page {
            run: report.plan.run.clone(),
            word: report.verdict.word,
            sentence: report.verdict.sentence.clone(),
            cautions: report.cautions.clone(),
            figures: sections::first_figures(report),
            sections: sections.into_iter().flatten().collect(),
        }
    }
}

/// The verdict: a symbol and words, so that it needs no colour.
pub(super) fn verdict_words(word: Word) -> (&'static str, &'static str) {
    match word {
        Word::Holds => ("✓", "Parity holds"),
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
    /// What it shows; empty where the section says it.
    pub(super) caption: &'static str,
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<Vec<Cell>>,
    /// Where the rest is, where it does not show everything.
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
    /// Ids, paths, values: the same, and set so that every character can be told.
    Code(String),
    /// Some of them, and how many there are beside these.
    Codes(Vec<String>, u64),
    /// Whether something is as it should be, in words.
    Flag { good: bool, words: &'static str },
    /// A bar, of so many thousandths of the longest one.
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
        Cell::Number(crate::printer::number(count))
    }
}
