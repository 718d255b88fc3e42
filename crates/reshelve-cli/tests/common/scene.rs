//! A process A that writes into a target through a proxy, which holds what it sends, while others go
//! to the server directly.

use std::collections::BTreeSet;
use std::process::Child;

use crate::live::{Database, Server};
use crate::proxy::{Act, Exchange, Matching, Proxy, Rule, Turn};
use crate::rehearsal::{Rehearsal, json};

/// What a run writes to.
pub(crate) const COLLECTIONS: [&str; 5] =
    ["novel_jobs", "novel_job_events", "novel_job_metrics", "novel_job_metadata", "reshelve_undo"];

/// A target with a process A that writes through a proxy; others go to the server directly.
pub(crate) struct Scene<'r> {
    pub(crate) rehearsal: &'r Rehearsal,
    pub(crate) target: Database,
    pub(crate) proxy: Proxy,
}

impl<'r> Scene<'r> {
    pub(crate) fn new(rehearsal: &'r Rehearsal, server: &Server) -> Option<Scene<'r>> {
        let target = rehearsal.target(server);
        let proxy = Proxy::start(&target.uri_of_one_server()?);
        Some(Scene { rehearsal, target, proxy })
    }

    /// Process A.
    pub(crate) fn spawn(&self, more: &[&str]) -> Child {
        let args = ["run", "jobs.bson", self.proxy.uri(), "--batch-docs", "20", "--apply"];
        self.rehearsal.place.call(&[&args[..], more].concat()).spawn(false)
    }

    /// Runs something directly on the target, to its end.
    pub(crate) fn run(&self, code: i32, more: &[&str]) -> serde_json::Value {
        let args = ["run", "jobs.bson", &self.target.uri, "--apply", "--json"];
        json(&self.rehearsal.place.expect(code, &[&args[..], more].concat()))
    }

    pub(crate) fn resume(&self, code: i32) -> serde_json::Value {
        let run = self.rehearsal.place.runs().pop().unwrap();
        json(&self.rehearsal.place.expect(code, &["resume", &run, "--json"]))
    }

    /// Starts A, and returns when the proxy holds a command of it and its lease has expired.
    pub(crate) fn held(&self, matching: Matching, turn: Turn, more: &[&str]) -> (Child, Rule) {
        let held = self.proxy.rule(matching, turn, Act::Hold);
        let child = self.spawn(more);
        held.wait_until_acted();
        self.target.expire_lease();
        (child, held)
    }

    /// Every document of the target.
    pub(crate) fn contents(&self) -> BTreeSet<(&'static str, Vec<u8>)> {
        self.target.documents(&COLLECTIONS)
    }

    /// What has changed the server after a place in the log: writes of documents that were done
    /// outside a transaction, and commits.
    fn effects_after(&self, place: usize) -> Vec<Exchange> {
        let mut exchanges = self.proxy.log().exchanges();
        exchanges.retain(|exchange| {
            let request = &exchange.request;
            let is_of_target = COLLECTIONS.contains(&request.collection.as_str());
            let is_write = is_of_target && !request.writes.is_empty() && !request.in_transaction
                || request.command == "commitTransaction";
            let reply = exchange.reply.as_ref();
            let is_done = reply.is_some_and(|reply| reply.ok && reply.n != Some(0));
            is_write && is_done && exchange.answered > Some(place)
        });
        exchanges
    }

    /// Lets A go on, which has to stop because somebody has taken over, and to change nothing.
    pub(crate) fn expect_stopped(&self, child: Child, held: &Rule, what: &str) {
        let before = self.contents();
        let place = self.proxy.log().events.len();
        held.release();
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{what}: {said}");
        assert!(said.contains("taken over"), "{what}: {said}");
        assert!(self.contents() == before, "{what}: something was changed");
        let effects = self.effects_after(place);
        assert!(effects.is_empty(), "{what}: {:?}", effects[0].request);
    }
}
