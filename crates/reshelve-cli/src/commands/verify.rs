//! `reshelve verify`.

use std::sync::Arc;

use reshelve::parity::{
    Agreement, CostAndTokenTotals, Counts, Histogram, Sample, Survey, Verification,
};
use reshelve_app::report::bucket_name;
use reshelve_app::text::{counted, decimal, number, plain};
use reshelve_app::verify::{self, Answers, Outcome, Request, Unfinished};
use reshelve_app::{ExitCode, Failure, Handle, groups, hints, reported_with_named};

use super::table::{plain_table, right_align};
use super::{crosscheck, shadow};
use crate::cli::VerifyArgs;
use crate::next::{self, Next};
use crate::printer::{Notes, Printer, Tone, toned};

/// How many mismatches a page shows.
const SHOWN_MAX: usize = 100;
/// How many groups of them.
const GROUPS_MAX: usize = 20;

pub(crate) fn run(args: &VerifyArgs) -> Result<ExitCode, Failure> {
    let printer = Printer::new(args.json.json);
    let outcome =
        verify::verify(&request(args), &args.password.handle(Handle::new(Arc::new(Notes))))?;
    let mut page = page(&outcome.verification);
    if let Some(api) = &outcome.api {
        page.push_str(&answers(api));
    }
    printer.text(&page);
    printer.json(&outcome);
    printer.next(&next(args, &outcome));
    Ok(outcome.exit_code())
}

/// The command that continues the run that wrote the target, if it has stopped; else the evidence if
/// parity holds, or where the fields of the first job go that differs.
fn next(args: &VerifyArgs, outcome: &Outcome) -> Next {
    if let Some(Unfinished { folder, is_rolling_back }) = &outcome.unfinished {
        return match is_rolling_back {
            true => Next::new("rollback").place(folder).flag("--apply"),
            false => Next::new("resume").place(folder),
        };
    }
    let target = args.target();
    let named = if args.run.is_empty() { &outcome.basis.runs } else { &args.run };
    match (outcome.verification.mismatches.first(), &named[..]) {
        (Some(mismatch), _) => next::of_source("explain", &args.source.place())
            .with("--job", Some(mismatch.job.as_str()).filter(|job| !job.is_empty())),
        (None, [first, ..]) => {
            next::report(&reported_with_named(&args.runs.run(first)), &args.runs.runs_dir)
        }
        (None, []) => {
            Next::new("checksums").place(&target.name).with("--target-db", target.db.as_ref())
        }
    }
}

fn request(args: &VerifyArgs) -> Request {
    Request {
        runs: args.run.iter().map(|name| args.runs.run(name)).collect(),
        runs_folder: Some(args.runs.runs_dir.clone()),
        mapping: args.mapping.options(),
        allow_existing: args.allow_existing,
        tolerance_usd: args.tolerance_usd,
        tolerance_tokens: args.tolerance_tokens,
        sample: args.sample.map(|size| usize::try_from(size).unwrap_or(usize::MAX)),
        out: args.out.clone(),
        api: args.api(),
        ..Request::new(args.source.place(), args.target())
    }
}

/// What came of comparing answers, below the comparison of documents.
fn answers(answers: &Answers) -> String {
    let mut lines = vec![format!("\n\n{}\n", shadow::verdict(&answers.offline.compared))];
    shadow::push_comparison(&mut lines, &answers.offline.compared);
    if let Some(application) = &answers.application {
        lines.push(format!("\n{}\n", crosscheck::verdict(&application.checked)));
        crosscheck::push(&mut lines, application);
    }
    lines.join("\n")
}

/// Whether the verdict is good news.
fn tone(verification: &Verification) -> Tone {
    match verification.agreement() {
        Agreement::DoesNotHold => Tone::Bad,
        Agreement::HoldsWithExceptions => Tone::Careful,
        Agreement::Holds if verification.sample.is_some() => Tone::Careful,
        Agreement::Holds => Tone::Good,
    }
}

/// The verdict in a sentence.
fn verdict(verification: &Verification) -> String {
    match &verification.sample {
        None => match verification.agreement() {
            Agreement::Holds => "Parity holds.".into(),
            Agreement::HoldsWithExceptions => exceptions(&verification.survey.counts),
            Agreement::DoesNotHold => "Parity does NOT hold.".into(),
        },
        Some(Sample { documents, of }) => {
            let looked = format!("A sample, {} of {} documents", number(*documents), number(*of));
            if verification.is_clean() {
                format!(
                    "{looked}: no mismatch found. This is not a proof; verify without --sample is."
                )
            } else {
                format!("Parity does NOT hold. {looked}, was enough to show it.")
            }
        }
    }
}

/// What holds, but for what was not carried over.
fn exceptions(counts: &Counts) -> String {
    if counts.legacy > 0 && counts.rejected == counts.legacy {
        return format!(
            "Parity holds, with exceptions: all {} are rejected. Is this the right collection?",
            counted(counts.legacy, "document")
        );
    }
    let mut exceptions = Vec::new();
    if counts.rejected > 0 {
        exceptions.push(format!("{} rejected", counted(counts.rejected, "document")));
    }
    if counts.skipped > 0 {
        exceptions.push(format!("{} left out, in flight", counted(counts.skipped, "document")));
    }
    if counts.repaired > 0 {
        let repaired = counted(counts.repaired, "document");
        exceptions
            .push(format!("{repaired} carried over repaired, and not repaired in the source"));
    }
    if counts.not_in_source > 0 {
        let gone = counted(counts.not_in_source, "document");
        exceptions.push(format!("{gone} carried over by a retry, and not in the source"));
    }
    format!("Parity holds, with exceptions: {}.", exceptions.join(", "))
}

pub(crate) fn page(verification: &Verification) -> String {
    let Verification { survey, restored, .. } = verification;
    let Survey { counts, totals, .. } = survey;
    let jobs = counts.jobs();
    let mut lines = vec![toned(tone(verification), &verdict(verification)), String::new()];
    push_groups(&mut lines, verification);
    lines.push(format!(
        "  legacy       {}: {} rejected, {} skipped, {} expected in the target",
        counted(counts.legacy, "document"),
        number(counts.rejected),
        number(counts.skipped),
        number(jobs)
    ));
    let retried = counts.retried + counts.not_in_source;
    if retried > 0 {
        lines.push(format!(
            "  retried      {}: rejected at first, carried over by a retry",
            counted(retried, "document")
        ));
    }
    for (collection, documents) in &counts.collections {
        lines.push(format!("  {collection:<19} {}", number(*documents)));
    }
    if counts.left_alone > 0 {
        lines.push(format!("  left alone   {} of others", counted(counts.left_alone, "document")));
    }
    let extra =
        restored.extra.map_or_else(String::new, |extra| format!(", {} extra", number(extra)));
    lines.push(format!(
        "  restored     {} of {} byte for byte; {} different, {} missing{extra}",
        number(restored.identical),
        counted(jobs, "job"),
        number(restored.different),
        number(restored.missing),
    ));
    lines.push(totals_table(totals));
    push_deltas(&mut lines, &survey.deltas.cost_usd.total);
    if verification.mismatches_total > 0 {
        push_mismatches(&mut lines, verification);
    }
    if !verification.is_clean() {
        // Whoever sees the end of it sees the verdict.
        lines.push(format!("\n{}", toned(tone(verification), &verdict(verification))));
    }
    lines.join("\n")
}

/// What differs, each difference once, and what may have caused it.
fn push_groups(lines: &mut Vec<String>, verification: &Verification) {
    if verification.groups.is_empty() {
        return;
    }
    let jobs = match verification.mismatched_jobs {
        0 => String::new(),
        jobs => format!(", in {} of the source", counted(jobs, "job")),
    };
    lines.push(format!("  what differs, each difference once{jobs}"));
    for group in verification.groups.iter().take(GROUPS_MAX) {
        lines.push(format!("    {}", groups::line(group)));
    }
    if verification.groups.len() > GROUPS_MAX {
        lines.push("    … --json lists all of them".into());
    }
    for cause in &verification.causes {
        lines.push(format!("  note: {}", hints::of_cause(cause)));
    }
    lines.push(String::new());
}

/// The mismatches one by one.
fn push_mismatches(lines: &mut Vec<String>, verification: &Verification) {
    let found = counted(verification.mismatches_total, "mismatch");
    lines.push(format!("\n  {}, one by one", toned(Tone::Bad, &found)));
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
    let shown = u64::try_from(verification.mismatches.len().min(SHOWN_MAX)).unwrap_or(u64::MAX);
    if verification.mismatches_total > shown {
        lines.push("    … --out DIR writes all of them to a file".into());
    }
}

/// Cost and tokens three ways.
fn totals_table(totals: &CostAndTokenTotals) -> String {
    let mut table = plain_table();
    table.set_header(["", "", "records", "recorded", "by the parts", "expected", "stored", ""]);
    let measures = [("cost, USD", &totals.cost_usd, 4), ("tokens", &totals.tokens, 0)];
    for (name, measure, decimals) in measures {
        for (at, (stage, total)) in measure.named().into_iter().enumerate() {
            let figure = |number: f64| decimal(number, decimals);
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
    right_align(&mut table, &[2, 3, 4, 5, 6]);
    format!("\n  what legacy recorded, and what its parts add up to\n{}", table.trim_fmt())
}

/// How the recorded cost differs from what the parts add up to: shown, never a failure.
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
