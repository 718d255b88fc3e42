//! A residue that someone spoilt: restoring gives an error, or a document that is named as
//! changed, or the legacy document; never a panic and never something wrong without a word.
//!
//! The first byte chooses one of the sample documents and what the rest means: edits of its
//! residue (place, place, byte), or a whole residue in its stead.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use reshelve_core::mapping::{Mapper, Options, Outcome, TargetDocuments, restore};
use reshelve_core::raw::{self, Document, Value, Writer, kind};

static SAMPLES: &[u8] = include_bytes!("../../tests/samples/dump/letswriteabook/jobs.bson");

struct Sample {
    legacy: &'static [u8],
    job: Vec<u8>,
    metadata: Vec<u8>,
    residue: Vec<u8>,
}

fuzz_target!(|input: &[u8]| {
    let Some((&choice, rest)) = input.split_first() else { return };
    let samples = samples();
    let sample = &samples[usize::from(choice & 0x7F) % samples.len()];
    let residue = if choice & 0x80 != 0 { rest.to_vec() } else { edited(&sample.residue, rest) };
    let metadata = with_residue(&sample.metadata, &residue);
    let Ok(restored) = restore(&sample.job, &metadata) else { return };
    assert!(
        restored.changed || restored.bytes == sample.legacy,
        "another document, and not named as changed"
    );
    raw::check(&restored.bytes).expect("what is restored is well formed");
});

fn edited(residue: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut residue = residue.to_vec();
    for edit in edits.chunks_exact(3) {
        let place = usize::from(u16::from_le_bytes([edit[0], edit[1]])) % residue.len();
        residue[place] = edit[2];
    }
    residue
}

fn samples() -> &'static [Sample] {
    static MAPPED: OnceLock<Vec<Sample>> = OnceLock::new();
    MAPPED.get_or_init(|| documents().map(sample).collect())
}

fn documents() -> impl Iterator<Item = &'static [u8]> {
    let mut left = SAMPLES;
    std::iter::from_fn(move || {
        let prefix = left.first_chunk::<4>()?;
        let (document, rest) = left.split_at(u32::from_le_bytes(*prefix) as usize);
        left = rest;
        Some(document)
    })
}

fn sample(legacy: &'static [u8]) -> Sample {
    let mut target = TargetDocuments::default();
    let outcome = Mapper::new(Options::default()).map(legacy, &mut target);
    assert!(matches!(outcome, Outcome::Mapped(_)), "a sample does not map");
    let metadata = target.metadata.into_bytes();
    let residue = Document::new(&metadata)
        .get("legacy")
        .and_then(Value::document)
        .and_then(|record| record.get("residue")?.binary())
        .expect("mapped metadata holds a residue")
        .to_vec();
    Sample { legacy, job: target.jobs.into_bytes(), metadata, residue }
}

fn with_residue(metadata: &[u8], residue: &[u8]) -> Vec<u8> {
    let mut out = Writer::default();
    let document = out.begin();
    for element in Document::new(metadata).elements() {
        let Some(record) = element.value.document().filter(|_| element.name == b"legacy") else {
            out.value_bytes(element.name, element.value);
            continue;
        };
        let mark = out.begin_nested(kind::DOCUMENT, b"legacy");
        for part in record.elements().filter(|part| part.name != b"residue") {
            out.value_bytes(part.name, part.value);
        }
        out.binary("residue", residue);
        out.end(mark);
    }
    out.end(document);
    out.into_bytes()
}
