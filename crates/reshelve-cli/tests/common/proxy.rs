//! A proxy between a program and a MongoDB server. It logs each command that passes, with what it
//! writes and what was answered, and disturbs single commands where a test asks for it: it holds,
//! delays, duplicates, throttles or refuses them, or cuts the connection.
//!
//! A request is logged before its bytes go to the server, and a reply before it goes to the client:
//! what the log does not call sent cannot have happened, and what a client does after a reply comes
//! after that reply in the log.

use std::collections::HashMap;
use std::io::Write as _;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{sleep, spawn};
use std::time::Duration;

use mongodb::bson::{Document, doc};

#[path = "proxy/log.rs"]
mod log;
#[path = "proxy/rules.rs"]
mod rules;
#[path = "proxy/wire.rs"]
mod wire;

pub(crate) use log::{Event, Exchange, Log};
use rules::lock;
pub(crate) use rules::{Act, Matching, Rule, Turn, any, on};
pub(crate) use wire::{Message, Reply, Request, What, Write};

/// How many pieces a throttled message is sent in, each second.
const PIECES_PER_S: usize = 20;

/// A proxy in front of one server. It ends with the value.
pub(crate) struct Proxy {
    shared: Arc<Shared>,
    address: SocketAddr,
    uri: String,
}

struct Shared {
    upstream: String,
    rules: Mutex<Vec<Rule>>,
    log: Mutex<Vec<Event>>,
    /// Every socket, to be closed when the proxy ends, or before.
    sockets: Mutex<Vec<TcpStream>>,
    ended: AtomicBool,
}

impl Shared {
    fn note(&self, event: Event) {
        lock(&self.log).push(event);
    }

    /// The rule that acts on a request; every rule that matches counts it.
    fn rule_for(&self, request: &Request) -> Option<Rule> {
        let rules = lock(&self.rules).clone();
        let due: Vec<Rule> = rules.into_iter().filter(|rule| rule.is_due(request)).collect();
        due.into_iter().next()
    }
}

impl Proxy {
    /// Starts a proxy in front of the only server that a connection string names.
    pub(crate) fn start(upstream: &str) -> Proxy {
        let (scheme, rest) = upstream.split_once("://").unwrap();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let (credentials, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        assert!(scheme == "mongodb" && !host.contains(','), "one host: {host}");
        assert!(!tail.contains("tls=true"), "the proxy has to read what passes");
        let host = if host.contains(':') { host.to_owned() } else { format!("{host}:27017") };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let at = if credentials.is_empty() { "" } else { "@" };
        let (path, options) = tail.split_once('?').unwrap_or((tail, ""));
        let path = if path.is_empty() { "/" } else { path };
        // Else the driver goes to where the server says that it is.
        let direct = if options.is_empty() { "" } else { "&" };
        let uri = format!(
            "mongodb://{credentials}{at}{address}{path}?{options}{direct}directConnection=true"
        );
        let shared = Arc::new(Shared {
            upstream: host,
            rules: Mutex::default(),
            log: Mutex::default(),
            sockets: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        spawn(move || accept(&listener, &accepting));
        Proxy { shared, address, uri }
    }

    /// Cuts every connection that there is, on both sides: clients have to log in again.
    pub(crate) fn cut_all(&self) {
        for socket in lock(&self.shared.sockets).drain(..) {
            close(&socket);
        }
    }

    /// The connection string that leads through the proxy.
    pub(crate) fn uri(&self) -> &str {
        &self.uri
    }

    /// What has passed so far.
    pub(crate) fn log(&self) -> Log {
        Log { events: lock(&self.shared.log).clone() }
    }

    /// Adds a rule. Of those that are due for a command, the first one acts.
    pub(crate) fn rule(&self, matching: Matching, turn: Turn, act: Act) -> Rule {
        let rule = Rule::new(matching, turn, act);
        lock(&self.shared.rules).push(rule.clone());
        rule
    }

    /// Has the server look like a standalone one, which has no transactions and no retryable
    /// writes.
    pub(crate) fn pose_as_standalone(&self) {
        // Without the topology's version, nobody asks for a stream of changes.
        const FORGOTTEN: [&str; 8] = [
            "setName",
            "setVersion",
            "hosts",
            "me",
            "primary",
            "secondary",
            "electionId",
            "topologyVersion",
        ];
        let forget = |hello: &mut Document| {
            for name in FORGOTTEN {
                hello.remove(name);
            }
        };
        for command in ["hello", "isMaster", "ismaster"] {
            self.rule(on(command), Turn::Every, Act::EditReply(forget));
        }
        let numbered = any().when(|request| request.txn_number.is_some());
        let message = "Transaction numbers are only allowed on a replica set member or mongos";
        self.rule(numbered, Turn::Every, Act::Refuse { code: 20, message });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        for rule in lock(&self.shared.rules).iter() {
            rule.end();
        }
        // It waits for a connection: one more, and it sees that it is over.
        drop(TcpStream::connect(self.address));
        self.cut_all();
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for number in 0.. {
        let Ok((client, _)) = listener.accept() else { return };
        if shared.ended.load(Ordering::SeqCst) {
            return;
        }
        // Where the server is gone, so is this connection.
        let Ok(server) = TcpStream::connect(&shared.upstream) else { continue };
        for socket in [&client, &server] {
            socket.set_nodelay(true).unwrap();
            lock(&shared.sockets).push(socket.try_clone().unwrap());
        }
        let connection = Arc::new(Connection {
            number,
            shared: Arc::clone(shared),
            client: client.try_clone().unwrap(),
            to_client: Mutex::new(client.try_clone().unwrap()),
            to_server: server.try_clone().unwrap(),
            awaited: Mutex::default(),
        });
        let other = Arc::clone(&connection);
        spawn(move || {
            let _ending = Ending(&connection);
            connection.requests(client);
        });
        spawn(move || {
            let _ending = Ending(&other);
            other.replies(server);
        });
    }
}

/// A connection of a client, with its connection to the server.
struct Connection {
    number: usize,
    shared: Arc<Shared>,
    client: TcpStream,
    /// The same, for one writer at a time.
    to_client: Mutex<TcpStream>,
    to_server: TcpStream,
    /// Replies that are to come and do not simply pass, by the ids of their requests.
    awaited: Mutex<HashMap<i32, Awaited>>,
}

/// A reply that is to come.
enum Awaited {
    /// This rule acts on it.
    By(Rule),
    /// It is the second one to a request that was sent twice, and not the client's.
    Second,
}

/// Cuts a connection when a thread fails on it: nobody is to wait for what does not come.
struct Ending<'c>(&'c Connection);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.cut();
        }
    }
}

impl Connection {
    /// Passes requests on, until the client is done or the connection is cut.
    fn requests(&self, mut from: TcpStream) {
        while let Ok(Some(message)) = Message::read(&mut from) {
            let request = message.request(self.number);
            self.shared.note(Event::Asked(request.clone()));
            let rule = self.shared.rule_for(&request);
            if !self.pass_request(&message, &request, rule) {
                self.cut();
                return;
            }
        }
        // What the server still has to say, it may.
        drop(self.to_server.shutdown(Shutdown::Write));
    }

    /// False where the connection is to be cut.
    fn pass_request(&self, message: &Message, request: &Request, rule: Option<Rule>) -> bool {
        let bytes = message.bytes();
        let Some(rule) = rule else { return self.send(request, |to| to.write_all(bytes)) };
        match rule.act() {
            Act::Pass => {}
            Act::Hold => {
                if !rule.hold() {
                    return false;
                }
            }
            Act::CutAndHold => {
                close(&self.client);
                if !rule.hold() {
                    return false;
                }
            }
            Act::Delay(time) => sleep(*time),
            Act::CutBefore => {
                self.shared.note(Event::Cut { connection: self.number, id: request.id });
                return false;
            }
            Act::Refuse { code, message } => {
                let error = doc! { "ok": 0.0, "code": *code, "errmsg": *message };
                self.shared.note(Event::Returned { connection: self.number, id: request.id });
                let answer = Message::reply_to(request, &error);
                return lock(&self.to_client).write_all(answer.bytes()).is_ok();
            }
            Act::Throttle(bytes_per_s) => {
                let piece = (bytes_per_s / PIECES_PER_S).max(1);
                return self.send(request, |to| {
                    bytes.chunks(piece).try_for_each(|piece| {
                        sleep(Duration::from_secs(1) / u32::try_from(PIECES_PER_S).unwrap());
                        to.write_all(piece)
                    })
                });
            }
            Act::Duplicate => {
                self.await_reply(request, &rule);
                return self.send(request, |to| to.write_all(bytes))
                    && self.send(request, |to| to.write_all(bytes));
            }
            // These are about the reply.
            Act::HoldReply
            | Act::DelayReply(_)
            | Act::CutAfter
            | Act::TruncateReply(_)
            | Act::EditReply(_) => {
                self.await_reply(request, &rule);
            }
        }
        self.send(request, |to| to.write_all(bytes))
    }

    fn await_reply(&self, request: &Request, rule: &Rule) {
        lock(&self.awaited).insert(request.id, Awaited::By(rule.clone()));
    }

    fn send(
        &self,
        request: &Request,
        write: impl FnOnce(&mut &TcpStream) -> std::io::Result<()>,
    ) -> bool {
        self.shared.note(Event::Sent { connection: self.number, id: request.id });
        write(&mut &self.to_server).is_ok()
    }

    /// Passes replies on, until the server is done or the connection is cut.
    fn replies(&self, mut from: TcpStream) {
        while let Ok(Some(message)) = Message::read(&mut from) {
            let reply = message.reply(self.number);
            let id = reply.response_to;
            self.shared.note(Event::Answered(reply));
            let awaited = lock(&self.awaited).remove(&id);
            let passed = match awaited {
                Some(Awaited::Second) => true,
                Some(Awaited::By(rule)) => self.pass_reply(&message, id, &rule),
                None => self.give(&message, id),
            };
            if !passed {
                break;
            }
        }
        self.cut();
    }

    /// False where the connection is to be cut.
    fn pass_reply(&self, message: &Message, id: i32, rule: &Rule) -> bool {
        let connection = self.number;
        match rule.act() {
            Act::HoldReply if !rule.hold() => return false,
            Act::DelayReply(time) => sleep(*time),
            Act::CutAfter => {
                self.shared.note(Event::Cut { connection, id });
                return false;
            }
            Act::TruncateReply(bytes) => {
                self.shared.note(Event::Cut { connection, id });
                let end = (*bytes).min(message.bytes().len());
                // Whether or not the client reads it, it is over.
                drop(lock(&self.to_client).write_all(&message.bytes()[..end]));
                return false;
            }
            Act::EditReply(edit) => {
                return self.give(&message.edited(edit), id);
            }
            Act::Duplicate => {
                lock(&self.awaited).insert(id, Awaited::Second);
            }
            _ => {}
        }
        self.give(message, id)
    }

    /// A client that has left does not end the connection: what is held of it may still go to the
    /// server.
    fn give(&self, message: &Message, id: i32) -> bool {
        self.shared.note(Event::Returned { connection: self.number, id });
        drop(lock(&self.to_client).write_all(message.bytes()));
        true
    }

    fn cut(&self) {
        close(&self.client);
        close(&self.to_server);
    }
}

/// The other side may have closed it before.
fn close(socket: &TcpStream) {
    drop(socket.shutdown(Shutdown::Both));
}
