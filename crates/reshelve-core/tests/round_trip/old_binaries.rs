//! Binaries of subtype 2, which hold a second length: where it is wrong, no driver reads the
//! document, so a copied part with one is left out.

use reshelve_core::mapping::{Mapped, Options, Outcome, TargetDocuments, restore};
use reshelve_core::raw::{self, Document, Value, kind};

use crate::map;
use crate::tree::{Node, bytes_of, encode};

/// A legacy document as it was met in the field: the inner length of `analysis.old` is 2, and 3
/// bytes follow it.
const FIELD_DOCUMENT: &[u8] = b"\x75\0\0\0\
    \x07_id\0\x68\x80\x01\x01\0\0\0\0\0\0\0\xaa\
    \x02status\0\x0a\0\0\0completed\0\
    \x02title\0\x12\0\0\0An old attachment\0\
    \x03analysis\0\x22\0\0\0\
        \x02note\0\x02\0\0\0x\0\
        \x05old\0\x07\0\0\0\x02\x02\0\0\0abc\0\
    \0";

/// The content of old binaries that drivers refuse: too short for a length, or with another one.
const REFUSED: [&[u8]; 9] = [
    b"",
    b"\0",
    b"\0\0\0",
    b"\x01\0\0\0",
    b"\xff\xff\xff\xff",
    b"\xfc\xff\xff\xffabc",
    b"\x02\0\0\0abc",
    b"\x04\0\0\0abc",
    b"\x07\0\0\0abc",
];

/// The content of old binaries that drivers read.
const READ: [&[u8]; 3] = [b"\0\0\0\0", b"\x01\0\0\0\0", b"\x03\0\0\0abc"];

fn document(fields: Vec<(&str, Node)>) -> Node {
    Node::Document(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Maps a document that has to be mapped, and restores it: the target, and the paths that are left
/// out as unreadable.
fn left_out(bytes: &[u8]) -> (TargetDocuments, Vec<String>) {
    assert!(raw::check(bytes).is_ok(), "an old binary is well formed whatever it holds");
    let (outcome, target) = map(bytes, Options::default());
    let Outcome::Mapped(Mapped { warnings, .. }) = outcome else { panic!("{outcome:?}") };
    let restored = restore(target.jobs.bytes(), target.metadata.bytes()).unwrap();
    assert_eq!(restored.bytes, bytes);
    assert!(!restored.changed && restored.lost.is_empty());
    let paths = warnings.into_iter().filter(|warning| warning.code.as_str() == "unreadable-part");
    let paths = paths.map(|warning| warning.path).collect();
    (target, paths)
}

/// A legacy document with these fields besides those that every one needs.
fn legacy(fields: Vec<(&str, Node)>) -> Vec<u8> {
    let head = vec![("_id", Node::string("a-novel")), ("status", Node::string("completed"))];
    bytes_of(&document([head, fields].concat()))
}

fn job(target: &TargetDocuments) -> Document<'_> {
    Document::new(target.jobs.bytes())
}

#[test]
fn the_document_from_the_field_is_mapped_without_its_analysis() {
    let (target, paths) = left_out(FIELD_DOCUMENT);
    assert_eq!(paths, ["analysis"]);
    for document in [job(&target), job(&target).get("context").unwrap().document().unwrap()] {
        assert_eq!(document.get("analysis").unwrap().kind, kind::NULL);
    }
}

#[test]
fn only_the_length_inside_decides() {
    for (contents, subtype, refused) in
        [(&REFUSED[..], 2, true), (&READ[..], 2, false), (&REFUSED[..], 0, false)]
    {
        for content in contents {
            let part = document(vec![("old", Node::binary(subtype, content))]);
            let (target, paths) = left_out(&legacy(vec![("analysis", part.clone())]));
            let expected: &[&str] = if refused { &["analysis"] } else { &[] };
            assert_eq!(paths, expected, "{part:?}");
            let found = job(&target).get("analysis").and_then(Value::document);
            let copy = bytes_of(&part);
            assert_eq!(found.map(Document::bytes), (!refused).then_some(&copy[..]), "{part:?}");
        }
    }
}

#[test]
fn every_copied_part_is_looked_at_to_any_depth() {
    for content in REFUSED {
        let old = Node::binary(2, content);
        let nested = Node::array([Node::null(), Node::array([document(vec![("x", old.clone())])])]);
        let part = document(vec![("_id", Node::int32(1)), ("x", nested.clone())]);
        let entry = document(vec![
            ("humanLikeElements", part.clone()),
            ("characterFocus", old.clone()),
            ("plotAdvancement", nested.clone()),
            ("genreElements", Node::array([old])),
        ]);
        let measured = document(vec![("score", Node::int32(9)), ("x", nested)]);
        let parts = Node::array([part.clone(), document(vec![("t", Node::int32(1))])]);
        let bible = document(vec![
            ("plotThreads", parts.clone()),
            ("timeline", parts.clone()),
            ("themes", parts.clone()),
        ]);
        let metadata = document(vec![
            ("storyBible", bible),
            ("aiDecisions", Node::array([document(vec![("alternatives", parts)])])),
            ("enhancedQualityMetrics", measured),
        ]);
        let (target, paths) = left_out(&legacy(vec![
            ("outline", Node::array([entry])),
            ("analysis", part.clone()),
            ("modelUsage", part.clone()),
            ("qualityMetrics", part),
            ("metadata", metadata),
        ]));
        let expected = [
            "analysis",
            "metadata.aiDecisions.0.alternatives.0",
            "metadata.enhancedQualityMetrics",
            "metadata.storyBible.plotThreads.0",
            "metadata.storyBible.themes.0",
            "metadata.storyBible.timeline.0",
            "modelUsage",
            "outline.0.characterFocus",
            "outline.0.genreElements",
            "outline.0.humanLikeElements",
            "outline.0.plotAdvancement",
            "qualityMetrics",
        ];
        assert_eq!(paths, expected, "{content:?}");
        crate::readable::check(&target).unwrap();
    }
}

#[test]
fn what_is_not_copied_gives_no_warning() {
    let old = Node::binary(2, b"\x02\0\0\0abc");
    // The own `_id` of a story part is not written.
    let threads = Node::array([document(vec![("_id", old.clone()), ("t", Node::int32(1))])]);
    let metadata = document(vec![
        ("storyBible", document(vec![("plotThreads", threads)])),
        ("phaseStartTimes", document(vec![("outlining", old.clone())])),
    ]);
    let (target, paths) = left_out(&legacy(vec![("cover", old), ("metadata", metadata)]));
    assert!(paths.is_empty(), "{paths:?}");
    let bible = Document::new(target.metadata.bytes()).get("storyBibleMetadata");
    let threads = bible.and_then(Value::document).and_then(|bible| bible.get("plotThreads"));
    let written = encode(&vec![("t".to_owned(), Node::int32(1))]);
    assert_eq!(threads.and_then(Value::array).unwrap().values().next().unwrap().bytes, written);
}
