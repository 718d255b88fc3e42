//! The indexes of a collection: those that should be there, and those that are.

use std::collections::BTreeMap;

use super::Collection;

/// An index that a collection should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexSpec {
    /// Its name: the new stack's migration skips by name.
    pub name: &'static str,
    /// Fields and directions.
    pub key: &'static [(&'static str, i32)],
    /// Whether it is unique.
    pub unique: bool,
}

impl IndexSpec {
    const fn plain(name: &'static str, key: &'static [(&'static str, i32)]) -> Self {
        IndexSpec { name, key, unique: false }
    }

    const fn unique_by_job_id(name: &'static str) -> Self {
        IndexSpec { name, key: &[("jobId", 1)], unique: true }
    }
}

/// An index that a collection has.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its key as relaxed Extended JSON: `{"status":1,"createdAt":-1}`.
    pub key: String,
    /// Whether it is unique.
    pub unique: bool,
    /// What else it is defined by, as text: `sparse`, `expireAfterSeconds`, …
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
}

impl Index {
    /// Whether a field of an index's definition is one of [`options`](Self::options): it changes
    /// what the index does. The value is given as text.
    pub fn is_option(name: &str, value: &str) -> bool {
        // How it is stored and built, and what has a field of its own.
        const NONE: [&str; 6] = ["v", "key", "name", "ns", "unique", "background"];
        !NONE.contains(&name) && value != "false"
    }

    /// Whether documents are deleted by it, some time after a date in them.
    pub fn deletes_documents(&self) -> bool {
        self.options.contains_key("expireAfterSeconds")
    }

    /// How it differs from the one that is wanted, whatever its name; none if it does the same.
    pub(super) fn difference(&self, wanted: &IndexSpec) -> Option<String> {
        let part = |(field, direction): &(&str, i32)| format!("\"{field}\":{direction}");
        let parts: Vec<String> = wanted.key.iter().map(part).collect();
        let key = format!("{{{}}}", parts.join(","));
        let mut differences = Vec::new();
        if self.key != key {
            differences.push(format!("its key is {}, not {key}", self.key));
        }
        match (self.unique, wanted.unique) {
            (false, true) => differences.push("it is not unique".to_owned()),
            (true, false) => differences.push("it is unique".to_owned()),
            _ => {}
        }
        differences
            .extend(self.options.iter().map(|(name, value)| format!("it has {name}: {value}")));
        (!differences.is_empty()).then(|| differences.join(", "))
    }
}

const JOBS: [IndexSpec; 2] = [
    IndexSpec::unique_by_job_id("idx_novel_jobs_jobId"),
    IndexSpec::plain("idx_novel_jobs_status_createdAt", &[("status", 1), ("createdAt", -1)]),
];
const EVENTS: [IndexSpec; 2] = [
    IndexSpec::plain("idx_novel_job_events_jobId_emittedAt", &[("jobId", 1), ("emittedAt", -1)]),
    IndexSpec::plain(
        "idx_novel_job_events_kind_emittedAt",
        &[("jobId", 1), ("kind", 1), ("emittedAt", -1)],
    ),
];
const METRICS: [IndexSpec; 2] = [
    IndexSpec::unique_by_job_id("idx_novel_job_metrics_jobId"),
    IndexSpec::plain("idx_novel_job_metrics_updatedAt", &[("updatedAt", -1)]),
];
const METADATA: [IndexSpec; 2] = [
    IndexSpec::unique_by_job_id("idx_novel_job_metadata_jobId"),
    IndexSpec::plain(
        "idx_novel_job_metadata_alert_resolution",
        &[("jobId", 1), ("continuityAlerts.resolved", 1)],
    ),
];

/// The indexes of a target collection besides the one on `_id` (target-schema, "Indexes").
pub fn indexes_of(collection: Collection) -> &'static [IndexSpec] {
    match collection {
        Collection::Jobs => &JOBS,
        Collection::Events => &EVENTS,
        Collection::Metrics => &METRICS,
        Collection::Metadata => &METADATA,
    }
}

/// The indexes of the legacy collection by their default names (legacy-schema, "Collections and
/// indexes").
pub const LEGACY_INDEXES: [IndexSpec; 4] = [
    IndexSpec::plain("status_1", &[("status", 1)]),
    IndexSpec::plain("createdAt_1", &[("createdAt", 1)]),
    IndexSpec::plain("status_1_createdAt_-1", &[("status", 1), ("createdAt", -1)]),
    IndexSpec::plain("status_1_updatedAt_-1", &[("status", 1), ("updatedAt", -1)]),
];
