//! Arbitrary bytes through the check, and the cursors over whatever they are.
//!
//! Where the check passes, walking the document must meet every byte of it. Where it does not, the
//! cursors may stop early, and must not panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use reshelve_core::raw::{self, Document, Value, kind};

/// Deeper documents are walked by the check alone: the walk here is recursive.
const DEPTH_MAX: usize = 200;

fuzz_target!(|bytes: &[u8]| {
    let document = Document::new(bytes);
    match raw::check(bytes) {
        Ok(facts) if facts.depth <= DEPTH_MAX => {
            let depth = walk(document);
            // Scopes of code are not walked into, so that the walk may see less.
            assert!(depth <= facts.depth, "walked {depth} levels, {} found", facts.depth);
        }
        Ok(_) => {}
        Err(_) => look(document, 0),
    }
});

/// Walks a well-formed document and returns its depth.
fn walk(document: Document<'_>) -> usize {
    let mut at = 4;
    let mut deepest = 0;
    for element in document.elements() {
        assert_eq!(element.offset, at, "an element does not start where the last one ended");
        assert!(std::str::from_utf8(element.name).is_ok());
        at += 1 + element.name.len() + 1 + element.value.bytes.len();
        if let Some(text) = element.value.string() {
            assert!(std::str::from_utf8(text).is_ok());
            assert_eq!(text.len() + 5, element.value.bytes.len());
        }
        if matches!(element.value.kind, kind::DOCUMENT | kind::ARRAY) {
            deepest = deepest.max(walk(Document::new(element.value.bytes)));
        }
        touch(element.value);
    }
    assert_eq!(at + 1, document.bytes().len(), "the walk does not meet every byte");
    deepest + 1
}

/// Looks at bytes that are no document, as far as they let themselves be looked at.
fn look(document: Document<'_>, depth: usize) {
    for element in document.elements() {
        touch(element.value);
        if depth < DEPTH_MAX && matches!(element.value.kind, kind::DOCUMENT | kind::ARRAY) {
            look(Document::new(element.value.bytes), depth + 1);
        }
    }
}

fn touch(value: Value<'_>) {
    let _ = (value.string(), value.text(), value.document(), value.array(), value.boolean());
    let _ = (value.date_ms(), value.object_id(), value.int32(), value.int64(), value.double());
    let _ = (value.numeric(), value.binary(), value.is_nullish());
}
