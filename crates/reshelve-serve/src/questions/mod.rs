//! What may be asked of a place: the routes of the application that read jobs, as data. A request,
//! a shadow read and a comparison without requests ask alike.
//!
//! The answer is the JSON that the application serves, or why there is none.

mod target;

pub use target::escaped;

use reshelve::ends::{EVENTS_MAX, EndError, JobLookup, OneJob};
use reshelve::target_schema::Collection;

use crate::present::{self, Unpresentable, error};
use crate::sides::RouteName;

/// How many jobs a list has that is asked for no number.
pub const LIST_USUAL: usize = 50;
/// The statuses of a list that is asked for none.
pub const UNASKED: [&str; 2] = ["queued", "running"];

/// What is asked of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Detail,
    /// A page of its events.
    Events,
    /// Its metrics.
    Metrics,
    /// Its metadata.
    Metadata,
}

impl Part {
    /// All of them.
    pub const ALL: [Part; 4] = [Part::Detail, Part::Events, Part::Metrics, Part::Metadata];

    /// The route, as far as a side is chosen for it.
    pub fn route_name(self) -> RouteName {
        match self {
            Part::Detail => RouteName::Detail,
            Part::Events => RouteName::Events,
            Part::Metrics => RouteName::Metrics,
            Part::Metadata => RouteName::Metadata,
        }
    }
}

/// Up to which event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Before {
    /// The newest.
    Not,
    /// Those before this.
    This(String),
    /// Several were named, which the application cannot answer.
    Several,
}

/// A list of jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListQuestion {
    /// The statuses that the jobs may have.
    pub statuses: Vec<String>,
    /// How many jobs, at most.
    pub limit: usize,
}

/// Something of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobQuestion {
    /// The id that is asked for.
    pub id: String,
    /// What of it.
    pub part: Part,
    /// Up to which event, where events are asked for.
    pub before: Before,
    /// How many events, at most.
    pub limit: usize,
}

impl JobQuestion {
    /// A part of a job; of its events, the newest.
    pub fn new(id: &str, part: Part) -> Self {
        JobQuestion { id: id.to_owned(), part, before: Before::Not, limit: EVENTS_MAX }
    }
}

/// A question to a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// A list of jobs.
    List(ListQuestion),
    /// Something of a job.
    Job(JobQuestion),
}

/// An answer: what is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// JSON.
    pub body: Vec<u8>,
}

/// Why a place has no answer of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// There is no such job.
    NoJob,
    /// The application would answer 500, or no answer could be had; why.
    Internal(String),
    /// Our own answer where the application would fail.
    Bad(&'static str),
}

impl Failed {
    /// Whether another place may have an answer.
    pub fn is_of_place(&self) -> bool {
        matches!(self, Failed::Internal(_))
    }

    /// What is served instead, where `job_id` was asked for.
    pub fn reply(&self, job_id: &str) -> Reply {
        match self {
            Failed::NoJob => Reply { status: 404, body: error::job_not_found(job_id) },
            Failed::Bad(why) => Reply { status: 400, body: error::bad_request(why) },
            Failed::Internal(_) => Reply { status: 500, body: error::internal() },
        }
    }
}

impl From<EndError> for Failed {
    fn from(error: EndError) -> Self {
        Failed::Internal(error.to_string())
    }
}

impl From<Unpresentable> for Failed {
    fn from(unpresentable: Unpresentable) -> Self {
        Failed::Internal(unpresentable.to_string())
    }
}

impl Question {
    /// The route that it asks.
    pub fn route(&self) -> RouteName {
        match self {
            Question::List(_) => RouteName::List,
            Question::Job(question) => question.part.route_name(),
        }
    }

    /// The id of the job that is asked for; of a list, none.
    pub fn job_id(&self) -> Option<&str> {
        match self {
            Question::List(_) => None,
            Question::Job(question) => Some(&question.id),
        }
    }

    /// Asks a place. `now_ms`, in milliseconds since 1970-01-01 UTC, is served where a document has
    /// no time of its own.
    ///
    /// # Errors
    /// Where there is no such job, or no answer.
    pub fn ask(&self, place: &dyn JobLookup, now_ms: i64) -> Result<Vec<u8>, Failed> {
        match self {
            Question::List(ListQuestion { statuses, limit }) => {
                let statuses: Vec<&[u8]> = statuses.iter().map(String::as_bytes).collect();
                Ok(present::list(&place.newest(&statuses, *limit)?, now_ms)?)
            }
            Question::Job(question) => {
                let mut answer = Err(Failed::NoJob);
                let mut look = |job: &dyn OneJob| answer = question.of(job, now_ms);
                place.look_at(question.id.as_bytes(), &mut look)?;
                answer
            }
        }
    }

    /// What a place serves; an answer 500 says why on its own.
    ///
    /// # Errors
    /// Where the answer would be 500: why.
    pub fn reply(&self, place: &dyn JobLookup, now_ms: i64) -> Result<Reply, String> {
        settled(self.ask(place, now_ms), self.job_id().unwrap_or_default())
    }
}

/// What is served for an answer, or why it is 500.
fn settled(answer: Result<Vec<u8>, Failed>, job_id: &str) -> Result<Reply, String> {
    match answer {
        Ok(body) => Ok(Reply { status: 200, body }),
        Err(Failed::Internal(why)) => Err(why),
        Err(failed) => Ok(failed.reply(job_id)),
    }
}

impl JobQuestion {
    /// What is served of a job that is looked at, as [`Question::reply`].
    ///
    /// # Errors
    /// Where the answer would be 500: why.
    pub fn reply(&self, job: &dyn OneJob, now_ms: i64) -> Result<Reply, String> {
        settled(self.of(job, now_ms), &self.id)
    }

    /// What a job has to answer, once it is looked at. The application reads the whole job first,
    /// and fails where that cannot be read.
    ///
    /// # Errors
    /// Where there is no such job, or no answer.
    pub fn of(&self, job: &dyn OneJob, now_ms: i64) -> Result<Vec<u8>, Failed> {
        if self.part == Part::Detail {
            let job = job.document(Collection::Jobs)?.ok_or(Failed::NoJob)?;
            return Ok(present::detail(&job, now_ms)?);
        }
        if !job.is_plain()? {
            present::sound(&job.card()?.ok_or(Failed::NoJob)?)?;
        }
        Ok(match self.part {
            Part::Detail | Part::Events => {
                let before = match &self.before {
                    Before::Not => None,
                    Before::This(before) => Some(before.as_bytes()),
                    Before::Several => return Err(Failed::Bad("before must be given once")),
                };
                let mut events = job.events(before)?;
                events.truncate(self.limit);
                present::events(&events)?
            }
            Part::Metrics => {
                let document = job.document(Collection::Metrics)?;
                present::metrics(&self.id, document.as_deref(), now_ms)?
            }
            Part::Metadata => {
                let document = job.document(Collection::Metadata)?;
                present::metadata(&self.id, document.as_deref(), now_ms)?
            }
        })
    }
}
