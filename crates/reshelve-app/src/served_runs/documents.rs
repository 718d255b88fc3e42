//! Rejects of a run with their documents, as text.

use reshelve::run::{RejectRecord, RejectedBytes, RunError, RunFolder};
use reshelve_core::extjson::{Style, write_document};
use reshelve_core::raw::{self, Document};
use reshelve_serve::runs::{Reject, RejectList, RejectedDocument};

/// Rejects that can be looked at one by one; the others are in the file.
const REACHABLE_MAX: u64 = 100_000;
/// The longest text of a document that is shown, in bytes.
const SHOWN_BYTES_MAX: usize = 64 << 10;
/// The longest `_id` or path or sentence that is shown, in bytes.
const QUOTED_BYTES_MAX: usize = 400;
/// How many bytes are shown of what is no document.
const HEX_BYTES_MAX: usize = 1 << 10;

pub(super) fn rejects(
    folder: &RunFolder,
    after: u64,
    count: usize,
) -> Result<RejectList, RunError> {
    let total = folder.checkpoint()?.totals.documents.rejected;
    let reachable = total.min(REACHABLE_MAX);
    let left = usize::try_from(reachable.saturating_sub(after)).unwrap_or(usize::MAX);
    let records = folder.rejects(after.min(REACHABLE_MAX), count.min(left))?;
    Ok(RejectList { rejects: records.into_iter().map(reject_of).collect(), total, reachable })
}

pub(super) fn reject(folder: &RunFolder, at: u64) -> Result<Option<RejectedDocument>, RunError> {
    if at >= REACHABLE_MAX {
        return Ok(None);
    }
    let found = folder.reject(at)?;
    Ok(found.map(|(record, document)| {
        let (text, is_cut) = match document {
            None => (None, false),
            Some(RejectedBytes::Bson(bytes)) => some(of_bson(&bytes)),
            Some(RejectedBytes::Other(bytes)) => some(of_bytes(&bytes)),
        };
        RejectedDocument { reject: reject_of(record), text, is_cut }
    }))
}

fn some((text, is_cut): (String, bool)) -> (Option<String>, bool) {
    (Some(text), is_cut)
}

fn reject_of(record: RejectRecord) -> Reject {
    let id = match &record.id {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        id => id
            .get("$oid")
            .and_then(|oid| oid.as_str())
            .map_or_else(|| id.to_string(), str::to_owned),
    };
    let quoted = |text: &str| cut(text, QUOTED_BYTES_MAX).0;
    Reject {
        position: record.position,
        id: quoted(&id),
        code: quoted(&record.code),
        path: quoted(&record.path),
        message: quoted(&record.message),
    }
}

/// A text of at most so many bytes, and whether it was longer.
fn cut(text: &str, bytes_max: usize) -> (String, bool) {
    let end = text.floor_char_boundary(bytes_max);
    (
        if end == text.len() { text.to_owned() } else { format!("{}…", &text[..end]) },
        end < text.len(),
    )
}

/// A document as relaxed Extended JSON, a line for each value.
fn of_bson(bytes: &[u8]) -> (String, bool) {
    if raw::check(bytes).is_err() {
        return in_hex(bytes);
    }
    let mut text = Vec::new();
    write_document(&mut text, Document::new(bytes), Style::Relaxed);
    indented(&String::from_utf8_lossy(&text))
}

/// Text as it is; what is none, byte by byte.
fn of_bytes(bytes: &[u8]) -> (String, bool) {
    match std::str::from_utf8(bytes) {
        Ok(text) => cut(text, SHOWN_BYTES_MAX),
        Err(_) => in_hex(bytes),
    }
}

/// Bytes that are no document, sixteen on a line.
fn in_hex(bytes: &[u8]) -> (String, bool) {
    let shown = bytes.get(..HEX_BYTES_MAX).unwrap_or(bytes);
    let lines: Vec<String> = shown.chunks(16).map(raw::hex).collect();
    (lines.join("\n"), shown.len() < bytes.len())
}

/// JSON with a line for each value, up to the length that is shown.
fn indented(json: &str) -> (String, bool) {
    let mut out = String::new();
    let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
    let mut before = ' ';
    for c in json.chars() {
        if out.len() >= SHOWN_BYTES_MAX {
            out.push('…');
            return (out, true);
        }
        let line = |out: &mut String, depth: usize| {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth.min(64)));
        };
        if is_text {
            out.push(c);
            is_text = is_escaped || c != '"';
            is_escaped = c == '\\' && !is_escaped;
            before = c;
            continue;
        }
        match c {
            '{' | '[' => {
                out.push(c);
                depth += 1;
                before = c;
                continue;
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if !matches!(before, '{' | '[') {
                    line(&mut out, depth);
                }
                out.push(c);
                before = c;
                continue;
            }
            _ if matches!(before, '{' | '[') => line(&mut out, depth),
            _ => {}
        }
        is_text = c == '"';
        out.push(c);
        match c {
            ',' => line(&mut out, depth),
            ':' => out.push(' '),
            _ => {}
        }
        before = c;
    }
    (out, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_one_value() {
        let (text, is_cut) = indented(r#"{"a":1,"b":["x,\"}",{}],"c":{"d":[]}}"#);
        let expected = "{\n  \"a\": 1,\n  \"b\": [\n    \"x,\\\"}\",\n    {}\n  ],\n  \"c\": {\n    \"d\": []\n  }\n}";
        assert_eq!((&text[..], is_cut), (expected, false));
        assert!(indented(&format!("[\"{}\"]", "x".repeat(SHOWN_BYTES_MAX))).1);
    }

    #[test]
    fn what_is_no_document_is_shown_byte_by_byte() {
        assert_eq!(of_bytes(b"{oops").0, "{oops");
        assert_eq!(of_bytes(b"\xff\x00").0, "ff00");
        assert_eq!(of_bson(b"\x05\0\0\0\0").0, "{}");
        assert_eq!(of_bson(b"\x05\0\0\0\x01").0, "0500000001");
    }
}
