//! A copy beside its source, without the key: which document is the copy of which.
//!
//! A copy has the documents of its source in their order, but for those that were left out. What the
//! policy keeps (numbers, flags, closed words, and the form of it all) is the same on both sides, so
//! that each document of the copy belongs to the next one of the source that is alike in that.

use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;

use super::copy::{FoundLeak, Summary};
use super::error::AnonymizeError;
use super::first_pass::{FirstPass, Reading};
use super::policy::Policy;
use super::readable::Read;
use super::rule::{Class, How, Rule};
use super::scan::{Leak, Scanner};
use super::walk::Spot;
use crate::ends::Source;
use crate::pass::{Round, id_text, in_parallel};
use reshelve_core::raw::{Document, Value, kind};

/// Pairs that are scanned at a time, and their bytes.
const PAIRS: usize = 2_000;
/// See [`PAIRS`].
const PAIRS_BYTES: usize = 4 * 1024 * 1024;

/// Documents one by one.
struct Stream<'a> {
    source: Box<dyn Source>,
    stop: &'a AtomicBool,
    round: Round,
    ready: VecDeque<Vec<u8>>,
    bson: Vec<u8>,
}

impl<'a> Stream<'a> {
    fn new(source: Box<dyn Source>, stop: &'a AtomicBool) -> Stream<'a> {
        let (round, ready) = (Round::default(), VecDeque::new());
        Stream { source, stop, round, ready, bson: Vec::new() }
    }

    /// The next document that can be read.
    fn next(&mut self) -> Result<Option<Vec<u8>>, AnonymizeError> {
        while self.ready.is_empty() {
            if !self.round.read(self.source.as_mut(), self.stop)? {
                return Ok(None);
            }
            for original in self.round.documents() {
                if let Read::Bson(document) = Read::of(&original, &mut self.bson) {
                    self.ready.push_back(document.to_vec());
                }
            }
        }
        Ok(self.ready.pop_front())
    }
}

/// A document of the copy, and the one of the source that it belongs to.
struct Pair {
    copy: Vec<u8>,
    original: Option<Vec<u8>>,
}

/// Scans a copy beside its source, of which `first` is known. A document of the copy that belongs
/// to none of the source is scanned by itself, and counts as a leak.
///
/// # Errors
/// If one of them cannot be read.
pub fn scan(
    source: Box<dyn Source>,
    copy: Box<dyn Source>,
    first: &FirstPass,
    reading: &Reading<'_>,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<Summary, AnonymizeError> {
    let mut originals = Stream::new(source, reading.stop);
    let mut copies = Stream::new(copy, reading.stop);
    let mut workers: Vec<Scanner<'_>> = (0..reading.threads.max(1))
        .map(|_| Scanner::new(reading.policy, &first.lexicon, &first.corpus))
        .collect();
    let mut summary = Summary::default();
    loop {
        let pairs = next_pairs(reading.policy, &mut originals, &mut copies, &mut summary)?;
        if pairs.is_empty() {
            return Ok(summary);
        }
        let found = in_parallel(&mut workers, &pairs, |scanner, pair| {
            let original = pair.original.as_deref().map(Document::new);
            let found = scanner.scan(Document::new(&pair.copy), original);
            scanner.certain(found)
        });
        for (pair, leaks) in pairs.iter().zip(found) {
            let job = || id_text(Some(&pair.copy));
            if pair.original.is_none() {
                summary.add_leak(FoundLeak {
                    leak: Leak::Unpaired,
                    job: job(),
                    path: String::new(),
                });
            }
            for (leak, path) in leaks? {
                summary.add_leak(FoundLeak { leak, job: job(), path });
            }
        }
        tell(summary.written, copies.source.bytes_read());
    }
}

fn next_pairs(
    policy: &Policy,
    originals: &mut Stream<'_>,
    copies: &mut Stream<'_>,
    summary: &mut Summary,
) -> Result<Vec<Pair>, AnonymizeError> {
    let mut pairs = Vec::new();
    let mut bytes = 0;
    while pairs.len() < PAIRS && bytes < PAIRS_BYTES {
        let Some(copy) = copies.next()? else { break };
        summary.written += 1;
        summary.bytes_written += u64::try_from(copy.len()).unwrap_or(0);
        let wanted = skeleton(policy, &copy);
        let mut found = None;
        while let Some(original) = originals.next()? {
            summary.read += 1;
            summary.bytes_read += u64::try_from(original.len()).unwrap_or(0);
            if skeleton(policy, &original) == wanted {
                found = Some(original);
                break;
            }
        }
        bytes += 2 * copy.len();
        pairs.push(Pair { copy, original: found });
    }
    Ok(pairs)
}

/// The hash of everything that the policy keeps in a document.
fn skeleton(policy: &Policy, document: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    let document = Value { kind: kind::DOCUMENT, bytes: document };
    bones(policy, Spot::Known(Policy::ROOT), document, &mut hasher);
    hasher.finalize()
}

fn bones(policy: &Policy, spot: Spot, value: Value<'_>, hasher: &mut blake3::Hasher) {
    let elements = spot.elements(policy);
    for element in Document::new(value.bytes).elements() {
        let at = match value.kind {
            kind::ARRAY => elements,
            _ => spot.field(policy, element.name).0,
        };
        let Spot::Known(node) = at else { continue };
        let value = element.value;
        hasher.update(&u64::try_from(node).unwrap_or(u64::MAX).to_le_bytes());
        hasher.update(&[value.kind]);
        let is_kept = match policy.rule(node) {
            Some(Rule { class: Class::Keep, how: How::Number }) => value.numeric().is_some(),
            _ => value.string().is_some_and(|text| policy.is_closed_value(node, text)),
        };
        match value.kind {
            kind::DOCUMENT | kind::ARRAY => bones(policy, at, value, hasher),
            _ if is_kept || value.boolean().is_some() => {
                hasher.update(value.bytes);
            }
            _ => {}
        }
    }
}
