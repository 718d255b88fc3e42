//! Anonymised copies of generated corpora, of the golden cases, and of any document at all: true to
//! life, and without anything of the source.

#![expect(clippy::unwrap_used, reason = "a test helper that cannot proceed fails the test")]

mod any_document;
mod corpora;
mod helpers;
mod leaks;
mod prose;
