//! Every form in which the legacy collection can arrive gives the same documents, whole or damaged.
//!
//! The real dumps and exports are in `tests/samples`; these tests damage them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod damage;
mod folders;
mod forms;
mod helpers;
mod json;
mod roundtrip;
mod scans;
