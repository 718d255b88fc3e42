//! A report without anybody's text: it travels further than the novels may.
//!
//! What stays: ids, paths, counts, sizes, dates, and the words of the two schemas. Everything else
//! that a document holds is shown as its shape. The values of mismatches are shapes from the
//! beginning ([`Texts`](crate::parity::Texts)).

use std::collections::BTreeMap;

use super::RunReport;
use crate::parity::{Cause, JobList, Survey, Verification, shape_of_text};
use crate::pass::{Example, RejectReason, RejectRecord, Tallies};
use crate::profile::{self, Profile};

/// The longest id, in bytes, and the longest name of a field that no schema names.
const ID_BYTES_MAX: usize = 128;
const NAME_BYTES_MAX: usize = 40;
/// What replaces a name that people chose.
const NAME: &str = "*";

/// The names of the target's fields that the legacy documents do not have too.
const TARGET_NAMES: &str = "jobId queue payload requestedAt receivedAt startedAt durationMs \
    context job summary chaptersGenerated totalChaptersPlanned engine clientType modelOverrides \
    chapter events domainEvents failures occurredAt reason stage kind emittedAt event snapshot \
    type from to message level promptTokens completionTokens totalTokens costInUsd tokens \
    wordsGenerated prompt rawResponse totalUsd analysisUsd outlineUsd chaptersUsd total latencyMs \
    storyBibleCharacters storyBibleMetadata storyBibleLocations storyBibleThemes name \
    characterId alertId decisionId decidedAt enhancementId enhancements data resolvedAt \
    legacy mapping era fingerprint residue source enhanced attempts model";

/// Objects whose names people chose, in both schemas.
const MAPS: [&str; 5] =
    ["characters", "locations", "phaseStartTimes", "storyBibleCharacters", "storyBibleLocations"];

/// Objects whose fields no schema describes: their names are shown only if they are names of other
/// fields.
const FREE: [&str; 6] = ["analysis", "data", "details", "impact", "recoveryAttempts", "snapshot"];

/// The forms of an `_id` in Extended JSON that cannot hold a text.
const ID_FORMS: [&str; 6] =
    ["$date", "$numberDecimal", "$numberDouble", "$numberInt", "$numberLong", "$oid"];

/// Takes every text out of a report.
pub(super) fn withhold(report: &mut RunReport) {
    let totals = &mut report.checkpoint.totals;
    withhold_tallies(&mut totals.warnings);
    withhold_tallies(&mut totals.rejects);
    for run in &mut report.runs {
        withhold_tallies(&mut run.checkpoint.totals.warnings);
        withhold_tallies(&mut run.checkpoint.totals.rejects);
    }
    report.profile.iter_mut().for_each(withhold_profile);
    report.survey.iter_mut().for_each(withhold_survey);
    report.parity.iter_mut().for_each(withhold_parity);
    report.rejects.iter_mut().for_each(withhold_reject);
}

/// Takes every text out of a line of `rejects.jsonl`.
pub(super) fn withhold_reject(record: &mut RejectRecord) {
    record.path = path(&record.path);
    record.message = sentence(&record.code, &record.message);
    record.id = match std::mem::take(&mut record.id) {
        serde_json::Value::String(text) => id(&text).into(),
        serde_json::Value::Object(form) if !is_id_form(&form) => "an object".into(),
        id => id,
    };
}

fn withhold_tallies(tallies: &mut Tallies) {
    tallies.values_mut().for_each(|tally| withhold_examples(&mut tally.examples));
}

fn withhold_examples(examples: &mut [Example]) {
    for example in examples {
        example.job = id(&example.job);
        example.path = path(&example.path);
    }
}

fn withhold_profile(profile: &mut Profile) {
    for largest in &mut profile.largest {
        largest.id = id(&largest.id);
    }
    for field in &mut profile.fields {
        field.path = path(&field.path);
        field.values = field.values.take().map(|values| merged(values, shape_of_text));
    }
    for unknown in &mut profile.unknown_fields {
        unknown.path = path(&unknown.path);
    }
    profile.statuses = merged(std::mem::take(&mut profile.statuses), status);
    let mut pairs: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for (stored, phases) in std::mem::take(&mut profile.status_phases) {
        let into = pairs.entry(status(&stored)).or_default();
        for (phase, count) in phases {
            *into.entry(status(&phase)).or_default() += count;
        }
    }
    profile.status_phases = pairs;
    for id_of in &mut profile.in_flight {
        *id_of = id(id_of);
    }
    let forecast = &mut profile.forecast;
    let examples = forecast.warning_examples.values_mut();
    examples.chain(forecast.reject_examples.values_mut()).for_each(|them| withhold_examples(them));
}

/// The counts of values that look the same then are added up.
fn merged(values: BTreeMap<String, u64>, shape: fn(&str) -> String) -> BTreeMap<String, u64> {
    let mut shapes = BTreeMap::new();
    for (value, count) in values {
        *shapes.entry(shape(&value)).or_default() += count;
    }
    shapes
}

fn withhold_survey(survey: &mut Survey) {
    let conflicts = &mut survey.status_conflicts;
    withhold_jobs(&mut conflicts.novels_behind_failed);
    withhold_jobs(&mut conflicts.failures_behind_completed);
    withhold_jobs(&mut survey.in_flight);
}

fn withhold_jobs(list: &mut JobList) {
    for job in &mut list.jobs {
        job.job = id(&job.job);
        job.title = shape_of_text(&job.title);
        job.status = shape_of_text(&job.status);
    }
}

fn withhold_parity(parity: &mut Verification) {
    withhold_survey(&mut parity.survey);
    for mismatch in &mut parity.mismatches {
        mismatch.job = id(&mismatch.job);
        mismatch.path = path(&mismatch.path);
    }
    for group in &mut parity.groups {
        group.path = path(&group.path);
        group.example = id(&group.example);
    }
    for cause in &mut parity.causes {
        if let Cause::OnePlace { path: of_place, .. } = cause {
            *of_place = path(of_place);
        }
    }
}

/// The path of a place in an answer, such as `storyBible.characters.Anna.traits[0]`, with the names
/// that the schemas define.
pub fn withheld_place(place: &str) -> String {
    let parts = place.split('.').map(|segment| {
        let name = segment.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '[' | ']'));
        // Digits at the end of a name belong to it.
        let digits = segment[name.len()..].find('[').unwrap_or(segment.len() - name.len());
        segment.split_at(name.len() + digits)
    });
    let (names, positions): (Vec<&str>, Vec<&str>) = parts.unzip();
    let shown = path(&names.join("."));
    let shown = shown.split('.').zip(positions).map(|(name, at)| format!("{name}{at}"));
    shown.collect::<Vec<_>>().join(".")
}

/// The sentence of a reject: some quote the document, or a server that quotes it.
fn sentence(code: &str, message: &str) -> String {
    match code {
        "malformed-bson" | "malformed-json" | "too-deep" | "missing-id" | "unsupported-id"
        | "duplicate-id" | "target-too-large" => message.to_owned(),
        "unknown-status" if !message.contains('"') => message.to_owned(),
        "unknown-status" => "the status is not known".to_owned(),
        code if RejectReason::is_of_target(code) => match message.split_once(": ") {
            Some((what, _)) => format!("{what}: the server's words are left out"),
            None => message.to_owned(),
        },
        _ => "the details are left out".to_owned(),
    }
}

/// A status or a phase of a profile, or what the profile says in its place.
fn status(text: &str) -> String {
    let placeholder = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
    match placeholder.is_some_and(profile::is_placeholder) {
        true => text.to_owned(),
        false => shape_of_text(text),
    }
}

/// The id of a job, or the shape of a text in its place.
pub fn withheld_id(text: &str) -> String {
    id(text)
}

/// An id as the mapping accepts it; the shape of any other text.
fn id(text: &str) -> String {
    if text.starts_with('{') {
        let form: Result<serde_json::Map<_, _>, _> = serde_json::from_str(text);
        let is_plain = form.is_ok_and(|form| is_id_form(&form));
        return if is_plain { text.to_owned() } else { "an object".to_owned() };
    }
    let is_id = text.len() <= ID_BYTES_MAX && text.trim() == text;
    if is_id { text.to_owned() } else { shape_of_text(text) }
}

fn is_id_form(form: &serde_json::Map<String, serde_json::Value>) -> bool {
    form.keys().all(|name| ID_FORMS.contains(&name.as_str()))
}

/// A path with the names that the schemas define. The keys of a map are names of characters or
/// places. A field that no schema names shows its name if that looks like one, but not the names
/// inside of it.
fn path(path: &str) -> String {
    let mut shown: Vec<&str> = Vec::new();
    let (mut above, mut is_known) = ("", true);
    for segment in path.split('.') {
        let name = segment.trim_end_matches("[]");
        let is_place =
            name == NAME || name == "<other>" || name.bytes().all(|b| b.is_ascii_digit());
        let is_named = profile::is_name(name) || TARGET_NAMES.split(' ').any(|it| it == name);
        let is_key = MAPS.contains(&above) && !is_place;
        if is_key || !(is_place || is_named) {
            let is_shown = is_known && !is_key && !FREE.contains(&above) && is_identifier(name);
            is_known = false;
            shown.push(if is_shown { segment } else { NAME });
        } else {
            shown.push(segment);
        }
        if !name.bytes().all(|byte| byte.is_ascii_digit()) {
            above = name;
        }
    }
    shown.join(".")
}

fn is_identifier(name: &str) -> bool {
    name.len() <= NAME_BYTES_MAX
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_keep_the_names_of_the_schemas_alone() {
        for kept in [
            "",
            "status",
            "chapters.12.title",
            "chapters[].content",
            "metadata.storyBible.characters.*.traits[]",
            "analysisNotes",
            "payload.premise",
            "<other>",
        ] {
            assert_eq!(path(kept), kept);
        }
        for (given, expected) in [
            (
                "metadata.storyBible.characters.Anna.traits.0",
                "metadata.storyBible.characters.*.traits.0",
            ),
            ("metadata.storyBible.locations.title", "metadata.storyBible.locations.*"),
            (
                "metadata.storyBible.characters.Mr. Ox.traits",
                "metadata.storyBible.characters.*.*.traits",
            ),
            ("storyBibleCharacters.anna.summary", "storyBibleCharacters.*.summary"),
            ("notes.Anna.secret", "notes.*.*"),
            ("chapters.0.notes.Anna", "chapters.0.notes.*"),
            ("analysis.Anna", "analysis.*"),
            ("She loved him", "*"),
        ] {
            assert_eq!(path(given), expected);
        }
    }

    #[test]
    fn places_of_answers_keep_their_positions() {
        for (given, expected) in [
            ("chapters[0].title", "chapters[0].title"),
            ("items[12].payload.title", "items[12].payload.title"),
            ("storyBible.characters.Anna.traits[0]", "storyBible.characters.*.traits[0]"),
            ("storyBible.characters.Anna 2[1].summary", "storyBible.characters.*[1].summary"),
            ("storyBible.characters.12ä.summary", "storyBible.characters.*.summary"),
            ("novel_jobs.chapters[2].title", "novel_jobs.chapters[2].title"),
            ("", ""),
        ] {
            assert_eq!(withheld_place(given), expected);
        }
    }

    #[test]
    fn ids_stay_and_texts_in_their_place_do_not() {
        assert_eq!(id("687f22696249a18dd8533d4a"), "687f22696249a18dd8533d4a");
        assert_eq!(id("{\"$numberInt\":\"5\"}"), "{\"$numberInt\":\"5\"}");
        assert_eq!(id("{\"title\":\"Secret\"}"), "an object");
        assert_eq!(id("{\"$symbol\":\"Secret\"}"), "an object");
        assert_eq!(id(&"x".repeat(129)), "text of 129 characters");
    }

    #[test]
    fn sentences_of_servers_and_documents_are_left_out() {
        let refused = "novel_jobs: Document failed validation: { title: \"Secret\" }";
        let shown = sentence("target-refused", refused);
        assert_eq!(shown, "novel_jobs: the server's words are left out");
        let shown = sentence("unknown-status", "the status \"Secret\" is not known");
        assert_eq!(shown, "the status is not known");
        assert!(!sentence("of-tomorrow", "Secret").contains("Secret"));
    }

    #[test]
    fn placeholders_of_a_profile_stay() {
        assert_eq!(status("<missing>"), "<missing>");
        assert_eq!(status("<int>"), "<int>");
        assert_eq!(status("<secret>"), "text of 8 characters");
        assert_eq!(status("writing"), "writing");
    }
}
