//! What came of asking an application.

use std::collections::BTreeMap;

use reshelve::ends::JobFacets;
use serde_json::{Map, Value, json};

use super::failure::AskError;
use super::groups::Groups;
use super::{Group, SIDES};
use crate::comparison::Example;
use crate::questions::Question;
use crate::sides::RouteName;

/// Answers that could not be had, of which the reasons are kept.
const FAILURES_MAX: usize = 10;

/// What came of one answer.
pub(super) enum Fate {
    Agreed,
    Differs(Box<Example>),
    Failed(AskError),
    /// No request can ask for it.
    Unaskable,
}

/// A question, and what came of the answer.
pub(super) struct Judged {
    pub(super) question: Question,
    /// Whether the place has the job.
    pub(super) is_there: bool,
    pub(super) fate: Fate,
}

impl Judged {
    /// Whether the command was to stop before the answer came.
    pub(super) fn is_stopped(&self) -> bool {
        matches!(self.fate, Fate::Failed(AskError::Stopped))
    }

    /// Whether it makes no sense to ask on.
    pub(super) fn is_final(&self) -> bool {
        matches!(&self.fate, Fate::Failed(error) if error.is_final())
    }
}

/// Answers by what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// The same, byte for byte.
    pub agreed: u64,
    /// Others than the place gives.
    pub different: u64,
    /// That could not be had.
    pub failed: u64,
}

impl Answers {
    fn json(self) -> Value {
        json!({ "agreed": self.agreed, "different": self.different, "failed": self.failed })
    }
}

/// What was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Requests, those that were sent again included.
    pub sent: u64,
    /// Of these, sent again because a connection failed.
    pub retried: u64,
    /// How often it was waited because the application was busy.
    pub waited: u64,
}

impl Requests {
    pub(super) fn add(&mut self, more: Requests) {
        self.sent += more.sent;
        self.retried += more.retried;
        self.waited += more.waited;
    }
}

/// What came of a check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CrossChecked {
    /// How many jobs were to be asked about, at most; none for all.
    pub sample: Option<u64>,
    /// Jobs of the place.
    pub jobs_in_place: u64,
    /// Of these, asked about. One that the place does not map is asked about and not counted.
    pub jobs_asked: u64,
    /// Of these, by what came of their answers.
    pub jobs: Answers,
    /// Legacy documents that the mapping rejects.
    pub rejected: u64,
    /// Legacy documents that are left out because they are in flight.
    pub skipped: u64,
    /// Answers that no request can ask for, such as those about a job with an empty id.
    pub unaskable: u64,
    /// Answers by route.
    pub routes: BTreeMap<&'static str, Answers>,
    /// What differs, each difference once.
    pub groups: Vec<Group>,
    /// Answers with differences that are in no group, because there are too many groups.
    pub ungrouped: u64,
    /// Why answers could not be had: the first reasons, each with its request.
    pub failures: Vec<String>,
    /// What was sent.
    pub requests: Requests,
    grouping: Groups,
}

impl CrossChecked {
    /// Whether jobs were asked about, and the application has none of them.
    pub fn knows_no_job(&self) -> bool {
        let is_unknown = |group: &Group| {
            group.route == RouteName::Detail && matches!(group.statuses, Some([200, 404]))
        };
        let unknown: u64 =
            self.groups.iter().filter(|it| is_unknown(it)).map(|it| it.answers).sum();
        self.jobs.agreed == 0 && self.jobs.different > 0 && unknown >= self.jobs.different
    }

    pub(super) fn of(facets: &JobFacets, sample: Option<u64>) -> Self {
        CrossChecked {
            sample,
            jobs_in_place: facets.jobs,
            rejected: facets.rejected,
            skipped: facets.skipped,
            ..CrossChecked::default()
        }
    }

    /// How many jobs are asked about in all, as far as that is known.
    pub(super) fn jobs_to_ask(&self) -> u64 {
        self.sample.unwrap_or(u64::MAX).min(self.jobs_in_place).max(self.jobs_asked)
    }

    /// Whether all answers were had, and agree.
    pub fn is_agreed(&self) -> bool {
        let all = self.all();
        all.different == 0 && all.failed == 0
    }

    /// All answers by what came of them.
    pub fn all(&self) -> Answers {
        self.routes.values().fold(Answers::default(), |sum, answers| Answers {
            agreed: sum.agreed + answers.agreed,
            different: sum.different + answers.different,
            failed: sum.failed + answers.failed,
        })
    }

    /// Answers that were had.
    pub fn compared(&self) -> u64 {
        self.all().agreed + self.all().different
    }

    /// The answers of a route.
    pub fn of_route(&self, route: RouteName) -> Answers {
        self.routes.get(route.as_str()).copied().unwrap_or_default()
    }

    pub(super) fn add(&mut self, judged: &Judged) {
        let of_route = self.routes.entry(judged.question.route().as_str()).or_default();
        match &judged.fate {
            Fate::Agreed => of_route.agreed += 1,
            Fate::Unaskable => self.unaskable += 1,
            Fate::Differs(example) => {
                of_route.different += 1;
                self.ungrouped += u64::from(!self.grouping.add(&mut self.groups, example));
            }
            Fate::Failed(error) => {
                of_route.failed += 1;
                if self.failures.len() < FAILURES_MAX {
                    self.failures.push(format!("GET {}: {error}", judged.question.target()));
                }
            }
        }
    }

    /// Counts a job, given what came of all its answers.
    pub(super) fn count_job(&mut self, answers: &[Judged]) {
        let is_any = |is: fn(&Fate) -> bool| answers.iter().any(|judged| is(&judged.fate));
        let differs = is_any(|fate| matches!(fate, Fate::Differs(_)));
        let is_there = answers.iter().any(|judged| judged.is_there);
        if !is_there && !differs {
            // A legacy document that is no job: it is counted as rejected or left out.
            return;
        }
        self.jobs_asked += 1;
        match differs {
            true => self.jobs.different += 1,
            false if is_any(|fate| matches!(fate, Fate::Failed(_))) => self.jobs.failed += 1,
            false => self.jobs.agreed += 1,
        }
    }

    /// The fields of `reshelve.crosscheck/1`, but for those at its ends.
    pub fn json(&self) -> Map<String, Value> {
        let all = self.all();
        let routes: Map<String, Value> = RouteName::ALL
            .into_iter()
            .map(|route| (route.as_str().to_owned(), self.of_route(route).json()))
            .collect();
        let groups: Vec<Value> = self.groups.iter().map(|group| group.json(SIDES)).collect();
        let fields = [
            ("sample", json!(self.sample)),
            ("compared", self.compared().into()),
            ("agreed", all.agreed.into()),
            ("different", all.different.into()),
            ("failed", all.failed.into()),
            ("unaskable", self.unaskable.into()),
            (
                "jobs",
                json!({
                    "inPlace": self.jobs_in_place,
                    "asked": self.jobs_asked,
                    "agreed": self.jobs.agreed,
                    "different": self.jobs.different,
                    "failed": self.jobs.failed,
                    "rejected": self.rejected,
                    "skipped": self.skipped,
                }),
            ),
            ("routes", routes.into()),
            ("groups", groups.into()),
            ("ungrouped", self.ungrouped.into()),
            ("failures", self.failures.clone().into()),
            (
                "requests",
                json!({
                    "sent": self.requests.sent,
                    "retried": self.requests.retried,
                    "waited": self.requests.waited,
                }),
            ),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
