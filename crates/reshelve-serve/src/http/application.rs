//! The routes of the application: each request to its answer.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use reshelve::ends::JobLookup;
use reshelve_core::raw::iso;

use super::answer::{self, Answer, Response};
use super::body::{self, Given, Unsound};
use super::parameters::Validation;
use super::query::Query;
use super::route::{Route, Target, job_id};
use crate::present::error;
use crate::questions::{Failed, Question, Reply};
use crate::realtime::{ClientOrigin, Realtime};
use crate::shadow::{Shadow, Task};
use crate::sides::{Answered, Asking, Report, Unanswered, now_ms};

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
                        Ok(question) => self.asked(target, Question::Job(question)).await,
                        Err(body) => refused(body),
                    }
                }
                Some(_) => unmatched(method, target),
            },
            Route::Jobs if reads => match self.validation.list(&Query::parse(cut.query)) {
                Ok(question) => self.asked(target, Question::List(question)).await,
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

    /// Asks the place that answers, and has the answer compared if that is asked.
    async fn asked(&self, target: &str, question: Question) -> Answer {
        let question = Arc::new(question);
        let asking = {
            let question = Arc::clone(&question);
            move |place: &dyn JobLookup| question.ask(place, now_ms()).map(Answer::ok)
        };
        let (route, job_id) = (question.route(), question.job_id());
        let asked = self.asking.ask(route, job_id, asking, Failed::is_of_place).await;
        let answer = self.settled(target, job_id.unwrap_or_default(), asked);
        self.shadowed(target, &answer, question);
        answer
    }

    /// Has an answer compared with what the other side answers to the same question.
    fn shadowed(&self, target: &str, answer: &Answer, question: Arc<Question>) {
        let (status, body) = answer.content();
        let is_of_a_job = status == 200 || status == 404;
        let (Some(shadow), Some(side), true) = (&self.shadow, answer.side, is_of_a_job) else {
            return;
        };
        if shadow.is_next() {
            let answer = Reply { status, body: body.to_vec() };
            shadow.offer(Task { question, target: target.to_owned(), side, answer });
        }
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
            Err(Unanswered(why)) => (None, Err(Failed::Internal(why))),
        };
        let mut answer = found.unwrap_or_else(|failed| {
            if let Failed::Internal(why) = &failed {
                self.report.failed(target, why);
            }
            Answer::of(failed.reply(id))
        });
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
