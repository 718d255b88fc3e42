//! The steps that a sequence is made of.

use proptest::collection::vec;
use proptest::prelude::*;
use reshelve::ends::OnExisting;
use reshelve::store::{Fault, Keep};

use super::model::Choice;

/// How many legacy documents there are.
pub(crate) const DOCUMENTS: usize = 7;

/// The process ends in the middle of a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kill {
    /// At which of the step's operations on files, in thousandths.
    pub(crate) at: u16,
    pub(crate) fault: Fault,
    pub(crate) keep: Keep,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A run over the documents whose bit is set.
    Run {
        documents: u8,
        apply: bool,
        on_existing: OnExisting,
        by_evidence: bool,
        kill: Option<Kill>,
    },
    /// A run over all documents that takes what an earlier run has rejected.
    Retry { run: u8, on_existing: OnExisting, kill: Option<Kill> },
    /// A killed run, or any other one.
    Resume { run: u8, is_killed_one: bool, kill: Option<Kill> },
    /// A rollback of the killed run, or of any other one.
    Rollback { run: u8, is_killed_one: bool, choice: Choice, kill: Option<Kill> },
    /// Somebody changes a target document.
    Edit { collection: u8, document: u8, grows: bool },
    /// Somebody deletes a target document.
    Delete { collection: u8, document: u8 },
    /// The new application writes an event.
    Event { document: u8 },
    /// The application changes a legacy document, or spoils it, or repairs it.
    Change { document: u8, version: u8 },
}

fn kill() -> impl Strategy<Value = Option<Kill>> {
    let fault = prop_oneof![3 => Just(Fault::Stop), 1 => Just(Fault::Tear)];
    let keep = prop_oneof![
        4 => Just(Keep::Everything),
        2 => Just(Keep::Durable),
        2 => (0_u64..50).prop_map(Keep::Mixed),
    ];
    let kill = (0_u16..1000, fault, keep);
    proptest::option::weighted(0.4, kill.prop_map(|(at, fault, keep)| Kill { at, fault, keep }))
}

fn on_existing() -> impl Strategy<Value = OnExisting> {
    prop_oneof![
        1 => Just(OnExisting::Refuse),
        3 => Just(OnExisting::Keep),
        3 => Just(OnExisting::Replace),
    ]
}

fn choice() -> impl Strategy<Value = Choice> {
    prop_oneof![
        3 => Just(Choice::Nothing),
        2 => Just(Choice::Keep),
        3 => Just(Choice::Discard),
        1 => Just(Choice::DiscardWrongNumber),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let documents = 1_u8..1 << DOCUMENTS;
    let run = (documents, prop::bool::weighted(0.85), on_existing(), any::<bool>(), kill());
    let retry = (any::<u8>(), on_existing(), kill());
    let resume = (any::<u8>(), prop::bool::weighted(0.9), kill());
    let rollback = (any::<u8>(), prop::bool::weighted(0.5), choice(), kill());
    let place = || (0_u8..4, any::<u8>());
    prop_oneof![
        6 => run.prop_map(|(documents, apply, on_existing, by_evidence, kill)| Step::Run {
            documents, apply, on_existing, by_evidence, kill
        }),
        2 => retry.prop_map(|(run, on_existing, kill)| Step::Retry { run, on_existing, kill }),
        3 => resume.prop_map(|(run, is_killed_one, kill)| Step::Resume {
            run, is_killed_one, kill
        }),
        5 => rollback.prop_map(|(run, is_killed_one, choice, kill)| Step::Rollback {
            run, is_killed_one, choice, kill
        }),
        3 => (place(), any::<bool>()).prop_map(|((collection, document), grows)| Step::Edit {
            collection, document, grows
        }),
        1 => place().prop_map(|(collection, document)| Step::Delete { collection, document }),
        1 => any::<u8>().prop_map(|document| Step::Event { document }),
        2 => (any::<u8>(), 0_u8..4).prop_map(|(document, version)| Step::Change {
            document, version
        }),
    ]
}

/// A target, compressed or not, and what happens to it.
pub(crate) fn sequence() -> impl Strategy<Value = (bool, Vec<Step>)> {
    (prop::bool::weighted(0.3), vec(step(), 1..14))
}
