//! Both sides compared before anybody asks: every job by every route, and the lists.

use std::ops::ControlFlow;

use reshelve::ends::{EndError, JobFacets, JobLookup};
use reshelve_core::mapping::Options;
use serde_json::{Value, json};

use super::everything::{Answers, answers_about, facets, lists};
use super::{
    Cause, Decisions, EXAMPLES_MAX, Example, Fate, Sample, Tally, Texts, compare, of_jobs,
};
use crate::questions::{JobQuestion, Part, Question, Reply};
use crate::sides::{RouteName, Side};

/// Examples of one route with one cause.
const EXAMPLES_OF_A_KIND_MAX: usize = 10;
/// Answers that could not be had, of which the reasons are kept.
const FAILURES_MAX: usize = 10;

/// What is compared, and how.
pub struct Offline<'p> {
    /// The legacy side.
    pub legacy: &'p dyn JobLookup,
    /// The normalised side.
    pub normalized: &'p dyn JobLookup,
    /// How the legacy side maps.
    pub options: Options,
    /// How much of it is compared.
    pub scope: Scope,
    /// What is served where a document has no time of its own, in milliseconds since 1970.
    pub now_ms: i64,
}

/// How much is compared, and what is shown of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Whether examples show what texts say.
    pub texts: Texts,
    /// Whether a run into the normalised side is not done: jobs that it lacks may still come.
    pub is_unfinished: bool,
    /// At most so many jobs of the legacy side, spread evenly, and none that only the normalised
    /// side has; none for all.
    pub sample: Option<u64>,
    /// What becomes of jobs that only the normalised side has.
    pub others: Others,
}

/// Jobs that only the normalised side has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// They differ.
    Differ,
    /// They are left alone. Where there are any, lists are not compared: these would hold them.
    LeftAlone,
}

/// Jobs by what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Jobs {
    /// All of whose answers agree.
    pub agreed: u64,
    /// Of which an answer differs, jobs that only one side has included.
    pub different: u64,
    /// Of these, that only the legacy side has.
    pub only_legacy: u64,
    /// Of these, that only the normalised side has.
    pub only_normalized: u64,
    /// Of which an answer could not be had.
    pub failed: u64,
    /// Not carried over yet: a run into the target is not done.
    pub unfinished: u64,
    /// Legacy documents that the mapping rejects.
    pub rejected: u64,
    /// Legacy documents that are left out because they are in flight.
    pub skipped: u64,
}

impl Jobs {
    fn json(&self) -> Value {
        json!({
            "agreed": self.agreed,
            "different": self.different,
            "onlyLegacy": self.only_legacy,
            "onlyNormalized": self.only_normalized,
            "failed": self.failed,
            "unfinished": self.unfinished,
            "rejected": self.rejected,
            "skipped": self.skipped,
        })
    }
}

/// What came of a comparison.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Compared {
    /// Jobs by what came of them.
    pub jobs: Jobs,
    /// Answers by route.
    pub tally: Tally,
    /// The first answers that differ, of each route and cause a few.
    pub examples: Vec<Example>,
    /// Why answers could not be had: the first reasons, each with its request.
    pub failures: Vec<String>,
}

impl Compared {
    /// Whether every answer that there is agrees, and none is missing.
    pub fn is_agreed(&self) -> bool {
        self.tally.sum(|fate| fate != Fate::Agreed) == 0
    }

    /// Whether an answer differs, or could not be had, of what both sides have.
    pub fn differs(&self) -> bool {
        self.tally.sum(|fate| matches!(fate, Fate::Differs(_) | Fate::Failed)) > 0
    }

    /// The fields of `reshelve.shadow/1`, but for those at its ends.
    pub fn json(&self) -> serde_json::Map<String, Value> {
        let sides = [Side::Legacy, Side::Normalized].map(Side::as_str);
        let examples: Vec<Value> = self.examples.iter().map(|it| it.json(sides)).collect();
        let fields = [
            ("compared", self.tally.compared().into()),
            ("agreed", self.tally.agreed().into()),
            ("jobs", self.jobs.json()),
            ("routes", self.tally.json().into()),
            ("examples", examples.into()),
            ("failures", self.failures.clone().into()),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn remember(&mut self, example: Example) {
        let is_like =
            |known: &&Example| known.route == example.route && known.cause == example.cause;
        let of_kind = self.examples.iter().filter(is_like).count();
        if self.examples.len() < EXAMPLES_MAX && of_kind < EXAMPLES_OF_A_KIND_MAX {
            self.examples.push(example);
        }
    }

    fn fail(&mut self, target: &str, why: &str) {
        if self.failures.len() < FAILURES_MAX {
            self.failures.push(format!("{target}: {why}"));
        }
    }
}

impl Offline<'_> {
    /// Compares everything. `progress` is told how many of how many jobs are compared, and may break
    /// off; then there is nothing.
    ///
    /// # Errors
    /// Where a side cannot be read.
    pub fn compare(
        &self,
        progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
    ) -> Result<Option<Compared>, EndError> {
        let (ours, theirs) = (facets(self.legacy)?, facets(self.normalized)?);
        let mut out = Compared::default();
        out.jobs.rejected = ours.rejected;
        out.jobs.skipped = ours.skipped;
        let alone = self.scope.others == Others::LeftAlone;
        if !alone || theirs.jobs <= ours.jobs {
            self.lists(&ours, &theirs, &mut out)?;
        }
        let total = self.scope.sample.unwrap_or(u64::MAX).min(ours.jobs.max(theirs.jobs));
        let mut sample = Sample::new(self.scope.sample, ours.jobs);
        let (mut done, mut failed) = (0, Ok(()));
        let mut next = |id: &str, out: &mut Compared| -> ControlFlow<()> {
            failed = self.job(id, out);
            done += 1;
            if failed.is_err() { ControlFlow::Break(()) } else { progress(done.min(total), total) }
        };
        let mut stopped = ControlFlow::Continue(());
        self.legacy.each_id(&mut |id| {
            if sample.takes_next() {
                stopped = next(id, &mut out);
            }
            stopped
        })?;
        let mut looked = Ok(());
        if stopped.is_continue() && !alone && self.scope.sample.is_none() {
            self.normalized.each_id(&mut |id| {
                stopped = match self.legacy.has(id.as_bytes()) {
                    Ok(true) => ControlFlow::Continue(()),
                    Ok(false) => next(id, &mut out),
                    Err(error) => {
                        looked = Err(error);
                        ControlFlow::Break(())
                    }
                };
                stopped
            })?;
        }
        failed.and(looked)?;
        Ok(stopped.is_continue().then_some(out))
    }

    /// Compares the list of each status, the one of no status, and the one of all.
    fn lists(
        &self,
        ours: &JobFacets,
        theirs: &JobFacets,
        out: &mut Compared,
    ) -> Result<(), EndError> {
        for question in lists(&[ours, theirs]) {
            let reply = |place: &dyn JobLookup| question.reply(place, self.now_ms);
            let replies = [reply(self.legacy), reply(self.normalized)];
            let (fate, example) = self.fate(&question, &replies, out, &mut None)?;
            let job_id = example.as_ref().map_or("", |example| &example.job_id[..]);
            let lacks = |id: &str| Ok::<_, EndError>(!self.normalized.has(id.as_bytes())?);
            if self.scope.is_unfinished && matches!(fate, Fate::Differs(_)) && lacks(job_id)? {
                out.tally.add(RouteName::List, Fate::Skipped);
                continue;
            }
            out.tally.add(RouteName::List, fate);
            example.into_iter().for_each(|example| out.remember(example));
        }
        Ok(())
    }

    /// Compares all answers about a job.
    fn job(&self, id: &str, out: &mut Compared) -> Result<(), EndError> {
        let ours = answers_about(self.legacy, id, self.now_ms)?;
        let theirs = answers_about(self.normalized, id, self.now_ms)?;
        let is_there = |answers: &Answers| {
            answers.iter().any(|(_, reply)| !reply.as_ref().is_ok_and(|it| it.status == 404))
        };
        let (is_ours, is_theirs) = (is_there(&ours), is_there(&theirs));
        if !is_ours && !is_theirs {
            // A legacy document that does not map: it is counted as rejected or skipped.
            return Ok(());
        }
        if is_ours && !is_theirs && self.scope.is_unfinished {
            out.jobs.unfinished += 1;
            for part in Part::ALL {
                out.tally.add(part.route_name(), Fate::Skipped);
            }
            return Ok(());
        }
        let (mut worst, mut cause) = (Fate::Agreed, None);
        for (question, replies) in paired(ours, theirs) {
            let question = Question::Job(question);
            let (fate, example) = self.fate(&question, &replies, out, &mut cause)?;
            out.tally.add(question.route(), fate);
            example.into_iter().for_each(|example| out.remember(example));
            if fate != Fate::Agreed && worst != Fate::Failed {
                worst = fate;
            }
        }
        match worst {
            Fate::Agreed => out.jobs.agreed += 1,
            Fate::Failed => out.jobs.failed += 1,
            _ => {
                out.jobs.different += 1;
                out.jobs.only_legacy += u64::from(is_ours && !is_theirs);
                out.jobs.only_normalized += u64::from(is_theirs && !is_ours);
            }
        }
        Ok(())
    }

    /// What came of two answers, and the example if they differ. `cause` is that of the job, once
    /// it is known.
    fn fate(
        &self,
        question: &Question,
        replies: &[Result<Reply, String>; 2],
        out: &mut Compared,
        cause: &mut Option<Cause>,
    ) -> Result<(Fate, Option<Example>), EndError> {
        let [Ok(ours), Ok(theirs)] = replies else {
            for why in replies.iter().filter_map(|reply| reply.as_ref().err()) {
                out.fail(&question.target(), why);
            }
            return Ok((Fate::Failed, None));
        };
        let Some(differing) = compare(question, [ours, theirs], self.scope.texts) else {
            return Ok((Fate::Agreed, None));
        };
        let (job_id, why) = match cause {
            Some(cause) => (differing.jobs.into_iter().next().unwrap_or_default(), *cause),
            None => {
                let decisions = Decisions::Known(self.options);
                of_jobs(self.legacy, self.normalized, differing.jobs, decisions)?
            }
        };
        *cause = Some(why);
        let example = Example {
            route: question.route(),
            target: question.target(),
            job_id,
            cause: Some(why),
            statuses: [ours.status, theirs.status],
            differences: differing.places,
        };
        Ok((Fate::Differs(why), Some(example)))
    }
}

/// The answers of both sides to the same questions, in order. Where one side has more pages of
/// events, the last page of the other one has differed already.
fn paired(
    ours: Answers,
    theirs: Answers,
) -> impl Iterator<Item = (JobQuestion, [Result<Reply, String>; 2])> {
    let mut theirs: Vec<_> = theirs.into_iter().map(Some).collect();
    ours.into_iter().filter_map(move |(question, reply)| {
        let is_same =
            |it: &Option<(JobQuestion, _)>| it.as_ref().is_some_and(|it| it.0 == question);
        let at = theirs.iter().position(is_same)?;
        let (_, other) = theirs[at].take()?;
        Some((question, [reply, other]))
    })
}
