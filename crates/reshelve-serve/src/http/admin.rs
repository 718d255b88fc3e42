//! The switch, seen and turned while the server runs.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};

use crate::present::error;
use crate::sides::{Asking, Audit, By, Persistence, RouteName, Side, Sides, Turn};

/// Where the switch is.
pub(super) const PERSISTENCE: &str = "/admin/persistence";
/// The longest reason that is written down, in characters.
const REASON_CHARS_MAX: usize = 400;

/// What turning the switch needs.
#[derive(Clone)]
pub(super) struct Admin {
    pub(super) asking: Arc<Asking>,
    pub(super) audit: Audit,
}

/// How the switch stands.
pub(super) async fn shown(State(admin): State<Admin>) -> impl IntoResponse {
    let sides = admin.asking.sides();
    match sides.persistence() {
        Some(persistence) => answer(StatusCode::OK, &Value::Object(state(sides, persistence))),
        None => refused(StatusCode::CONFLICT, ONE_PLACE),
    }
}

const ONE_PLACE: &str = "One place is served: there is nothing to switch between.";

/// Turns it.
pub(super) async fn turned(State(admin): State<Admin>, body: Bytes) -> impl IntoResponse {
    let (turn, reason) = match asked(&body) {
        Ok(asked) => asked,
        Err(why) => return refused(StatusCode::BAD_REQUEST, &why),
    };
    let sides = admin.asking.sides();
    let Some(turned) = sides.turn(&turn, By::Request) else {
        return refused(StatusCode::CONFLICT, ONE_PLACE);
    };
    let reason = match reason {
        Some(reason) => format!("reason: {reason}"),
        None => "no reason was given".to_owned(),
    };
    admin.audit.changed(&format!("POST {PERSISTENCE}: persistence {turned}; {reason}"));
    let mut state = state(sides, turned.to);
    state.insert("before".to_owned(), Value::Object(stands(turned.from)));
    answer(StatusCode::OK, &Value::Object(state))
}

/// What a body asks for, and why.
fn asked(body: &[u8]) -> Result<(Turn, Option<String>), String> {
    let given: Value =
        serde_json::from_slice(body).map_err(|error| format!("The body is not JSON: {error}."))?;
    let Value::Object(given) = given else { return Err("The body is no JSON object.".to_owned()) };
    let (mut turn, mut reason) = (Turn::default(), None);
    for (name, value) in &given {
        match &name[..] {
            "persistence" => turn.side = Some(side(name, value)?),
            "routes" => turn.routes = Some(routes(value)?),
            "normalizedShare" => {
                let share = value.as_u64().and_then(|share| u8::try_from(share).ok());
                let share = share.filter(|share| *share <= 100);
                turn.normalized_share =
                    Some(share.ok_or("normalizedShare is a whole number from 0 to 100.")?);
            }
            "reason" => {
                let text = value.as_str().ok_or("reason is a text.")?;
                reason = Some(text.chars().take(REASON_CHARS_MAX).collect());
            }
            _ => {
                return Err(format!(
                    "{name:?} is not one of persistence, routes, normalizedShare, reason."
                ));
            }
        }
    }
    if turn.is_empty() {
        return Err("Name persistence, routes or normalizedShare.".to_owned());
    }
    Ok((turn, reason))
}

fn side(name: &str, value: &Value) -> Result<Side, String> {
    let side = value.as_str().and_then(|word| word.parse().ok());
    side.ok_or_else(|| format!("{name} is \"legacy\" or \"normalized\"."))
}

fn routes(value: &Value) -> Result<Vec<(RouteName, Side)>, String> {
    let given = value.as_object().ok_or("routes is an object of routes and their sides.")?;
    let route = |(name, value): (&String, &Value)| {
        let found = RouteName::ALL.into_iter().find(|route| route.as_str() == name);
        let names = RouteName::ALL.map(RouteName::as_str).join(", ");
        let route = found.ok_or_else(|| format!("routes: {name:?} is not one of {names}."))?;
        Ok((route, side(&format!("routes.{name}"), value)?))
    };
    given.iter().map(route).collect()
}

/// The switch as JSON.
fn stands(persistence: Persistence) -> Map<String, Value> {
    let of = |route: RouteName| {
        Some((route.as_str().to_owned(), persistence.route(route)?.as_str().into()))
    };
    let routes: Map<String, Value> = RouteName::ALL.into_iter().filter_map(of).collect();
    let mut all = Map::new();
    all.insert("persistence".to_owned(), persistence.side.as_str().into());
    all.insert("routes".to_owned(), Value::Object(routes));
    all.insert("normalizedShare".to_owned(), persistence.normalized_share.into());
    all
}

/// The same, with what has come of it.
fn state(sides: &Sides, persistence: Persistence) -> Map<String, Value> {
    let mut all = Map::new();
    all.insert("schema".to_owned(), "reshelve.persistence/1".into());
    all.extend(stands(persistence));
    all.insert("fallbacks".to_owned(), sides.fallbacks().into());
    let turns = By::ALL.map(|by| (by.as_str().to_owned(), json!(sides.turns(by))));
    all.insert("turns".to_owned(), Value::Object(turns.into_iter().collect()));
    all
}

type Answer = (StatusCode, [(axum::http::HeaderName, &'static str); 2], Vec<u8>);

fn answer(status: StatusCode, body: &Value) -> Answer {
    with(status, body.to_string().into_bytes())
}

fn refused(status: StatusCode, why: &str) -> Answer {
    let name = status.canonical_reason().unwrap_or_default();
    with(status, error::named(status.as_u16(), name, why))
}

fn with(status: StatusCode, body: Vec<u8>) -> Answer {
    let headers = [(CONTENT_TYPE, "application/json; charset=utf-8"), (CACHE_CONTROL, "no-store")];
    (status, headers, body)
}
