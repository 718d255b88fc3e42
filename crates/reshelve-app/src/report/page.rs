//! The content of a report, free of any form: sections of paragraphs, facts and tables, in the
//! order in which the person who signs needs them.

use reshelve::report::{RunReport, Word};

use super::dashboard::Dashboard;
use super::sign_off::SignOff;
use super::text::plain_id;
use super::words::Explained;
use super::{
    answers, checks, codes, comparison, decisions, figures, jobs, record, rehearsal, sign_off,
    source, what_was_run, words,
};
use crate::text::number;

/// How many rows a list has; the files that it names hold the rest.
pub(super) const ROWS_MAX: usize = 20;

/// A report, or the record of a rehearsal.
pub(super) struct Page {
    /// What kind of page it is.
    pub(super) kind: &'static str,
    /// What it is about, in a word, such as `run`; and the id of that.
    pub(super) about: (&'static str, String),
    pub(super) headline: Headline,
    /// What the verdict means, in a sentence.
    pub(super) sentence: String,
    /// The words of the verdict that need it, explained.
    pub(super) explained: Vec<Explained>,
    /// What has to be known before the rest is believed.
    pub(super) cautions: Vec<String>,
    /// What was run on what, in short.
    pub(super) facts: Vec<(&'static str, Cell)>,
    /// The few figures that a reader looks for first.
    pub(super) tiles: Vec<Tile>,
    pub(super) parts: Vec<Part>,
    /// None if there is nothing that anybody signs.
    pub(super) sign_off: Option<SignOff>,
}

/// The verdict: a symbol and words, so that it needs no colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Headline {
    pub(super) symbol: &'static str,
    pub(super) words: &'static str,
    /// What it asks of the reader.
    pub(super) standing: Standing,
}

impl Page {
    pub(super) fn of(report: &RunReport, dashboard: Option<&Dashboard>) -> Self {
        let sections = [
            checks::failed(report),
            comparison::mismatches(report),
            answers::of_both_sides(report),
            answers::of_application(report),
            comparison::counts(report),
            Some(comparison::parity(report)),
            Some(codes::rejects(report)),
            jobs::in_flight(report),
            Some(decisions::section(report)),
            jobs::status_conflicts(report),
            Some(codes::warnings(report)),
            checks::passed(report),
            figures::totals(report),
            figures::deltas(report),
            Some(what_was_run::run(report)),
            source::profile(report),
            Some(record::effort(report)),
            Some(rehearsal::section(report)),
            Some(record::fingerprints(report)),
            Some(record::rollback(report)),
        ];
        let is_checked = report.verdict.word != Word::NotChecked;
        let mut parts = arranged(sections.into_iter().flatten().collect(), is_checked);
        if let Some(dashboard) = dashboard {
            dashboard.link(&mut parts);
        }
        let sentence = report.verdict.sentence.clone();
        let Headline { words, .. } = headline(report.verdict.word);
        let explained = words::explain(&format!("{words}. {sentence}"), &mut parts);
        let mut tiles = what_was_run::tiles(report);
        for tile in &mut tiles {
            tile.standing = tile.standing.of_report(is_checked);
            tile.link(&parts);
        }
        Page {
            kind: "Migration report",
            about: ("run", report.plan.run.clone()),
            headline: headline(report.verdict.word),
            sentence,
            explained,
            cautions: report.cautions.clone(),
            facts: what_was_run::in_short(report),
            tiles,
            parts,
            sign_off: Some(sign_off::of(report)),
        }
    }
}

/// Sections by what they ask of the reader; within a part they keep their order.
pub(super) fn arranged(sections: Vec<Section>, is_checked: bool) -> Vec<Part> {
    let part = |standing: Standing| {
        let title = match standing {
            Standing::Open if !is_checked => "What is open",
            standing => standing.title(),
        };
        Part { title, standing, sections: Vec::new() }
    };
    let mut parts: Vec<Part> = Standing::ALL.into_iter().map(part).collect();
    for section in sections {
        let standing = section.standing.of_report(is_checked);
        if let Some(part) = parts.iter_mut().find(|part| part.standing == standing) {
            part.sections.push(section);
        }
    }
    parts.retain(|part| !part.sections.is_empty());
    parts
}

/// The verdict of a report.
pub(super) fn headline(word: Word) -> Headline {
    let (symbol, words, standing) = match word {
        Word::Holds => ("✓", "Parity holds", Standing::Holds),
        Word::HoldsWithExceptions => ("!", "Parity holds, with exceptions", Standing::Open),
        Word::DoesNotHold => ("✗", "Parity does not hold", Standing::Fails),
        Word::NotChecked => ("?", "Parity was not checked", Standing::Open),
        Word::DryRun => ("○", "Dry run: nothing was written", Standing::Open),
    };
    Headline { symbol, words, standing }
}

/// What a section asks of the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Something is wrong.
    Fails,
    /// Something is not as it is in the source, or was not checked: to be accepted or not.
    Open,
    /// What the operator decided.
    Decided,
    /// Worth a look; no failure.
    Noted,
    Holds,
    /// For the record.
    Recorded,
}

impl Standing {
    const ALL: [Standing; 6] = [
        Standing::Fails,
        Standing::Open,
        Standing::Decided,
        Standing::Noted,
        Standing::Holds,
        Standing::Recorded,
    ];

    /// The same in a report that makes no statement about parity: nothing holds there.
    fn of_report(self, is_checked: bool) -> Standing {
        if !is_checked && self == Standing::Holds { Standing::Recorded } else { self }
    }

    /// The title of the part with the sections of this standing.
    fn title(self) -> &'static str {
        match self {
            Standing::Fails => "What does not hold",
            Standing::Open => "What has to be accepted",
            Standing::Decided => "What was decided",
            Standing::Noted => "Worth a look",
            Standing::Holds => "What holds",
            Standing::Recorded => "For the record",
        }
    }

    /// The sign of it, which needs no colour.
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Standing::Fails => "✗",
            Standing::Open => "!",
            Standing::Holds => "✓",
            Standing::Decided | Standing::Noted | Standing::Recorded => "",
        }
    }

    /// Whether its sections are shown only to those who ask for them.
    pub(super) fn is_folded(self) -> bool {
        matches!(self, Standing::Noted | Standing::Holds | Standing::Recorded)
    }
}

/// The sections of one standing.
pub(super) struct Part {
    pub(super) title: &'static str,
    pub(super) standing: Standing,
    pub(super) sections: Vec<Section>,
}

/// A figure at the top, which leads to its section.
pub(super) struct Tile {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) standing: Standing,
    /// The title of the section that it belongs to; none if the report has no such section.
    pub(super) section: Option<&'static str>,
}

impl Tile {
    pub(super) fn new(
        name: &'static str,
        value: String,
        standing: Standing,
        section: &'static str,
    ) -> Self {
        Tile { name, value, standing, section: Some(section) }
    }

    pub(super) fn link(&mut self, parts: &[Part]) {
        let is_there = |title: &&str| {
            parts.iter().flat_map(|part| &part.sections).any(|section| section.title == *title)
        };
        self.section = self.section.filter(|title| is_there(title));
    }
}

/// A section of the report.
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) standing: Standing,
    /// What it comes to, beside its title; empty if the title says it.
    pub(super) brief: String,
    /// The words that it uses first, explained.
    pub(super) explained: Vec<Explained>,
    pub(super) blocks: Vec<Block>,
}

impl Section {
    pub(super) fn new(title: &'static str, standing: Standing, blocks: Vec<Block>) -> Self {
        Section { title, standing, brief: String::new(), explained: Vec::new(), blocks }
    }

    pub(super) fn brief(self, brief: String) -> Self {
        Section { brief, ..self }
    }
}

/// Where a section is, as the fragment of an address.
pub(super) fn anchor(title: &str) -> String {
    let letters = title.chars().filter(|c| c.is_ascii_alphanumeric() || *c == ' ' || *c == '-');
    letters.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
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

impl Table {
    /// A table that shows everything, under the title of its section.
    pub(super) fn whole(columns: Vec<&'static str>, rows: Vec<Vec<Cell>>) -> Block {
        Block::Table(Table { caption: "", columns, rows, more: None })
    }
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
    /// The id of a job.
    Job(Job),
    /// Some of them, and how many there are beside these.
    Jobs(Vec<Job>, u64),
    /// Whether something is as it should be, in words.
    Flag { good: bool, words: &'static str },
    /// A bar; its length in thousandths of the longest one.
    Bar(u64),
    /// What should be there, and what is there instead; none for nothing.
    Expected { value: Option<String>, found: Option<String> },
    /// What is there, and what should be.
    Found { value: Option<String>, expected: Option<String> },
}

/// A job, by its id.
pub(super) struct Job {
    pub(super) id: String,
    /// Its page in a dashboard, if there is one.
    pub(super) href: Option<String>,
}

impl Job {
    pub(super) fn new(id: impl Into<String>) -> Job {
        Job { id: id.into(), href: None }
    }
}

impl Cell {
    pub(super) fn job(id: impl Into<String>) -> Cell {
        Cell::Job(Job::new(id))
    }

    pub(super) fn text(text: impl Into<String>) -> Cell {
        Cell::Text(text.into())
    }

    pub(super) fn code(text: impl std::fmt::Display) -> Cell {
        Cell::Code(text.to_string())
    }

    pub(super) fn count(count: u64) -> Cell {
        Cell::Number(number(count))
    }

    /// What should be there beside what is there.
    pub(super) fn compared(expected: &Option<String>, found: &Option<String>) -> [Cell; 2] {
        let [expected, found] =
            [expected, found].map(|value| value.as_deref().map(plain_id).map(str::to_owned));
        [
            Cell::Expected { value: expected.clone(), found: found.clone() },
            Cell::Found { value: found, expected },
        ]
    }
}

/// What a list leaves out, and where that is.
pub(super) fn more(count: u64, shown: usize, place: &str) -> Option<String> {
    let rest = count.saturating_sub(u64::try_from(shown).unwrap_or(u64::MAX));
    (rest > 0).then(|| format!("and {} more: {place}", number(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_is_what_markdown_makes_of_a_title() {
        assert_eq!(anchor("Cost and tokens, three ways"), "cost-and-tokens-three-ways");
        assert_eq!(anchor("Sign-off"), "sign-off");
    }

    #[test]
    fn sections_come_in_the_order_of_what_they_ask() {
        let section = |title, standing| Section::new(title, standing, Vec::new());
        let sections = || {
            vec![
                section("a", Standing::Recorded),
                section("b", Standing::Holds),
                section("c", Standing::Fails),
                section("d", Standing::Holds),
            ]
        };
        let titles = |is_checked, sections| -> Vec<Vec<&str>> {
            let parts = arranged(sections, is_checked).into_iter();
            parts.map(|part| part.sections.iter().map(|section| section.title).collect()).collect()
        };
        assert_eq!(titles(true, sections()), [vec!["c"], vec!["b", "d"], vec!["a"]]);
        // Where nothing was checked, nothing holds.
        assert_eq!(titles(false, sections()), [vec!["c"], vec!["a", "b", "d"]]);
    }
}
