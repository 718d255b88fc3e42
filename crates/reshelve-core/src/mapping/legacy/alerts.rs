//! `metadata.continuityAlerts` as the rules see it.

use crate::mapping::ids::legacy_id;
use crate::mapping::read::{Typed, pick};
use crate::mapping::warning::{Path, WarningCode};
use crate::raw::{Document, Value};

/// One document of `metadata.continuityAlerts`.
#[derive(Debug)]
pub(crate) struct Alert<'a> {
    /// Position in the source array.
    pub(crate) index: usize,
    /// The id before any suffix.
    pub(crate) id: Vec<u8>,
    pub(crate) severity: &'static str,
    pub(crate) message: Option<&'a [u8]>,
    pub(crate) details: Option<&'a [u8]>,
    pub(crate) suggestion: Option<&'a [u8]>,
    pub(crate) chapter: Option<f64>,
    pub(crate) character: Option<&'a [u8]>,
    pub(crate) plot_thread: Option<&'a [u8]>,
    pub(crate) timestamp: Option<i64>,
    pub(crate) resolved: Option<bool>,
}

impl<'a> Alert<'a> {
    pub(super) fn read_all(
        typed: &mut Typed<'_>,
        value: Option<Value<'a>>,
        path: &Path<'_>,
    ) -> Vec<Alert<'a>> {
        let array = typed.array(value, path);
        let mut alerts = Vec::new();
        typed.documents(array, path, |typed, index, document, path| {
            alerts.push(Alert::read(typed, index, document, path));
        });
        alerts
    }

    fn read(typed: &mut Typed<'_>, index: usize, document: Document<'a>, path: &Path<'_>) -> Self {
        const NAMES: [&str; 9] = [
            "id",
            "severity",
            "message",
            "details",
            "suggestion",
            "context",
            "timestamp",
            "resolved",
            "_id",
        ];
        let [id, severity, message, details, suggestion, context, timestamp, resolved, object_id] =
            pick(document, &NAMES);
        let id = typed.string(id, &path.name("id"));
        let context_path = path.name("context");
        let [chapter, character, plot_thread] = match typed.document(context, &context_path) {
            Some(context) => pick(context, &["chapter", "character", "plotThread"]),
            None => [None; 3],
        };
        Alert {
            index,
            id: legacy_id(id, object_id, index),
            severity: read_severity(typed, severity, path),
            message: typed.string(message, &path.name("message")),
            details: typed.string(details, &path.name("details")),
            suggestion: typed.string(suggestion, &path.name("suggestion")),
            chapter: typed.number(chapter, &context_path.name("chapter")),
            character: typed.string(character, &context_path.name("character")),
            plot_thread: typed.string(plot_thread, &context_path.name("plotThread")),
            timestamp: typed.timestamp(timestamp, &path.name("timestamp")),
            resolved: typed.boolean(resolved, &path.name("resolved")),
        }
    }
}

fn read_severity(typed: &mut Typed<'_>, value: Option<Value<'_>>, path: &Path<'_>) -> &'static str {
    let value = value.filter(|value| !value.is_nullish());
    match value.and_then(Value::string) {
        Some(b"info") => return "info",
        Some(b"warning") => return "warning",
        Some(b"critical") => return "critical",
        _ => {}
    }
    if value.is_some() {
        typed.warnings.add(WarningCode::UnknownSeverity, &path.name("severity"));
    }
    "info"
}
