//! What the targets for readers share: a stream read to its end, and what must hold on the way.

use std::io::Cursor;

use reshelve::dump;
use reshelve::ends::{Batch, BatchLimits, SourceSpec};

/// Opens bytes as a source and reads them to their end or to their damage.
///
/// Documents must lie in their batch, limits must be kept, and an end must come.
pub fn drain(bytes: Vec<u8>) {
    let length = bytes.len();
    let spec = SourceSpec { path: "fuzzed".into(), ..SourceSpec::default() };
    let Ok(mut opened) = dump::open_stream(Box::new(Cursor::new(bytes)), "fuzzed", &spec) else {
        return;
    };
    let limits = BatchLimits { docs_max: 7, bytes_max: 4096 };
    let mut batch = Batch::default();
    // Every batch takes a byte of the content at least; compressed content is larger.
    for _ in 0..length.saturating_mul(2048) + 2 {
        batch.clear();
        match opened.source.fill(&mut batch, limits) {
            Ok(true) => {
                assert!(!batch.items.is_empty() && batch.items.len() <= limits.docs_max);
                for item in &batch.items {
                    assert!(!batch.document(item).is_empty());
                }
            }
            Ok(false) => {
                assert!(batch.items.is_empty());
                return;
            }
            Err(damage) => {
                assert!(!damage.to_string().is_empty());
                return;
            }
        }
    }
    panic!("the source does not end");
}
