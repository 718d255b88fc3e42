//! Every form in which the legacy collection can arrive gives the same documents, whole or damaged.
//!
//! The real dumps and exports lie in `tests/samples`; damage is done to them here.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod damage;
mod folders;
mod forms;
mod helpers;
mod json;
mod roundtrip;
mod scans;
