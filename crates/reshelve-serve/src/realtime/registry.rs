//! Who is connected and subscribed, in memory.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engineioxide::Socket;
use engineioxide::socket::Sid;
use reshelve_core::raw::iso;
use serde_json::{Map, Value, json};

use super::limits::{
    CATCH_UPS_MAX, SESSIONS_MAX, SESSIONS_PER_ORIGIN_MAX, SUBSCRIBED_BYTES_MAX, SUBSCRIPTIONS_MAX,
};
use super::session::Session;

/// What was sent to the last subscriber of a job.
#[derive(Clone, Debug)]
pub(super) struct CatchUp {
    pub(super) job_id: String,
    pub(super) events: usize,
    /// `events`, `aggregate` or `none`.
    pub(super) source: &'static str,
    pub(super) took_ms: u64,
    pub(super) at_ms: i64,
}

#[derive(Default)]
struct Held {
    sessions: HashMap<Sid, Arc<Socket<Session>>>,
    origins: BTreeMap<String, usize>,
    subscribers: BTreeMap<String, usize>,
    /// Oldest first.
    catch_ups: VecDeque<CatchUp>,
}

/// All sessions.
#[derive(Default)]
pub(super) struct Registry(Mutex<Held>);

impl Registry {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session begins.
    pub(super) fn add(&self, socket: &Arc<Socket<Session>>) {
        let origin = socket.req_parts.headers.get("origin");
        let origin =
            origin.map_or("unknown".into(), |origin| String::from_utf8_lossy(origin.as_bytes()));
        let mut held = self.held();
        *held.origins.entry(origin.into_owned()).or_default() += 1;
        held.sessions.insert(socket.id, Arc::clone(socket));
    }

    /// A session ends.
    pub(super) fn remove(&self, socket: &Arc<Socket<Session>>) {
        let origin = socket.req_parts.headers.get("origin");
        let origin =
            origin.map_or("unknown".into(), |origin| String::from_utf8_lossy(origin.as_bytes()));
        let mut held = self.held();
        if held.sessions.remove(&socket.id).is_some() {
            decrease(&mut held.origins, &origin);
        }
        drop(held);
        self.unsubscribe_all(socket);
    }

    pub(super) fn get(&self, sid: &str) -> Option<Arc<Socket<Session>>> {
        let sid: Sid = sid.parse().ok()?;
        self.held().sessions.get(&sid).cloned()
    }

    pub(super) fn is_full(&self) -> bool {
        self.held().sessions.len() >= SESSIONS_MAX
    }

    pub(super) fn all(&self) -> Vec<Arc<Socket<Session>>> {
        self.held().sessions.values().cloned().collect()
    }

    /// Notes a subscription. Whether the session may have it.
    pub(super) fn subscribe(&self, socket: &Socket<Session>, job_id: &str) -> bool {
        let mut subscribed = socket.data.subscribed();
        if subscribed.contains(job_id) {
            return true;
        }
        let bytes = subscribed.iter().map(String::len).sum::<usize>() + job_id.len();
        if subscribed.len() >= SUBSCRIPTIONS_MAX || bytes > SUBSCRIBED_BYTES_MAX {
            return false;
        }
        subscribed.insert(job_id.to_owned());
        *self.held().subscribers.entry(job_id.to_owned()).or_default() += 1;
        true
    }

    pub(super) fn unsubscribe(&self, socket: &Socket<Session>, job_id: &str) {
        if socket.data.subscribed().remove(job_id) {
            decrease(&mut self.held().subscribers, job_id);
        }
    }

    pub(super) fn unsubscribe_all(&self, socket: &Socket<Session>) {
        let subscribed = std::mem::take(&mut *socket.data.subscribed());
        let mut held = self.held();
        for job_id in subscribed {
            decrease(&mut held.subscribers, &job_id);
        }
    }

    pub(super) fn caught_up(&self, catch_up: CatchUp) {
        let catch_ups = &mut self.held().catch_ups;
        catch_ups.retain(|other| other.job_id != catch_up.job_id);
        catch_ups.push_back(catch_up);
        if catch_ups.len() > CATCH_UPS_MAX {
            catch_ups.pop_front();
        }
    }

    /// The answer of `/internal/realtime/metrics`. No client is closed for being idle, so the
    /// time for that is 0.
    pub(super) fn metrics(&self) -> Value {
        let held = self.held();
        let idle = held.sessions.values().filter(|socket| socket.data.subscribed().is_empty());
        let catch_ups: Map<String, Value> = held.catch_ups.iter().map(shown).collect();
        json!({
            "totalConnections": held.sessions.len(),
            "totalSubscriptions": held.subscribers.values().sum::<usize>(),
            "connectionsPerOrigin": held.origins,
            "subscribersPerJob": held.subscribers,
            "idleClients": idle.count(),
            "maxConnections": SESSIONS_MAX,
            "maxConnectionsPerOrigin": SESSIONS_PER_ORIGIN_MAX,
            "maxSubscriptionsPerClient": SUBSCRIPTIONS_MAX,
            "idleTimeoutMs": 0,
            "lastCatchUp": catch_ups,
        })
    }
}

fn shown(catch_up: &CatchUp) -> (String, Value) {
    let value = json!({
        "jobId": catch_up.job_id,
        "replayedEvents": catch_up.events,
        "replaySource": catch_up.source,
        "replayDurationMs": catch_up.took_ms,
        "recordedAt": iso(catch_up.at_ms).as_str(),
    });
    (catch_up.job_id.clone(), value)
}

fn decrease(counts: &mut BTreeMap<String, usize>, name: &str) {
    if let Some(count) = counts.get_mut(name) {
        *count -= 1;
        if *count == 0 {
            counts.remove(name);
        }
    }
}
