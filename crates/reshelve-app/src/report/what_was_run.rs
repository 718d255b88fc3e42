//! What was run on what, and the few figures that a reader looks for first.

use reshelve::ends::{Compression, OnExisting};
use reshelve::report::{RunReport, Word};
use reshelve::run::Plan;
use reshelve_core::mapping::{InFlight, OnUnknownStatus, StatusPolicy};

use super::decisions;
use super::page::{Block, Cell, Section, Standing, Table, Tile};
use crate::text::{counted, number, size};

/// The figures at the top.
pub(super) fn tiles(report: &RunReport) -> Vec<Tile> {
    let documents = report.checkpoint.totals.documents;
    let of = |part: u64, whole: u64| format!("{} of {}", number(part), number(whole));
    let proof = "Parity and lossless proof";
    let mut tiles = Vec::new();
    if let Some(parity) = &report.parity {
        let (restored, jobs) = (parity.restored.identical, parity.survey.counts.jobs());
        let standing = if restored == jobs { Standing::Holds } else { Standing::Fails };
        tiles.push(Tile::new("restored byte for byte", of(restored, jobs), standing, proof));
        let mismatches = parity.mismatches_total;
        let (standing, section) = match mismatches {
            0 => (Standing::Holds, proof),
            _ => (Standing::Fails, "Mismatches"),
        };
        tiles.push(Tile::new("mismatches", number(mismatches), standing, section));
    } else if report.verdict.word == Word::DryRun {
        let mapped = of(documents.mapped, documents.read);
        tiles.push(Tile::new("would be mapped", mapped, Standing::Recorded, proof));
    } else {
        let run = "What was run on what";
        let read = number(documents.read);
        tiles.push(Tile::new("documents read", read, Standing::Recorded, run));
        let written = number(documents.written);
        tiles.push(Tile::new("jobs written", written, Standing::Recorded, run));
    }
    let warnings = report.checkpoint.totals.warnings.values().map(|tally| tally.count).sum();
    let mut add = |name, count: u64, standing, section| {
        let standing = if count == 0 { Standing::Holds } else { standing };
        tiles.push(Tile::new(name, number(count), standing, section));
    };
    add("rejected", documents.rejected, Standing::Open, "Rejects");
    add("left out, in flight", documents.skipped, Standing::Open, "In flight");
    let decisions = decisions::count(report);
    add("decisions", decisions, Standing::Open, "Decisions that changed data");
    add("warnings", warnings, Standing::Noted, "Warnings");
    tiles
}

/// What was run on what, in short.
pub(super) fn in_short(report: &RunReport) -> Vec<(&'static str, Cell)> {
    let plan = &report.plan;
    vec![
        ("source", Cell::code(plan.source.path.display())),
        ("target", Cell::code(plan.target.name())),
        ("started", Cell::code(&plan.begun_at)),
        ("report made", Cell::code(&report.made_at)),
    ]
}

/// What was run on what.
pub(super) fn run(report: &RunReport) -> Section {
    let plan = &report.plan;
    let mut facts = vec![
        ("run", Cell::code(&plan.run)),
        ("started", Cell::code(&plan.begun_at)),
        ("written", Cell::text(if plan.apply { "yes (--apply)" } else { "no, a dry run" })),
        ("state", Cell::text(report.checkpoint.state.as_str())),
        ("tool", Cell::Text(format!("reshelve {}, mapping {}", plan.tool_version, plan.mapping))),
    ];
    if let Some(from_plan) = &plan.from_plan {
        facts.push(("plan", Cell::code(&from_plan.hash)));
    }
    push_ends(&mut facts, plan);
    push_decisions(&mut facts, plan);
    if let Some(limit) = plan.limit {
        facts.push(("at most", Cell::Text(format!("{} (--limit)", counted(limit, "document")))));
    }
    if let Some(rejects) = &plan.only_rejects {
        facts.push(("only the rejects of", Cell::code(rejects.display())));
    }
    let mut blocks = vec![Block::Facts(facts)];
    if report.runs.len() > 1 {
        blocks.push(retries(report));
    }
    Section::new("What was run on what", Standing::Recorded, blocks)
}

/// The retries that are reported with the run.
fn retries(report: &RunReport) -> Block {
    let rows = report.runs.iter().skip(1).map(|member| {
        let documents = member.checkpoint.totals.documents;
        vec![
            Cell::code(&member.plan.run),
            Cell::code(member.plan.parent().unwrap_or_default()),
            Cell::code(member.plan.source.path.display()),
            Cell::count(documents.read),
            Cell::count(documents.written),
            Cell::count(documents.rejected),
        ]
    });
    Block::Table(Table {
        caption: "Runs that took again what was rejected; the rest of this report is about all of \
                  them as one",
        columns: vec!["run", "retry of", "source", "taken", "written", "rejected"],
        rows: rows.collect(),
        more: None,
    })
}

/// Source and target.
fn push_ends(facts: &mut Vec<(&'static str, Cell)>, plan: &Plan) {
    facts.push(("source", Cell::code(plan.source.path.display())));
    let (db, collection) = (&plan.source.db, &plan.source.collection);
    if db.is_some() || collection.is_some() {
        let db = db.as_deref().unwrap_or("the only one");
        let collection = collection.as_deref().unwrap_or("jobs");
        facts.push(("picked", Cell::Foreign(format!("database {db}, collection {collection}"))));
    }
    let bytes = plan.source.bytes.map_or_else(String::new, |bytes| format!(", {}", size(bytes)));
    facts.push(("form", Cell::Text(format!("{}{bytes}", plan.source.form))));
    for note in &plan.source.notes {
        facts.push(("note", Cell::Foreign(note.clone())));
    }
    facts.push(("target", Cell::code(plan.target.name())));
    if let Some(folder) = plan.target.folder() {
        let compression = match folder.compression {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        };
        facts.push(("compression", Cell::text(compression)));
    }
}

/// The decisions of the operator.
fn push_decisions(facts: &mut Vec<(&'static str, Cell)>, plan: &Plan) {
    let in_flight = match plan.options.in_flight {
        None if plan.apply => "nothing was decided: the run would stop at the first one",
        None => "nothing was decided: a dry run includes them",
        Some(InFlight::Include) => "carried over as they are (include)",
        Some(InFlight::Skip) => "left out (skip)",
        Some(InFlight::AsFailed) => "carried over as failed (as-failed)",
    };
    let conflicts = match plan.options.status_policy {
        StatusPolicy::Legacy => "the stored status counts (legacy)",
        StatusPolicy::Evidence => "the chapters count (evidence)",
    };
    let unknown = match plan.options.on_unknown_status {
        OnUnknownStatus::Reject => "rejected (reject)",
        OnUnknownStatus::Failed => "carried over as failed (failed)",
    };
    let existing = match plan.on_existing {
        OnExisting::Refuse => "refused: the target had to be empty",
        OnExisting::Keep => "left as they are (--allow-existing)",
        OnExisting::Replace => "replaced where they differ (--replace)",
    };
    facts.push(("jobs in flight", Cell::text(in_flight)));
    facts.push(("status conflicts", Cell::text(conflicts)));
    facts.push(("unknown statuses", Cell::text(unknown)));
    facts.push(("existing documents", Cell::text(existing)));
}
