//! Generated corpora and golden cases.

use reshelve::anonymize::{Copying, Policy};
use reshelve::generate::{Plan, Size, Stream};
use reshelve_core::raw::{Document, kind};

use crate::helpers::{cases, checked, copies, first, key};

fn corpus(mut plan: Plan, size: Size) -> Vec<Vec<u8>> {
    plan.size = size;
    Stream::new(plan).collect()
}

fn corpora() -> [(&'static str, Vec<Vec<u8>>); 4] {
    [
        ("standard", corpus(Plan::standard(1, 60), Size::Medium)),
        ("lifecycle", corpus(Plan::lifecycle(2, 300), Size::Small)),
        ("populated", corpus(Plan::populated(3, 200), Size::Mixed)),
        ("foreign", corpus(Plan::foreign(4, 400), Size::Small)),
    ]
}

#[test]
fn copies_of_generated_corpora_are_true_to_life_and_clean() {
    for (name, documents) in corpora() {
        let (copies, summary) = checked(&documents, &key('a'));
        assert_eq!(summary.left_out_named, [], "{name}");
        assert_eq!(summary.leaks_named, [], "{name}");
        assert_eq!(copies.len(), documents.len());
        for (document, copy) in documents.iter().zip(&copies) {
            assert!(reshelve_core::raw::check(copy).is_ok());
            let (one, other) = (Document::new(document), Document::new(copy));
            assert_eq!(form(one), form(other), "{name}");
        }
    }
}

/// Types, and the names of fields at the top: those of the schema stay.
fn form(document: Document<'_>) -> Vec<(u8, usize)> {
    let mut all = Vec::new();
    for element in document.elements() {
        all.push((element.value.kind, 0));
        if matches!(element.value.kind, kind::DOCUMENT | kind::ARRAY) {
            let inside = form(Document::new(element.value.bytes));
            all.push((element.value.kind, inside.len()));
            all.extend(inside);
        }
    }
    all
}

#[test]
fn each_golden_case_alone_is_true_to_life_and_clean() {
    for (name, document) in cases() {
        let (copies, summary) = checked(&[document], &key('b'));
        assert_eq!(summary.left_out_named, [], "{name}");
        assert_eq!(summary.leaks_named, [], "{name}");
        assert_eq!(copies.len(), 1, "{name}");
    }
}

#[test]
fn the_golden_cases_together_are_a_corpus_too() {
    let documents: Vec<Vec<u8>> = cases().into_iter().map(|(_, document)| document).collect();
    let (_, summary) = checked(&documents, &key('c'));
    assert_eq!(summary.left_out_named, []);
    assert_eq!(summary.leaks_named, []);
}

#[test]
fn the_same_key_gives_the_same_bytes_and_another_key_others() {
    let documents = corpus(Plan::populated(5, 40), Size::Small);
    let (one, _) = checked(&documents, &key('1'));
    assert_eq!(one, checked(&documents, &key('1')).0);
    let (other, _) = checked(&documents, &key('2'));
    assert!(one.iter().zip(&other).all(|(one, other)| one != other));
    // The comparison of both sides changes nothing of what it does not refuse.
    assert_eq!(one, copies(&documents, &key('1'), Copying::default()).0);
}

#[test]
fn the_order_of_jobs_stays_if_it_is_to() {
    let documents = corpus(Plan::standard(6, 40), Size::Small);
    let created = |documents: &[Vec<u8>]| -> Vec<i64> {
        let of = |it: &Vec<u8>| Document::new(it).get("createdAt").unwrap().date_ms().unwrap();
        documents.iter().map(of).collect()
    };
    let offsets = |copies: &[Vec<u8>]| -> std::collections::BTreeSet<i64> {
        created(&documents).iter().zip(created(copies)).map(|(one, other)| other - one).collect()
    };
    assert_eq!(offsets(&checked(&documents, &key('d')).0).len(), 40);
    let keep_order = Copying { keep_order: true, check: true };
    assert_eq!(offsets(&copies(&documents, &key('d'), keep_order).0).len(), 1);
}

#[test]
fn paths_that_the_policy_does_not_know_are_found() {
    let documents = corpus(Plan::foreign(4, 400), Size::Small);
    let unknown = first(&documents, None, &Policy::new()).unknown;
    for path in ["userId", "coverImage", "budget", "nested", "filter", "hook"] {
        assert!(unknown.iter().any(|found| found == path), "{path}: {unknown:?}");
    }
    assert!(!unknown.iter().any(|path| path.starts_with("analysis")), "{unknown:?}");
    let known = corpus(Plan::populated(3, 200), Size::Small);
    assert!(first(&known, None, &Policy::new()).unknown.is_empty());
}
