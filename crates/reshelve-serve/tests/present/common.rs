//! What the tests of the answers share.

use reshelve_core::{extjson, raw};

/// The time of the request, and how it is written.
pub(crate) const NOW_MS: i64 = 1_767_323_045_006;
/// The same as text.
pub(crate) const NOW: &str = "2026-01-02T03:04:05.006Z";

/// A document written as Extended JSON: repeated names and their order are kept.
pub(crate) fn bson(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    extjson::parse(text.as_bytes(), &mut bytes).unwrap();
    raw::check(&bytes).unwrap();
    bytes
}

/// An answer as text.
pub(crate) fn text(answer: Vec<u8>) -> String {
    String::from_utf8(answer).unwrap()
}
