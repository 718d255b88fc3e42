//! Shadow reads: what one side has answered is asked of the other one too, beside the request, and
//! compared.

mod counts;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) use counts::Counts;

use crate::comparison::{self, Decisions, Example, Fate, Texts};
use crate::questions::{Question, Reply};
use crate::sides::{Report, Side, Sides, now_ms};

/// Answers that wait to be compared; further ones are dropped, and counted.
const QUEUE_MAX: usize = 256;
/// Their bytes; one larger answer waits alone.
const QUEUE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long the other side may take for one answer.
const TIME_MAX: Duration = Duration::from_secs(5);
/// Comparisons that took too long and still run; as long as there are so many, none is begun.
const LATE_MAX: usize = 2;
/// So many failures in a row open the breaker.
const FAILURES_MAX: u32 = 5;
/// For so long the other side is not asked then.
const PAUSE: Duration = Duration::from_secs(30);

/// How answers are shadowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shadowing {
    /// How many of a hundred answers are compared.
    pub share: u8,
    /// Whether examples show what texts say.
    pub with_texts: bool,
}

/// An answer that is to be compared.
pub(crate) struct Task {
    pub(crate) question: Arc<Question>,
    /// The target of the request.
    pub(crate) target: String,
    /// Which side answered, and what.
    pub(crate) side: Side,
    pub(crate) answer: Reply,
}

/// Compares answers on a thread of its own.
pub(crate) struct Shadow {
    queue: SyncSender<Task>,
    pub(crate) counts: Arc<Counts>,
    share: u8,
    offered: AtomicUsize,
}

impl Shadow {
    /// Starts to compare; none where there is one place.
    pub(crate) fn start(shadowing: Shadowing, sides: Sides, report: Report) -> Option<Self> {
        sides.place(Side::Legacy)?;
        let (queue, tasks) = sync_channel(QUEUE_MAX);
        let counts = Arc::new(Counts::default());
        let with_texts = shadowing.with_texts;
        let worker = Worker { sides, report, counts: Arc::clone(&counts), with_texts };
        thread::Builder::new().name("shadow".to_owned()).spawn(move || worker.work(&tasks)).ok()?;
        Some(Shadow { queue, counts, share: shadowing.share, offered: AtomicUsize::new(0) })
    }

    /// Whether the next answer is one of those that are compared.
    pub(crate) fn is_next(&self) -> bool {
        let place = self.offered.fetch_add(1, Ordering::Relaxed) % 100;
        // Spread over the hundred: 61 and 100 have no common divisor.
        place * 61 % 100 < usize::from(self.share)
    }

    /// Has an answer compared, if there is room. Never waits.
    pub(crate) fn offer(&self, task: Task) {
        let (route, bytes) = (task.question.route(), task.answer.body.len());
        let waiting = self.counts.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        let fits = waiting == 0 || waiting + bytes <= QUEUE_BYTES_MAX;
        if !fits || self.queue.try_send(task).is_err() {
            self.counts.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.counts.add(route, Fate::Dropped);
        }
    }
}

struct Worker {
    sides: Sides,
    report: Report,
    counts: Arc<Counts>,
    with_texts: bool,
}

impl Worker {
    fn work(&self, tasks: &Receiver<Task>) {
        let late = Arc::new(AtomicUsize::new(0));
        let (mut failures, mut closed_again) = (0, None::<Instant>);
        while let Ok(task) = tasks.recv() {
            let (route, bytes) = (task.question.route(), task.answer.body.len());
            let is_open = closed_again.is_some_and(|until| Instant::now() < until);
            let fate = if is_open || late.load(Ordering::Relaxed) >= LATE_MAX {
                Fate::Skipped
            } else {
                self.timed(task, &late)
            };
            self.counts.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.counts.add(route, fate);
            match fate {
                Fate::Failed => failures += 1,
                Fate::Skipped => {}
                _ => (failures, closed_again) = (0, None),
            }
            if failures >= FAILURES_MAX && !is_open {
                closed_again = Some(Instant::now() + PAUSE);
                let why = format!("failed {failures} times in a row; they pause for {PAUSE:?}");
                self.report.failed("shadow reads", &why);
            }
        }
    }

    /// Compares within the time limit. What takes longer ends by itself.
    fn timed(&self, task: Task, late: &Arc<AtomicUsize>) -> Fate {
        let (sender, done) = channel();
        let (sides, counts, with_texts) =
            (self.sides.clone(), Arc::clone(&self.counts), self.with_texts);
        let running = Arc::clone(late);
        running.fetch_add(1, Ordering::Relaxed);
        let compare = move || {
            let compared = catch_unwind(AssertUnwindSafe(|| compared(&sides, &task, with_texts)));
            running.fetch_sub(1, Ordering::Relaxed);
            let _ = sender.send(compared.unwrap_or(None));
        };
        if thread::Builder::new().name("shadow-look".to_owned()).spawn(compare).is_err() {
            late.fetch_sub(1, Ordering::Relaxed);
            return Fate::Failed;
        }
        match done.recv_timeout(TIME_MAX) {
            Ok(Some(None)) => Fate::Agreed,
            Ok(Some(Some(example))) => {
                let fate = example.cause.map_or(Fate::Failed, Fate::Differs);
                counts.remember(example);
                fate
            }
            Ok(None) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                Fate::Failed
            }
        }
    }
}

/// Asks the other side, and says where it differs; nothing where it cannot be asked.
fn compared(sides: &Sides, task: &Task, with_texts: bool) -> Option<Option<Example>> {
    let question = &task.question;
    if question.reply(&*sides.place(task.side.other())?, now_ms()).ok()? == task.answer {
        return Some(None);
    }
    // One may have changed between the two: both are asked once more.
    let (legacy, normalized) = (sides.place(Side::Legacy)?, sides.place(Side::Normalized)?);
    let now_ms = now_ms();
    let one = question.reply(&*legacy, now_ms).ok()?;
    let two = question.reply(&*normalized, now_ms).ok()?;
    let texts = Texts::of(with_texts);
    let Some(differing) = comparison::compare(question, [&one, &two], texts) else {
        return Some(None);
    };
    let jobs = differing.jobs;
    if jobs.is_empty() {
        return None;
    }
    let (job_id, cause) =
        comparison::of_jobs(&*legacy, &*normalized, jobs, Decisions::Unknown).ok()?;
    Some(Some(Example {
        route: question.route(),
        target: task.target.clone(),
        job_id,
        cause: Some(cause),
        statuses: [one.status, two.status],
        differences: differing.places,
    }))
}
