//! What has come of shadow reads.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};

use super::cause::Cause;
use super::difference::Difference;
use crate::sides::RouteName;

/// Examples that are kept: the newest.
const EXAMPLES_MAX: usize = 50;

/// What came of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    Agreed,
    Differs(Cause),
    /// The other side could not be asked, or took too long.
    Failed,
    /// There was no room for it.
    Dropped,
    /// It came while the breaker was open.
    Skipped,
}

impl Fate {
    pub(crate) const ALL: [Fate; 8] = [
        Fate::Agreed,
        Fate::Differs(Cause::Lag),
        Fate::Differs(Cause::Edit),
        Fate::Differs(Cause::Mapping),
        Fate::Differs(Cause::Presenter),
        Fate::Failed,
        Fate::Dropped,
        Fate::Skipped,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Fate::Agreed => "agreed",
            Fate::Differs(cause) => cause.as_str(),
            Fate::Failed => "failed",
            Fate::Dropped => "dropped",
            Fate::Skipped => "skipped",
        }
    }
}

/// Two answers that differ.
pub(super) struct Example {
    pub(super) route: RouteName,
    pub(super) target: String,
    pub(super) job_id: String,
    pub(super) cause: Cause,
    /// Of the legacy and of the normalised side.
    pub(super) statuses: [u16; 2],
    pub(super) difference: Option<Difference>,
}

/// The counts since the server began.
#[derive(Default)]
pub(crate) struct Counts {
    pub(super) waiting_bytes: AtomicUsize,
    all: Mutex<All>,
}

#[derive(Default)]
struct All {
    by_route: BTreeMap<(&'static str, Fate), u64>,
    examples: VecDeque<Example>,
}

impl Counts {
    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, route: RouteName, fate: Fate) {
        *self.all().by_route.entry((route.as_str(), fate)).or_default() += 1;
    }

    pub(super) fn remember(&self, example: Example) {
        let mut all = self.all();
        if all.examples.len() >= EXAMPLES_MAX {
            all.examples.pop_front();
        }
        all.examples.push_back(example);
    }

    /// So many answers of a route had such a fate.
    pub(crate) fn of(&self, route: RouteName, fate: Fate) -> u64 {
        self.all().by_route.get(&(route.as_str(), fate)).copied().unwrap_or(0)
    }

    /// All of it as JSON.
    pub(crate) fn json(&self) -> Value {
        let route = |route: RouteName| {
            let fates =
                Fate::ALL.map(|fate| (fate.as_str().to_owned(), json!(self.of(route, fate))));
            (route.as_str().to_owned(), Value::Object(fates.into_iter().collect()))
        };
        let routes: Map<String, Value> = RouteName::ALL.into_iter().map(route).collect();
        let sum = |is_meant: &dyn Fn(Fate) -> bool| -> u64 {
            let all = self.all();
            all.by_route
                .iter()
                .filter(|((_, fate), _)| is_meant(*fate))
                .map(|(_, count)| count)
                .sum()
        };
        let agreed = sum(&|fate| fate == Fate::Agreed);
        let compared = agreed + sum(&|fate| matches!(fate, Fate::Differs(_)));
        let examples: Vec<Value> = self.all().examples.iter().map(example).collect();
        json!({
            "schema": "reshelve.shadow/1",
            "compared": compared,
            "agreed": agreed,
            "routes": routes,
            "examples": examples,
        })
    }
}

fn example(example: &Example) -> Value {
    let of = |value: fn(&Difference) -> Value| example.difference.as_ref().map(value);
    json!({
        "route": example.route.as_str(),
        "request": example.target,
        "jobId": example.job_id,
        "cause": example.cause.as_str(),
        "path": of(|difference| difference.path.clone().into()),
        "legacy": { "status": example.statuses[0], "value": of(|difference| difference.legacy.clone()) },
        "normalized": { "status": example.statuses[1], "value": of(|difference| difference.normalized.clone()) },
    })
}
