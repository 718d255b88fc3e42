//! Serves migrated novels: the read API of the new stack, answered from target documents or from
//! legacy documents that are mapped on the way.

pub mod present;
pub mod validation;
