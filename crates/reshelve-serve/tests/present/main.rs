//! The answers of the read API, document by document.

#![expect(clippy::unwrap_used, reason = "a test helper that cannot proceed fails the test")]

mod any_document;
mod common;
mod golden;
mod jobs;
mod parts;
mod values;
