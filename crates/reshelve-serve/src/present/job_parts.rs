//! The parts of a job that are composed anew: outline, chapters, failures.

use reshelve_core::raw::{Document, Value, kind};

use super::javascript::{
    Field, Items, fields, fields_of, is_nullish, number as as_number, text, truthy,
};
use super::json::{close, push_field, push_field_or_null, push_name, push_value};
use super::{Unpresentable, cast, date, number, text as texts};

/// Appends a field that is declared as a date and a comma; where it is absent or unreadable, the
/// time of the request.
pub(super) fn push_date(out: &mut Vec<u8>, name: &'static str, field: Field<'_>, now_ms: i64) {
    push_name(out, name.as_bytes());
    out.push(b'"');
    date::push_iso(out, cast::date_ms(field).unwrap_or(now_ms));
    out.extend_from_slice(b"\",");
}

/// Appends an array whose elements are composed, and a comma.
pub(super) fn push_each<'a>(
    out: &mut Vec<u8>,
    name: &'static str,
    items: &Items<'a>,
    push: impl Fn(&mut Vec<u8>, Value<'a>) -> Result<(), Unpresentable>,
) -> Result<(), Unpresentable> {
    push_name(out, name.as_bytes());
    out.push(b'[');
    for (at, value) in items.values().enumerate() {
        out.push(b'{');
        push(out, value).map_err(|error| error.within(&format!("{name}.{at}")))?;
        close(out, b'}');
        out.push(b',');
    }
    close(out, b']');
    out.push(b',');
    Ok(())
}

/// Appends an array of stored values as they are, and a comma.
pub(super) fn push_copies(
    out: &mut Vec<u8>,
    name: &'static str,
    items: &Items<'_>,
) -> Result<(), Unpresentable> {
    let (value, is_wrapped) = match items {
        Items::Stored(array) => (Value { kind: kind::ARRAY, bytes: array.bytes() }, false),
        Items::Wrapped(value) => (*value, true),
        Items::Empty => (Value { kind: kind::ARRAY, bytes: Document::EMPTY.bytes() }, false),
    };
    push_name(out, name.as_bytes());
    if is_wrapped {
        out.push(b'[');
    }
    push_value(out, value, 1).map_err(|cause| Unpresentable::new(name, cause))?;
    out.extend_from_slice(if is_wrapped { b"]," } else { b"," });
    Ok(())
}

/// Appends the fields of an element of the outline.
pub(super) fn push_outlined(out: &mut Vec<u8>, value: Value<'_>) -> Result<(), Unpresentable> {
    let [chapter_number, title, summary, key_events, word_target, human_like_elements] = fields_of(
        value,
        ["chapterNumber", "title", "summary", "keyEvents", "wordTarget", "humanLikeElements"],
    );
    push_field(out, "chapterNumber", chapter_number)?;
    push_field(out, "title", title)?;
    push_field(out, "summary", summary)?;
    match key_events.and_then(text) {
        Some(letters) => {
            out.extend_from_slice(b"\"keyEvents\":");
            push_letters(out, letters);
            out.push(b',');
        }
        None => push_field(out, "keyEvents", key_events)?,
    }
    push_field(out, "wordTarget", word_target.filter(|target| as_number(*target).is_some()))?;
    push_field(out, "humanLikeElements", truthy(human_like_elements))
}

/// Appends the array that a string is spread into: its letters, each a string.
pub(super) fn push_letters(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'[');
    for letter in String::from_utf8_lossy(text).chars() {
        texts::push_string(out, letter.encode_utf8(&mut [0; 4]).as_bytes());
        out.push(b',');
    }
    close(out, b']');
}

/// Appends the fields of a chapter.
pub(super) fn push_chapter(
    out: &mut Vec<u8>,
    value: Value<'_>,
    now_ms: i64,
) -> Result<(), Unpresentable> {
    let [chapter_number, title, status, word_count, content, model, cost_in_usd, attempts] =
        fields_of(
            value,
            [
                "chapterNumber",
                "title",
                "status",
                "wordCount",
                "content",
                "model",
                "costInUsd",
                "attempts",
            ],
        );
    push_field(out, "chapterNumber", chapter_number)?;
    push_field(out, "title", title)?;
    push_field(out, "status", status)?;
    push_field_or_null(out, "wordCount", word_count)?;
    push_field(out, "content", content)?;
    push_field(out, "model", model)?;
    push_field(out, "costInUsd", cost_in_usd)?;
    out.extend_from_slice(b"\"attempts\":[");
    let attempts = attempts.and_then(Value::array).unwrap_or(Document::EMPTY);
    for (at, attempt) in attempts.values().enumerate() {
        out.extend_from_slice(b"{\"attemptNumber\":");
        number::push_unsigned(out, u64::try_from(at + 1).unwrap_or(u64::MAX));
        out.push(b',');
        push_attempt(out, attempt, now_ms)
            .map_err(|error| error.within(&format!("attempts.{at}")))?;
        close(out, b'}');
        out.push(b',');
    }
    close(out, b']');
    out.push(b',');
    Ok(())
}

fn push_attempt(out: &mut Vec<u8>, value: Value<'_>, now_ms: i64) -> Result<(), Unpresentable> {
    let [created_at, prompt, content, tokens, cost_in_usd, raw_response] =
        fields_of(value, ["createdAt", "prompt", "content", "tokens", "costInUsd", "rawResponse"]);
    if is_nullish(created_at) {
        push_date(out, "createdAt", None, now_ms);
    }
    push_field(out, "createdAt", created_at.filter(|date| !date.is_nullish()))?;
    push_field(out, "prompt", prompt)?;
    push_field(out, "content", content)?;
    push_field(out, "tokens", tokens)?;
    push_field(out, "costInUsd", cost_in_usd)?;
    push_field(out, "rawResponse", raw_response)
}

/// Appends the fields of a failure, which the model of the application declares.
pub(super) fn push_failure(out: &mut Vec<u8>, value: Value<'_>) -> Result<(), Unpresentable> {
    let Some(document) = value.document() else { return Ok(()) };
    let [occurred_at, reason, stage, metadata] =
        fields(document, ["occurredAt", "reason", "stage", "metadata"]);
    cast::push_text(out, "occurredAt", occurred_at);
    cast::push_text(out, "reason", reason);
    if let cast::Cast::Text(text) = cast::Cast::of(stage)
        && !text.is_empty()
    {
        cast::push_text(out, "stage", stage);
    }
    push_field(out, "metadata", truthy(metadata))
}
