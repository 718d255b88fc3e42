//! `reshelve verify`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use comfy_table::{CellAlignment, Table, presets};
use reshelve::parity::{
    self, Histogram, Mismatch, Reading, Sample, Survey, Totals, Verification, VerifyError,
    VerifyRequest,
};
use reshelve::report;
use reshelve::run::{RunError, RunFolder};
use reshelve_core::mapping::Options;
use serde::Serialize;

use super::ends;
use crate::cli::VerifyArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::{Printer, number, plain};
use crate::report::bucket_name;

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
    let origin =
        ends::origin(&args.source.source, &args.source.pick, &reshelve_mongo::Patience::default())?;
    let read_preference = args.source.pick.read_preference;
    let target = ends::reader(&args.target, args.target_db.as_deref(), read_preference)?;
    let mut log = args.out.as_deref().map(Log::create).transpose()?;
    let verified = parity::verify(&request, origin.as_ref(), target.as_ref(), &mut |mismatch| {
        if let Some(log) = &mut log {
            log.add(mismatch);
        }
    });
    let verification = verified.map_err(failure)?;
    if let Some(log) = log {
        log.finish()?;
    }
    let code = if verification.is_clean() { ExitCode::Done } else { ExitCode::NoParity };
    printer.text(&page(&verification));
    printer.json(&VerifyDocument {
        schema: "reshelve.verify/1",
        verification: &verification,
        exit: code.number(),
    });
    Ok(code)
}

fn request(args: &VerifyArgs) -> Result<VerifyRequest, Failure> {
    let mut request = match &args.run {
        Some(name) => {
            let of_run = report::verify_request(&RunFolder::find(&args.runs.runs_dir, name)?)?;
            // How much of its source the run was told to take is its own business: what is compared
            // here is all of the source that was named.
            let (limit, only_rejects) = (None, None);
            let reading = Reading { limit, only_rejects, ..of_run.reading };
            VerifyRequest { reading, ..of_run }
        }
        None => {
            let options = Options {
                on_unknown_status: args.mapping.on_unknown_status.into(),
                status_policy: args.mapping.status_policy.into(),
                in_flight: args.mapping.in_flight.map(Into::into).unwrap_or_default(),
            };
            VerifyRequest::new(Reading::new(options))
        }
    };
    request.allow_existing |= args.allow_existing;
    request.tolerance_usd = args.tolerance_usd;
    request.tolerance_tokens = args.tolerance_tokens;
    request.sample = args.sample.map(|size| usize::try_from(size).unwrap_or(usize::MAX));
    Ok(request)
}

/// Where the two sides cannot be compared.
fn failure(error: VerifyError) -> Failure {
    match error {
        VerifyError::SampleOfStdin => {
            Failure::usage(error.to_string(), Some("leave out --sample, or name a file"))
        }
        VerifyError::Rejects(error) => RunError::from(error).into(),
        VerifyError::Open(error) => error.into(),
        error => Failure::failed(error.to_string()),
    }
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

/// The verdict in a sentence.
fn verdict(verification: &Verification) -> String {
    match &verification.sample {
        None if verification.holds() => "Parity holds.".into(),
        None => "Parity does NOT hold.".into(),
        Some(Sample { documents, of }) => {
            let looked = format!("A sample, {} of {} documents", number(*documents), number(*of));
            if verification.is_clean() {
                format!(
                    "{looked}: no mismatch found. This is no proof; verify without --sample is."
                )
            } else {
                format!("Parity does NOT hold. {looked}, was enough to tell.")
            }
        }
    }
}

pub(crate) fn page(verification: &Verification) -> String {
    let Verification { survey, restored, .. } = verification;
    let Survey { counts, totals, .. } = survey;
    let jobs = counts.jobs();
    let mut lines = vec![
        verdict(verification),
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
    let extra =
        restored.extra.map_or_else(String::new, |extra| format!(", {} extra", number(extra)));
    lines.push(format!(
        "  restored     {} of {} jobs byte for byte; {} different, {} missing{extra}",
        number(restored.identical),
        number(jobs),
        number(restored.different),
        number(restored.missing),
    ));
    lines.push(totals_table(totals));
    push_deltas(&mut lines, &survey.deltas.cost_usd.total);
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

/// Cost and tokens three ways.
fn totals_table(totals: &Totals) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header([
        "",
        "",
        "records",
        "legacy recorded",
        "by the parts",
        "should be stored",
        "stored",
        "",
    ]);
    let measures = [("cost, USD", &totals.cost_usd, 4), ("tokens", &totals.tokens, 0)];
    for (name, measure, decimals) in measures {
        for (at, (stage, total)) in measure.named().into_iter().enumerate() {
            let figure = |number: f64| format!("{number:.decimals$}");
            let recorded = match total.recorded_jobs {
                0 => "-".to_owned(),
                _ => figure(total.recorded),
            };
            table.add_row([
                if at == 0 { format!("  {name}") } else { String::new() },
                stage.to_owned(),
                number(total.recorded_jobs),
                recorded,
                figure(total.recomputed),
                figure(total.mapped),
                figure(total.stored.unwrap_or(0.0)),
                if total.within_tolerance { "" } else { "OUT OF TOLERANCE" }.to_owned(),
            ]);
        }
    }
    for column in table.column_iter_mut().skip(2).take(5) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("\n{}", table.trim_fmt())
}

/// Where the recorded cost differs from what the parts add up to: shown, and never a failure.
fn push_deltas(lines: &mut Vec<String>, histogram: &Histogram) {
    let wrong = histogram.buckets.iter().filter(|bucket| !bucket.is_equal() && bucket.count > 0);
    for (at, bucket) in wrong.enumerate() {
        if at == 0 {
            lines.push("\n  recorded cost minus what the parts add up to, in USD".into());
        }
        let example = bucket.jobs.first().map_or(String::new(), |job| plain(job));
        lines.push(format!(
            "    {:>9}  {:<18}  such as {example}",
            number(bucket.count),
            bucket_name(bucket)
        ));
    }
}
