//! What the legacy application noted while it wrote a novel: alerts, decisions, enhancements; and
//! what is on record of the job itself.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::quality::percent;
use super::{Novel, Section, fact, facts, limited, nothing};
use crate::ui::read::{Part, text};
use crate::ui::words::{decimal, dollars, duration, name, plain, shown, shown_or, time_element};

/// How many types of notes are told apart, at most.
const TYPES_MAX: usize = 50;
const SEVERITIES: [&str; 3] = ["critical", "warning", "info"];

pub(super) fn alerts(novel: &Novel) -> Section {
    let all = novel.metadata().parts("continuityAlerts");
    let of = |severity: &str| -> Vec<Part<'_>> {
        let is_other = |it: &str| !SEVERITIES.contains(&it);
        let is_of = |alert: &&Part<'_>| match alert.text("severity") {
            it if it == severity => true,
            it => severity == "info" && is_other(&it),
        };
        all.iter().filter(is_of).copied().collect()
    };
    let content = html! {
        @if all.is_empty() { (nothing("There are no continuity alerts.")) }
        @for severity in SEVERITIES {
            @let alerts = of(severity);
            @if !alerts.is_empty() {
                @let (rows, more) = limited(&alerts);
                h3 { (name(severity)) " (" (alerts.len()) ")" }
                @for one in rows { (alert(*one, severity)) }
                (more)
            }
        }
    };
    Section { anchor: "alerts", name: "Alerts", count: Some(all.len()), content }
}

fn alert(alert: Part<'_>, severity: &str) -> Markup {
    let context = alert.part("context");
    let is_resolved = alert.get("resolved").and_then(|it| it.boolean()) == Some(true);
    html! {
        div class={ "card " (severity) } {
            p { (shown_or(&alert.text("message"), "Without a message")) @if is_resolved { " " span.badge.good { "resolved" } } }
            (facts(&[
                ("Chapter", fact(&context.text("chapter"))),
                ("Character", fact(&context.text("character"))),
                ("Plot thread", fact(&context.text("plotThread"))),
                ("Details", fact(&context.text("details"))),
                ("Suggestion", fact(&context.text("suggestion"))),
                ("Noted", time_element(alert.time_ms("createdAt"))),
            ]))
        }
    }
}

pub(super) fn decisions(novel: &Novel) -> Section {
    let all = novel.metadata().parts("aiDecisions");
    let (rows, more) = limited(&all);
    let content = html! {
        @if all.is_empty() { (nothing("No decision is recorded.")) }
        (by_type(all.iter().map(|decision| decision.text("type"))))
        @for one in rows { (decision(*one)) }
        (more)
    };
    Section { anchor: "decisions", name: "Decisions", count: Some(all.len()), content }
}

/// How many notes there are of each type.
fn by_type(types: impl Iterator<Item = String>) -> Markup {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for of in types {
        *counts.entry(name(&of)).or_default() += 1;
    }
    let (rows, more) = (counts.iter().take(TYPES_MAX), counts.len().saturating_sub(TYPES_MAX));
    html! {
        @if !counts.is_empty() {
            p.badges {
                @for (of, count) in rows {
                    span.badge { @if of.is_empty() { "Without a type" } @else { (shown(of)) } " " (count) }
                }
                @if more > 0 { span.soft { "and " (more) " more types" } }
            }
        }
    }
}

fn decision(decision: Part<'_>) -> Markup {
    let about = decision.part("metadata");
    let confidence = decision.number("confidence").map(|share| percent(share * 100.0));
    let alternatives: Vec<_> = about.values("alternatives").collect();
    html! {
        div.card {
            h3 { (name(&decision.text("type"))) }
            p { (shown_or(&decision.text("summary"), "Without a summary")) }
            @if !alternatives.is_empty() {
                p.soft { "Alternatives" }
                ul { @for value in &alternatives { li {
                    @let part = Part::from(*value);
                    @if part.text("option").is_empty() { (shown(&text(*value))) } @else {
                        (shown(&part.text("option")))
                        @if !part.text("reason").is_empty() { ": " (shown(&part.text("reason"))) }
                    }
                } } }
            }
            (facts(&[
                ("Reasoning", fact(&about.text("reasoning"))),
                ("Impact", fact(&decision.text("impact"))),
                ("Confidence", fact(&confidence.unwrap_or_default())),
                ("Decided", time_element(decision.time_ms("decidedAt"))),
            ]))
        }
    }
}

pub(super) fn enhancements(novel: &Novel) -> Section {
    let all = novel.metadata().parts("enhancements");
    let (rows, more) = limited(&all);
    let content = html! {
        @if all.is_empty() { (nothing("No enhancement is recorded.")) }
        (by_type(all.iter().map(|one| one.part("data").text("type"))))
        @for one in rows {
            @let data = one.part("data");
            div.card {
                h3 { (shown_or(&data.text("name"), "Without a name")) " " @if !data.text("type").is_empty() { span.badge { (name(&data.text("type"))) } } }
                p { (fact(&data.text("description"))) }
                (facts(&[("Details", fact(&data.text("details"))), ("Applied", time_element(one.time_ms("createdAt")))]))
            }
        }
        (more)
    };
    Section { anchor: "enhancements", name: "Enhancements", count: Some(all.len()), content }
}

/// What is on record of the job itself.
pub(super) fn record(novel: &Novel) -> Section {
    let (job, metadata) = (novel.job(), novel.metadata());
    let (payload, progress) = (job.part("payload"), job.part("progress"));
    let context = job.at(&["context", "metadata"]);
    let performance = metadata.part("performance");
    let time = |part: Part<'_>, name| {
        part.time_ms(name).map(|ms| time_element(Some(ms))).unwrap_or_default()
    };
    let number = |part: Part<'_>, name| part.number(name).map(decimal).unwrap_or_default();
    let failed: Vec<String> = progress.texts("failedChapterNumbers");
    let content = facts(&[
        ("Job id", html! { code { (plain(&novel.id())) } }),
        ("Words planned", fact(&number(payload, "targetWordCount"))),
        ("Chapters planned", fact(&number(payload, "targetChapters"))),
        ("Human-like writing", fact(&payload.text("humanLikeWriting"))),
        ("Legacy status", fact(&context.text("legacyStatus"))),
        ("Legacy phase", fact(&context.text("legacyPhase"))),
        ("Requested", time(job, "requestedAt")),
        ("Started", time(job, "startedAt")),
        ("Completed", time(job, "completedAt")),
        ("Last changed", time(job, "updatedAt")),
        ("Last activity", time(progress, "lastActivity")),
        ("Estimated completion", time(progress, "estimatedCompletion")),
        ("Failed chapters", fact(&failed.join(", "))),
        ("Current step", fact(&performance.text("currentStep"))),
        (
            "Estimated remaining cost",
            fact(&performance.number("estimatedRemainingUsd").map(dollars).unwrap_or_default()),
        ),
        (
            "Estimated remaining time",
            fact(&performance.number("estimatedTimeRemaining").map(duration).unwrap_or_default()),
        ),
        ("Requests", fact(&number(performance, "totalRequests"))),
        ("Errors", fact(&number(performance, "errorCount"))),
        (
            "Average response",
            fact(&performance.number("averageResponseTime").map(duration).unwrap_or_default()),
        ),
        ("Last health check", time(performance, "lastHealthCheck")),
        ("Era", fact(&number(metadata.part("legacy"), "era"))),
        ("Mapping", fact(&metadata.part("legacy").text("mapping"))),
    ]);
    Section { anchor: "record", name: "Record", count: None, content }
}
