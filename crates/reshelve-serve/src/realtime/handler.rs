//! What the messages of clients do: they join, subscribe to jobs and are sent what happened.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::body::Bytes;
use engineioxide::handler::EngineIoHandler;
use engineioxide::{DisconnectReason, Socket, Str};
use reshelve::ends::{EndError, JobLookup};
use reshelve::target_schema::Collection;
use reshelve_core::raw::iso;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::limits::{JOIN_TIME_MAX, LOOK_EVERY, TAKE_TIME_MAX, WAITING_MAX};
use super::origin::ClientOrigin;
use super::packet::{self, Packet, ROOT};
use super::registry::{CatchUp, Registry};
use super::session::Session;
use crate::present::{self, Message};
use crate::sides::{Asking, Report, RouteName, now_ms};

/// Handles every session.
pub(super) struct Handler {
    pub(super) asking: Arc<Asking>,
    pub(super) origin: ClientOrigin,
    pub(super) report: Report,
    pub(super) registry: Registry,
}

impl fmt::Debug for Handler {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Handler")
    }
}

impl EngineIoHandler for Handler {
    type Data = Session;

    fn on_connect(self: Arc<Self>, socket: Arc<Socket<Session>>) {
        self.registry.add(&socket);
        tokio::spawn(async move {
            let ended = timeout(JOIN_TIME_MAX, socket.closed()).await.is_ok();
            if !ended && !socket.data.has_joined.load(Ordering::Relaxed) {
                socket.close(DisconnectReason::TransportClose);
            }
        });
    }

    fn on_disconnect(&self, socket: Arc<Socket<Session>>, _: DisconnectReason) {
        self.registry.remove(&socket);
    }

    fn on_message(self: &Arc<Self>, text: Str, socket: Arc<Socket<Session>>) {
        let has_joined = socket.data.has_joined.load(Ordering::Relaxed);
        match Packet::parse(&text) {
            Ok(Packet::Connect(namespace)) => self.join(&socket, namespace),
            Ok(Packet::Disconnect(ROOT)) => {
                socket.data.has_joined.store(false, Ordering::Relaxed);
                self.registry.unsubscribe_all(&socket);
            }
            Ok(Packet::Event(name, payload)) if has_joined => self.event(socket, &name, &payload),
            Ok(_) => {}
            Err(packet::Malformed) => socket.close(DisconnectReason::PacketParsingError),
        }
    }

    fn on_binary(self: &Arc<Self>, _: Bytes, _: Arc<Socket<Session>>) {}
}

impl Handler {
    fn join(&self, socket: &Socket<Session>, namespace: &str) {
        let answer = if namespace != ROOT {
            packet::refused(namespace, "Invalid namespace", None)
        } else if !self.origin.allows(socket.req_parts.headers.get("origin")) {
            const DATA: &str = r#"{"code":"ORIGIN_NOT_ALLOWED"}"#;
            packet::refused(ROOT, "Origin not allowed", Some(DATA))
        } else {
            socket.data.has_joined.store(true, Ordering::Relaxed);
            packet::connected(&public_id(&socket.id.to_string()))
        };
        let _ = socket.emit(answer);
    }

    fn event(self: &Arc<Self>, socket: Arc<Socket<Session>>, name: &str, payload: &Value) {
        let job_id = payload.get("jobId").and_then(Value::as_str).map(trimmed);
        let job_id = job_id.filter(|id| !id.is_empty());
        match (name, job_id) {
            ("ping", _) => emit(&socket, "pong", &json!({ "timestamp": now_ms() })),
            ("subscribe", None) => refuse(&socket, "jobId is required to subscribe."),
            ("subscribe", Some(job_id)) => self.subscribe(socket, job_id.to_owned()),
            ("unsubscribe", Some(job_id)) => {
                self.registry.unsubscribe(&socket, job_id);
                let at = iso(now_ms());
                let payload = json!({ "jobId": job_id, "unsubscribedAt": at.as_str() });
                emit(&socket, "novel.unsubscribed", &payload);
            }
            _ => {}
        }
    }

    fn subscribe(self: &Arc<Self>, socket: Arc<Socket<Session>>, job_id: String) {
        if !self.registry.subscribe(&socket, &job_id) {
            return refuse(&socket, "Too many subscriptions of one client.");
        }
        if socket.data.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING_MAX {
            socket.data.waiting.fetch_sub(1, Ordering::Relaxed);
            return refuse(&socket, "Too many subscriptions at once.");
        }
        let own = Arc::clone(self);
        tokio::spawn(async move {
            let turn = socket.data.lane.lock().await;
            own.catch_up(&socket, job_id).await;
            socket.data.waiting.fetch_sub(1, Ordering::Relaxed);
            drop(turn);
        });
    }

    /// Sends a subscriber what has happened.
    async fn catch_up(&self, socket: &Socket<Session>, job_id: String) {
        let (began, at_ms) = (Instant::now(), now_ms());
        let subscribed = json!({ "jobId": job_id, "subscribedAt": iso(at_ms).as_str() });
        if !sent(socket, &packet::emitted("novel.subscribed", &subscribed.to_string())).await {
            return;
        }
        let id = job_id.clone();
        let question = move |place: &dyn JobLookup| looked_up(place, &id);
        let asked = self.asking.ask(RouteName::Events, Some(&job_id), question, |_| true).await;
        let found = match asked {
            Ok(answered) => answered.value.map_err(|error| error.to_string()),
            Err(unanswered) => Err(unanswered.0),
        };
        let (messages, source) = match found {
            Ok(found) => found,
            Err(why) => return self.report.failed(&format!("subscribe to {job_id}"), &why),
        };
        for (name, payload) in &messages {
            if !sent(socket, &packet::emitted(name, &String::from_utf8_lossy(payload))).await {
                return;
            }
        }
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.registry.caught_up(CatchUp { job_id, events: messages.len(), source, took_ms, at_ms });
    }
}

/// What a subscriber to a job is sent, and what it was made of.
fn looked_up(
    place: &dyn JobLookup,
    job_id: &str,
) -> Result<(Vec<Message>, &'static str), EndError> {
    let events = place.events(job_id.as_bytes(), None)?;
    let job = match events.is_empty() {
        true => place.document(Collection::Jobs, job_id.as_bytes())?,
        false => None,
    };
    let messages = present::catch_up(job_id, &events, job.as_deref(), now_ms());
    let source = match (events.is_empty(), messages.is_empty()) {
        (false, _) => "events",
        (true, false) => "aggregate",
        (true, true) => "none",
    };
    Ok((messages, source))
}

/// Sends a packet, and waits for room. Whether the session is still there.
async fn sent(socket: &Socket<Session>, text: &str) -> bool {
    let room = async {
        while !socket.is_closed() {
            if let Ok(permit) = socket.reserve() {
                permit.emit(text.to_owned().into());
                return true;
            }
            sleep(LOOK_EVERY).await;
        }
        false
    };
    let sent = timeout(TAKE_TIME_MAX, room).await;
    if sent.is_err() {
        socket.close(DisconnectReason::TransportError);
    }
    sent.unwrap_or(false)
}

/// Sends an answer, if there is room: a client that does not take its packets gets none.
fn emit(socket: &Socket<Session>, name: &str, payload: &Value) {
    let _ = socket.emit(packet::emitted(name, &payload.to_string()));
}

fn refuse(socket: &Socket<Session>, message: &str) {
    emit(socket, "novel.error", &json!({ "message": message }));
}

/// The id that others may know of a session: its own is its key.
fn public_id(sid: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use sha1::{Digest as _, Sha1};
    let hash = Sha1::digest(sid.as_bytes());
    URL_SAFE_NO_PAD.encode(&hash[..15])
}

/// Without what JavaScript counts as white space around it.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|character: char| {
        (character.is_whitespace() && character != '\u{85}') || character == '\u{feff}'
    })
}
