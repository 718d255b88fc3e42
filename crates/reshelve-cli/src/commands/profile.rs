//! `reshelve profile`.

use std::collections::BTreeMap;
use std::sync::Arc;

use reshelve::profile::Profile;
use reshelve::run::Example;
use reshelve_app::profile::{self, Request};
use reshelve_app::text::{agree, counted, date, length, number, plain, size};
use reshelve_app::{ExitCode, Failure, Handle};
use reshelve_core::mapping::{InFlight, OnUnknownStatus, Options, Status};

use super::profile_fields::{self, word};
use super::table::{plain_table, right_align};
use crate::cli::ProfileArgs;
use crate::next;
use crate::printer::Printer;
use crate::progress::View;

/// How many job ids in flight a page shows.
const IN_FLIGHT_SHOWN: usize = 5;
/// How many of the largest documents a page shows.
const LARGEST_SHOWN: usize = 3;
/// How many unknown fields a page shows.
const UNKNOWN_SHOWN: usize = 20;
/// How many pairs of status and phase a page shows.
const PAIRS_SHOWN: usize = 40;

pub(crate) fn run(args: &ProfileArgs) -> Result<ExitCode, Failure> {
    let printer = Printer::new(args.json.json);
    let request = Request {
        source: args.source.place(),
        mapping: args.mapping.options(),
        threads: args.jobs.map(usize::from),
    };
    let view = Arc::new(View::default());
    let profiled = profile::profile(&request, &args.password.handle(Handle::new(view.clone())));
    view.end();
    let outcome = profiled?;
    printer.text(&page(&outcome.profile, &outcome.options, args.all));
    printer.json(&outcome);
    let Profile { documents, forecast, .. } = &outcome.profile;
    let rejected: u64 = forecast.rejects.values().sum();
    // Probably the wrong collection.
    printer.next(&match *documents > 0 && rejected >= *documents {
        true => next::of_source("inspect", &args.source.place()),
        false => next::dry_run(&args.source.place()),
    });
    Ok(ExitCode::Done)
}

fn page(profile: &Profile, options: &Options, all: bool) -> String {
    let mut lines = summary(profile);
    if profile.documents == 0 {
        return lines.join("\n");
    }
    lines.push(String::new());
    push_sizes(&mut lines, profile);
    push_statuses(&mut lines, profile, options);
    push_eras(&mut lines, profile);
    push_in_flight(&mut lines, profile);
    let forecast = &profile.forecast;
    push_codes(&mut lines, "would warn", &forecast.warnings, &forecast.warning_examples);
    push_codes(&mut lines, "would be rejected", &forecast.rejects, &forecast.reject_examples);
    push_unknown(&mut lines, profile);
    lines.push(String::new());
    lines.push(profile_fields::table(profile, all));
    lines.join("\n")
}

/// The profile in a few sentences.
pub(crate) fn summary(profile: &Profile) -> Vec<String> {
    let Profile { documents, in_flight_total, forecast, unknown_fields, .. } = profile;
    let created = profile.created.map_or(String::new(), |dates| {
        format!(", created from {} to {}", date(dates.first), date(dates.last))
    });
    let mut lines =
        vec![format!("{}, {}{created}.", counted(*documents, "document"), size(profile.bytes))];
    if *documents == 0 {
        return lines;
    }
    let rejected: u64 = forecast.rejects.values().sum();
    let mut run = if rejected == 0 {
        "A run would reject none of them".to_owned()
    } else {
        format!("A run would reject {} of them", number(rejected))
    };
    let warnings: u64 = forecast.warnings.values().sum();
    run.push_str(&match warnings {
        0 => " and give no warnings".to_owned(),
        _ => format!(" and give {}", counted(warnings, "warning")),
    });
    lines.push(format!("{run}."));
    lines.push(match in_flight_total {
        0 => "None is in flight.".to_owned(),
        count => format!(
            "{} {} in flight: --apply needs a decision, --in-flight.",
            number(*count),
            agree(*count, "is", "are")
        ),
    });
    lines.push(match length(unknown_fields) {
        0 => "The legacy schema names every field.".to_owned(),
        count => {
            let verb = agree(count, "is", "are");
            format!("{} {verb} not in the legacy schema.", counted(count, "field"))
        }
    });
    lines
}

fn push_sizes(lines: &mut Vec<String>, profile: &Profile) {
    let sizes = &profile.size;
    lines.push(format!(
        "  size         mean {}, p50 {}, p90 {}, p99 {}, max {}",
        size(whole(sizes.mean)),
        size(sizes.p50),
        size(sizes.p90),
        size(sizes.p99),
        size(sizes.max)
    ));
    for (at, large) in profile.largest.iter().take(LARGEST_SHOWN).enumerate() {
        let name = if at == 0 { "largest" } else { "" };
        let id = if large.id.is_empty() { "(no _id)".to_owned() } else { plain(&large.id) };
        let position = number(large.position);
        lines.push(format!("  {name:<12} {} {id}, at position {position}", size(large.bytes)));
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a mean of sizes, for people"
)]
fn whole(mean: f64) -> u64 {
    mean.round() as u64
}

fn push_statuses(lines: &mut Vec<String>, profile: &Profile, options: &Options) {
    let mut pairs: Vec<(&str, &str, u64)> = Vec::new();
    for (status, phases) in &profile.status_phases {
        for (phase, count) in phases {
            pairs.push((status, phase, *count));
        }
    }
    let of = |status: &str| profile.statuses.get(status).copied().unwrap_or(0);
    pairs.sort_by(|one, two| {
        (of(two.0), one.0, two.2, one.1).cmp(&(of(one.0), two.0, one.2, two.1))
    });
    let mut table = plain_table();
    table.set_header(["status", "documents", "becomes", "phase", "documents"]);
    let mut last = None;
    for (status, phase, count) in pairs.iter().take(PAIRS_SHOWN) {
        let first = last.replace(*status) != Some(*status);
        let becomes = becomes(status, options);
        table.add_row([
            if first { word(status) } else { String::new() },
            if first { number(of(status)) } else { String::new() },
            if first { becomes.to_owned() } else { String::new() },
            word(phase),
            number(*count),
        ]);
    }
    right_align(&mut table, &[1, 4]);
    lines.push(String::new());
    lines.push(table.trim_fmt());
    if pairs.len() > PAIRS_SHOWN {
        lines.push(format!(" … and {} more pairs: --json has them", pairs.len() - PAIRS_SHOWN));
    }
}

/// The status that a run writes, unless the chapters say otherwise.
fn becomes(status: &str, options: &Options) -> &'static str {
    match Status::of_legacy(status.as_bytes()) {
        Some(status) if status.is_in_flight() => match options.in_flight {
            InFlight::Include => status.as_str(),
            InFlight::AsFailed => Status::Failed.as_str(),
            InFlight::Skip => "(left out)",
        },
        Some(status) => status.as_str(),
        None => match options.on_unknown_status {
            OnUnknownStatus::Reject => "(reject)",
            OnUnknownStatus::Failed => Status::Failed.as_str(),
        },
    }
}

fn push_eras(lines: &mut Vec<String>, profile: &Profile) {
    let eras: Vec<String> = profile
        .eras
        .iter()
        .map(|(era, count)| {
            // Eras 2 and 3 cannot be told apart.
            let name = if *era == 2 { "2–3".to_owned() } else { era.to_string() };
            format!("era {name}: {}", number(*count))
        })
        .collect();
    if !eras.is_empty() {
        lines.push(format!("\n  eras         {}", eras.join(" · ")));
    }
}

fn push_in_flight(lines: &mut Vec<String>, profile: &Profile) {
    if profile.in_flight_total == 0 {
        return;
    }
    let shown: Vec<String> =
        profile.in_flight.iter().take(IN_FLIGHT_SHOWN).map(|id| plain(id)).collect();
    let total = number(profile.in_flight_total);
    lines.push(format!("  in flight    {total}, such as"));
    lines.extend(shown.into_iter().map(|id| format!("               {id}")));
}

fn push_codes(
    lines: &mut Vec<String>,
    title: &str,
    counts: &BTreeMap<String, u64>,
    examples: &BTreeMap<String, Vec<Example>>,
) {
    if counts.is_empty() {
        return;
    }
    lines.push(format!("\n  {title}"));
    for (code, count) in counts {
        let named = examples.get(code).and_then(|all| all.iter().find(|one| !one.job.is_empty()));
        let example = named.map_or(String::new(), |example| {
            let at = if example.path.is_empty() { "" } else { " at " };
            format!("   such as {}{at}{}", plain(&example.job), plain(&example.path))
        });
        lines.push(format!("    {:>9}  {code:<26}{example}", number(*count)).trim_end().into());
    }
}

fn push_unknown(lines: &mut Vec<String>, profile: &Profile) {
    if profile.unknown_fields.is_empty() {
        return;
    }
    lines.push("\n  not in the legacy schema; the residue keeps them".into());
    for unknown in profile.unknown_fields.iter().take(UNKNOWN_SHOWN) {
        let documents = counted(unknown.documents, "document");
        lines.push(format!("    {}   in {documents}", plain(&unknown.path)));
    }
    if profile.unknown_fields.len() > UNKNOWN_SHOWN {
        let more = profile.unknown_fields.len() - UNKNOWN_SHOWN;
        lines.push(format!("    … and {more} more: --json has them"));
    }
}
