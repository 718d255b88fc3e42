//! Rules of a proxy: which commands they are about, and what is done with them.

use std::process::Child;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mongodb::bson::Document;

use super::wire::Request;

/// How long a test waits for a command before it gives up.
const WAIT_MAX: Duration = Duration::from_secs(120);

/// What the proxy does with a command.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// It passes; the rule only counts.
    Pass,
    /// It goes to the server when the rule is released, whether or not the client still waits.
    Hold,
    /// The client's connection is cut, and it goes to the server when the rule is released.
    CutAndHold,
    /// The server gets it; its reply goes to the client when the rule is released.
    HoldReply,
    /// It goes to the server after a time.
    Delay(Duration),
    /// Its reply goes to the client after a time.
    DelayReply(Duration),
    /// The server does not get it, and the connection is cut.
    CutBefore,
    /// The server does it, and the connection is cut in place of the reply.
    CutAfter,
    /// The server gets it twice; the second reply stays here.
    Duplicate,
    /// The client gets this many bytes of the reply, and then the connection is cut.
    TruncateReply(usize),
    /// It goes to the server with this many bytes per second.
    Throttle(usize),
    /// The server does not get it; the client gets this error.
    Refuse { code: i32, message: &'static str },
    /// The client gets the reply as this changes it.
    EditReply(fn(&mut Document)),
}

/// Which of the commands that match a rule it acts on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Turn {
    /// The one with this number, counted from 1.
    Nth(usize),
    Every,
}

/// Which commands a rule is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matching {
    command: Option<&'static str>,
    collection: Option<&'static str>,
    when: fn(&Request) -> bool,
}

/// Commands of this name.
pub(crate) fn on(command: &'static str) -> Matching {
    Matching { command: Some(command), ..any() }
}

/// All commands.
pub(crate) fn any() -> Matching {
    Matching { command: None, collection: None, when: |_| true }
}

impl Matching {
    /// Only those on this collection.
    pub(crate) fn of(self, collection: &'static str) -> Matching {
        Matching { collection: Some(collection), ..self }
    }

    /// Only those for which this holds.
    pub(crate) fn when(self, when: fn(&Request) -> bool) -> Matching {
        Matching { when, ..self }
    }

    fn is_met(&self, request: &Request) -> bool {
        self.command.is_none_or(|command| command == request.command)
            && self.collection.is_none_or(|collection| collection == request.collection)
            && (self.when)(request)
    }
}

/// A rule of a proxy.
#[derive(Clone)]
pub(crate) struct Rule(Arc<RuleState>);

struct RuleState {
    matching: Matching,
    turn: Turn,
    act: Act,
    progress: Mutex<Progress>,
    changed: Condvar,
}

#[derive(Default)]
struct Progress {
    matched: usize,
    acted: usize,
    released: bool,
    /// The proxy is gone.
    ended: bool,
}

impl Rule {
    /// Waits until it has acted, or the process that it waits for has ended in order: false then.
    pub(crate) fn acts_before_end(&self, child: &mut Child, what: &str) -> bool {
        let mut ended = None;
        crate::common::until("the command, or the end", || {
            ended = child.try_wait().unwrap();
            ended.is_some() || self.acted() > 0
        });
        if let Some(ended) = ended {
            assert_eq!(ended.code(), Some(0), "{what}");
        }
        ended.is_none()
    }

    /// Waits until the rule has acted on a command.
    pub(crate) fn wait_until_acted(&self) {
        let progress = lock(&self.0.progress);
        let waiting = |progress: &mut Progress| progress.acted == 0;
        let (progress, _) = self
            .0
            .changed
            .wait_timeout_while(progress, WAIT_MAX, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        let Matching { command, collection, .. } = self.0.matching;
        assert!(progress.acted > 0, "no {command:?} of {collection:?} came");
    }

    pub(super) fn new(matching: Matching, turn: Turn, act: Act) -> Rule {
        let progress = Mutex::default();
        Rule(Arc::new(RuleState { matching, turn, act, progress, changed: Condvar::new() }))
    }

    pub(super) fn act(&self) -> &Act {
        &self.0.act
    }

    /// How many commands the rule has acted on.
    pub(crate) fn acted(&self) -> usize {
        lock(&self.0.progress).acted
    }

    /// Lets go of what is held, now and later.
    pub(crate) fn release(&self) {
        lock(&self.0.progress).released = true;
        self.0.changed.notify_all();
    }

    pub(super) fn end(&self) {
        lock(&self.0.progress).ended = true;
        self.0.changed.notify_all();
    }

    /// Whether it acts on this request.
    pub(super) fn is_due(&self, request: &Request) -> bool {
        if !self.0.matching.is_met(request) {
            return false;
        }
        let mut progress = lock(&self.0.progress);
        progress.matched += 1;
        let is_due = match self.0.turn {
            Turn::Nth(number) => progress.matched == number,
            Turn::Every => true,
        };
        if is_due {
            progress.acted += 1;
            self.0.changed.notify_all();
        }
        is_due
    }

    /// Waits until it is released; false where the proxy ended instead.
    pub(super) fn hold(&self) -> bool {
        let progress = lock(&self.0.progress);
        let waiting = |progress: &mut Progress| !progress.released && !progress.ended;
        let progress = self.0.changed.wait_while(progress, waiting);
        progress.unwrap_or_else(PoisonError::into_inner).released
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
