//! A command to a run: what it would do, why it is given, and doing it.

use std::fmt::Write as _;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, HeaderValue, LOCATION};
use axum::http::{Response, StatusCode, Uri};
use maud::Markup;
use reshelve::ends::JobLookup;

use super::change_page::{self, Asked};
use super::{Page, Shown, layout, not_found};
use crate::runs::{Change, Command, Edited, InFlight, Looked, Refused, RefusedKind, Throttle};
use crate::sides::RouteName;
use crate::ui::form::pairs;
use crate::ui::{HTML, answered, failed, respond};

/// The longest reason, in characters.
pub(super) const REASON_CHARS_MAX: usize = 400;
/// The longest body of a form, in bytes.
pub(super) const BODY_BYTES_MAX: usize = 16 * 1024;
/// The limits of a throttle, as forms name them.
pub(super) const LIMITS: [(&str, &str); 4] = [
    ("docs", "Documents in a second"),
    ("kib", "KiB of target documents in a second"),
    ("lag", "Seconds of replication lag"),
    ("write", "Milliseconds for a write"),
];

/// What a form says.
#[derive(Default)]
struct Form {
    limits: [String; 4],
    edited: String,
    number: String,
    in_flight: String,
    reason: String,
    mark: String,
}

impl Form {
    fn of(text: &str) -> Form {
        let mut form = Form::default();
        for (name, value) in pairs(text) {
            match &name[..] {
                "edited" => form.edited = value,
                "number" => form.number = value,
                "in-flight" => form.in_flight = value,
                "reason" => value.trim().clone_into(&mut form.reason),
                "mark" => form.mark = value,
                _ => {
                    let limit = LIMITS.iter().position(|(word, _)| *word == name);
                    if let Some(limit) = limit.and_then(|at| form.limits.get_mut(at)) {
                        value.trim().clone_into(limit);
                    }
                }
            }
        }
        form
    }

    /// What is asked with it.
    fn change(&self, command: Command) -> Result<Change, String> {
        let edited = match (&self.edited[..], command) {
            (_, Command::Pause | Command::Cancel | Command::Stop) | ("", _) => None,
            ("keep", _) => Some(Edited::Keep),
            ("discard", _) => {
                let number = self.number.trim().parse();
                Some(Edited::Discard(number.map_err(
                    |_| "Give the exact number of the edited jobs that are to be taken back too.",
                )?))
            }
            _ => return Err("Edited jobs are kept or discarded.".to_owned()),
        };
        let in_flight = match &self.in_flight[..] {
            "" => None,
            word => {
                let found = InFlight::ALL.into_iter().find(|it| it.as_str() == word);
                Some(found.ok_or("Jobs in flight: include, skip or as-failed.")?)
            }
        };
        Ok(Change { command, limits: self.throttle()?, edited, in_flight })
    }

    fn throttle(&self) -> Result<Throttle, String> {
        let limit = |at: usize| match &self.limits[at][..] {
            "" => Ok(None),
            "off" => Ok(Some(0)),
            text => match text.parse::<u64>() {
                Ok(number) if number > 0 => Ok(Some(number)),
                _ => Err(format!("{}: a number from 1, or off.", LIMITS[at].1)),
            },
        };
        let max_bytes_per_s = limit(1)?.map(|kib| kib.saturating_mul(1024));
        Ok(Throttle {
            max_docs_per_s: limit(0)?,
            max_bytes_per_s,
            max_lag_s: limit(2)?,
            max_write_ms: limit(3)?,
        })
    }

    fn checked_reason(&self) -> Result<(), String> {
        match self.reason.chars().count() {
            0 => Err("Say why: the reason is kept with what is done.".to_owned()),
            count if count > REASON_CHARS_MAX => Err(format!(
                "The reason has {count} characters; at most {REASON_CHARS_MAX} are kept."
            )),
            _ => Ok(()),
        }
    }
}

/// A page with its status.
struct Answer(StatusCode, Markup);

impl Page for Answer {
    fn response(self) -> Response<Body> {
        respond(self.0, HTML, self.1.into_string())
    }
}

/// A page, or the way to the run after something was done.
enum Done {
    Made(String),
    Page(Answer),
}

impl Page for Done {
    fn response(self) -> Response<Body> {
        match self {
            Done::Page(page) => page.response(),
            Done::Made(run) => {
                let mut response = respond(StatusCode::SEE_OTHER, HTML, Body::empty());
                let headers = response.headers_mut();
                headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
                if let Ok(to) = HeaderValue::try_from(format!("/ui/runs/{run}")) {
                    headers.insert(LOCATION, to);
                }
                response
            }
        }
    }
}

/// What the command would do, and the form that has it done.
pub(super) async fn form(
    State(shown): State<Shown>,
    Path((run, command)): Path<(String, String)>,
    uri: Uri,
) -> Response<Body> {
    let Some(command) = Command::of(&command) else { return not_found("There is no such page.") };
    let given = Form::of(uri.query().unwrap_or_default());
    let page = shown.clone();
    let question =
        move |place: &dyn JobLookup| Ok(page.looked(&place.name(), &run, command, &given, None));
    answered(&shown.asking, RouteName::List, None, question).await
}

/// Does it.
pub(super) async fn make(
    State(shown): State<Shown>,
    Path((run, command)): Path<(String, String)>,
    body: Bytes,
) -> Response<Body> {
    let Some(command) = Command::of(&command) else { return not_found("There is no such page.") };
    let Ok(text) = String::from_utf8(body.to_vec()) else { return failed("The form is no text.") };
    let given = Form::of(&text);
    let page = shown.clone();
    let question = move |place: &dyn JobLookup| Ok(page.made(&place.name(), &run, command, &given));
    answered(&shown.asking, RouteName::List, None, question).await
}

/// What the proof of a form is about.
fn about<'a>(run: &'a str, command: Command, seen: &'a str, limits: &'a str) -> [&'a str; 4] {
    [run, command.as_str(), seen, limits]
}

/// Limits as they are proved.
fn words_of(limits: Throttle) -> String {
    let Throttle { max_docs_per_s, max_bytes_per_s, max_lag_s, max_write_ms } = limits;
    let mut words = String::new();
    for limit in [max_docs_per_s, max_bytes_per_s, max_lag_s, max_write_ms] {
        // Writing to a string does not fail.
        let _ = write!(words, "{limit:?} ");
    }
    words
}

impl Shown {
    /// The page of a command; `wrong` is what is wrong with the form that came.
    fn looked(
        &self,
        place: &str,
        run: &str,
        command: Command,
        given: &Form,
        wrong: Option<&str>,
    ) -> Answer {
        let asked = Asked {
            place,
            run,
            command,
            limits: &given.limits,
            reason: &given.reason,
            wrong,
            can_change: self.confirming.is_on(),
        };
        let page = match self.runs.run(run) {
            Ok(Some(page)) => page,
            Ok(None) => {
                return Answer(StatusCode::NOT_FOUND, layout::not_found("There is no such run."));
            }
            Err(why) => return Answer(StatusCode::INTERNAL_SERVER_ERROR, layout::failed(&why)),
        };
        let change = match given.change(command) {
            Ok(change) => change,
            Err(why) if command == Command::Throttle => {
                let page = change_page::limits(&asked, &page, Some(&why));
                return Answer(StatusCode::BAD_REQUEST, page);
            }
            // The choices of the form that came are made again.
            Err(_) => Change::new(command),
        };
        if !asked.can_change {
            return Answer(StatusCode::OK, change_page::by_command_line(&asked, &page));
        }
        if command == Command::Throttle && change.limits.is_off() {
            return Answer(StatusCode::OK, change_page::limits(&asked, &page, None));
        }
        let seen = match self.runs.seen(run, command) {
            Ok(seen) => seen,
            Err(refused) => return refused_page(&asked, &refused),
        };
        let limits = words_of(change.limits);
        let mark = self.confirming.mark(&about(run, command, &seen, &limits)).unwrap_or_default();
        let status = if wrong.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
        match self.runs.look(run, &change) {
            Ok(Looked::Ready(forecast)) => {
                Answer(status, change_page::confirm(&asked, &forecast, &mark))
            }
            Ok(Looked::Working(so_far)) => {
                Answer(StatusCode::OK, change_page::working(&asked, &so_far))
            }
            Err(refused) => refused_page(&asked, &refused),
        }
    }

    fn made(&self, place: &str, run: &str, command: Command, given: &Form) -> Done {
        let asked = Asked {
            place,
            run,
            command,
            limits: &given.limits,
            reason: &given.reason,
            wrong: None,
            can_change: self.confirming.is_on(),
        };
        let change = match given.change(command).and_then(|it| given.checked_reason().map(|()| it))
        {
            Ok(change) => change,
            Err(why) => {
                return Done::Page(self.looked(place, run, command, given, Some(&why)));
            }
        };
        let limits = words_of(change.limits);
        let seen = match self.runs.seen(run, command) {
            Ok(seen) => seen,
            Err(refused) => return Done::Page(refused_page(&asked, &refused)),
        };
        if !self.confirming.holds(&about(run, command, &seen, &limits), &given.mark) {
            let refused = Refused {
                kind: RefusedKind::Refused,
                message: STALE.to_owned(),
                hint: Some("open it again, and look at what would be done now".to_owned()),
            };
            let Answer(_, page) = refused_page(&asked, &refused);
            return Done::Page(Answer(StatusCode::FORBIDDEN, page));
        }
        let (word, reason) = (command.as_str(), &given.reason);
        let what = format!("POST /ui/runs/{run}/{word}");
        self.audit.changed(&format!("{what}: asked; reason: {reason}"));
        match self.runs.make(run, &change, reason) {
            Ok(words) => {
                self.audit.changed(&format!("{what}: {words}"));
                Done::Made(run.to_owned())
            }
            Err(refused) => {
                self.audit.changed(&format!("{what}: refused: {}", refused.message));
                Done::Page(refused_page(&asked, &refused))
            }
        }
    }
}

const STALE: &str = "this form was not made by this server for the run as it is now";

fn refused_page(asked: &Asked<'_>, refused: &Refused) -> Answer {
    let status = match refused.kind {
        RefusedKind::NoRun => StatusCode::NOT_FOUND,
        RefusedKind::Refused => StatusCode::CONFLICT,
        RefusedKind::Failed => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Answer(status, change_page::refused(asked, refused))
}
