//! Every check of a report, what was expected beside what was found.

use reshelve::parity::{Measure, StageTotals, Verification};
use reshelve::report::RunReport;
use reshelve::target_schema::Collection;

use super::page::{Cell, Section, Standing, Table};
use super::text::decimal;
use crate::text::{agree, length, number};

/// A check.
struct Check {
    what: String,
    expected: String,
    found: String,
    passed: bool,
}

impl Check {
    fn counts(what: impl Into<String>, expected: u64, found: u64) -> Check {
        let passed = expected == found;
        Check { what: what.into(), expected: number(expected), found: number(found), passed }
    }
}

/// The checks that failed; none if all passed.
pub(super) fn failed(report: &RunReport) -> Option<Section> {
    let (failed, _) = checks(report)?;
    let count = length(&failed);
    let words = agree(count, "check failed", "checks failed");
    (count > 0).then(|| {
        section("Checks that failed", Standing::Fails, failed)
            .brief(format!("{} {words}", number(count)))
    })
}

/// The checks that passed; none if there was nothing to check.
pub(super) fn passed(report: &RunReport) -> Option<Section> {
    let (failed, passed) = checks(report)?;
    let brief = format!("{} of {}", number(length(&passed)), length(&passed) + length(&failed));
    let section = section("Checks that passed", Standing::Holds, passed);
    (!section.blocks.is_empty()).then(|| section.brief(brief))
}

fn section(title: &'static str, standing: Standing, checks: Vec<Check>) -> Section {
    let rows = checks.into_iter().map(|check| {
        let words = match (check.passed, check.expected == check.found) {
            (false, _) => "different",
            (true, true) => "as expected",
            (true, false) => "within tolerance",
        };
        let (expected, found) = (Some(check.expected), Some(check.found));
        let [expected, found] = Cell::compared(&expected, &found);
        vec![Cell::Text(check.what), expected, found, Cell::Flag { good: check.passed, words }]
    });
    let rows: Vec<_> = rows.collect();
    let blocks = match rows.is_empty() {
        true => Vec::new(),
        false => vec![Table::whole(vec!["check", "expected", "found", "result"], rows)],
    };
    Section::new(title, standing, blocks)
}

/// The checks that failed and those that passed; none if the two sides were not compared.
fn checks(report: &RunReport) -> Option<(Vec<Check>, Vec<Check>)> {
    let parity = report.parity.as_ref()?;
    let mut checks = documents(parity);
    let totals = &parity.survey.totals;
    checks.extend(sums("cost in USD", &totals.cost_usd, 4));
    checks.extend(sums("tokens", &totals.tokens, 0));
    let passed = parity.survey.source.hash == report.checkpoint.source_hash;
    checks.push(Check {
        what: "source".into(),
        expected: "as the run read it".into(),
        found: if passed { "as the run read it" } else { "another one" }.into(),
        passed,
    });
    Some(checks.into_iter().partition(|check| !check.passed))
}

fn documents(parity: &Verification) -> Vec<Check> {
    let jobs = parity.survey.counts.jobs();
    let once = [Collection::Jobs, Collection::Metrics, Collection::Metadata];
    let mut checks: Vec<Check> = once
        .into_iter()
        .map(|collection| {
            let name = collection.name();
            let found = parity.survey.counts.collections.get(name).copied().unwrap_or(0);
            Check::counts(format!("documents in `{name}`"), jobs, found)
        })
        .collect();
    let restored = parity.restored;
    checks.push(Check::counts("jobs restored byte for byte", jobs, restored.identical));
    checks.push(Check::counts("jobs of the target in no source", 0, restored.extra.unwrap_or(0)));
    checks.push(Check::counts("mismatches, byte for byte", 0, parity.mismatches_total));
    checks
}

fn sums(what: &str, measure: &Measure<StageTotals>, decimals: usize) -> Vec<Check> {
    let figure = |number: f64| decimal(number, decimals);
    let checks = measure.named().into_iter().filter_map(|(stage, total)| {
        Some(Check {
            what: format!("{what}, {stage}"),
            expected: figure(total.mapped),
            found: figure(total.stored?),
            passed: total.within_tolerance,
        })
    });
    checks.collect()
}
