//! The legacy document and the residue as Extended JSON.

use reshelve_core::extjson::{Style, write_document, write_value};
use reshelve_core::mapping::Traced;
use reshelve_core::raw::Document;
use serde_json::json;

use super::read::Origin;

/// The legacy document, canonical: every type is kept.
pub(super) fn legacy(origin: &Origin) -> Option<String> {
    let legacy = origin.legacy.as_ref().ok()?;
    let mut out = Vec::new();
    write_document(&mut out, Document::new(&legacy.bytes), Style::Canonical);
    out.push(b'\n');
    Some(String::from_utf8_lossy(&out).into_owned())
}

/// What the residue alone keeps of the legacy document, value by value.
pub(super) fn residue(origin: &Origin) -> Option<String> {
    origin.legacy.as_ref().ok()?;
    let traced = origin.traced();
    let kept: Vec<&Traced<'_>> = traced.iter().filter(|one| one.target.is_none()).collect();
    Some(residue_of(origin, &kept))
}

/// The same, of values that were traced before.
pub(super) fn residue_of(origin: &Origin, kept: &[&Traced<'_>]) -> String {
    let mut out = format!(
        "{{\n  \"jobId\": {},\n  \"bytes\": {},\n  \"kept\": [",
        json!(origin.novel.id()),
        origin.residue_bytes()
    )
    .into_bytes();
    for (index, one) in kept.iter().enumerate() {
        let before = if index > 0 { "," } else { "" };
        let (path, why) = (json!(one.path), json!(one.rule));
        let begin = format!("{before}\n    {{ \"path\": {path}, \"why\": {why}, \"value\": ");
        out.extend_from_slice(begin.as_bytes());
        write_value(&mut out, one.value, Style::Canonical);
        out.extend_from_slice(b" }");
    }
    out.extend_from_slice(if kept.is_empty() { b"]\n}\n" } else { b"\n  ]\n}\n" });
    String::from_utf8_lossy(&out).into_owned()
}
