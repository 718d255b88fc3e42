//! Words and figures of runs.

use maud::{Markup, html};

use crate::runs::{Rate, Run};
use crate::ui::words::{count, decimal, float, plain};

/// The class of a state: a colour, beside its word.
pub(super) fn state_class(state: &str) -> &'static str {
    match state {
        "done" => "badge good",
        "failed" | "killed" => "badge bad",
        "planned" | "running" | "pausing" | "paused" | "rolling-back" => "badge open",
        _ => "badge",
    }
}

/// What a state means, in a sentence.
pub(super) fn meaning(run: &Run) -> &'static str {
    match run.state {
        "planned" => "It has its folder, and nothing is written to the target yet.",
        "running" => "A process is at work on it.",
        "pausing" => "It was told to pause, and is still at the batch in hand.",
        "paused" => "It waits between two batches until it is resumed, and keeps its lock.",
        "interrupted" => "It was stopped between two batches, and can be resumed.",
        "failed" => "It stopped because of an error. It can be resumed when its cause is gone.",
        "killed" => "Its process is gone and did not say why. It can be resumed.",
        "cancelled" => "It was stopped for good. What it wrote stays until it is rolled back.",
        "partial" => "It took all that it was told to take, which is a part of its source only.",
        "done" if run.is_applied => "Everything is written.",
        "done" => "Everything was read, mapped and proved. Nothing was written.",
        "rolling-back" if run.is_at_work => "What it wrote is being taken back.",
        "rolling-back" => "Its rollback was stopped: a part of what it wrote is taken back.",
        "rolled-back" => "What it wrote is taken back.",
        _ => "",
    }
}

/// The badges of a run: its state, and what else should be seen at once.
pub(in crate::ui) fn badges(run: &Run) -> Markup {
    html! {
        span class=(state_class(run.state)) { (plain(run.state).replace('-', " ")) }
        @if let Some(told) = run.told { span.badge.open { "told to " (told) } }
        @if !run.is_applied { span.badge { "dry run" } }
        @if run.is_partial { span.badge.open { "a part of its source" } }
        @if run.documents.rejected > 0 { span.badge.bad { (count(run.documents.rejected)) " rejected" } }
    }
}

/// A number of bytes.
pub(super) fn size(bytes: u64) -> String {
    size_of(float(bytes))
}

fn size_of(bytes: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut rest, mut unit) = (bytes, 0);
    while rest >= 1024.0 && unit + 1 < UNITS.len() {
        rest /= 1024.0;
        unit += 1;
    }
    let rounded = if unit == 0 { rest.round() } else { (rest * 10.0).round() / 10.0 };
    format!("{} {}", decimal(rounded), UNITS[unit])
}

/// How fast a run is.
pub(super) fn rate(rate: Rate) -> String {
    let documents = (rate.docs_per_s * 10.0).round() / 10.0;
    match rate.bytes_per_s > 0.0 {
        true => format!("{} documents/s, {}/s", decimal(documents), size_of(rate.bytes_per_s)),
        false => format!("{} documents/s", decimal(documents)),
    }
}

/// A moment that is given as ISO text: `2025-07-24 10:00 UTC`.
pub(in crate::ui) fn moment(iso: &str) -> Markup {
    match (iso.get(..10), iso.get(11..16)) {
        (Some(day), Some(clock)) if iso.is_ascii() => {
            html! { time.figure datetime=(iso) { (day) " " (clock) " UTC" } }
        }
        _ => html! { span.none { "not recorded" } },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_moments_are_for_people() {
        assert_eq!([size(0), size(1023), size(1536)], ["0 B", "1\u{202f}023 B", "1.5 KiB"]);
        assert!(size(u64::MAX).ends_with(" TiB"));
        let shown = moment("2026-11-22T18:14:09.225Z").into_string();
        assert!(shown.contains(">2026-11-22 18:14 UTC<"), "{shown}");
        assert!(moment("2026-11").into_string().contains("not recorded"));
        assert!(moment("ääääääääääääääääääää").into_string().contains("not recorded"));
    }
}
