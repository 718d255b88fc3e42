//! Properties of the mapping over documents that nobody wrote by hand.
//!
//! `mapping` for whole documents, `tampering` for damaged bytes and residues, `edits` for what the
//! new application may do to the target before someone goes back.

#![expect(clippy::unwrap_used, reason = "a test helper that cannot proceed fails the test")]

mod arbitrary;
mod edits;
mod legacy;
mod mapping;
mod old_binaries;
mod readable;
mod readable_metadata;
mod tampering;
mod tree;

use reshelve_core::mapping::{
    InFlight, Mapper, OnUnknownStatus, Options, Outcome, StatusPolicy, TargetDocuments,
};

/// Every combination of options.
pub(crate) fn all_options() -> Vec<Options> {
    let mut all = Vec::new();
    for on_unknown_status in [OnUnknownStatus::Reject, OnUnknownStatus::Failed] {
        for status_policy in [StatusPolicy::Legacy, StatusPolicy::Evidence] {
            for in_flight in [InFlight::Include, InFlight::Skip, InFlight::AsFailed] {
                all.push(Options { on_unknown_status, status_policy, in_flight });
            }
        }
    }
    all
}

/// Maps with a mapper that has seen nothing yet.
pub(crate) fn map(bytes: &[u8], options: Options) -> (Outcome, TargetDocuments) {
    let mut target = TargetDocuments::default();
    let outcome = Mapper::new(options).map(bytes, &mut target);
    (outcome, target)
}
