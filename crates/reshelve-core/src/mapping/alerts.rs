//! Continuity alerts: deduplicated by id without losing any, written newest first.

use std::collections::HashMap;

use super::ids::UniqueIds;
use super::legacy::Alert;
use super::read::text;
use super::warning::{Path, WarningCode, Warnings};
use crate::raw::{Writer, push_plain_decimal};

/// With more written entries than this there is a warning: the new application trims to it.
pub(crate) const DISPLAY_LIMIT: usize = 100;

impl<'a> Alert<'a> {
    fn written_message(&self) -> &'a [u8] {
        text(self.message).or(text(self.details)).unwrap_or(b"(no message)")
    }

    fn write_context(&self, out: &mut Writer) {
        let context = out.begin_document("context");
        if let Some(chapter) = self.chapter {
            out.number("chapter", chapter);
        }
        for (name, value) in [
            ("character", self.character),
            ("plotThread", self.plot_thread),
            ("details", self.details),
            ("suggestion", self.suggestion),
        ] {
            if let Some(value) = value {
                out.string(name, value);
            }
        }
        out.end_unless_empty(context);
    }

    fn title(&self) -> Vec<u8> {
        let mut title = match self.severity {
            "critical" => b"Critical continuity alert".to_vec(),
            "warning" => b"Warning continuity alert".to_vec(),
            _ => b"Info continuity alert".to_vec(),
        };
        if let Some(chapter) = self.chapter {
            title.extend_from_slice(b" (chapter ");
            push_plain_decimal(&mut title, chapter);
            title.push(b')');
        }
        title
    }

    /// What makes two alerts equal: the id before any suffix, and severity, message and context as
    /// written.
    fn identity(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.string("id", &self.id);
        out.string("severity", self.severity.as_bytes());
        out.string("message", self.written_message());
        self.write_context(&mut out);
        out.into_bytes()
    }
}

/// An alert that is written: one or several legacy ones.
struct Kept<'k, 'a> {
    alert: &'k Alert<'a>,
    /// Its position among those that stay, in source order.
    order: usize,
    id: Vec<u8>,
    created_at: i64,
    resolved: bool,
}

/// Writes `continuityAlerts`. Returns the position of each alert among the written ones.
pub(crate) fn write(
    out: &mut Writer,
    alerts: &[Alert<'_>],
    created: i64,
    warnings: &mut Warnings,
) -> Vec<usize> {
    let mut places = Vec::new();
    let array = out.begin_array("continuityAlerts");
    if !alerts.is_empty() {
        let (mut kept, kept_of) = dedupe(alerts, created, warnings);
        if kept.len() > DISPLAY_LIMIT {
            let path = Path::ROOT;
            let path = path.name("metadata");
            warnings.add(WarningCode::OverDisplayLimit, &path.name("continuityAlerts"));
        }
        // A stable sort: ties stay in source order.
        kept.sort_by_key(|alert| std::cmp::Reverse(alert.created_at));
        for (index, alert) in kept.iter().enumerate() {
            let item = out.begin_item(index);
            out.string("alertId", &alert.id);
            out.string("title", &alert.alert.title());
            out.string("message", alert.alert.written_message());
            out.string("severity", alert.alert.severity.as_bytes());
            out.iso("createdAt", alert.created_at);
            out.boolean("resolved", alert.resolved);
            alert.alert.write_context(out);
            out.end(item);
        }
        let mut written_at = vec![0; kept.len()];
        for (index, alert) in kept.iter().enumerate() {
            written_at[alert.order] = index;
        }
        places.extend(kept_of.into_iter().map(|order| written_at[order]));
    }
    out.end(array);
    places
}

/// The alerts that stay, and for each legacy alert which of them it became.
fn dedupe<'k, 'a>(
    alerts: &'k [Alert<'a>],
    created: i64,
    warnings: &mut Warnings,
) -> (Vec<Kept<'k, 'a>>, Vec<usize>) {
    let root = Path::ROOT;
    let metadata = root.name("metadata");
    let path = metadata.name("continuityAlerts");
    let mut kept: Vec<Kept<'k, 'a>> = Vec::with_capacity(alerts.len());
    let mut kept_of = Vec::with_capacity(alerts.len());
    let mut by_identity: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut ids = UniqueIds::default();
    for alert in alerts {
        let created_at = alert.timestamp.unwrap_or(created);
        let resolved = alert.resolved.unwrap_or(false);
        let identity = alert.identity();
        if let Some(&earlier) = by_identity.get(&identity) {
            kept[earlier].created_at = kept[earlier].created_at.min(created_at);
            kept[earlier].resolved |= resolved;
            warnings.add(WarningCode::AlertMerged, &path.index(alert.index));
            kept_of.push(earlier);
            continue;
        }
        let (id, collided) = ids.take(&alert.id);
        if collided {
            warnings.add(WarningCode::AlertIdCollision, &path.index(alert.index));
        }
        let order = kept.len();
        by_identity.insert(identity, order);
        kept_of.push(order);
        kept.push(Kept { alert, order, id, created_at, resolved });
    }
    (kept, kept_of)
}
