//! Whether target documents are what the readers of the new stack accept.
//!
//! The rules are written from the description of the readers, not from the mapping: a mistake
//! there must not be repeated here.

use std::collections::HashSet;

use reshelve_core::mapping::TargetDocuments;
use reshelve_core::raw::{self, DATE_MAX, DATE_MIN, Document, Value, iso, kind};

type Check = Result<(), String>;

/// Checks all target documents of one legacy document.
pub(crate) fn check(target: &TargetDocuments) -> Check {
    let job = whole(target.jobs.bytes())?;
    let job_id = text(job, "jobId")?;
    within("job", check_job(job))?;
    within("metrics", check_metrics(whole(target.metrics.bytes())?, job_id))?;
    within("metadata", super::readable_metadata::check(whole(target.metadata.bytes())?, job_id))?;
    check_events(target.events.bytes(), job_id)
}

pub(crate) fn within(place: &str, check: Check) -> Check {
    check.map_err(|error| format!("{place}: {error}"))
}

fn whole(bytes: &[u8]) -> Result<Document<'_>, String> {
    raw::check(bytes).map_err(|error| error.to_string())?;
    Ok(Document::new(bytes))
}

pub(crate) fn ensure(holds: bool, rule: impl Into<String>) -> Check {
    if holds { Ok(()) } else { Err(rule.into()) }
}

fn required<'a>(document: Document<'a>, name: &str) -> Result<Value<'a>, String> {
    document.get(name).ok_or_else(|| format!("{name} is missing"))
}

pub(crate) fn string<'a>(document: Document<'a>, name: &str) -> Result<&'a str, String> {
    let text = required(document, name)?.string().ok_or(format!("{name} is no string"))?;
    std::str::from_utf8(text).map_err(|_| format!("{name} is not UTF-8"))
}

/// A required string may not be empty.
pub(crate) fn text<'a>(document: Document<'a>, name: &str) -> Result<&'a str, String> {
    string(document, name)
        .and_then(|text| ensure(!text.is_empty(), format!("{name} is empty")).map(|()| text))
}

pub(crate) fn number(document: Document<'_>, name: &str) -> Result<f64, String> {
    required(document, name)?.numeric().ok_or(format!("{name} is no number"))
}

pub(crate) fn boolean(document: Document<'_>, name: &str) -> Check {
    ensure(required(document, name)?.boolean().is_some(), format!("{name} is no boolean"))
}

pub(crate) fn nested<'a>(document: Document<'a>, name: &str) -> Result<Document<'a>, String> {
    required(document, name)?.document().ok_or(format!("{name} is no document"))
}

/// The documents of a required array that holds nothing else.
pub(crate) fn documents<'a>(
    document: Document<'a>,
    name: &str,
) -> Result<Vec<Document<'a>>, String> {
    let array = required(document, name)?.array().ok_or(format!("{name} is no array"))?;
    for (at, element) in array.elements().enumerate() {
        ensure(element.name == at.to_string().as_bytes(), format!("{name} has an odd key"))?;
    }
    array
        .values()
        .map(|value| value.document().ok_or(format!("{name} holds a stray value")))
        .collect()
}

pub(crate) fn strings(document: Document<'_>, name: &str) -> Check {
    let array = required(document, name)?.array().ok_or(format!("{name} is no array"))?;
    ensure(array.values().all(|value| value.string().is_some()), format!("{name}: a stray value"))
}

/// A time that string comparison can sort: fixed width, and a time that exists.
pub(crate) fn time<'a>(document: Document<'a>, name: &str) -> Result<&'a str, String> {
    let text = string(document, name)?;
    let pattern = b"0000-00-00T00:00:00.000Z";
    let fits = text.len() == pattern.len()
        && text.bytes().zip(pattern).all(|(byte, like)| match like {
            b'0' => byte.is_ascii_digit(),
            other => byte == *other,
        });
    ensure(fits, format!("{name} is no time: {text}")).map(|()| text)
}

/// Where the field is there, it passes.
pub(crate) fn optional<'a, T>(
    document: Document<'a>,
    name: &str,
    check: impl Fn(Document<'a>, &str) -> Result<T, String>,
) -> Check {
    if document.get(name).is_some() { check(document, name).map(|_| ()) } else { Ok(()) }
}

/// `createdAt` and `updatedAt`, the only dates of the target.
pub(crate) fn dates(document: Document<'_>) -> Check {
    for name in ["createdAt", "updatedAt"] {
        let date = required(document, name)?.date_ms().ok_or(format!("{name} is no date"))?;
        ensure((DATE_MIN..=DATE_MAX).contains(&date), format!("{name} is out of range"))?;
    }
    ensure(required(document, "_id")?.object_id().is_some(), "_id is no ObjectId")?;
    ensure(document.get("__v").is_none(), "there is a __v")
}

/// Numbers as a JavaScript driver writes them, no date below the top, and nothing that a
/// JavaScript reader may fail on; `copied` names the fields that keep what they hold.
pub(crate) fn plain_values(document: Document<'_>, copied: &[&str], top: bool) -> Check {
    for element in document.elements() {
        let name = element.name_text();
        if copied.contains(&name.as_ref()) {
            within(&name, javascript_reads(element.value))?;
            continue;
        }
        let value = element.value;
        let canonical = match value.kind {
            kind::INT64 => false,
            kind::DOUBLE => value.double().is_some_and(|number| {
                let small = number.fract() == 0.0 && number.abs() <= 2_147_483_647.0;
                let minus_zero = number == 0.0 && number.is_sign_negative();
                number.is_finite() && (!small || minus_zero)
            }),
            kind::DATE => top && (name == "createdAt" || name == "updatedAt"),
            kind::BINARY => name == "fingerprint" || name == "residue",
            kind::OBJECT_ID => top && name == "_id",
            kind::STRING | kind::BOOLEAN | kind::NULL | kind::INT32 => true,
            kind::DOCUMENT | kind::ARRAY => {
                within(&name, plain_values(Document::new(value.bytes), copied, false))?;
                true
            }
            _ => false,
        };
        ensure(canonical, format!("{name} has type {:#04x}: {:?}", value.kind, value.bytes))?;
    }
    Ok(())
}

/// No type and no name that a JavaScript reader may fail on.
fn javascript_reads(value: Value<'_>) -> Check {
    let refused = [kind::REGEX, kind::CODE, kind::CODE_WITH_SCOPE, kind::SYMBOL, kind::DB_POINTER];
    ensure(!refused.contains(&value.kind), format!("holds type {:#04x}", value.kind))?;
    if let (kind::BINARY, [_, _, _, _, 2, content @ ..]) = (value.kind, value.bytes) {
        let rest = u32::try_from(content.len()).unwrap().wrapping_sub(4);
        ensure(content.starts_with(&rest.to_le_bytes()), "an old binary of another length")?;
    }
    let is_document = value.kind == kind::DOCUMENT;
    if !is_document && value.kind != kind::ARRAY {
        return Ok(());
    }
    Document::new(value.bytes).elements().try_for_each(|element| {
        ensure(!is_document || !element.name.starts_with(b"$"), "a name starts with $")?;
        javascript_reads(element.value)
    })
}

const COPIED: [&str; 7] = [
    "analysis",
    "modelUsage",
    "qualityMetrics",
    "humanLikeElements",
    "characterFocus",
    "plotAdvancement",
    "genreElements",
];

fn check_job(job: Document<'_>) -> Check {
    dates(job)?;
    ensure(string(job, "queue")? == "novel-generation", "another queue")?;
    let status = string(job, "status")?;
    ensure(["queued", "running", "completed", "failed"].contains(&status), "an unknown status")?;
    within("payload", check_payload(nested(job, "payload")?))?;
    time(job, "requestedAt")?;
    time(job, "receivedAt")?;
    ensure(job.get("startedAt").is_some() == (status != "queued"), "startedAt does not fit")?;
    let ended = status == "completed" || status == "failed";
    ensure(job.get("completedAt").is_some() == ended, "completedAt does not fit")?;
    optional(job, "startedAt", time)?;
    optional(job, "completedAt", time)?;
    optional(job, "durationMs", |job, name| {
        number(job, name).and_then(|ms| ensure(ms >= 0.0, "durationMs below 0"))
    })?;
    let analysis = required(job, "analysis")?;
    ensure(analysis.document().is_some() || analysis.kind == kind::NULL, "analysis")?;
    for entry in documents(job, "outline")? {
        within("outline", check_outline(entry))?;
    }
    for chapter in documents(job, "chapters")? {
        within("chapters", check_chapter(chapter))?;
    }
    check_context(nested(job, "context")?)?;
    for name in ["chaptersGenerated", "totalChaptersPlanned", "totalWordCount"] {
        number(nested(job, "summary")?, name)?;
    }
    check_engine(nested(job, "engine")?)?;
    for name in ["events", "domainEvents"] {
        let events = documents(job, name)?;
        ensure(events.len() <= 50, format!("{name}: more than 50"))?;
        for event in events {
            text(event, "type")?;
            time(event, "occurredAt")?;
        }
    }
    for failure in documents(job, "failures")? {
        time(failure, "occurredAt")?;
        text(failure, "reason")?;
        optional(failure, "stage", text)?;
        nested(failure, "metadata")?;
    }
    plain_values(job, &COPIED, true)
}

fn check_payload(payload: Document<'_>) -> Check {
    for name in ["title", "premise", "genre", "subgenre"] {
        string(payload, name)?;
    }
    number(payload, "targetWordCount")?;
    number(payload, "targetChapters")?;
    boolean(payload, "humanLikeWriting")
}

fn check_outline(entry: Document<'_>) -> Check {
    number(entry, "chapterNumber")?;
    string(entry, "title")?;
    string(entry, "summary")?;
    strings(entry, "keyEvents")?;
    optional(entry, "wordTarget", number)?;
    optional(entry, "humanLikeElements", nested)
}

fn check_chapter(chapter: Document<'_>) -> Check {
    number(chapter, "chapterNumber")?;
    string(chapter, "title")?;
    let status = string(chapter, "status")?;
    let known = ["pending", "in-progress", "completed", "failed"];
    ensure(known.contains(&status), "an unknown status")?;
    let words = required(chapter, "wordCount")?;
    ensure(words.numeric().is_some() || words.kind == kind::NULL, "wordCount")?;
    optional(chapter, "content", string)?;
    optional(chapter, "model", text)?;
    optional(chapter, "costInUsd", number)?;
    if chapter.get("tokens").is_some() {
        for name in ["promptTokens", "completionTokens", "totalTokens"] {
            number(nested(chapter, "tokens")?, name)?;
        }
    }
    // A number of attempts here breaks the whole job list of the new application.
    ensure(documents(chapter, "attempts")?.is_empty(), "attempts that were never stored")
}

fn check_context(context: Document<'_>) -> Check {
    let job = nested(context, "job")?;
    text(job, "jobId")?;
    check_payload(job)?;
    let times = nested(job, "metadata")?;
    time(times, "requestedAt")?;
    time(times, "receivedAt")?;
    for chapter in documents(context, "chapters")? {
        check_chapter(chapter)?;
        ensure(chapter.get("content").is_none(), "content is stored twice")?;
    }
    ensure(string(nested(context, "metadata")?, "source")? == "legacy-backfill", "source")
}

fn check_engine(engine: Document<'_>) -> Check {
    ensure(["openai", "mock"].contains(&string(engine, "clientType")?), "clientType")?;
    let Some(overrides) = engine.get("modelOverrides") else { return Ok(()) };
    let overrides = overrides.document().ok_or("modelOverrides is no document")?;
    ensure(!overrides.is_empty(), "modelOverrides is empty")?;
    overrides.elements().try_for_each(|found| text(overrides, &found.name_text()).map(|_| ()))
}

fn check_metrics(metrics: Document<'_>, job_id: &str) -> Check {
    dates(metrics)?;
    ensure(text(metrics, "jobId")? == job_id, "another jobId")?;
    let groups = [
        ("cost", vec!["totalUsd", "analysisUsd", "outlineUsd", "chaptersUsd", "recomputedUsd"]),
        ("tokens", vec!["total", "analysis", "outline", "chapters", "recomputed"]),
        ("latencyMs", vec!["analysis", "outline", "chapters", "total"]),
    ];
    for (group, names) in groups {
        for name in names {
            let found = number(nested(metrics, group)?, name)?;
            ensure(found.is_finite() && found >= 0.0, format!("{group}.{name} is {found}"))?;
        }
    }
    plain_values(metrics, &[], true)
}

fn check_events(mut bytes: &[u8], job_id: &str) -> Check {
    let (mut ids, mut last) = (HashSet::new(), String::new());
    while let Some(prefix) = bytes.first_chunk::<4>() {
        let length = usize::try_from(u32::from_le_bytes(*prefix)).unwrap();
        let (event, rest) = bytes.split_at_checked(length).ok_or("events end early")?;
        bytes = rest;
        let event = whole(event)?;
        within("event", check_event(event, job_id))?;
        ensure(ids.insert(event.get("_id").and_then(Value::object_id)), "an event _id repeats")?;
        let emitted = time(event, "emittedAt")?;
        ensure(emitted > last.as_str(), format!("emittedAt {emitted} does not follow {last}"))?;
        last = emitted.to_owned();
    }
    ensure(bytes.is_empty() && !ids.is_empty(), "events end early, or there are none")
}

fn check_event(event: Document<'_>, job_id: &str) -> Check {
    dates(event)?;
    ensure(text(event, "jobId")? == job_id, "another jobId")?;
    let emitted = time(event, "emittedAt")?;
    for name in ["createdAt", "updatedAt"] {
        let date = event.get(name).and_then(Value::date_ms).unwrap_or_default();
        ensure(iso(date).as_str() == emitted, format!("{name} is not emittedAt"))?;
    }
    let body = match string(event, "kind")? {
        "job-status" => {
            let status = string(event, "status")?;
            let known = ["queued", "running", "completed", "failed"];
            ensure(known.contains(&status), "an unknown status")?;
            ensure(event.get("event").is_none(), "an event beside a status")?;
            nested(event, "snapshot")?
        }
        "generation" | "domain" => {
            let body = nested(event, "event")?;
            text(body, "type")?;
            ensure(time(body, "occurredAt")? == emitted, "occurredAt is not emittedAt")?;
            ensure(event.get("snapshot").is_none(), "a snapshot beside an event")?;
            body
        }
        other => return Err(format!("an unknown kind {other}")),
    };
    let synthetic = body.elements().last().filter(|last| last.name == b"synthetic");
    ensure(synthetic.is_some_and(|last| last.value.boolean() == Some(true)), "not synthetic")?;
    plain_values(event, &[], true)
}
