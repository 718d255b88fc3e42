//! What a request asks for, out of its parameters: as the application is shipped, or with the rules
//! that it declares.

use reshelve::ends::EVENTS_MAX;

use super::query::Query;
use crate::questions::{Before, JobQuestion, LIST_USUAL, ListQuestion, Part, UNASKED};
use crate::validation;

/// How parameters are judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validation {
    /// Not at all, as the application is shipped: what is unknown or unsound is ignored.
    #[default]
    Shipped,
    /// By the rules that the application declares and does not apply: what is unknown or unsound
    /// is answered 400.
    Declared,
}

impl Validation {
    /// What is asked of a list, or the body of an answer 400.
    pub(super) fn list(self, query: &Query) -> Result<ListQuestion, Vec<u8>> {
        let (named, limit) = match self {
            Validation::Shipped => (query.all("status").map(str::to_owned).collect(), LIST_USUAL),
            Validation::Declared => {
                let sound = validation::list(query.pairs())?;
                (sound.statuses.unwrap_or_default(), sound.limit.map_or(LIST_USUAL, usize::from))
            }
        };
        let statuses = if named.is_empty() { UNASKED.map(str::to_owned).to_vec() } else { named };
        Ok(ListQuestion { statuses, limit })
    }

    /// What is asked of a job, or the body of an answer 400.
    pub(super) fn job(self, id: String, part: Part, query: &Query) -> Result<JobQuestion, Vec<u8>> {
        let shipped = JobQuestion { id, part, before: before(query), limit: EVENTS_MAX };
        if self == Validation::Shipped {
            return Ok(shipped);
        }
        let id = validation::job_id(&shipped.id)?.to_owned();
        if part != Part::Events {
            return Ok(JobQuestion { id, ..shipped });
        }
        let sound = validation::events(query.pairs())?;
        let before = sound.before.map_or(Before::Not, Before::This);
        Ok(JobQuestion { id, part, before, limit: sound.limit.map_or(EVENTS_MAX, usize::from) })
    }
}

fn before(query: &Query) -> Before {
    let mut given = query.all("before");
    match (given.next(), given.next()) {
        (_, Some(_)) => Before::Several,
        (None | Some(""), None) => Before::Not,
        (Some(before), None) => Before::This(before.to_owned()),
    }
}
