//! The metrics of a job: numbers, and nothing but numbers.

use reshelve_core::raw::{Document, Value, kind};

use super::javascript::{Field, fields, is_nullish, number, text};
use super::json::{close, push_name};
use super::object::{Names, array_index, visit};
use super::{Cause, Unpresentable, date, number as numbers, text as texts};

const COST: [&str; 4] = ["totalUsd", "analysisUsd", "outlineUsd", "chaptersUsd"];
const TOKENS: [&str; 4] = ["total", "analysis", "outline", "chapters"];

/// Appends the answer for the metrics document of a job, or for none.
pub(super) fn push(
    out: &mut Vec<u8>,
    job_id: &str,
    metrics: Option<&[u8]>,
    now_ms: i64,
) -> Result<(), Unpresentable> {
    let [cost, tokens, latency_ms, updated_at] = fields(
        metrics.map_or(Document::EMPTY, Document::new),
        ["cost", "tokens", "latencyMs", "updatedAt"],
    );
    out.extend_from_slice(b"{\"jobId\":");
    texts::push_string(out, job_id.as_bytes());
    out.push(b',');
    push_breakdown(out, "cost", cost, &COST)?;
    push_breakdown(out, "tokens", tokens, &TOKENS)?;
    push_breakdown(out, "latencyMs", latency_ms, &[])?;
    match metrics {
        Some(_) => push_updated_at(out, updated_at, now_ms)?,
        None => out.extend_from_slice(b"\"updatedAt\":null"),
    }
    out.push(b'}');
    Ok(())
}

/// Appends the time of the last change: a date as text, a string as it is, and the time of the
/// request in place of anything else.
pub(super) fn push_updated_at(
    out: &mut Vec<u8>,
    field: Field<'_>,
    now_ms: i64,
) -> Result<(), Unpresentable> {
    out.extend_from_slice(b"\"updatedAt\":");
    if let Some(text) = field.and_then(text) {
        texts::push_string(out, text);
        return Ok(());
    }
    let date_ms = field.and_then(Value::date_ms).unwrap_or(now_ms);
    let valid = date::valid(date_ms);
    let date_ms = valid.ok_or_else(|| Unpresentable::new("updatedAt", Cause::DateOutOfRange))?;
    out.push(b'"');
    date::push_iso(out, date_ms);
    out.push(b'"');
    Ok(())
}

/// Appends an object of numbers and a comma. Those of `defaults` come first and are 0 where there
/// is no number; only array indexes come before them.
fn push_breakdown(
    out: &mut Vec<u8>,
    name: &'static str,
    field: Field<'_>,
    defaults: &[&str],
) -> Result<(), Unpresentable> {
    push_name(out, name.as_bytes());
    out.push(b'{');
    let mut others = Vec::new();
    let mut found = vec![0.0; defaults.len()];
    visit_numbers(field, |name, number| {
        if array_index(name).is_some() {
            push_entry(out, name, number);
        } else if let Some(at) = defaults.iter().position(|known| known.as_bytes() == name) {
            found[at] = number;
        } else {
            push_entry(&mut others, name, number);
        }
    })
    .map_err(|cause| Unpresentable::new(name, cause))?;
    for (name, number) in defaults.iter().zip(found) {
        push_entry(out, name.as_bytes(), number);
    }
    out.extend_from_slice(&others);
    close(out, b'}');
    out.push(b',');
    Ok(())
}

fn push_entry(out: &mut Vec<u8>, name: &[u8], number: f64) {
    push_name(out, name);
    numbers::push_number(out, number);
    out.push(b',');
}

/// Calls for each entry of a breakdown that is a number once it is JSON.
fn visit_numbers(field: Field<'_>, mut each: impl FnMut(&[u8], f64)) -> Result<(), Cause> {
    let Some(value) = field.filter(|_| !is_nullish(field)) else { return Ok(()) };
    let finite = |value: Value<'_>| number(value).filter(|number| number.is_finite());
    match value.kind {
        kind::DOCUMENT => {
            let document = Document::new(value.bytes);
            visit(document, Names::of(document), |name, value| {
                // The application copies by assignment, to which this name is not a field.
                if let Some(number) = finite(value).filter(|_| name != b"__proto__") {
                    each(name, number);
                }
                Ok(())
            })
        }
        kind::ARRAY => {
            for (at, value) in Document::new(value.bytes).values().enumerate() {
                if let Some(number) = finite(value) {
                    each(at.to_string().as_bytes(), number);
                }
            }
            Ok(())
        }
        kind::DOUBLE if finite(value).is_none() => Err(Cause::NullInJson),
        kind::DATE if value.date_ms().and_then(date::valid).is_none() => Err(Cause::NullInJson),
        // One that is too large for a number is an object of two numbers.
        kind::INT64 if number(value).is_none() => {
            let (low, high) = value.bytes.split_at(value.bytes.len() / 2);
            for (name, half) in [(b"low".as_slice(), low), (b"high", high)] {
                let half = i32::from_le_bytes(half.try_into().unwrap_or([0; 4]));
                each(name, f64::from(half));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
