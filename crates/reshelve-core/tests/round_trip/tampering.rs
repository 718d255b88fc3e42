//! Damaged bytes and damaged residues: nothing panics, and nothing wrong comes back in silence.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use reshelve_core::mapping::{
    OnUnknownStatus, Options, Outcome, RejectCode, TargetDocuments, restore,
};
use reshelve_core::raw::{self, Document};

use crate::legacy::legacy;
use crate::tree::{Node, bytes_of, decode, encode};
use crate::{arbitrary, map};

/// One way to damage bytes.
#[derive(Clone, Debug)]
enum Damage {
    Flip(Index, u8),
    Set(Index, u8),
    Cut(Index),
    Insert(Index, u8),
    Remove(Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        4 => (any::<Index>(), 0_u8..8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        1 => any::<Index>().prop_map(Damage::Cut),
        2 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        2 => any::<Index>().prop_map(Damage::Remove),
    ]
}

fn apply(bytes: &mut Vec<u8>, damages: &[Damage]) {
    for damage in damages {
        if bytes.is_empty() {
            return;
        }
        match damage {
            Damage::Flip(at, bit) => *at.get_mut(&mut bytes[..]) ^= 1 << bit,
            Damage::Set(at, byte) => *at.get_mut(&mut bytes[..]) = *byte,
            Damage::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Damage::Insert(at, byte) => bytes.insert(at.index(bytes.len()), *byte),
            Damage::Remove(at) => drop(bytes.remove(at.index(bytes.len()))),
        }
    }
}

/// The target of a document that is mapped; an unknown status keeps none from that.
fn target_of(legacy: &[u8]) -> Option<TargetDocuments> {
    let options = Options { on_unknown_status: OnUnknownStatus::Failed, ..Options::default() };
    let (outcome, target) = map(legacy, options);
    matches!(outcome, Outcome::Mapped(_)).then_some(target)
}

/// Whatever comes back is well formed, and named as changed unless it is what was mapped.
fn check_restored(
    target: &TargetDocuments,
    metadata: &[u8],
    legacy: &[u8],
) -> Result<(), TestCaseError> {
    let Ok(restored) = restore(target.jobs.bytes(), metadata) else { return Ok(()) };
    prop_assert!(restored.changed || restored.bytes == legacy, "another document, in silence");
    if let Err(error) = raw::check(&restored.bytes) {
        return Err(TestCaseError::fail(format!("what came back is malformed: {error}")));
    }
    Ok(())
}

fn with_residue(metadata: &[u8], edit: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut tree = decode(metadata);
    let Some(Node::Plain(_, binary)) = tree.at("legacy.residue") else { panic!("no residue") };
    let mut residue = binary.split_off(5);
    edit(&mut residue);
    *binary = [&u32::try_from(residue.len()).unwrap().to_le_bytes()[..], &[0], &residue].concat();
    bytes_of(&tree)
}

proptest! {
    #[test]
    fn damaged_documents_are_rejected_or_mapped(
        document in prop_oneof![legacy(), arbitrary::document()],
        damages in vec(damage(), 1..4),
    ) {
        let mut bytes = encode(&document);
        apply(&mut bytes, &damages);
        let (outcome, target) = map(&bytes, Options::default());
        match outcome {
            Outcome::Rejected(reject) => {
                prop_assert!(reject.code != RejectCode::RoundTrip, "{}", reject.message);
                let malformed = reject.code == RejectCode::MalformedBson;
                prop_assert_eq!(malformed, raw::check(&bytes).is_err());
            }
            Outcome::Skipped => {}
            Outcome::Mapped(_) => {
                let restored = restore(target.jobs.bytes(), target.metadata.bytes()).unwrap();
                prop_assert_eq!(restored.bytes, bytes);
            }
        }
    }

    #[test]
    fn cursors_survive_any_bytes(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert!(Document::new(&bytes).elements().count() <= bytes.len());
        map(&bytes, Options::default());
    }

    #[test]
    fn a_damaged_residue_is_never_taken_for_whole(
        document in legacy(),
        damages in vec(vec(damage(), 1..3), 1..12),
    ) {
        let legacy = encode(&document);
        let Some(target) = target_of(&legacy) else { return Ok(()) };
        for damages in damages {
            let metadata =
                with_residue(target.metadata.bytes(), |residue| apply(residue, &damages));
            check_restored(&target, &metadata, &legacy)?;
        }
    }

    #[test]
    fn any_residue_gives_an_error_or_a_changed_document(
        document in legacy(),
        forged in vec(prop_oneof![0_u8..24, any::<u8>()], 0..80),
        shape_length in 0_u8..60,
    ) {
        let legacy = encode(&document);
        let Some(target) = target_of(&legacy) else { return Ok(()) };
        let metadata = with_residue(target.metadata.bytes(), |residue| {
            *residue = [&[1, shape_length], &forged[..]].concat();
        });
        check_restored(&target, &metadata, &legacy)?;
    }

    #[test]
    fn residues_of_other_documents_are_noticed(first in legacy(), second in legacy()) {
        let (first, second) = (encode(&first), encode(&second));
        let (Some(target), Some(other)) = (target_of(&first), target_of(&second)) else {
            return Ok(());
        };
        check_restored(&target, other.metadata.bytes(), &second)?;
    }
}

#[test]
fn metadata_without_a_residue_is_an_error() {
    let mut tree = Node::Document(vec![("legacy".into(), Node::null())]);
    assert!(restore(&[5, 0, 0, 0, 0], &bytes_of(&tree)).is_err());
    tree.fields_mut().unwrap().clear();
    assert!(restore(&[5, 0, 0, 0, 0], &bytes_of(&tree)).is_err());
}
