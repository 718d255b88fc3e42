//! `checksums`: counts and checksums of a target.

use std::collections::BTreeMap;

use reshelve::parity::{self, CollectionChecksum};
use serde::Serialize;

use crate::failure::Failure;
use crate::handle::Handle;
use crate::places::{self, TargetPlace};

/// What `checksums` is asked.
pub struct Request {
    /// The target.
    pub target: TargetPlace,
}

/// The checksums; as JSON, `reshelve.checksums/1`.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    schema: &'static str,
    /// By collection.
    pub collections: BTreeMap<&'static str, CollectionChecksum>,
}

/// Reads a target to its end.
///
/// # Errors
/// If the target cannot be read.
pub fn checksums(request: &Request, handle: &Handle) -> Result<Outcome, Failure> {
    let target = places::reader(&request.target, None, handle)?;
    let collections = parity::checksums(target.as_ref())?;
    Ok(Outcome { schema: "reshelve.checksums/1", collections })
}
