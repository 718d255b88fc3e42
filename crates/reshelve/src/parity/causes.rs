//! What a whole kind of mismatches may have as its one cause: a question for the reader, never a
//! verdict.

use serde::Serialize;

use super::groups::{Group, GroupKind};
use super::verification::Verification;
use crate::target_schema::Collection;
use reshelve_core::mapping::InFlight;

/// A cause that would explain many mismatches at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "cause", rename_all = "kebab-case")]
pub enum Cause {
    /// The target holds no document at all.
    TargetEmpty,
    /// No job of the source is in the target, and the target holds others.
    NothingInCommon,
    /// A collection of the target holds nothing, and others do.
    CollectionEmpty {
        /// The collection.
        collection: Collection,
    },
    /// Every job that is missing was in flight.
    InFlightLeftOut,
    /// The target has as many more jobs as were left out here because they were in flight.
    InFlightCarriedOver,
    /// The target has as many more jobs as were rejected here.
    RejectedCarriedOver,
    /// Every job that differs has another status.
    OtherOptions,
    /// All mismatches are at one place.
    OnePlace {
        /// The collection.
        collection: Collection,
        /// The path.
        path: String,
    },
}

/// What is known of a comparison besides its groups.
pub(super) struct Known {
    /// Jobs that the target should hold.
    pub(super) jobs: u64,
    /// Of these, jobs of which a document is there, and differs.
    pub(super) different_jobs: u64,
    /// Jobs that are missing altogether and were in flight.
    pub(super) missing_in_flight: u64,
    /// What the comparison does with jobs in flight.
    pub(super) in_flight: InFlight,
}

/// The causes that would explain what was found.
pub(super) fn causes(found: &Verification, known: &Known) -> Vec<Cause> {
    let jobs_of = |kind: GroupKind| found.groups.iter().find(|group| group.kind == kind);
    let missing = jobs_of(GroupKind::MissingJob).map_or(0, |group| group.jobs);
    let held: u64 = found.survey.counts.collections.values().sum();
    if known.jobs > 0 && held == 0 {
        return vec![Cause::TargetEmpty];
    }
    if known.jobs > 0 && missing == known.jobs {
        return vec![Cause::NothingInCommon];
    }
    let mut causes = Vec::new();
    for collection in Collection::ALL {
        let is_missing = |group: &Group| {
            group.kind == GroupKind::Missing && group.collection == Some(collection)
        };
        let is_empty = found.survey.counts.collections.get(collection.name()) == Some(&0);
        if is_empty && found.groups.iter().any(is_missing) {
            causes.push(Cause::CollectionEmpty { collection });
        }
    }
    if missing > 0 && missing == known.missing_in_flight {
        causes.push(Cause::InFlightLeftOut);
    }
    let skipped = found.survey.counts.skipped;
    if known.in_flight == InFlight::Skip && skipped > 0 && found.restored.extra == Some(skipped) {
        causes.push(Cause::InFlightCarriedOver);
    }
    let rejected = found.survey.counts.rejected;
    if rejected > 0 && found.restored.extra == Some(rejected) {
        causes.push(Cause::RejectedCarriedOver);
    }
    causes.extend(of_differences(&found.groups, known.different_jobs));
    causes
}

/// What would explain that values differ.
fn of_differences(groups: &[Group], different_jobs: u64) -> Option<Cause> {
    let different = || groups.iter().filter(|group| group.kind == GroupKind::Different);
    let is_status =
        |group: &&Group| group.collection == Some(Collection::Jobs) && group.path == "status";
    let of_status: u64 = different().filter(is_status).map(|group| group.jobs).sum();
    if different_jobs > 0 && of_status == different_jobs {
        return Some(Cause::OtherOptions);
    }
    let first = different().next()?;
    let collection = first.collection?;
    let is_one_place = groups.iter().all(|group| {
        group.kind == GroupKind::Different
            && (group.collection, &group.path) == (first.collection, &first.path)
    });
    let path = first.path.clone();
    (is_one_place && different_jobs > 1).then_some(Cause::OnePlace { collection, path })
}
