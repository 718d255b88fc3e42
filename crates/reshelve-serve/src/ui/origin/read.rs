//! The legacy document of a novel, from the legacy side or out of the residue, and its values with
//! their places in the target.

use reshelve::ends::{EndError, JobLookup};
use reshelve::target_schema::Collection;
use reshelve_core::mapping::{
    COLLECTIONS, InFlight, OnUnknownStatus, Options, RestoreError, RestoredDocument, Retracer,
    StatusPolicy, TargetDocuments, Traced, TracedTarget, restore, trace,
};
use reshelve_core::raw::{Document, Value};

use super::Both;
use crate::comparison;
use crate::ui::novel::Novel;

/// A novel with its legacy document.
pub(super) struct Origin {
    pub(super) novel: Novel,
    /// The legacy document; or why there is none.
    pub(super) legacy: Result<Legacy, String>,
    /// Whether the target documents are no longer what the mapping wrote.
    pub(super) is_edited: bool,
    /// What the mapping makes of the legacy document that the target gives back unchanged.
    made: Option<TargetDocuments>,
}

/// A legacy document.
pub(super) struct Legacy {
    pub(super) bytes: Vec<u8>,
    pub(super) came: Came,
}

/// Where a legacy document came from.
pub(super) enum Came {
    /// Out of the target documents.
    Restored {
        /// The target was edited since: what was edited came back so.
        is_edited: bool,
        /// Legacy paths of values that the target no longer holds.
        lost: Vec<String>,
    },
    /// From the legacy side that is served too.
    Side {
        /// The name of that place.
        place: String,
        /// Whether the target documents give back the same bytes.
        is_same: bool,
    },
}

impl Origin {
    /// Reads a novel and its legacy document; nothing if there is no such novel. Of two sides, the
    /// normalised one has the values of the target if it has the novel.
    pub(super) fn read(
        place: &dyn JobLookup,
        sides: Option<&Both>,
        id: &str,
    ) -> Result<Option<Self>, EndError> {
        let novel = match sides {
            Some((_, normalized)) => Novel::read(&**normalized, id)?,
            None => None,
        };
        let novel = match novel {
            Some(novel) => novel,
            None => match Novel::read(place, id)? {
                Some(novel) => novel,
                None => return Ok(None),
            },
        };
        let of_target = match sides {
            Some((_, normalized)) if normalized.has(id.as_bytes())? => &**normalized,
            _ => place,
        };
        let traced = comparison::retraced(of_target, id.as_bytes())?.unwrap_or_default();
        let restored = restore(novel.documents()[0], novel.documents()[3]);
        let made = match &restored {
            Ok(restored) if !restored.changed => {
                Retracer::default().closest(&restored.bytes, &novel.job_documents())
            }
            _ => None,
        };
        let from_side = match sides {
            Some((legacy, _)) => of_side(&**legacy, id)?.map(|bytes| (bytes, legacy.name())),
            None => None,
        };
        let legacy = match (from_side, restored) {
            (Some((bytes, place)), restored) => {
                let is_same = restored.is_ok_and(|it| it.bytes == bytes);
                Ok(Legacy { bytes, came: Came::Side { place, is_same } })
            }
            (None, Ok(RestoredDocument { bytes, changed, lost })) => {
                Ok(Legacy { bytes, came: Came::Restored { is_edited: changed, lost } })
            }
            (None, Err(RestoreError::NoResidue)) => {
                Err("The new application made this novel: it has no legacy document.".to_owned())
            }
            (None, Err(error)) => Err(format!("The legacy document cannot be restored: {error}.")),
        };
        Ok(Some(Origin { novel, legacy, is_edited: traced.is_edited, made }))
    }

    /// The values of the legacy document, in its order; nothing where it cannot be mapped.
    pub(super) fn traced(&self) -> Vec<Traced<'_>> {
        let bytes = self.legacy.as_ref().map_or(&[][..], |legacy| &legacy.bytes);
        trace(bytes, OPTIONS).unwrap_or_default()
    }

    /// What the target has at a place.
    pub(super) fn at(&self, target: &TracedTarget) -> Option<Value<'_>> {
        at(self.novel.documents().get(target.collection)?, &target.steps)
    }

    /// Whether the target has something else at a place than the mapping makes; nothing where that
    /// cannot be told.
    pub(super) fn is_edited_at(&self, target: &TracedTarget) -> Option<bool> {
        if target.collection == Collection::Events.index() {
            return None;
        }
        let made = at(self.made.as_ref()?.bytes().get(target.collection)?, &target.steps);
        let same =
            |one: Value<'_>, other: Value<'_>| one.kind == other.kind && one.bytes == other.bytes;
        Some(match (made, self.at(target)) {
            (Some(made), Some(found)) => !same(made, found),
            (made, found) => made.is_some() != found.is_some(),
        })
    }

    /// How many bytes the residue has.
    pub(super) fn residue_bytes(&self) -> usize {
        let metadata = Document::new(self.novel.documents()[3]);
        let record = metadata.get("legacy").and_then(Value::document);
        record.and_then(|record| record.get("residue")?.binary()).map_or(0, <[u8]>::len)
    }
}

/// What a document has at the end of a path.
fn at<'d>(document: &'d [u8], steps: &[String]) -> Option<Value<'d>> {
    let mut document = Document::new(document);
    let (last, path) = steps.split_last()?;
    for step in path {
        let value = document.get(step)?;
        document = value.document().or_else(|| value.array())?;
    }
    document.get(last)
}

/// The place of a value in the target, in words.
pub(super) fn name_of(target: &TracedTarget) -> String {
    let collection = COLLECTIONS.get(target.collection).copied().unwrap_or_default();
    format!("{collection}.{}", target.steps.join("."))
}

/// The legacy document of a job on the legacy side: what was just mapped comes back byte for byte.
fn of_side(legacy: &dyn JobLookup, id: &str) -> Result<Option<Vec<u8>>, EndError> {
    let job = legacy.document(Collection::Jobs, id.as_bytes())?;
    let metadata = legacy.document(Collection::Metadata, id.as_bytes())?;
    let both = job.zip(metadata);
    Ok(both.and_then(|(job, metadata)| restore(&job, &metadata).ok()).map(|it| it.bytes))
}

/// What maps whatever was mapped. Where values go depends on no option, but for the job's own
/// failure.
const OPTIONS: Options = Options {
    on_unknown_status: OnUnknownStatus::Failed,
    status_policy: StatusPolicy::Legacy,
    in_flight: InFlight::Include,
};
