//! What was found of answers, as far as a page shows it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use crate::report::page::{Block, Cell, ROWS_MAX, Section, Standing, Table, more};
use crate::text::{counted, in_words, number};

/// The routes, in the order of the API.
const ROUTES: [&str; 5] = ["list", "detail", "events", "metrics", "metadata"];
/// What came of an answer, where it does not differ.
const NO_DIFFERENCE: [&str; 4] = ["agreed", "failed", "dropped", "skipped"];

/// What was found, as far as a page shows it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Found {
    pub(crate) api: Option<String>,
    place: Option<String>,
    /// Where that place is, if it is files.
    pub(super) at: Option<PathBuf>,
    pub(crate) begun: Option<String>,
    sample: Option<u64>,
    pub(crate) compared: u64,
    pub(crate) agreed: u64,
    jobs: BTreeMap<String, u64>,
    routes: BTreeMap<String, BTreeMap<String, u64>>,
    examples: Vec<Example>,
    groups: Vec<Group>,
    failures: Vec<String>,
}

/// What came of the answers of a route.
pub(crate) struct OfRoute {
    pub(crate) route: &'static str,
    pub(crate) agreed: u64,
    pub(crate) different: u64,
    /// They could not be had.
    pub(crate) failed: u64,
    /// They are about jobs that the target lacks.
    pub(crate) skipped: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Group {
    examples: Vec<Example>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Example {
    route: String,
    job_id: String,
    #[serde(alias = "expected")]
    legacy: Side,
    #[serde(alias = "application")]
    normalized: Side,
    differences: Vec<Difference>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Side {
    status: u16,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Difference {
    path: String,
    #[serde(alias = "expected")]
    legacy: Value,
    #[serde(alias = "application")]
    normalized: Value,
    target: Option<String>,
    sources: Vec<Source>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Source {
    path: String,
    rule: String,
}

impl Found {
    pub(crate) fn of(found: &Value) -> Option<Found> {
        Found::deserialize(found).ok()
    }

    pub(super) fn different(&self) -> u64 {
        self.compared.saturating_sub(self.agreed)
    }

    /// Answers that could not be had, or about jobs that the target lacks.
    pub(super) fn missing(&self) -> u64 {
        let of_route = |fates: &BTreeMap<String, u64>| {
            ["failed", "skipped"].into_iter().filter_map(|fate| fates.get(fate)).sum::<u64>()
        };
        self.routes.values().map(of_route).sum()
    }

    fn standing(&self) -> Standing {
        match (self.different(), self.missing()) {
            (0, 0) => Standing::Holds,
            (0, _) => Standing::Open,
            _ => Standing::Fails,
        }
    }

    /// What came of each route, in the order of the API.
    pub(crate) fn by_route(&self) -> impl Iterator<Item = OfRoute> {
        ROUTES.into_iter().map(|route| {
            let fates = self.routes.get(route);
            let sum = |is: &dyn Fn(&str) -> bool| {
                let counts = fates.into_iter().flatten().filter(|(fate, _)| is(fate));
                counts.map(|(_, count)| count).sum()
            };
            OfRoute {
                route,
                agreed: sum(&|fate| fate == "agreed"),
                different: sum(&|fate| !NO_DIFFERENCE.contains(&fate)),
                failed: sum(&|fate| fate == "failed"),
                skipped: sum(&|fate| fate == "skipped"),
            }
        })
    }

    fn routes(&self) -> Block {
        let row = |it: OfRoute| {
            let counts = [it.agreed, it.different, it.failed, it.skipped];
            [Cell::code(it.route)].into_iter().chain(counts.map(Cell::count)).collect()
        };
        let columns = vec!["route", "agree", "differ", "failed", "not in the target"];
        Table::whole(columns, self.by_route().map(row).collect())
    }

    fn differences(&self, columns: [&'static str; 2]) -> Option<Block> {
        let examples = self.groups.iter().flat_map(|group| &group.examples).chain(&self.examples);
        let rows: Vec<_> = examples.take(ROWS_MAX).map(row).collect();
        let [first, second] = columns;
        let columns = vec!["job", "route", "where", first, second, "from"];
        let more = more(self.different(), rows.len(), "`report-data.json` has more of them");
        let table =
            Table { caption: "Answers that differ, a few of each kind", columns, rows, more };
        (!table.rows.is_empty()).then_some(Block::Table(table))
    }

    /// The section about it; `columns` are what the two sides are called.
    pub(super) fn section(
        self,
        title: &'static str,
        text: &str,
        columns: [&'static str; 2],
    ) -> Section {
        let mut blocks = vec![Block::Text(text.to_owned())];
        let mut facts = Vec::new();
        facts.extend(self.api.as_ref().map(|api| ("application", Cell::code(api))));
        facts.extend(self.place.as_ref().map(|place| ("expected as in", Cell::code(place))));
        facts.extend(self.begun.as_ref().map(|begun| ("asked", Cell::code(begun))));
        if let Some([asked, of]) = self.sampled() {
            let text = format!("{} of {}, spread evenly", number(asked), number(of));
            facts.push(("a sample of the jobs", Cell::Text(text)));
        }
        for (name, words) in [("agreed", "jobs that agree"), ("different", "jobs that differ")] {
            facts.push((words, Cell::count(self.jobs.get(name).copied().unwrap_or(0))));
        }
        blocks.extend([Block::Facts(facts), self.routes()]);
        blocks.extend(self.differences(columns));
        if !self.failures.is_empty() {
            let rows = self.failures.iter().map(|why| vec![Cell::code(why)]);
            blocks.push(Table::whole(vec!["answers that could not be had"], rows.collect()));
        }
        let sample = if self.sampled().is_some() { ", a sample" } else { "" };
        let answers = counted(self.compared, "answer");
        let brief = format!("{} of {answers} agree{sample}", number(self.agreed));
        Section::new(title, self.standing(), blocks).brief(brief)
    }

    /// How many jobs were asked about, of how many, if not of all.
    fn sampled(&self) -> Option<[u64; 2]> {
        let of = |name: &str| self.jobs.get(name).copied().unwrap_or(0);
        self.sample?;
        let sampled = [of("asked"), of("inPlace")];
        (sampled[0] < sampled[1]).then_some(sampled)
    }
}

/// The first place of an answer that differs.
fn row(example: &Example) -> Vec<Cell> {
    let first = example.differences.first();
    let statuses = [example.legacy.status, example.normalized.status];
    let [expected, found] = match first {
        Some(it) if statuses[0] == statuses[1] => {
            [&it.legacy, &it.normalized].map(|value| (!value.is_null()).then(|| in_words(value)))
        }
        None if statuses[0] == statuses[1] => [None, None],
        _ => statuses.map(|status| Some(format!("status {status}"))),
    };
    let [expected, found] = Cell::compared(&expected, &found);
    let target = first.and_then(|it| it.target.as_deref()).unwrap_or_default();
    let from = match first.and_then(|it| it.sources.first()) {
        Some(source) => format!("{target}, from {}: {}", source.path, source.rule),
        None => target.to_owned(),
    };
    let path = first.map(|it| &it.path[..]).unwrap_or_default();
    vec![
        Cell::job(&example.job_id),
        Cell::code(&example.route),
        Cell::code(path),
        expected,
        found,
        Cell::code(from),
    ]
}
