//! The routes of the application: each request to its answer.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use reshelve::ends::{EndError, JobLookup};
use reshelve::target_schema::Collection;
use reshelve_core::raw::iso;

use super::answer::{self, Answer, Response};
use super::body::{self, Given, Unsound};
use super::parameters::{Before, JobQuestion, ListQuestion, Validation};
use super::query::Query;
use super::route::{Part, Route, Target, job_id};
use crate::present::{self, Unpresentable, error};
use crate::realtime::{ClientOrigin, Realtime};
use crate::shadow::{Shadow, Task};
use crate::sides::{Answered, Asking, Report, RouteName, Unanswered, now_ms};

/// What the routes need.
pub(super) struct Application {
    pub(super) asking: Arc<Asking>,
    pub(super) realtime: Realtime,
    pub(super) origin: ClientOrigin,
    pub(super) validation: Validation,
    pub(super) began: Instant,
    pub(super) report: Report,
    /// Compares answers with those of the other side, if that is asked.
    pub(super) shadow: Option<Arc<Shadow>>,
}

/// Why a job cannot be served.
enum Failed {
    NoJob,
    /// The application would answer 500, or no answer could be had.
    Internal(String),
    /// Our own answer where the application would fail.
    Bad(&'static str),
}

impl Failed {
    /// Whether another place may have an answer.
    fn is_of_place(&self) -> bool {
        matches!(self, Failed::Internal(_))
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

impl From<Unanswered> for Failed {
    fn from(Unanswered(why): Unanswered) -> Self {
        Failed::Internal(why)
    }
}

impl Application {
    /// Answers a request; `target` is the target as it was sent.
    pub(super) async fn answer(
        &self,
        parts: &Parts,
        target: &str,
        body: Body,
        is_late: &AtomicBool,
    ) -> Response {
        if parts.method == Method::OPTIONS {
            return answer::preflight(&parts.headers, &self.origin);
        }
        let answer = match body::read(&parts.headers, body, is_late).await {
            Ok(given) => self.routed(&parts.method, target, given).await,
            Err(Unsound::Answered(status, body)) => Answer::new(status, body),
            Err(Unsound::Broken(status)) => return super::service::bare(status),
        };
        answer::dressed(answer, &parts.method, &parts.headers, &self.origin)
    }

    async fn routed(&self, method: &Method, target: &str, given: Given) -> Answer {
        let reads = matches!(*method, Method::GET | Method::HEAD);
        let cut = Target::of(target);
        match cut.route() {
            Route::Job(segment, part) => match job_id(segment) {
                None => refused(error::undecodable(segment)),
                Some(id) if reads => {
                    match self.validation.job(id, part, &Query::parse(cut.query)) {
                        Ok(question) => self.job(target, question).await,
                        Err(body) => refused(body),
                    }
                }
                Some(_) => unmatched(method, target),
            },
            Route::Jobs if reads => match self.validation.list(&Query::parse(cut.query)) {
                Ok(question) => self.list(target, question).await,
                Err(body) => refused(body),
            },
            Route::Jobs if *method == Method::POST => self.enqueued(target, given),
            Route::Health if reads => Answer::ok(self.health(None)),
            Route::Ready if reads => {
                let is_readable = self.asking.is_readable().await;
                Answer::ok(self.health(Some(is_readable)))
            }
            Route::RealtimeMetrics if reads => Answer::ok(self.realtime.metrics()),
            _ => unmatched(method, target),
        }
    }

    async fn list(&self, target: &str, question: ListQuestion) -> Answer {
        let question = move |place: &dyn JobLookup| {
            let statuses: Vec<&[u8]> = question.statuses.iter().map(String::as_bytes).collect();
            let jobs = place.newest(&statuses, question.limit)?;
            Ok::<_, Failed>(Answer::ok(present::list(&jobs, now_ms())?))
        };
        let question = Arc::new(question);
        let asking = {
            let question = Arc::clone(&question);
            move |place: &dyn JobLookup| question(place)
        };
        let asked = self.asking.ask(RouteName::List, None, asking, Failed::is_of_place).await;
        let answer = self.settled(target, "", asked);
        self.shadowed(RouteName::List, None, target, &answer, question);
        answer
    }

    async fn job(&self, target: &str, question: JobQuestion) -> Answer {
        let id = question.id.clone();
        let route = question.part.route_name();
        let question = move |place: &dyn JobLookup| looked_up(place, &question).map(Answer::ok);
        let question = Arc::new(question);
        let asking = {
            let question = Arc::clone(&question);
            move |place: &dyn JobLookup| question(place)
        };
        let asked = self.asking.ask(route, Some(&id), asking, Failed::is_of_place).await;
        let answer = self.settled(target, &id, asked);
        self.shadowed(route, Some(id), target, &answer, question);
        answer
    }

    /// Has an answer compared with what the other side answers to the same question.
    fn shadowed(
        &self,
        route: RouteName,
        job_id: Option<String>,
        target: &str,
        answer: &Answer,
        question: Arc<impl Fn(&dyn JobLookup) -> Result<Answer, Failed> + Send + Sync + 'static>,
    ) {
        let (status, body) = answer.content();
        let is_of_a_job = status == 200 || status == 404;
        let (Some(shadow), Some(side), true) = (&self.shadow, answer.side, is_of_a_job) else {
            return;
        };
        if !shadow.is_next() {
            return;
        }
        let id = job_id.clone().unwrap_or_default();
        let ask = Arc::new(move |place: &dyn JobLookup| match question(place) {
            Ok(answer) => {
                let (status, body) = answer.content();
                Some((status, body.to_vec()))
            }
            Err(Failed::NoJob) => Some((404, error::job_not_found(&id))),
            Err(Failed::Bad(_) | Failed::Internal(_)) => None,
        });
        let (target, answer) = (target.to_owned(), (status, body.to_vec()));
        shadow.offer(Task { route, job_id, target, side, answer, ask });
    }

    /// An answer for what was found; what went wrong is told the operator, not the client.
    fn settled(
        &self,
        target: &str,
        id: &str,
        asked: Result<Answered<Result<Answer, Failed>>, Unanswered>,
    ) -> Answer {
        let (side, found) = match asked {
            Ok(Answered { side, value }) => (side, value),
            Err(unanswered) => (None, Err(unanswered.into())),
        };
        let mut answer = match found {
            Ok(answer) => answer,
            Err(Failed::NoJob) => Answer::new(StatusCode::NOT_FOUND, error::job_not_found(id)),
            Err(Failed::Bad(why)) => Answer::new(StatusCode::BAD_REQUEST, error::bad_request(why)),
            Err(Failed::Internal(why)) => {
                self.report.failed(target, &why);
                Answer::new(StatusCode::INTERNAL_SERVER_ERROR, error::internal())
            }
        };
        answer.side = side;
        answer
    }

    /// The answer to a new job: there is no queue behind this server.
    fn enqueued(&self, target: &str, given: Given) -> Answer {
        const BODY: &[u8] = br#"{"message":"Failed to enqueue the novel generation job.","error":"Service Unavailable","statusCode":503}"#;
        match given {
            Given::Value => Answer::new(StatusCode::SERVICE_UNAVAILABLE, BODY.to_vec()),
            Given::Nothing => {
                self.report.failed(target, "a new job without a body");
                Answer::new(StatusCode::INTERNAL_SERVER_ERROR, error::internal())
            }
        }
    }

    fn health(&self, is_readable: Option<bool>) -> Vec<u8> {
        let now = iso(now_ms());
        let seconds = self.began.elapsed().as_secs();
        let dependencies = match is_readable {
            None => "",
            Some(true) => r#","dependencies":{"mongo":"healthy","redis":"unknown"}"#,
            Some(false) => r#","dependencies":{"mongo":"unhealthy","redis":"unknown"}"#,
        };
        let now = now.as_str();
        format!(
            r#"{{"status":"pass","timestamp":"{now}","uptimeSeconds":{seconds}{dependencies}}}"#
        )
        .into_bytes()
    }
}

fn unmatched(method: &Method, target: &str) -> Answer {
    Answer::new(StatusCode::NOT_FOUND, error::unmatched(method.as_str(), target))
}

fn refused(body: Vec<u8>) -> Answer {
    Answer::new(StatusCode::BAD_REQUEST, body)
}

/// What a place holds of a job. The application reads the whole job first, and fails where that
/// cannot be read.
fn looked_up(place: &dyn JobLookup, question: &JobQuestion) -> Result<Vec<u8>, Failed> {
    let id = question.id.as_bytes();
    if question.part == Part::Detail {
        let job = place.document(Collection::Jobs, id)?.ok_or(Failed::NoJob)?;
        return Ok(present::detail(&job, now_ms())?);
    }
    present::sound(&place.card(id)?.ok_or(Failed::NoJob)?)?;
    Ok(match question.part {
        Part::Detail | Part::Events => {
            let before = match &question.before {
                Before::Not => None,
                Before::This(before) => Some(before.as_bytes()),
                Before::Several => return Err(Failed::Bad("before must be given once")),
            };
            let mut events = place.events(id, before)?;
            events.truncate(question.limit);
            present::events(&events)?
        }
        Part::Metrics => {
            let document = place.document(Collection::Metrics, id)?;
            present::metrics(&question.id, document.as_deref(), now_ms())?
        }
        Part::Metadata => {
            let document = place.document(Collection::Metadata, id)?;
            present::metadata(&question.id, document.as_deref(), now_ms())?
        }
    })
}
