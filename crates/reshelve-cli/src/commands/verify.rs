//! `reshelve verify`.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use reshelve::mapping::Options;
use reshelve::parity::{self, Mismatch, TotalsPair, Verification, VerifyRequest};
use reshelve::run::{OnExisting, RejectRecord, RunFolder};
use serde::Serialize;


use super::ends;
use crate::cli::VerifyArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::{Printer, number, plain};

/// How many mismatches a page shows.
const SHOWN_MAX: usize = 100;

#[derive(Debug, Serialize)]
struct VerifyDocument<'v> {
    schema: &'static str,
    #[serde(flatten)]
    verification: &'v Verification,
    exit: u8,
}

pub(crate) fn run(args: &VerifyArgs) -> Result<ExitCode, Failure> {
    let printer = Printer::new(args.json.json);
    let request = request(args)?;
    let origin = ends::origin(&args.source.source, &args.source.pick)?;
    let read_preference = args.source.pick.read_preference;
    let target = ends::reader(&args.target, args.target_db.as_deref(), read_preference)?;
    let mut log = args.out.as_deref().map(Log::create).transpose()?;
    let verified = parity::verify(&request, origin.as_ref(), target.as_ref(), &mut |mismatch| {
        if let Some(log) = &mut log {
            log.add(mismatch);
        }
    });
    let verification = verified.map_err(|error| Failure::failed(error.to_string()))?;
    if let Some(log) = log {
        log.finish()?;
    }
    let code = if verification.holds() { ExitCode::Done } else { ExitCode::NoParity };
    printer.text(&page(&verification));
    printer.json(&VerifyDocument {
        schema: "reshelve.verify/1",
        verification: &verification,
        exit: code.number(),
    });
    Ok(code)
}

fn request(args: &VerifyArgs) -> Result<VerifyRequest, Failure> {
    let mut request = VerifyRequest {
        options: Options {
            on_unknown_status: args.mapping.on_unknown_status.into(),
            status_policy: args.mapping.status_policy.into(),
            in_flight: args.mapping.in_flight.map(Into::into).unwrap_or_default(),
        },
        allow_existing: args.allow_existing,
        rejected_positions: HashSet::new(),
        tolerance_usd: args.tolerance_usd,
        tolerance_tokens: args.tolerance_tokens,
        jobs: std::thread::available_parallelism().map_or(1, usize::from),
        scratch: std::env::temp_dir(),
    };
    if let Some(name) = &args.run {
        let folder = RunFolder::find(&args.runs.runs_dir, name)?;
        let plan = folder.plan()?;
        request.options = plan.options;
        request.allow_existing |= plan.on_existing != OnExisting::Refuse;
        request.rejected_positions = engine_rejects(&folder.path().join("rejects.jsonl"))?;
    }
    Ok(request)
}

/// Documents that the mapping takes and the target did not: only the run knows of them.
fn engine_rejects(path: &Path) -> Result<HashSet<u64>, Failure> {
    let unreadable =
        |error: String| Failure::failed(format!("reading {}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    let mut positions = HashSet::new();
    for line in text.lines() {
        let record: RejectRecord =
            serde_json::from_str(line).map_err(|error| unreadable(error.to_string()))?;
        if ["target-conflict", "target-refused"].contains(&record.code.as_str()) {
            positions.insert(record.position);
        }
    }
    Ok(positions)
}

/// All mismatches, as JSON lines.
struct Log {
    path: PathBuf,
    out: BufWriter<File>,
}

impl Log {
    fn create(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join("mismatches.jsonl");
        let file = std::fs::create_dir_all(folder).and_then(|()| File::create(&path));
        let file =
            file.map_err(|error| Failure::failed(format!("creating {}: {error}", path.display())))?;
        Ok(Log { path, out: BufWriter::new(file) })
    }

    /// A line that cannot be written is told when the file is finished: the error stays.
    fn add(&mut self, mismatch: &Mismatch) {
        let line = serde_json::to_string(mismatch).unwrap_or_default();
        drop(writeln!(self.out, "{line}"));
    }

    fn finish(mut self) -> Result<(), Failure> {
        self.out
            .flush()
            .map_err(|error| Failure::failed(format!("writing {}: {error}", self.path.display())))
    }
}

fn page(verification: &Verification) -> String {
    let Verification { counts, totals, restored, .. } = verification;
    let jobs = counts.legacy - counts.rejected - counts.skipped;
    let mut lines = vec![
        if verification.holds() { "Parity holds." } else { "Parity does NOT hold." }.to_owned(),
        String::new(),
        format!(
            "  legacy       {} documents: {} rejected, {} skipped, {} to be in the target",
            number(counts.legacy),
            number(counts.rejected),
            number(counts.skipped),
            number(jobs)
        ),
    ];
    for (collection, documents) in &counts.collections {
        lines.push(format!("  {collection:<19} {}", number(*documents)));
    }
    if counts.left_alone > 0 {
        lines.push(format!("  left alone   {} documents of others", number(counts.left_alone)));
    }
    lines.push(format!(
        "  restored     {} of {} jobs byte for byte; {} different, {} missing, {} extra",
        number(restored.identical),
        number(jobs),
        number(restored.different),
        number(restored.missing),
        number(restored.extra)
    ));
    lines.push(total("cost, USD", &totals.cost_usd));
    lines.push(total("tokens", &totals.tokens));
    if verification.mismatches_total > 0 {
        lines.push(format!("\n  {} mismatches", number(verification.mismatches_total)));
        for mismatch in verification.mismatches.iter().take(SHOWN_MAX) {
            lines.push(format!(
                "    {} {} {}\n      expected {}\n      actual   {}",
                plain(&mismatch.job),
                mismatch.collection,
                plain(&mismatch.path),
                plain(mismatch.expected.as_deref().unwrap_or("nothing")),
                plain(mismatch.actual.as_deref().unwrap_or("nothing")),
            ));
        }
        let shown = u64::try_from(verification.mismatches.len()).unwrap_or(u64::MAX);
        if verification.mismatches_total > shown {
            lines.push("    … all of them go to a file with --out".into());
        }
    }
    lines.join("\n")
}

fn total(name: &str, pair: &TotalsPair) -> String {
    let within = if pair.within_tolerance { "" } else { "  OUT OF TOLERANCE" };
    format!(
        "  {name:<12} {:.4} stored, {:.4} by a fresh mapping, {:.4} by the parts{within}",
        pair.stored, pair.mapped, pair.recomputed
    )
}
