//! The metadata of a job: story bible, alerts, decisions, enhancements, performance.

use reshelve_core::raw::{Document, Value, kind};

use super::javascript::{Field, fields, is_nullish, text, truthy};
use super::job_parts::push_letters;
use super::json::{close, push_field, push_field_or_null, push_name};
use super::{Cause, Unpresentable, date, metrics, spread, text as texts};

/// Appends the answer for the metadata document of a job, or for none.
pub(super) fn push(
    out: &mut Vec<u8>,
    job_id: &str,
    metadata: Option<&[u8]>,
    now_ms: i64,
) -> Result<(), Unpresentable> {
    let document = metadata.map_or(Document::EMPTY, Document::new);
    let [characters, bible, locations, themes] = fields(
        document,
        ["storyBibleCharacters", "storyBibleMetadata", "storyBibleLocations", "storyBibleThemes"],
    );
    let [alerts, decisions, enhancements, performance, updated_at] = fields(
        document,
        ["continuityAlerts", "aiDecisions", "enhancements", "performance", "updatedAt"],
    );
    out.extend_from_slice(b"{\"jobId\":");
    texts::push_string(out, job_id.as_bytes());
    out.extend_from_slice(b",\"storyBible\":{");
    if is_null_in_json(characters) {
        out.extend_from_slice(b"\"characters\":{},");
    }
    push_field(out, "characters", characters.filter(|_| !is_null_in_json(characters)))?;
    push_field_or_null(out, "metadata", truthy(bible))?;
    push_field_or_null(out, "locations", truthy(locations))?;
    push_themes(out, themes)?;
    close(out, b'}');
    out.push(b',');
    push_records(out, "continuityAlerts", alerts, "context")?;
    push_records(out, "aiDecisions", decisions, "metadata")?;
    push_enhancements(out, enhancements)?;
    push_field_or_null(out, "performance", truthy(performance))?;
    match metadata {
        Some(_) => metrics::push_updated_at(out, updated_at, now_ms)?,
        None => out.extend_from_slice(b"\"updatedAt\":null"),
    }
    out.push(b'}');
    Ok(())
}

/// Whether `JSON.stringify` writes null, so that the application takes its default.
fn is_null_in_json(field: Field<'_>) -> bool {
    let Some(value) = field.filter(|_| !is_nullish(field)) else { return true };
    match value.kind {
        kind::DOUBLE => value.double().is_some_and(|number| !number.is_finite()),
        kind::DATE => value.date_ms().and_then(date::valid).is_none(),
        _ => false,
    }
}

/// The themes are copied element by element: a string gives its letters.
fn push_themes(out: &mut Vec<u8>, themes: Field<'_>) -> Result<(), Unpresentable> {
    let Some(value) = truthy(themes) else {
        out.extend_from_slice(b"\"themes\":[],");
        return Ok(());
    };
    if let Some(letters) = text(value) {
        push_name(out, b"themes");
        push_letters(out, letters);
        out.push(b',');
        return Ok(());
    }
    if value.array().is_none() {
        return Err(Unpresentable::new("storyBibleThemes", Cause::NotIterable));
    }
    push_field(out, "themes", themes)
}

/// Appends an array of alerts or decisions and a comma: every stored field of each, but `optional`
/// only where it counts as true.
fn push_records(
    out: &mut Vec<u8>,
    name: &'static str,
    records: Field<'_>,
    optional: &str,
) -> Result<(), Unpresentable> {
    push_name(out, name.as_bytes());
    out.push(b'[');
    let array = if is_nullish(records) {
        Document::EMPTY
    } else {
        let array = records.and_then(Value::array);
        array.ok_or_else(|| Unpresentable::new(name, Cause::NotAnArray))?
    };
    for (at, record) in array.values().enumerate() {
        spread::push(out, record, optional)
            .map_err(|cause| Unpresentable::new(format!("{name}.{at}"), cause))?;
        out.push(b',');
    }
    close(out, b']');
    out.push(b',');
    Ok(())
}

/// Appends the enhancements and a comma: each passes through JSON by itself.
fn push_enhancements(out: &mut Vec<u8>, enhancements: Field<'_>) -> Result<(), Unpresentable> {
    const NAME: &str = "enhancements";
    let Some(value) = truthy(enhancements) else {
        out.extend_from_slice(b"\"enhancements\":[],");
        return Ok(());
    };
    let array = value.array().ok_or_else(|| Unpresentable::new(NAME, Cause::NotAnArray))?;
    if let Some(at) = array.values().position(|value| value.kind == kind::UNDEFINED) {
        return Err(Unpresentable::new(format!("{NAME}.{at}"), Cause::Null));
    }
    push_field(out, NAME, enhancements)
}
