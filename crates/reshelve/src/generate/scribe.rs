//! A BSON writer together with a random stream: it writes every part of a document.

use super::{prose, rng::Rng};
use reshelve_core::raw::{Writer, kind};

/// How whole numbers are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Width {
    /// As the application does: Int32, beyond it Double.
    #[default]
    Int32,
    /// As a foreign writer may.
    Int64,
    /// As a foreign writer may.
    Double,
}

/// Writes one document.
#[derive(Debug)]
pub(super) struct Scribe {
    pub(super) rng: Rng,
    pub(super) writer: Writer,
    pub(super) width: Width,
    scratch: Vec<u8>,
}

impl Scribe {
    pub(super) fn new(rng: Rng, out: Vec<u8>) -> Self {
        Scribe { rng, writer: Writer::new(out), width: Width::default(), scratch: Vec::new() }
    }

    /// A string that `compose` writes; returns what that returns.
    fn composed<T>(&mut self, name: &str, compose: impl FnOnce(&mut Rng, &mut Vec<u8>) -> T) -> T {
        self.scratch.clear();
        let result = compose(&mut self.rng, &mut self.scratch);
        self.writer.string(name, &self.scratch);
        result
    }

    /// Paragraphs of about that many bytes; returns the number of words.
    pub(super) fn paragraphs(&mut self, name: &str, bytes: usize) -> usize {
        self.composed(name, |rng, out| prose::paragraphs(rng, out, bytes))
    }

    /// One sentence.
    pub(super) fn sentence(&mut self, name: &str) {
        self.composed(name, prose::sentence);
    }

    /// A title; returns a copy of it.
    pub(super) fn title(&mut self, name: &str) -> Vec<u8> {
        self.composed(name, prose::title);
        self.scratch.clone()
    }

    /// A few keywords.
    pub(super) fn phrase(&mut self, name: &str, count: usize) {
        self.composed(name, |rng, out| prose::phrase(rng, out, count));
    }

    /// An array of `count` sentences.
    pub(super) fn sentences(&mut self, name: &str, count: u32) {
        self.array(name, count, prose::sentence);
    }

    /// An array of `count` strings.
    pub(super) fn array(
        &mut self,
        name: &str,
        count: u32,
        mut compose: impl FnMut(&mut Rng, &mut Vec<u8>),
    ) {
        let mark = self.writer.begin_array(name);
        for index in 0..usize::try_from(count).unwrap_or(0) {
            self.scratch.clear();
            compose(&mut self.rng, &mut self.scratch);
            self.writer.string_item(index, &self.scratch);
        }
        self.writer.end(mark);
    }

    /// An array without elements.
    pub(super) fn empty_array(&mut self, name: &str) {
        let mark = self.writer.begin_array(name);
        self.writer.end(mark);
    }

    /// A document without fields.
    pub(super) fn empty_document(&mut self, name: &str) {
        let mark = self.writer.begin_document(name);
        self.writer.end(mark);
    }

    /// A whole number.
    pub(super) fn count(&mut self, name: &str, count: u32) {
        match self.width {
            Width::Int32 => self.writer.number(name, f64::from(count)),
            Width::Int64 => {
                self.writer.header(kind::INT64, name.as_bytes());
                self.writer.extend(&i64::from(count).to_le_bytes());
            }
            Width::Double => self.double(name, f64::from(count)),
        }
    }

    /// A Double, whatever its value.
    pub(super) fn double(&mut self, name: &str, number: f64) {
        self.writer.header(kind::DOUBLE, name.as_bytes());
        self.writer.extend(&number.to_le_bytes());
    }

    /// A fresh ObjectId of that time under that name.
    pub(super) fn object_id(&mut self, name: &str, date_ms: i64) {
        let id = self.new_id(date_ms);
        self.writer.object_id(name, id);
    }

    /// A fresh ObjectId of that time.
    pub(super) fn new_id(&mut self, date_ms: i64) -> [u8; 12] {
        let mut id = [0; 12];
        let seconds = u32::try_from(date_ms / 1_000).unwrap_or(0);
        id[..4].copy_from_slice(&seconds.to_be_bytes());
        id[4..].copy_from_slice(&self.rng.bits().to_be_bytes());
        id
    }
}
