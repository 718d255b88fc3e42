//! The figures as Markdown and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::contest::Outcome;
use super::{Group, Plan};

/// How the keys begin of what is not this tool.
const BESIDES: [&str; 3] = ["node", "live-insert", "live-copy"];

/// All that was measured.
pub(super) struct Report {
    runs: u64,
    quick: bool,
    machine: Vec<(&'static str, String)>,
    groups: Vec<Group>,
}

/// A figure that is promised, and what was measured.
struct Promise {
    what: &'static str,
    limit: String,
    found: Option<f64>,
    unit: &'static str,
    holds: bool,
}

impl Report {
    pub(super) fn new(
        plan: &Plan,
        machine: Vec<(&'static str, String)>,
        groups: Vec<Group>,
    ) -> Self {
        Report { runs: plan.runs, quick: plan.quick, machine, groups }
    }

    pub(super) fn markdown(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _written = self.write_markdown(&mut text);
        text
    }

    fn write_markdown(&self, text: &mut String) -> std::fmt::Result {
        if self.quick {
            writeln!(text, "Quick: small corpora, no figures to quote.\n")?;
        }
        let facts: Vec<String> =
            self.machine.iter().map(|(name, value)| format!("{name} {value}")).collect();
        writeln!(text, "Medians of {} interleaved rounds. {}.", self.runs, facts.join(" · "))?;
        for group in &self.groups {
            writeln!(text, "\n### {}\n", group.title)?;
            writeln!(
                text,
                "| what | wall s | fastest – slowest | MB/s | CPU s per GB | CPU µs per document | peak MiB |"
            )?;
            writeln!(text, "|---|---:|---:|---:|---:|---:|---:|")?;
            for outcome in &group.outcomes {
                let (fastest, slowest) = outcome.wall_range_s;
                writeln!(
                    text,
                    "| {} | {:.2} | {fastest:.2} – {slowest:.2} | {:.0} | {:.2} | {:.0} | {:.0} |",
                    outcome.title,
                    outcome.median.wall_s,
                    outcome.megabytes_per_s(),
                    outcome.cpu_s_per_gb(),
                    outcome.cpu_us_per_document(),
                    outcome.peak_mib(),
                )?;
            }
        }
        writeln!(text, "\n### What is promised\n")?;
        writeln!(text, "| figure | limit | measured | |")?;
        writeln!(text, "|---|---:|---:|---|")?;
        for promise in self.promises() {
            let found = match promise.found {
                Some(found) => format!("{found:.2} {}", promise.unit),
                None => "left out".to_owned(),
            };
            let verdict = match promise.found {
                Some(_) if promise.holds => "holds",
                Some(_) => "**missed**",
                None => "",
            };
            writeln!(text, "| {} | {} | {found} | {verdict} |", promise.what, promise.limit)?;
        }
        Ok(())
    }

    pub(super) fn json(&self) -> String {
        let machine: serde_json::Map<String, Value> = self
            .machine
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())))
            .collect();
        let groups: Vec<Value> = self
            .groups
            .iter()
            .map(|group| {
                let rows: Vec<Value> = group.outcomes.iter().map(row).collect();
                json!({"name": group.name, "rows": rows})
            })
            .collect();
        let promises: Vec<Value> = self
            .promises()
            .iter()
            .map(|one| json!({"what": one.what, "limit": one.limit, "found": one.found, "holds": one.holds}))
            .collect();
        let report = json!({
            "schema": "reshelve.bench/1",
            "runs": self.runs,
            "quick": self.quick,
            "machine": machine,
            "groups": groups,
            "promises": promises,
        });
        format!("{report:#}\n")
    }

    fn find(&self, key: &str) -> Option<&Outcome> {
        self.groups.iter().flat_map(|group| &group.outcomes).find(|outcome| outcome.key == key)
    }

    /// How many times the wall time of one is that of the other.
    fn ratio(&self, of: &str, to: &str) -> Option<f64> {
        Some(self.find(of)?.median.wall_s / self.find(to)?.median.wall_s)
    }

    fn promises(&self) -> Vec<Promise> {
        let rate = |key: &str| self.find(key).map(Outcome::megabytes_per_s);
        let peak = self
            .groups
            .iter()
            .flat_map(|group| &group.outcomes)
            // Ours alone: what others take is their affair.
            .filter(|outcome| !BESIDES.iter().any(|key| outcome.key.starts_with(key)))
            .map(Outcome::peak_mib)
            .fold(None, |most: Option<f64>, peak| Some(most.unwrap_or(0.0).max(peak)));
        vec![
            at_least("dry run, as fast as the Node script", 8.0, "×", self.ratio("node", "dry")),
            at_most(
                "`run --apply`, wall time of `cp` and `sync` of the target",
                2.0,
                "×",
                self.ratio("apply", "copy-target"),
            ),
            at_most("the same, against the smaller source", 2.0, "×", self.ratio("apply", "copy")),
            at_most(
                "`run --apply`, CPU per GB",
                3.0,
                "s",
                self.find("apply").map(Outcome::cpu_s_per_gb),
            ),
            at_least("`verify`", 300.0, "MB/s", rate("verify")),
            at_least("`profile`", 300.0, "MB/s", rate("profile")),
            at_least("`checksums`", 300.0, "MB/s", rate("checksums")),
            at_least("`anonymize`, compared and scanned", 60.0, "MB/s", rate("anonymize")),
            at_least("canonical JSON lines", 100.0, "MB/s", rate("lines")),
            at_most("gzip, wall time of inflating alone", 1.1, "×", self.ratio("gzip", "inflate")),
            at_most("dry run, CPU per document: most to fewer", 1.3, "×", self.growth("dry-")),
            at_most("`run --apply`, the same", 1.3, "×", self.growth("apply-")),
            at_most(
                "`run` into a live target, wall time of plain `insert_many`",
                1.2,
                "×",
                self.ratio("live-run", "live-insert"),
            ),
            at_most(
                "`run` from live to live, wall time of a plain copy of its target",
                1.1,
                "×",
                self.ratio("live-live", "live-copy"),
            ),
            at_most(
                "`rehearse`, wall time of `run --apply` alone",
                6.0,
                "×",
                self.ratio("rehearse", "plain-run"),
            ),
            at_most(
                "`rollback` of a live target, wall time of the run that wrote it",
                1.0,
                "×",
                self.ratio("live-rollback", "live-run"),
            ),
            at_most("peak memory, any command", 200.0, "MiB", peak),
        ]
    }

    /// CPU per document of the largest of a series against the second largest.
    fn growth(&self, prefix: &str) -> Option<f64> {
        let mut series: Vec<&Outcome> = self
            .groups
            .iter()
            .filter(|group| group.name == "scale")
            .flat_map(|group| &group.outcomes)
            .filter(|outcome| outcome.key.starts_with(prefix))
            .collect();
        series.sort_by_key(|outcome| std::cmp::Reverse(outcome.documents));
        let [most, fewer, ..] = series[..] else { return None };
        Some(most.cpu_us_per_document() / fewer.cpu_us_per_document())
    }
}

fn row(outcome: &Outcome) -> Value {
    json!({
        "key": outcome.key,
        "documents": outcome.documents,
        "source_bytes": outcome.source_bytes,
        "wall_s": outcome.median.wall_s,
        "wall_fastest_s": outcome.wall_range_s.0,
        "wall_slowest_s": outcome.wall_range_s.1,
        "cpu_s": outcome.median.cpu_s,
        "cpu_s_per_gb": outcome.cpu_s_per_gb(),
        "peak_bytes": outcome.median.peak_bytes,
    })
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "far below 2^53")]
impl Outcome {
    fn megabytes_per_s(&self) -> f64 {
        self.source_bytes as f64 / 1e6 / self.median.wall_s
    }

    /// A GB is 10⁹ bytes of source.
    fn cpu_s_per_gb(&self) -> f64 {
        self.median.cpu_s / (self.source_bytes as f64 / 1e9)
    }

    fn cpu_us_per_document(&self) -> f64 {
        self.median.cpu_s * 1e6 / self.documents as f64
    }

    fn peak_mib(&self) -> f64 {
        self.median.peak_bytes / f64::from(1 << 20)
    }
}

fn at_least(what: &'static str, limit: f64, unit: &'static str, found: Option<f64>) -> Promise {
    let holds = found.is_some_and(|found| found >= limit);
    Promise { what, limit: format!("≥ {limit} {unit}"), found, unit, holds }
}

fn at_most(what: &'static str, limit: f64, unit: &'static str, found: Option<f64>) -> Promise {
    let holds = found.is_some_and(|found| found <= limit);
    Promise { what, limit: format!("≤ {limit} {unit}"), found, unit, holds }
}
