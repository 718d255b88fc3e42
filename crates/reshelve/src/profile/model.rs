//! The profile as it is reported: plain figures, in the shape of the schema `reshelve.profile/1`.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::pass::Example;
use reshelve_core::raw::iso;

/// What is in a source.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Profile {
    /// Documents of the source, including those that would be rejected.
    pub documents: u64,
    /// Their bytes as BSON, whatever form they came in. A document of a JSON source that cannot be
    /// parsed has none.
    pub bytes: u64,
    /// Sizes of the documents, in bytes as BSON; only of those that have a size.
    pub size: Sizes,
    /// The largest documents, largest first; equal ones in source order.
    pub largest: Vec<Largest>,
    /// Every path, sorted as bytes; `<other>` is last.
    pub fields: Vec<Field>,
    /// The topmost paths that the legacy schema does not name, sorted.
    pub unknown_fields: Vec<Unknown>,
    /// How many documents have each status. `<missing>` means no status, `<int>` and the like one
    /// that is not a string, `<other>` those beyond the bounds.
    pub statuses: BTreeMap<String, u64>,
    /// The same, for each status by `currentPhase`.
    pub status_phases: BTreeMap<String, BTreeMap<String, u64>>,
    /// How many documents are of each era (1, 2, 4, 5): the newest era of which the document has a
    /// feature. Era 3 cannot be distinguished from era 2.
    pub eras: BTreeMap<u8, u64>,
    /// When the documents were created, as the mapping sees it.
    pub created: Option<Dates>,
    /// The job ids of the first documents that were in flight, in source order.
    pub in_flight: Vec<String>,
    /// How many documents were in flight.
    pub in_flight_total: u64,
    /// What a run would report.
    pub forecast: Forecast,
}

/// Sizes in bytes. The percentiles are exact, by nearest rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Sizes {
    /// The mean; 0 for a source without documents.
    pub mean: f64,
    /// Half of the documents are at most this large.
    pub p50: u64,
    /// Nine in ten are.
    pub p90: u64,
    /// Ninety-nine in a hundred are.
    pub p99: u64,
    /// The largest.
    pub max: u64,
}

/// A large document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Largest {
    /// Its `_id`: the hex digits of an ObjectId, a string as it is, else Extended JSON; empty if
    /// there is none, or if the document is malformed.
    pub id: String,
    /// Its position in the source, from 0.
    pub position: u64,
    /// Its size, as BSON.
    pub bytes: u64,
}

/// A path of the legacy documents, with everything that was found there.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Field {
    /// Names as they are, joined with dots; `[]` for the elements of an array, `*` for the keys of
    /// a map.
    pub path: String,
    /// In how many documents it occurs at least once. Null counts as an occurrence.
    pub documents: u64,
    /// How often it occurs; each occurrence of a repeated name counts.
    pub occurrences: u64,
    /// In what percentage of the documents it occurs.
    pub presence_percent: f64,
    /// How often it occurs for every hundred documents that could hold it: the objects at the path
    /// above. `None` for elements of arrays and for `<other>`.
    pub in_parent_percent: Option<f64>,
    /// Occurrences by type, as the aliases of MongoDB's `$type`.
    pub types: BTreeMap<&'static str, u64>,
    /// The values of its numbers (`int`, `long`, finite `double`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Numbers>,
    /// The lengths of its strings, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub string_bytes: Option<Numbers>,
    /// How many elements its arrays have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Numbers>,
    /// The earliest and the latest of its dates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dates: Option<Dates>,
    /// How many of its booleans are false, and how many are true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booleans: Option<BTreeMap<bool, u64>>,
    /// The distinct strings with their counts, if the field looks like an enumeration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<BTreeMap<String, u64>>,
    /// When the earliest and the latest document that has it were created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<Dates>,
    /// Whether the legacy schema names it.
    pub known: bool,
}

/// Smallest, mean and largest of some numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Numbers {
    /// How many there are.
    pub count: u64,
    /// The smallest.
    pub min: f64,
    /// The mean.
    pub mean: f64,
    /// The largest.
    pub max: f64,
}

/// The first and the last of some dates, in milliseconds since the epoch; reported as ISO text, or
/// as a number if the year is outside 0000–9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Dates {
    /// The earliest.
    #[serde(serialize_with = "date")]
    pub first: i64,
    /// The latest.
    #[serde(serialize_with = "date")]
    pub last: i64,
}

impl Dates {
    /// These dates and one more.
    pub(crate) fn with(dates: Option<Dates>, date_ms: i64) -> Option<Dates> {
        let Dates { first, last } = dates.unwrap_or(Dates { first: date_ms, last: date_ms });
        Some(Dates { first: first.min(date_ms), last: last.max(date_ms) })
    }
}

fn date<S: Serializer>(date_ms: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    if (reshelve_core::raw::DATE_MIN..=reshelve_core::raw::DATE_MAX).contains(date_ms) {
        serializer.serialize_str(iso(*date_ms).as_str())
    } else {
        serializer.serialize_i64(*date_ms)
    }
}

/// A path that the legacy schema does not name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unknown {
    /// The path.
    pub path: String,
    /// In how many documents it occurs.
    pub documents: u64,
    /// How often it occurs.
    pub occurrences: u64,
}

/// What a run over the source would report, with an empty target and the options of the request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Forecast {
    /// (code, path) pairs of the documents that would be mapped, by code.
    pub warnings: BTreeMap<String, u64>,
    /// Documents that would be rejected, by code.
    pub rejects: BTreeMap<String, u64>,
    /// The first examples of each warning.
    pub warning_examples: BTreeMap<String, Vec<Example>>,
    /// The first examples of each reject.
    pub reject_examples: BTreeMap<String, Vec<Example>>,
}
