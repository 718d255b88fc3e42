//! What came of comparisons, counted.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Cause;
use crate::sides::RouteName;

/// What came of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Both sides said the same.
    Agreed,
    /// They did not.
    Differs(Cause),
    /// A side could not be asked, or took too long.
    Failed,
    /// There was no room for it.
    Dropped,
    /// It was not compared: a side is left alone.
    Skipped,
}

impl Fate {
    /// All of them.
    pub const ALL: [Fate; 8] = [
        Fate::Agreed,
        Fate::Differs(Cause::Lag),
        Fate::Differs(Cause::Edit),
        Fate::Differs(Cause::Mapping),
        Fate::Differs(Cause::Presenter),
        Fate::Failed,
        Fate::Dropped,
        Fate::Skipped,
    ];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Fate::Agreed => "agreed",
            Fate::Differs(cause) => cause.as_str(),
            Fate::Failed => "failed",
            Fate::Dropped => "dropped",
            Fate::Skipped => "skipped",
        }
    }
}

/// Counts by route and by what came of the answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    by_route: BTreeMap<(&'static str, Fate), u64>,
}

impl Tally {
    /// Counts an answer.
    pub fn add(&mut self, route: RouteName, fate: Fate) {
        *self.by_route.entry((route.as_str(), fate)).or_default() += 1;
    }

    /// So many answers of a route had such a fate.
    pub fn of(&self, route: RouteName, fate: Fate) -> u64 {
        self.by_route.get(&(route.as_str(), fate)).copied().unwrap_or(0)
    }

    /// So many answers, of all routes, had a fate that is meant.
    pub fn sum(&self, is_meant: impl Fn(Fate) -> bool) -> u64 {
        self.by_route.iter().filter(|((_, fate), _)| is_meant(*fate)).map(|(_, count)| count).sum()
    }

    /// Answers that agree.
    pub fn agreed(&self) -> u64 {
        self.sum(|fate| fate == Fate::Agreed)
    }

    /// Answers of which both sides were had.
    pub fn compared(&self) -> u64 {
        self.agreed() + self.sum(|fate| matches!(fate, Fate::Differs(_)))
    }

    /// By route, every fate with its count.
    pub fn json(&self) -> Map<String, Value> {
        let route = |route: RouteName| {
            let fates =
                Fate::ALL.map(|fate| (fate.as_str().to_owned(), json!(self.of(route, fate))));
            (route.as_str().to_owned(), Value::Object(fates.into_iter().collect()))
        };
        RouteName::ALL.into_iter().map(route).collect()
    }
}
