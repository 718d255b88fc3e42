//! Where every single value of a legacy document goes: the rules that [`explain`](super::explain())
//! shows, with the positions and keys that this document has in the target.

use super::copied::Copier;
use super::explain::{Found, Step, walk};
use super::facts::{self, Facts};
use super::ids::Identity;
use super::job;
use super::legacy::{ChapterStatus, Legacy};
use super::metadata::{self, Entries, Places};
use super::warning::Warnings;
use super::{COLLECTIONS, Mapper, Options, Outcome, TargetDocuments};
use crate::raw::{self, Document, Value, Writer};

/// One value of a legacy document, and where it goes.
#[derive(Clone, Debug)]
pub struct Traced<'d> {
    /// Its path in the legacy document, such as `chapters.3.title`; map keys as they are.
    pub path: String,
    /// The value.
    pub value: Value<'d>,
    /// Where the target has it, or what is made of it; empty where the residue keeps it alone.
    pub targets: Vec<TracedTarget>,
    /// The same in words, for all documents, as `explain` shows it; none where the residue keeps it
    /// alone.
    pub target: Option<&'static str>,
    /// The rule, in words.
    pub rule: &'static str,
}

/// A place in a target document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedTarget {
    /// The collection, as a position in [`COLLECTIONS`](super::COLLECTIONS).
    pub collection: usize,
    /// The names and positions that lead to it.
    pub steps: Vec<String>,
}

/// Traces every value of a legacy document, given as BSON, in its order; nothing where these
/// options do not map it. Takes as long as mapping it a few times.
pub fn trace(legacy: &[u8], options: Options) -> Option<Vec<Traced<'_>>> {
    let outcome = Mapper::new(options).map(legacy, &mut TargetDocuments::default());
    let Outcome::Mapped(mapped) = outcome else { return None };
    let document = Document::new(legacy);
    let positions = Positions::of(document, &options)?;
    let mut traced = Vec::new();
    walk(document, &mapped.warnings, &mut |found| {
        let Found { exact, steps, value, rule, reason, .. } = found;
        let targets = rule.map(|rule| positions.targets(rule.1, steps)).unwrap_or_default();
        traced.push(Traced {
            path: exact.to_owned(),
            value,
            targets,
            target: rule.map(|rule| rule.1),
            rule: rule.map_or(reason, |rule| rule.2),
        });
    });
    Some(traced)
}

/// Where the parts of one document are in the target.
struct Positions {
    places: Places,
    /// The written keys, in target order.
    characters: Vec<String>,
    locations: Vec<String>,
    /// For each chapter its position among the failed ones, if it is one.
    failures: Vec<Option<usize>>,
    /// The position of the job's own failure, if it has one.
    own_failure: Option<usize>,
}

impl Positions {
    /// As the mapping decides them.
    fn of(document: Document<'_>, options: &Options) -> Option<Self> {
        let checked = raw::check(document.bytes()).ok()?;
        let copier = Copier { suspicious: checked.unreadable };
        let mut warnings = Warnings::default();
        let legacy = Legacy::read(document, &mut warnings);
        let identity = Identity::read(legacy.id).ok()?;
        let decided = facts::decide_status(&legacy, options, &mut warnings).ok()?;
        let facts = Facts::new(&legacy, identity, decided, &mut warnings);
        let entries = Entries::new(&legacy, facts.created);
        let mut out = Writer::default();
        let (open, places) =
            metadata::begin(&mut out, &legacy, &facts, &entries, copier, &mut warnings);
        out.end(open);
        let keys = |name: &str| {
            let map = Document::new(out.bytes()).get(name).and_then(Value::document);
            let elements = map.into_iter().flat_map(Document::elements);
            elements.map(|element| element.name_text().into_owned()).collect()
        };
        let mut failed = 0;
        let mut failures = Vec::with_capacity(legacy.chapters.len());
        for chapter in &legacy.chapters {
            let has_failed = chapter.status == ChapterStatus::Failed;
            failures.push(has_failed.then_some(failed));
            failed += usize::from(has_failed);
        }
        let own_failure = job::last_failure(&legacy, &facts).map(|_| failed);
        let (characters, locations) = (keys("storyBibleCharacters"), keys("storyBibleLocations"));
        Some(Positions { places, characters, locations, failures, own_failure })
    }

    /// The places that the words of a rule name, as far as they name places.
    fn targets(&self, words: &'static str, steps: &[Step]) -> Vec<TracedTarget> {
        let named = words.split(';').next().unwrap_or(words);
        let mut targets = Vec::new();
        let (mut collection, mut before) = (0, "");
        for place in named.split(", ").filter(|place| !place.contains(' ')) {
            let place = match place.split_once('.') {
                Some((first, rest)) if first.starts_with("novel_") => {
                    // What all of them have is shown of the job.
                    collection = COLLECTIONS.iter().position(|name| *name == first).unwrap_or(0);
                    before = rest;
                    rest
                }
                _ => place,
            };
            // A name alone, after a place in an array, is another field of the same element.
            let element = before.rfind("[].").map(|at| &before[..at + 3]);
            let element = element.filter(|_| !place.contains(['.', '[']));
            let path = [element.unwrap_or_default(), place].concat();
            targets
                .extend(self.steps(&path, steps).map(|steps| TracedTarget { collection, steps }));
        }
        targets
    }

    /// A path with the positions and keys of this document; none where it has no such place.
    fn steps(&self, path: &str, steps: &[Step]) -> Option<Vec<String>> {
        let mut left = steps.iter();
        let mut filled = Vec::new();
        for name in path.split('.') {
            let array = name.strip_suffix("[]");
            match (name, array) {
                ("*", _) => filled.push(self.place(left.next()?)?),
                (_, Some("failures")) => {
                    let at = match left.next() {
                        Some(chapter) => *self.failures.get(chapter.rank)?,
                        None => self.own_failure,
                    };
                    filled.extend(["failures".to_owned(), at?.to_string()]);
                }
                (_, Some(array)) => {
                    filled.extend([array.to_owned(), self.place(left.next()?)?]);
                }
                (name, None) => filled.push(name.to_owned()),
            }
        }
        Some(filled)
    }

    /// What an array's position or a map's key is in the target.
    fn place(&self, step: &Step) -> Option<String> {
        let Places { characters, locations, alerts, decisions, enhancements } = &self.places;
        let at = |places: &[usize]| places.get(step.rank).copied();
        let position = match step.of.as_str() {
            "metadata.storyBible.characters" => {
                return self.characters.get(at(characters)?).cloned();
            }
            "metadata.storyBible.locations" => return self.locations.get(at(locations)?).cloned(),
            "metadata.continuityAlerts" => at(alerts)?,
            "metadata.aiDecisions" => at(decisions)?,
            "metadata.enhancementsApplied" => at(enhancements)?,
            _ if step.key.is_empty() => step.rank,
            _ => return Some(step.key.clone()),
        };
        Some(position.to_string())
    }
}
