//! Whole documents: total, pure, lossless, readable.

use proptest::prelude::*;
use reshelve_core::mapping::{Mapper, Options, Outcome, RejectCode, TargetDocuments, restore};
use reshelve_core::raw;

use crate::arbitrary;
use crate::legacy::legacy;
use crate::readable;
use crate::tree::{Fields, encode};
use crate::{all_options, map};

/// Everything that must hold of one document under one set of options.
fn check(bytes: &[u8], options: Options, reused: &mut Mapper) -> Result<(), TestCaseError> {
    let (outcome, target) = map(bytes, options);
    let mut again = TargetDocuments::default();
    prop_assert_eq!(&reused.map(bytes, &mut again), &outcome);
    prop_assert_eq!(again.bytes(), target.bytes());
    match outcome {
        Outcome::Rejected(reject) => {
            prop_assert!(reject.code != RejectCode::RoundTrip, "{}", reject.message);
            prop_assert!(reject.code != RejectCode::MalformedBson, "{}", reject.message);
            prop_assert_eq!(target.lengths(), [0; 4]);
        }
        Outcome::Skipped => prop_assert_eq!(target.lengths(), [0; 4]),
        Outcome::Mapped(mapped) => {
            prop_assert_eq!(mapped.lengths, target.lengths());
            prop_assert!(mapped.warnings.windows(2).all(|pair| pair[0] < pair[1]));
            let restored = restore(target.jobs.bytes(), target.metadata.bytes()).unwrap();
            prop_assert_eq!(&restored.bytes, bytes);
            prop_assert!(!restored.changed && restored.lost.is_empty());
            if let Err(error) = readable::check(&target) {
                return Err(TestCaseError::fail(format!("not readable: {error}")));
            }
        }
    }
    Ok(())
}

/// A document under every combination of options, each mapper reused for a second document.
fn check_all(document: &Fields, other: &[u8]) -> Result<(), TestCaseError> {
    let bytes = encode(document);
    prop_assert!(raw::check(&bytes).is_ok(), "the test makes malformed documents");
    for options in all_options() {
        let mut reused = Mapper::new(options);
        reused.map(other, &mut TargetDocuments::default());
        check(&bytes, options, &mut reused)?;
    }
    Ok(())
}

fn assert_second_is_independent(first: &[u8], second: &[u8]) -> Result<(), TestCaseError> {
    let mut mapper = Mapper::default();
    let mut both = TargetDocuments::default();
    mapper.map(first, &mut both);
    let before = both.lengths();
    mapper.map(second, &mut both);
    let (_, alone) = map(second, Options::default());
    for ((all, from), alone) in both.bytes().into_iter().zip(before).zip(alone.bytes()) {
        prop_assert_eq!(&all[from..], alone);
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_document_maps_and_comes_back(document in arbitrary::document()) {
        check_all(&document, &[])?;
    }

    #[test]
    fn any_legacy_document_maps_and_comes_back(document in legacy(), other in legacy()) {
        check_all(&document, &encode(&other))?;
    }

    #[test]
    fn documents_do_not_depend_on_those_before(first in legacy(), second in legacy()) {
        assert_second_is_independent(&encode(&first), &encode(&second))?;
    }
}

/// The strategies are worth something only where most of what they make is mapped, and all that
/// the mapping can say is said.
#[test]
fn the_strategies_reach_every_rule() {
    use proptest::strategy::ValueTree;
    use std::collections::BTreeSet;

    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut mapped, mut codes) = (0, BTreeSet::new());
    for _ in 0..400 {
        let document = legacy().new_tree(&mut runner).unwrap().current();
        let options = all_options()[3];
        if let (Outcome::Mapped(found), _) = map(&encode(&document), options) {
            mapped += 1;
            codes.extend(found.warnings.iter().map(|warning| warning.code.as_str()));
        }
    }
    assert!(mapped > 150, "only {mapped} of 400 documents are mapped");
    let all = [
        "alert-id-collision",
        "alert-merged",
        "cost-drift",
        "duplicate-chapter-number",
        "invalid-date",
        "invalid-number",
        "key-escaped",
        "progress-drift",
        "status-conflict",
        "type-mismatch",
        "unknown-chapter-status",
        "unknown-severity",
        "unreadable-part",
    ];
    let missing: Vec<_> = all.iter().filter(|code| !codes.contains(*code)).collect();
    assert!(missing.is_empty(), "never warned: {missing:?}");
}
