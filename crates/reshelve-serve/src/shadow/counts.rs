//! What has come of shadow reads.

use std::collections::VecDeque;
use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::comparison::{EXAMPLES_MAX, Example, Fate, Tally};
use crate::sides::{RouteName, Side};

/// The counts since the server began.
#[derive(Default)]
pub(crate) struct Counts {
    pub(super) waiting_bytes: AtomicUsize,
    all: Mutex<All>,
}

#[derive(Default)]
struct All {
    tally: Tally,
    /// The newest.
    examples: VecDeque<Example>,
}

impl Counts {
    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, route: RouteName, fate: Fate) {
        self.all().tally.add(route, fate);
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
        self.all().tally.of(route, fate)
    }

    /// All of it as JSON.
    pub(crate) fn json(&self) -> Value {
        let all = self.all();
        let sides = [Side::Legacy, Side::Normalized].map(Side::as_str);
        let examples: Vec<Value> = all.examples.iter().map(|example| example.json(sides)).collect();
        json!({
            "schema": "reshelve.shadow/1",
            "compared": all.tally.compared(),
            "agreed": all.tally.agreed(),
            "routes": all.tally.json(),
            "examples": examples,
        })
    }
}
