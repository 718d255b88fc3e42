//! Leaks that are planted in a copy are found.

use reshelve::anonymize::{Leak, Policy, Summary, scan};
use reshelve::generate::{Plan, Size, Stream};
use reshelve_core::raw::{Document, Value, Writer, kind};

use crate::helpers::{checked, document, first, key, reading, source};

fn scanned(documents: &[Vec<u8>], copies: &[Vec<u8>]) -> Summary {
    let policy = Policy::new();
    let first = first(documents, None, &policy);
    scan(source(documents), source(copies), &first, &reading(&policy), &mut |_, _| {}).unwrap()
}

/// Says what a value with that name becomes; none if it stays.
type Change<'c> = dyn FnMut(&[u8], Value<'_>) -> Option<Vec<u8>> + 'c;

/// A document with some of its values changed by their name, at any depth.
fn changed(document: &[u8], change: &mut Change<'_>) -> Vec<u8> {
    fn copy(out: &mut Writer, document: Document<'_>, change: &mut Change<'_>) {
        for element in document.elements() {
            let value = element.value;
            if let Some(text) = change(element.name, value) {
                out.header(kind::STRING, element.name);
                out.text(&text);
            } else if matches!(value.kind, kind::DOCUMENT | kind::ARRAY) {
                let mark = out.begin_nested(value.kind, element.name);
                copy(out, Document::new(value.bytes), change);
                out.end(mark);
            } else {
                out.value_bytes(element.name, value);
            }
        }
    }
    let mut out = Writer::default();
    let mark = out.begin();
    copy(&mut out, Document::new(document), change);
    out.end(mark);
    out.into_bytes()
}

fn corpus() -> Vec<Vec<u8>> {
    let mut plan = Plan::populated(11, 12);
    plan.size = Size::Small;
    Stream::new(plan).collect()
}

/// Plants a text in the place of the copy's first value with that name that is a string, and says
/// which rules found it.
fn planted(name: &str, text: &dyn Fn(&[u8]) -> Vec<u8>) -> Vec<Leak> {
    let documents = corpus();
    let (mut copies, summary) = checked(&documents, &key('e'));
    assert_eq!(summary.leaks, 0);
    assert_eq!(scanned(&documents, &copies).leaks_named, [], "it is clean at first");
    let mut done = false;
    for copy in &mut copies {
        *copy = changed(copy, &mut |field, value| {
            let old = value.text().filter(|_| !done && field == name.as_bytes())?;
            done = true;
            Some(text(old))
        });
        if done {
            break;
        }
    }
    assert!(done, "nothing is called {name}");
    let found = scanned(&documents, &copies).leaks_named;
    let mut rules: Vec<Leak> = found.iter().map(|found| found.leak).collect();
    rules.sort();
    rules.dedup();
    rules
}

#[test]
fn a_name_in_prose_is_found_in_any_case() {
    let append = |word: &'static str| move |old: &[u8]| [old, b" ", word.as_bytes()].concat();
    assert_eq!(planted("summary", &append("Marianne")), [Leak::Word]);
    assert_eq!(planted("description", &append("ODETTE")), [Leak::Word]);
    assert_eq!(planted("content", &append("smörgåsbord")), [Leak::Word]);
}

#[test]
fn an_id_of_the_source_is_found() {
    let documents = corpus();
    let id = Document::new(&documents[7]).get("_id").unwrap().object_id().unwrap();
    let hex = reshelve_core::raw::hex(&id);
    assert_eq!(planted("failureReason", &|_| hex.clone().into_bytes()), [Leak::Word]);
}

#[test]
fn what_was_there_and_what_was_anywhere_in_the_document_is_found() {
    let documents = [document(
        r#"{"_id": "one", "status": "completed", "title": "With her by the old hill",
            "premise": "We had to go there with you again and again until the end"}"#,
    )];
    let (copies, _) = checked(&documents, &key('f'));
    let with = |name: &'static str, text: &'static str| {
        let copy = changed(&copies[0], &mut |field, _| {
            (field == name.as_bytes()).then(|| text.as_bytes().to_vec())
        });
        let found = scanned(&documents, &[copy]).leaks_named;
        found.iter().map(|it| (it.leak, it.path.clone())).collect::<Vec<_>>()
    };
    // All these words are common: only where and how they stand gives them away.
    assert_eq!(with("title", "vuk vuk BY THE vuk vuk"), [(Leak::InPlace, "title".to_owned())]);
    assert_eq!(with("title", "With vuk by vuk old vuk"), []);
    assert_eq!(with("title", "vuk go there with you vuk"), [(Leak::Run, "title".to_owned())]);
    assert_eq!(with("title", "vuk go there with me vuk"), []);
}

#[test]
fn keys_unknown_fields_and_binaries_are_looked_at() {
    let documents = [document(
        r#"{"_id": "one", "status": "completed", "title": "A lantern in the harbor",
            "metadata": {"storyBible": {"characters": {"Mara Quinn": {"description": "brave"}}}}}"#,
    )];
    let (copies, _) = checked(&documents, &key('f'));
    let found = |copy: Vec<u8>| {
        let found = scanned(&documents, &[copy]).leaks_named;
        found.iter().map(|it| (it.leak, it.path.clone())).collect::<Vec<_>>()
    };
    let with = |write: &dyn Fn(&mut Writer)| {
        let mut out = Writer::default();
        let mark = out.begin();
        for element in Document::new(&copies[0]).elements() {
            out.value_bytes(element.name, element.value);
        }
        write(&mut out);
        out.end(mark);
        found(out.into_bytes())
    };
    let below = |rule| vec![(rule, "**".to_owned())];
    assert_eq!(with(&|out| out.string("vuk", b"see the lantern")), below(Leak::Word));
    assert_eq!(with(&|out| out.binary("vuk", b"\x01the lantern\x02")), below(Leak::Word));
    assert_eq!(with(&|out| out.string("quinn", b"")), below(Leak::Word));
    assert_eq!(with(&|out| out.string("vuk", b"nothing")), []);
    let leaky = changed(&copies[0], &mut |_, _| None);
    assert_eq!(found(leaky), []);
    let key = |out: &mut Writer| {
        let metadata = out.begin_document("metadata");
        let bible = out.begin_document("storyBible");
        let characters = out.begin_document("characters");
        let one = out.begin_document("Mara Vuk");
        out.end(one);
        out.end(characters);
        out.end(bible);
        out.end(metadata);
    };
    // It is a second field of that name: the document belongs to none of the source either.
    let rules: Vec<Leak> = with(&key).into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(rules, [Leak::Unpaired, Leak::Word]);
}

#[test]
fn documents_that_were_left_out_are_no_leak_and_foreign_ones_are() {
    let documents = corpus();
    let (copies, _) = checked(&documents, &key('e'));
    assert_eq!(scanned(&documents, &copies[3..9]).leaks, 0);
    let found = scanned(&documents[..6], &copies[6..7]).leaks_named;
    assert_eq!(found.iter().map(|it| it.leak).collect::<Vec<_>>(), [Leak::Unpaired]);
}
