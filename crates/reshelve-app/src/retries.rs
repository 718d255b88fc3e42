//! Where the retries of a run are read again from: a source of their own, such as a file of repaired
//! documents, or the one of the run.

use reshelve::ends::Origin;
use reshelve::run::Plan;

use crate::failure::Failure;
use crate::family::Known;
use crate::handle::Handle;
use crate::hints;
use crate::overlap::read_the_same;
use crate::places::{self, SourceAgain};

/// The source of each retry; none if it is that of the first run, wherever that is now.
///
/// # Errors
/// If one of them cannot be read again.
pub(crate) fn own_origins(
    first: &Plan,
    retries: &[Known],
    handle: &Handle,
) -> Result<Vec<Option<Box<dyn Origin>>>, Failure> {
    retries.iter().map(|(_, plan)| own_origin(first, plan, handle)).collect()
}

/// The source of one retry.
pub(crate) fn own_origin(
    first: &Plan,
    retry: &Plan,
    handle: &Handle,
) -> Result<Option<Box<dyn Origin>>, Failure> {
    if read_the_same(&retry.source, &first.source) {
        return Ok(None);
    }
    let of_retry = |failure: Failure| Failure {
        message: format!("the source of the retry {}: {}", retry.run, failure.message),
        ..failure
    };
    let origin = places::origin_again(&retry.source, &SourceAgain::default(), handle);
    let origin = origin.map_err(of_retry)?;
    if !origin.is_rewindable() {
        let message = "it came through standard input or a pipe, and cannot be read again";
        return Err(of_retry(Failure::usage(message, hints::RETRY_FROM_A_FILE)));
    }
    // What it holds is read later; that it is there can be known now.
    origin.open().map_err(|error| of_retry(error.into()))?;
    Ok(Some(origin))
}

/// The sources of the retries, with `shared` for those that have none of their own.
pub(crate) fn origins<'o>(
    own: &'o [Option<Box<dyn Origin>>],
    shared: &'o dyn Origin,
) -> Vec<&'o dyn Origin> {
    own.iter().map(|origin| origin.as_deref().unwrap_or(shared)).collect()
}
