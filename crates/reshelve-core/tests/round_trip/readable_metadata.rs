//! What the readers of the new stack accept as metadata.

use std::collections::HashSet;

use reshelve_core::raw::{Document, Value};

use crate::readable::{
    boolean, dates, documents, ensure, nested, number, optional, plain_values, string, strings,
    text, time, within,
};

type Check = Result<(), String>;

/// Parts that keep what they hold.
const COPIED: [&str; 2] = ["storyBibleMetadata", "alternatives"];

pub(crate) fn check(metadata: Document<'_>, job_id: &str) -> Check {
    dates(metadata)?;
    ensure(text(metadata, "jobId")? == job_id, "another jobId")?;
    within("characters", check_characters(nested(metadata, "storyBibleCharacters")?))?;
    optional(metadata, "storyBibleLocations", |metadata, name| {
        check_keys(nested(metadata, name)?)?;
        nested(metadata, name)?
            .values()
            .try_for_each(|place| ensure(place.document().is_some(), "a location is no document"))
    })?;
    strings(metadata, "storyBibleThemes")?;
    check_themes(metadata)?;
    optional(metadata, "storyBibleMetadata", |metadata, name| {
        let story = nested(metadata, name)?;
        ensure(!story.is_empty(), "storyBibleMetadata is empty")?;
        story.elements().try_for_each(|part| documents(story, &part.name_text()).map(|_| ()))
    })?;
    within("alerts", check_alerts(metadata))?;
    within("decisions", check_decisions(metadata))?;
    within("enhancements", check_enhancements(metadata))?;
    within("performance", optional(metadata, "performance", check_performance))?;
    check_legacy(nested(metadata, "legacy")?)?;
    plain_values(metadata, &COPIED, true)
}

/// Keys that a database and a page can work with, each once.
fn check_keys(map: Document<'_>) -> Check {
    let mut seen = HashSet::new();
    for element in map.elements() {
        let key = element.name_text().into_owned();
        ensure(!key.is_empty() && !key.contains('.') && !key.starts_with('$'), "an odd key")?;
        ensure(seen.insert(key.clone()), format!("the key {key} repeats"))?;
    }
    Ok(())
}

fn check_characters(characters: Document<'_>) -> Check {
    check_keys(characters)?;
    let keys: HashSet<_> =
        characters.elements().map(|entry| entry.name_text().into_owned()).collect();
    for entry in characters.elements() {
        // A null character breaks the page of the story bible.
        let character = entry.value.document().ok_or("a character is no document")?;
        text(character, "name")?;
        optional(character, "summary", string)?;
        strings(character, "traits")?;
        for relationship in documents(character, "relationships")? {
            let id = text(relationship, "characterId")?;
            ensure(id == "unknown" || keys.contains(id), format!("nobody is called {id}"))?;
            text(relationship, "description")?;
        }
        optional(character, "metadata", |character, name| {
            let metadata = nested(character, name)?;
            ensure(!metadata.is_empty(), "metadata is empty")?;
            optional(metadata, "firstAppearance", number)?;
            optional(metadata, "lastSeen", number)
        })?;
    }
    Ok(())
}

fn check_themes(metadata: Document<'_>) -> Check {
    let themes = metadata.get("storyBibleThemes").and_then(Value::array).ok_or("no themes")?;
    let mut seen = HashSet::new();
    themes.values().try_for_each(|theme| {
        let theme = theme.text().ok_or("a theme is empty")?;
        ensure(seen.insert(theme), "a theme repeats")
    })
}

/// Newest first, and every id once.
fn check_list<'a>(list: &[Document<'a>], id: &str, at: &str) -> Check {
    let mut seen = HashSet::new();
    let mut newest: Option<&'a str> = None;
    for entry in list {
        let id = text(*entry, id)?;
        ensure(seen.insert(id), format!("the id {id} repeats"))?;
        let time = time(*entry, at)?;
        ensure(newest.is_none_or(|newest| newest >= time), "not the newest first")?;
        newest = Some(time);
    }
    Ok(())
}

fn check_alerts(metadata: Document<'_>) -> Check {
    let alerts = documents(metadata, "continuityAlerts")?;
    check_list(&alerts, "alertId", "createdAt")?;
    for alert in alerts {
        text(alert, "title")?;
        text(alert, "message")?;
        let severity = string(alert, "severity")?;
        ensure(["info", "warning", "critical"].contains(&severity), "an unknown severity")?;
        boolean(alert, "resolved")?;
        optional(alert, "context", nested)?;
    }
    Ok(())
}

fn check_decisions(metadata: Document<'_>) -> Check {
    let decisions = documents(metadata, "aiDecisions")?;
    check_list(&decisions, "decisionId", "decidedAt")?;
    for decision in decisions {
        text(decision, "type")?;
        optional(decision, "summary", string)?;
        optional(decision, "confidence", number)?;
        optional(decision, "impact", string)?;
        optional(decision, "metadata", |decision, name| {
            let metadata = nested(decision, name)?;
            optional(metadata, "reasoning", string)?;
            optional(metadata, "alternatives", documents)
        })?;
    }
    Ok(())
}

fn check_enhancements(metadata: Document<'_>) -> Check {
    let enhancements = documents(metadata, "enhancements")?;
    check_list(&enhancements, "enhancementId", "createdAt")?;
    enhancements.into_iter().try_for_each(|enhancement| optional(enhancement, "data", nested))
}

fn check_performance(metadata: Document<'_>, name: &str) -> Check {
    let performance = nested(metadata, name)?;
    ensure(!performance.is_empty(), "it is empty")?;
    optional(performance, "lastHealthCheck", time)?;
    optional(performance, "phaseStartTimes", |performance, name| {
        let phases = nested(performance, name)?;
        phases.elements().try_for_each(|phase| time(phases, &phase.name_text()).map(|_| ()))
    })
}

fn check_legacy(legacy: Document<'_>) -> Check {
    ensure(string(legacy, "mapping")? == "v1", "another version of the mapping")?;
    let era = number(legacy, "era")?;
    ensure([1.0, 2.0, 4.0, 5.0].contains(&era), format!("era {era}"))?;
    let binary = |name| legacy.get(name).and_then(Value::binary);
    ensure(binary("fingerprint").is_some_and(|bytes| bytes.len() == 32), "fingerprint")?;
    ensure(binary("residue").is_some_and(|bytes| !bytes.is_empty()), "residue")
}
