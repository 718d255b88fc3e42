//! What differs in many answers, each difference once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::comparison::{Difference, Example};
use crate::sides::RouteName;

/// Differences that are told apart.
const GROUPS_MAX: usize = 100;
/// Answers that are shown of each.
const SHOWN_MAX: usize = 3;

/// A difference, and in how many answers it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The route that was asked.
    pub route: RouteName,
    /// The statuses of what was expected and of what came, if these are not the same.
    pub statuses: Option<[u16; 2]>,
    /// Answers with this difference.
    pub answers: u64,
    /// The first of them. Each has the place of this difference alone: none if the statuses differ,
    /// or only the texts of the JSON.
    pub examples: Vec<Example>,
}

impl Group {
    /// Its first place; none if the statuses differ, or only the texts of the JSON.
    pub fn place(&self) -> Option<&Difference> {
        self.examples.first()?.differences.first()
    }

    /// How the answers differ, in a word.
    pub fn kind(&self, sides: [&str; 2]) -> String {
        match self.place().map(|place| place.kind) {
            _ if self.statuses.is_some() => "status".to_owned(),
            None => "text".to_owned(),
            Some(kind) => kind.named(sides),
        }
    }

    /// As JSON; `sides` are the names of what was expected and of what came.
    pub fn json(&self, sides: [&str; 2]) -> Value {
        let examples: Vec<Value> = self.examples.iter().map(|it| it.json(sides)).collect();
        let mut out = Map::new();
        out.insert("route".to_owned(), self.route.as_str().into());
        out.insert("path".to_owned(), json!(self.place().map(|place| &place.folded)));
        out.insert("kind".to_owned(), self.kind(sides).into());
        out.insert("answers".to_owned(), self.answers.into());
        out.insert("examples".to_owned(), examples.into());
        Value::Object(out)
    }
}

/// Finds the group of a difference.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Groups {
    known: BTreeMap<Key, usize>,
}

/// What makes two differences the same.
type Key = (&'static str, String, &'static str, Option<[u16; 2]>);

impl Groups {
    /// Counts an answer that differs; whether all of its differences have a group.
    pub(super) fn add(&mut self, groups: &mut Vec<Group>, example: &Example) -> bool {
        let [expected, found] = example.statuses;
        let statuses = (expected != found).then_some(example.statuses);
        let (mut counted, mut is_whole) = (BTreeSet::new(), true);
        let places = example.differences.iter().map(Some);
        let nowhere = example.differences.is_empty().then_some(None);
        for place in places.chain(nowhere) {
            let kind = place.map_or("", |place| place.kind.as_str());
            let path = place.map(path_of).unwrap_or_default();
            let key: Key = (example.route.as_str(), path, kind, statuses);
            let at = match self.known.get(&key) {
                Some(at) => *at,
                None if groups.len() == GROUPS_MAX => {
                    is_whole = false;
                    continue;
                }
                None => {
                    let route = example.route;
                    groups.push(Group { route, statuses, answers: 0, examples: Vec::new() });
                    self.known.insert(key, groups.len() - 1);
                    groups.len() - 1
                }
            };
            // Once for each answer, in however many places it has it.
            if let Some(group) = groups.get_mut(at).filter(|_| counted.insert(at)) {
                group.answers += 1;
                if group.examples.len() < SHOWN_MAX {
                    let differences = place.cloned().into_iter().collect();
                    group.examples.push(Example { differences, ..example.clone() });
                }
            }
        }
        is_whole
    }
}

/// The path of a difference without positions and, where people chose them, without names.
fn path_of(place: &Difference) -> String {
    let legacy = place.origin.as_ref().and_then(|origin| origin.legacy.first());
    match legacy {
        Some(legacy) if legacy.path.contains('*') => legacy.path.to_owned(),
        _ => place.folded.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::Kind;

    fn example(job: &str, statuses: [u16; 2], paths: &[(&str, Kind)]) -> Example {
        let differences = paths.iter().map(|(path, kind)| Difference {
            path: (*path).to_owned(),
            folded: path.replace(char::is_numeric, ""),
            kind: *kind,
            values: [json!(1), json!(2)],
            origin: None,
        });
        Example {
            route: RouteName::Detail,
            target: format!("/api/novel/{job}"),
            job_id: job.to_owned(),
            cause: None,
            statuses,
            differences: differences.collect(),
        }
    }

    #[test]
    fn each_difference_is_there_once_with_its_answers() {
        let (mut groups, mut all) = (Groups::default(), Vec::new());
        let places = [("chapters[0].title", Kind::Value), ("chapters[1].title", Kind::Value)];
        for job in ["a", "b", "c", "d"] {
            assert!(groups.add(&mut all, &example(job, [200, 200], &places)));
        }
        assert!(groups.add(&mut all, &example("e", [200, 200], &[("status", Kind::OnlyFirst)])));
        assert!(groups.add(&mut all, &example("f", [200, 404], &[])));
        assert!(groups.add(&mut all, &example("g", [200, 200], &[])));
        let shown: Vec<(u64, String)> =
            all.iter().map(|group| (group.answers, group.kind(["one", "two"]))).collect();
        let expected = [(4, "value"), (1, "only-one"), (1, "status"), (1, "text")];
        assert_eq!(shown, expected.map(|(count, kind)| (count, kind.to_owned())));
        assert_eq!(
            (all[0].examples.len(), all[0].place().unwrap().path.as_str()),
            (3, places[0].0)
        );
    }

    #[test]
    fn groups_are_bounded_and_the_rest_is_told() {
        let (mut groups, mut all) = (Groups::default(), Vec::new());
        let add = |groups: &mut Groups, all: &mut Vec<Group>, name: &str| {
            groups.add(all, &example("a", [200, 200], &[(name, Kind::Value)]))
        };
        for number in 0..GROUPS_MAX {
            assert!(add(&mut groups, &mut all, &"x".repeat(number + 1)));
        }
        assert!(!add(&mut groups, &mut all, "y"));
        assert!(add(&mut groups, &mut all, "x"));
        assert_eq!((all.len(), all[0].answers), (GROUPS_MAX, 2));
    }
}
