//! What this server does with runs, one thing at a time, and what became of it.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use reshelve::rollback::Progress;
use reshelve::run::now_ms;
use reshelve_serve::runs::{Command, Ended, Task};

use crate::failure::Failure;
use crate::handle::Watcher;
use crate::text::number;

/// What became of commands: so many of them are remembered.
const ENDED_MAX: usize = 50;
/// Notes that are kept of one command.
const NOTES_MAX: usize = 20;

/// Hears that something has ended, in a sentence.
pub(super) type Told = Arc<dyn Fn(&str) + Send + Sync>;

/// What a command says when it has ended: whether it did all that it was to do, and the words.
pub(super) struct Said {
    pub(super) is_good: bool,
    pub(super) words: String,
    pub(super) hint: Option<String>,
}

/// A command and the run that it is for.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) run: String,
    pub(super) command: Command,
    pub(super) reason: String,
}

struct AtWork {
    asked: Asked,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Kept {
    at_work: Option<AtWork>,
    /// By run, oldest first.
    ended: VecDeque<(String, Ended)>,
    is_closed: bool,
}

/// What this server does, and has done.
#[derive(Clone, Default)]
pub(super) struct Board(Arc<Mutex<Kept>>);

impl Board {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it does with a run.
    pub(super) fn task(&self, run: &str) -> Option<Task> {
        let kept = self.kept();
        let at_work = kept.at_work.as_ref().filter(|it| it.asked.run == run)?;
        let is_stopping = at_work.stop.load(Ordering::Relaxed);
        Some(Task { command: at_work.asked.command, is_stopping })
    }

    /// What became of commands to a run, newest first.
    pub(super) fn ended(&self, run: &str) -> Vec<Ended> {
        let kept = self.kept();
        let of_run = kept.ended.iter().rev().filter(|(other, _)| other == run);
        of_run.map(|(_, ended)| ended.clone()).collect()
    }

    /// Remembers what became of a command.
    pub(super) fn note(&self, asked: &Asked, said: Result<Said, Failure>, notes: Vec<String>) {
        let Said { is_good, words, hint } = said.unwrap_or_else(|failure| Said {
            is_good: false,
            words: failure.message,
            hint: failure.hint,
        });
        let Asked { run, command, reason } = asked.clone();
        let ended = Ended { at_ms: now_ms(), command, is_good, words, hint, notes, reason };
        let mut kept = self.kept();
        kept.ended.push_back((run, ended));
        while kept.ended.len() > ENDED_MAX {
            kept.ended.pop_front();
        }
    }

    /// Begins something in a thread of its own, unless something else is at work.
    ///
    /// # Errors
    /// If something is at work already, or there is no thread for it.
    pub(super) fn begin(
        &self,
        asked: Asked,
        told: Told,
        work: impl FnOnce(Arc<dyn Watcher>, Arc<AtomicBool>) -> Result<Said, Failure> + Send + 'static,
    ) -> Result<(), Failure> {
        let mut kept = self.kept();
        if kept.is_closed {
            return Err(Failure::failed("this server is about to end"));
        }
        if let Some(AtWork { asked: other, .. }) = &kept.at_work {
            let message = format!(
                "this server is at work on the run {} ({}), and does one thing at a time",
                other.run,
                other.command.as_str()
            );
            return Err(Failure::refused(message, crate::hints::WAIT_OR_STOP));
        }
        let (stop, board, to_do) = (Arc::<AtomicBool>::default(), self.clone(), asked.clone());
        let flag = Arc::clone(&stop);
        let body = move || {
            let heard = Arc::new(Heard::default());
            let watcher = Arc::clone(&heard) as Arc<dyn Watcher>;
            let said = catch_unwind(AssertUnwindSafe(|| work(watcher, flag)));
            let said = said.unwrap_or_else(|_| Err(Failure::failed("it ended because of a bug")));
            let (run, word) = (&to_do.run, to_do.command.as_str());
            let words = match &said {
                Ok(said) => said.words.clone(),
                Err(failure) => failure.message.clone(),
            };
            board.note(&to_do, said, heard.notes());
            board.kept().at_work = None;
            told(&format!("{word} of the run {run} has ended: {words}"));
        };
        let started = thread::Builder::new().name("run".to_owned()).spawn(body);
        let thread = started.map_err(|error| Failure::failed(error.to_string()))?;
        kept.at_work = Some(AtWork { asked, stop, thread });
        Ok(())
    }

    /// Stops what is done with a run, at the next place from which it can be continued. Returns
    /// whether there is something.
    pub(super) fn stop(&self, run: &str) -> bool {
        let kept = self.kept();
        let at_work = kept.at_work.as_ref().filter(|it| it.asked.run == run);
        at_work.inspect(|it| it.stop.store(true, Ordering::Relaxed)).is_some()
    }

    /// Stops what is at work, waits for its end, and begins nothing more.
    pub(super) fn close(&self) {
        let at_work = {
            let mut kept = self.kept();
            kept.is_closed = true;
            kept.at_work.take()
        };
        if let Some(AtWork { stop, thread, .. }) = at_work {
            stop.store(true, Ordering::Relaxed);
            // What it had to say, it has said to the board.
            drop(thread.join());
        }
    }
}

/// What a command says while it works.
#[derive(Default)]
pub(super) struct Heard {
    notes: Mutex<Vec<String>>,
    progress: Mutex<Option<String>>,
}

impl Heard {
    pub(super) fn notes(&self) -> Vec<String> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How far it is, in words.
    pub(super) fn progress(&self) -> Option<String> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Watcher for Heard {
    fn note(&self, text: &str) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() < NOTES_MAX {
            notes.push(text.to_owned());
        }
    }

    fn taking_back(&self, progress: &Progress) {
        let words = format!("{} of about {}", number(progress.done), number(progress.total));
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
    }
}
