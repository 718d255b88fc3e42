//! The running application, asked over HTTP: each of its answers compared with what a place says.
//!
//! Nothing but `GET` is ever sent.

mod address;
mod client;
mod failure;
mod found;
mod groups;

use std::ops::ControlFlow;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread;

use reshelve::ends::{EndError, JobLookup};

pub use address::{Address, AddressError};
pub use client::{Application, Token};
pub use failure::AskError;
pub use found::{Answers, CrossChecked, Requests};
pub use groups::Group;

use crate::comparison::{Example, Sample, Texts, answers_about, compare_all, facets, lists};
use crate::questions::{Question, Reply};
use client::Client;
use found::{Fate, Judged};

/// The names of the two sides in what is found: what the place says, and what the application says.
pub const SIDES: [&str; 2] = ["expected", "application"];
/// How many places are named of one answer that differs.
const PLACES_MAX: usize = 100;
/// How many jobs are asked about before what was found is counted, for each request on the way.
const JOBS_AHEAD: usize = 16;
/// So many answers in a row that could not be had end the check.
const FAILURES_IN_A_ROW_MAX: u32 = 20;
/// The longest target that is asked for, in bytes: Node refuses a head of 16 KiB.
const TARGET_BYTES_MAX: usize = 15_000;
/// An answer to this is short, whatever the application holds: no job has an empty status.
const FIRST_TARGET: &str = "/api/novel?status=";

/// What is asked, and what it is compared with.
pub struct CrossCheck<'p> {
    /// What says how each answer should be.
    pub place: &'p dyn JobLookup,
    /// Who is asked.
    pub application: Application,
    /// Whether what is found shows what texts say.
    pub texts: Texts,
    /// At most so many jobs, spread evenly; none for all.
    pub sample: Option<u64>,
    /// What is served where a document has no time of its own, in milliseconds since 1970.
    pub now_ms: i64,
    /// Set when the check is to stop.
    pub stop: &'p AtomicBool,
}

/// Hears of a check while it works.
pub trait Told {
    /// So many of so many jobs are asked about.
    fn progress(&mut self, jobs: u64, of: u64);

    /// An answer differs.
    fn differs(&mut self, example: &Example);
}

/// Why a check has no end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CrossCheckError {
    /// The place cannot be read.
    #[error(transparent)]
    Place(#[from] EndError),
    /// The system has no room for a connection or a thread.
    #[error("preparing to ask: {0}")]
    System(#[from] std::io::Error),
    /// The first request was not answered as this application does.
    #[error("GET {target}: {error}")]
    First {
        /// What was asked for.
        target: String,
        /// What came instead.
        error: AskError,
    },
    /// The first request was answered by something that has no such route.
    #[error("GET {target}: the answer is {status}: no list of jobs")]
    NoSuchRoute {
        /// What was asked for.
        target: String,
        /// The status.
        status: u16,
    },
    /// The application stopped to answer.
    #[error("after {answers} answers, GET {target}: {error}")]
    Ended {
        /// How many answers were had.
        answers: u64,
        /// What was asked for.
        target: String,
        /// What came instead.
        error: AskError,
    },
}

/// Something to ask about.
enum Task {
    List(Question),
    Job(String),
}

/// What came of a task, once it is done.
type Slot = OnceLock<Result<Vec<Judged>, EndError>>;

/// Tasks that several clients take from.
#[derive(Clone, Copy)]
struct Queue<'q> {
    tasks: &'q [Task],
    done: &'q [Slot],
    next: &'q AtomicUsize,
    is_over: &'q AtomicBool,
    failures_in_a_row: &'q AtomicU32,
}

/// Who asks.
struct Crew<'a> {
    clients: Vec<Client<'a>>,
    /// Answers that could not be had since the last one that was, whoever asked.
    failures_in_a_row: AtomicU32,
}

impl CrossCheck<'_> {
    /// Asks for everything, and compares it; nothing if it was stopped.
    ///
    /// # Errors
    /// If the place cannot be read, or the application does not answer.
    pub fn check(&self, told: &mut dyn Told) -> Result<Option<CrossChecked>, CrossCheckError> {
        let at_once = self.application.at_once.max(1);
        let clients = (0..at_once).map(|_| Client::new(&self.application, self.stop));
        let clients = clients.collect::<Result<_, _>>()?;
        let mut crew = Crew { clients, failures_in_a_row: AtomicU32::new(0) };
        match self.first(&mut crew.clients) {
            Err(CrossCheckError::First { error: AskError::Stopped, .. }) => return Ok(None),
            first => first?,
        }
        let facets = facets(self.place)?;
        let mut out = CrossChecked::of(&facets, self.sample);
        let questions = lists(&[&facets]).into_iter().map(Task::List).collect();
        self.round(&mut crew, questions, &mut out, told)?;
        let mut sample = Sample::new(self.sample, facets.jobs);
        let (mut tasks, mut ended) = (Vec::new(), Ok(()));
        self.place.each_id(&mut |id| {
            if sample.takes_next() {
                tasks.push(Task::Job(id.to_owned()));
            }
            if tasks.len() < at_once * JOBS_AHEAD {
                return ControlFlow::Continue(());
            }
            ended = self.round(&mut crew, std::mem::take(&mut tasks), &mut out, told);
            match (&ended, self.is_stopped()) {
                (Ok(()), false) => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            }
        })?;
        ended?;
        self.round(&mut crew, tasks, &mut out, told)?;
        for client in &crew.clients {
            out.requests.add(client.requests);
        }
        Ok((!self.is_stopped()).then_some(out))
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// A target with the address in front of it, for messages.
    fn whole(&self, target: &str) -> String {
        format!("{}{target}", self.application.address)
    }

    /// Whether somebody is there who knows these routes.
    fn first(&self, clients: &mut [Client<'_>]) -> Result<(), CrossCheckError> {
        let Some(client) = clients.first_mut() else { return Ok(()) };
        let target = self.whole(FIRST_TARGET);
        match client.ask(FIRST_TARGET) {
            // With the validation that the application declares, this is a wrong parameter.
            Ok(Reply { status: 200 | 400, .. }) => Ok(()),
            Ok(Reply { status, .. }) => Err(CrossCheckError::NoSuchRoute { target, status }),
            Err(error) => Err(CrossCheckError::First { target, error }),
        }
    }

    /// Asks about some jobs or lists, as many at a time as there are clients, and counts what came
    /// of them in their order.
    fn round(
        &self,
        crew: &mut Crew<'_>,
        tasks: Vec<Task>,
        out: &mut CrossChecked,
        told: &mut dyn Told,
    ) -> Result<(), CrossCheckError> {
        let done: Vec<Slot> = tasks.iter().map(|_| Slot::new()).collect();
        let (next, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let queue = Queue {
            tasks: &tasks,
            done: &done,
            next: &next,
            is_over: &is_over,
            failures_in_a_row: &crew.failures_in_a_row,
        };
        thread::scope(|scope| {
            for client in &mut crew.clients {
                scope.spawn(move || self.work(client, queue));
            }
        });
        let mut last = None;
        for (task, slot) in tasks.iter().zip(done) {
            let Some(judged) = slot.into_inner() else { continue };
            let judged = judged?;
            for one in judged.iter().filter(|judged| !judged.is_stopped()) {
                if let Fate::Differs(example) = &one.fate {
                    told.differs(example);
                }
                out.add(one);
                if let Fate::Failed(error) = &one.fate {
                    last = Some((one.question.target(), error.clone()));
                }
            }
            if matches!(task, Task::Job(_)) {
                out.count_job(&judged);
                told.progress(out.jobs_asked, out.jobs_to_ask());
            }
        }
        match last {
            Some((target, error)) if is_over.into_inner() && !self.is_stopped() => {
                let (answers, target) = (out.compared(), self.whole(&target));
                Err(CrossCheckError::Ended { answers, target, error })
            }
            _ => Ok(()),
        }
    }

    /// Takes tasks as long as there are some, and it makes sense to ask on.
    fn work(&self, client: &mut Client<'_>, queue: Queue<'_>) {
        while !queue.is_over.load(Ordering::Relaxed) {
            let at = queue.next.fetch_add(1, Ordering::Relaxed);
            let (Some(task), Some(slot)) = (queue.tasks.get(at), queue.done.get(at)) else {
                return;
            };
            let judged = self.judged(client, task, queue.failures_in_a_row);
            let is_final = judged.as_ref().map_or(true, |all| all.iter().any(Judged::is_final));
            if is_final || is_hopeless(queue.failures_in_a_row) {
                queue.is_over.store(true, Ordering::Relaxed);
            }
            // Each slot is filled once.
            let _ = slot.set(judged);
        }
    }

    /// What came of all answers to a task.
    fn judged(
        &self,
        client: &mut Client<'_>,
        task: &Task,
        failures_in_a_row: &AtomicU32,
    ) -> Result<Vec<Judged>, EndError> {
        let answers = match task {
            Task::List(question) => {
                vec![(question.clone(), question.reply(self.place, self.now_ms))]
            }
            Task::Job(id) => {
                let answers = answers_about(self.place, id, self.now_ms)?;
                answers.into_iter().map(|(asked, reply)| (Question::Job(asked), reply)).collect()
            }
        };
        let mut out = Vec::new();
        for (question, expected) in answers {
            let judged = self.judged_one(client, question, expected);
            match judged.fate {
                Fate::Failed(_) => failures_in_a_row.fetch_add(1, Ordering::Relaxed),
                _ => failures_in_a_row.swap(0, Ordering::Relaxed),
            };
            let is_last = judged.is_final() || is_hopeless(failures_in_a_row);
            out.push(judged);
            if is_last {
                break;
            }
        }
        Ok(out)
    }

    fn judged_one(
        &self,
        client: &mut Client<'_>,
        question: Question,
        expected: Result<Reply, String>,
    ) -> Judged {
        let target = question.target();
        if target.len() > TARGET_BYTES_MAX || question.job_id() == Some("") {
            return Judged { question, is_there: false, fate: Fate::Unaskable };
        }
        let is_there = !expected.as_ref().is_ok_and(|expected| expected.status == 404);
        let fate = match (client.ask(&target), expected) {
            (Err(error), _) => Fate::Failed(error),
            // The application cannot read that document either.
            (Ok(Reply { status: 500, .. }), Err(_)) => Fate::Agreed,
            (Ok(_), Err(why)) => Fate::Failed(AskError::NothingExpected { why }),
            (Ok(found), Ok(expected)) => {
                match self.difference(&question, target, [&expected, &found]) {
                    None => Fate::Agreed,
                    Some(example) => Fate::Differs(Box::new(example)),
                }
            }
        };
        Judged { question, is_there, fate }
    }

    fn difference(
        &self,
        question: &Question,
        target: String,
        replies: [&Reply; 2],
    ) -> Option<Example> {
        let differing = compare_all(question, replies, self.texts, PLACES_MAX)?;
        let statuses = replies.map(|reply| reply.status);
        // Of an answer that is another one altogether, no place says anything.
        let is_another = statuses[0] != statuses[1];
        let job_id = match question {
            Question::List(_) if is_another => String::new(),
            _ => differing.jobs.into_iter().next().unwrap_or_default(),
        };
        Some(Example {
            route: question.route(),
            target,
            job_id,
            cause: None,
            statuses,
            differences: if is_another { Vec::new() } else { differing.places },
        })
    }
}

/// Whether so many answers could not be had that the next ones will not be either.
fn is_hopeless(failures_in_a_row: &AtomicU32) -> bool {
    failures_in_a_row.load(Ordering::Relaxed) >= FAILURES_IN_A_ROW_MAX
}
