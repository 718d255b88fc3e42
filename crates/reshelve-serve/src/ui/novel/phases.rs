//! How far a novel came: the phases of its writing, and when each began.

use maud::{Markup, html};

use super::quality::percent;
use super::{Novel, Section, limited, nothing};
use crate::ui::bars::length;
use crate::ui::read::{Part, time_in};
use crate::ui::words::{decimal, name, shown, time_element};

/// The steps that the legacy page showed, each with the phases that it stands for.
const STEPS: [(&str, &[&str]); 3] = [
    ("Planning", &["premise_analysis"]),
    ("Outlining", &["outline_generation"]),
    ("Writing", &["chapter_writing", "quality_validation", "finalization"]),
];

pub(super) fn section(novel: &Novel) -> Section {
    let job = novel.job();
    let status = job.text("status");
    let phase = job.at(&["context", "metadata"]).text("legacyPhase");
    let at = position(&status, &phase);
    let content = html! {
        @match at {
            None => (nothing("No phase is recorded.")),
            Some(at) => {
                ol.phases { @for (index, (step, _)) in STEPS.iter().enumerate() {
                    li { span { (step) } " " (state(index, at, &status)) }
                } }
                (chapters(job, at))
            }
        }
        (begins(novel.metadata().at(&["performance", "phaseStartTimes"])))
    };
    Section { anchor: "progress", name: "Progress", count: None, content }
}

/// At which step a novel is, from 0; after the last one where all are done. None if nothing says it.
fn position(status: &str, phase: &str) -> Option<usize> {
    if status == "completed" || phase == "completed" {
        return Some(STEPS.len());
    }
    STEPS.iter().position(|(_, phases)| phases.contains(&phase))
}

fn state(index: usize, at: usize, status: &str) -> Markup {
    let (class, word) = match index.cmp(&at) {
        std::cmp::Ordering::Less => ("badge good", "completed"),
        std::cmp::Ordering::Equal if status == "failed" => ("badge bad", "failed here"),
        std::cmp::Ordering::Equal => ("badge open", "active"),
        std::cmp::Ordering::Greater => ("badge", "pending"),
    };
    html! { span class=(class) { (word) } }
}

/// How many chapters are there, and how far that is, as the legacy page counted it.
fn chapters(job: Part<'_>, at: usize) -> Markup {
    let done = job.values("chapters").filter(|it| Part::from(*it).text("status") == "completed");
    let done = f64::from(u32::try_from(done.count()).unwrap_or(u32::MAX));
    let planned = job.part("payload").number("targetChapters").filter(|planned| *planned > 0.0);
    let planned = planned.or_else(|| job.part("summary").number("totalChaptersPlanned"));
    let planned = planned.filter(|planned| *planned > 0.0);
    let share = match at {
        0 => 10.0,
        1 => 25.0,
        2 => 25.0 + planned.map_or(0.0, |planned| (70.0 * done / planned).min(70.0)),
        _ => 100.0,
    };
    html! {
        p {
            (percent(share))
            @if let Some(planned) = planned { ": " (decimal(done)) " of " (decimal(planned)) " chapters completed" }
        }
        div.share { (length(share, 100.0, "")) }
    }
}

/// When each phase began, in the order in which that was recorded.
fn begins(times: Part<'_>) -> Markup {
    let all: Vec<_> = times.elements().collect();
    let (rows, more) = limited(&all);
    html! {
        @if !all.is_empty() {
            div.table tabindex="0" { table {
                caption { "When each phase began" }
                thead { tr { th scope="col" { "Phase" } th scope="col" { "Began" } } }
                tbody { @for (phase, value) in rows { tr {
                    th scope="row" { @if phase.is_empty() { span.none { "without a name" } } @else { (shown(&name(phase))) } }
                    td { (time_element(time_in(*value))) }
                } } }
            } }
            (more)
        }
    }
}
