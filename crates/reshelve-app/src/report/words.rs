//! The words that a reader may not know, explained where the report uses them first.

use super::page::{Block, Cell, Part, Section};

/// A word, and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Explained {
    pub(super) word: &'static str,
    /// A sentence that begins with the word.
    pub(super) meaning: &'static str,
    /// How its forms begin in the text.
    stem: &'static str,
}

const fn word(word: &'static str, stem: &'static str, meaning: &'static str) -> Explained {
    Explained { word, meaning, stem }
}

const WORDS: [Explained; 14] = [
    word("Parity", "parity", "means that source and target, compared by value, agree."),
    word(
        "Legacy documents",
        "legacy document",
        "are those of the old collection: a novel and everything about it in each.",
    ),
    word(
        "Target documents",
        "target document",
        "are what one legacy document becomes: a job, its events, its metrics and its metadata.",
    ),
    word(
        "The mapping",
        "mapping",
        "is the set of rules by which a legacy document becomes target documents.",
    ),
    word("A rejected document", "reject", "was not migrated; its reason is recorded."),
    word("Jobs in flight", "in flight", "were still queued or running when the data was taken."),
    word(
        "A dry run",
        "dry run",
        "reads, maps and proves everything, and writes nothing but its own run folder.",
    ),
    word(
        "A mismatch",
        "mismatch",
        "is one place where the target is not what the legacy document says.",
    ),
    word("Restoring", "restore", "rebuilds the legacy document from its target documents alone."),
    word(
        "The residue",
        "residue",
        "is what has no natural place in the target; it travels with the job, so that nothing is lost.",
    ),
    word("Unchanged jobs", "unchanged", "were already in the target, with the same bytes."),
    word("A warning", "warning", "is something worth a look that did not stop the run."),
    word(
        "A checkpoint",
        "checkpoint",
        "says how far a run has come, on disk; a run continues from there.",
    ),
    word(
        "A checksum",
        "checksum",
        "stands for the content of a collection: if one bit of it changes, so does the checksum.",
    ),
];

/// Explains each word where it is used first: in the verdict, whose words are returned, or in a
/// section.
pub(super) fn explain(verdict: &str, parts: &mut [Part]) -> Vec<Explained> {
    let mut unexplained = WORDS.to_vec();
    let first = take_used(&verdict.to_lowercase(), &mut unexplained);
    for section in parts.iter_mut().flat_map(|part| &mut part.sections) {
        section.explained = take_used(&own_text(section), &mut unexplained);
    }
    first
}

fn take_used(text: &str, unexplained: &mut Vec<Explained>) -> Vec<Explained> {
    let used = unexplained.extract_if(.., |word| text.contains(word.stem));
    used.collect()
}

/// What a section says in our words, in lower case.
fn own_text(section: &Section) -> String {
    let mut text = vec![section.title, &section.brief];
    for block in &section.blocks {
        match block {
            Block::Text(paragraph) => text.push(paragraph),
            Block::Steps(steps) => text.extend(steps.iter().map(String::as_str)),
            Block::Facts(facts) => {
                for (name, value) in facts {
                    text.push(name);
                    text.extend(own(value));
                }
            }
            Block::Table(table) => {
                text.push(table.caption);
                text.extend(&table.columns);
                text.extend(table.rows.iter().flatten().filter_map(own));
            }
        }
    }
    text.join("\n").to_lowercase()
}

fn own(cell: &Cell) -> Option<&str> {
    match cell {
        Cell::Text(text) => Some(text),
        Cell::Flag { words, .. } => Some(words),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::page::{Section, Standing};
    use super::*;

    #[test]
    fn a_word_is_explained_once_where_it_comes_first() {
        let section = |text: &str| {
            let blocks = vec![Block::Text(text.to_owned())];
            Section::new("A section", Standing::Holds, blocks)
        };
        let sections = vec![section("The residue."), section("Residue and rejects, parity.")];
        let mut parts = [Part { title: "A part", standing: Standing::Holds, sections }];
        let words = |list: &[Explained]| list.iter().map(|it| it.stem).collect::<Vec<_>>();
        assert_eq!(words(&explain("Parity holds.", &mut parts)), ["parity"]);
        let [first, second] = &parts[0].sections[..] else { panic!("two sections") };
        assert_eq!(words(&first.explained), ["residue"]);
        assert_eq!(words(&second.explained), ["reject"]);
    }
}
