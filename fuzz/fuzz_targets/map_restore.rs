//! A document through the mapping and back, under options that the first byte chooses.

#![no_main]

use libfuzzer_sys::fuzz_target;
use reshelve_core::mapping::{
    InFlight, Mapper, OnUnknownStatus, Options, Outcome, RejectCode, StatusPolicy, TargetDocuments,
    restore,
};
use reshelve_core::raw;

fuzz_target!(|bytes: &[u8]| {
    // The options come from the last byte of the input: seeds are then plain documents, and the
    // length prefix at their start still fits.
    let choice = bytes.last().copied().unwrap_or(0) ^ bytes.get(4).copied().unwrap_or(0);
    let mut target = TargetDocuments::default();
    let mut mapper = Mapper::new(options(choice));
    let outcome = mapper.map(bytes, &mut target);
    match &outcome {
        Outcome::Rejected(reject) => {
            assert_ne!(reject.code, RejectCode::RoundTrip, "{}", reject.message);
            let malformed = reject.code == RejectCode::MalformedBson;
            assert_eq!(malformed, raw::check(bytes).is_err());
        }
        Outcome::Skipped => {}
        Outcome::Mapped(mapped) => {
            assert_eq!(mapped.lengths, target.lengths());
            let restored = restore(target.jobs.bytes(), target.metadata.bytes())
                .expect("what was just mapped can be restored");
            assert!(restored.bytes == bytes && !restored.changed && restored.lost.is_empty());
            let [jobs, _, metrics, metadata] = target.bytes();
            for written in [jobs, metrics, metadata] {
                raw::check(written).expect("what is written is well formed");
            }
        }
    }
    let mut again = TargetDocuments::default();
    assert_eq!(mapper.map(bytes, &mut again), outcome, "mapping again has another outcome");
    assert_eq!(again.bytes(), target.bytes(), "mapping again gives other bytes");
});

fn options(choice: u8) -> Options {
    Options {
        on_unknown_status: [OnUnknownStatus::Failed, OnUnknownStatus::Reject]
            [usize::from(choice & 1)],
        status_policy: [StatusPolicy::Legacy, StatusPolicy::Evidence][usize::from(choice >> 1 & 1)],
        in_flight: [InFlight::Include, InFlight::AsFailed, InFlight::Skip, InFlight::Include]
            [usize::from(choice >> 2 & 3)],
    }
}
