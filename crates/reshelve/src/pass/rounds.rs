//! Reading in rounds: some batches, worked on by all threads, in the order of the source again.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::ends::{Batch, BatchLimits, Damage, Form, Place, Source};
use reshelve_core::extjson::{self, JsonError};

/// Source bytes in a round; one larger document is a round by itself.
const ROUND_BYTES: usize = 4 * 1024 * 1024;
/// Documents in a round: tiny ones are held with what becomes of them.
const ROUND_DOCS: usize = 10_000;

/// Why a reading did not come to the end of the source.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The source cannot be read to its end.
    Source(Damage),
    /// It was told to stop.
    Interrupted,
}

/// The documents of a round.
#[derive(Default)]
pub(crate) struct Round {
    batches: Vec<Batch>,
    used: usize,
    notes: Vec<String>,
}

impl Round {
    /// Reads the next documents; `false` at the end of the source.
    ///
    /// # Errors
    /// If the source is damaged, or `stop` is set.
    pub(crate) fn read(
        &mut self,
        source: &mut dyn Source,
        stop: &AtomicBool,
    ) -> Result<bool, Stopped> {
        self.used = 0;
        let (mut bytes, mut docs) = (0, 0);
        while bytes < ROUND_BYTES && docs < ROUND_DOCS {
            if stop.load(Ordering::Relaxed) {
                return Err(Stopped::Interrupted);
            }
            if self.batches.len() == self.used {
                self.batches.push(Batch::default());
            }
            let batch = &mut self.batches[self.used];
            batch.clear();
            let limits = BatchLimits { docs_max: ROUND_DOCS - docs, ..BatchLimits::default() };
            let filled = source.fill(batch, limits);
            self.notes.append(&mut batch.notes);
            match filled {
                Ok(true) => {}
                Ok(false) => break,
                // Waiting for a silent pipe ends with an error when it is to stop.
                Err(_) if stop.load(Ordering::Relaxed) => return Err(Stopped::Interrupted),
                Err(damage) => return Err(Stopped::Source(damage)),
            }
            bytes += batch.bytes.len();
            docs += batch.items.len();
            self.used += 1;
        }
        if bytes > 2 * ROUND_BYTES {
            // It held a large document: its memory is given back after this round.
            self.batches.truncate(self.used);
        }
        Ok(self.used > 0)
    }

    /// The documents as they came.
    pub(crate) fn documents(&self) -> Vec<Original<'_>> {
        let batches = self.batches[..self.used].iter();
        let all = batches.flat_map(|batch| {
            batch.items.iter().map(|item| Original {
                bytes: batch.document(item),
                form: batch.form,
                place: item.place,
            })
        });
        all.collect()
    }

    /// Takes what people should know of how the source was read until now, a sentence each.
    pub(crate) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }
}

/// A document as it came.
#[derive(Clone, Copy)]
pub(crate) struct Original<'b> {
    pub(crate) bytes: &'b [u8],
    pub(crate) form: Form,
    /// Where it starts in the source.
    pub(crate) place: Place,
}

impl Original<'_> {
    /// Whether it came as text.
    pub(crate) fn is_text(&self) -> bool {
        self.form == Form::Json
    }

    /// The document as BSON, not yet checked; text is parsed into `buffer`.
    ///
    /// # Errors
    /// If the text is not Extended JSON.
    pub(crate) fn bson<'b>(&'b self, buffer: &'b mut Vec<u8>) -> Result<&'b [u8], JsonError> {
        buffer.clear();
        match self.form {
            Form::Bson => Ok(self.bytes),
            Form::Json => extjson::parse(self.bytes, buffer).map(|()| buffer.as_slice()),
        }
    }
}

/// Has all workers work on the tasks; the results come in the order of the tasks.
pub(crate) fn in_parallel<W: Send, T: Sync, R: Send>(
    workers: &mut [W],
    tasks: &[T],
    work: impl Fn(&mut W, &T) -> R + Sync,
) -> Vec<R> {
    in_parallel_while(workers, tasks, work, || ()).0
}

/// The same while this thread does something else, such as reading the next round.
pub(crate) fn in_parallel_while<W: Send, T: Sync, R: Send, M>(
    workers: &mut [W],
    tasks: &[T],
    work: impl Fn(&mut W, &T) -> R + Sync,
    meanwhile: impl FnOnce() -> M,
) -> (Vec<R>, M) {
    let next = AtomicUsize::new(0);
    let all = std::sync::Mutex::new(Vec::with_capacity(tasks.len()));
    let (next, all_done, work) = (&next, &all, &work);
    let done_meanwhile = std::thread::scope(|scope| {
        for worker in workers {
            scope.spawn(move || {
                let mut done = Vec::new();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(task) = tasks.get(index) else { break };
                    done.push((index, work(worker, task)));
                }
                all_done.lock().unwrap_or_else(PoisonError::into_inner).append(&mut done);
            });
        }
        meanwhile()
    });
    let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.sort_unstable_by_key(|(index, _)| *index);
    (all.into_iter().map(|(_, result)| result).collect(), done_meanwhile)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ends::MemorySource;

    #[test]
    fn results_come_in_the_order_of_the_tasks() {
        let tasks: Vec<usize> = (0..1_000).collect();
        let mut workers = [0_usize; 3];
        let results = in_parallel(&mut workers, &tasks, |worker, task| {
            *worker += 1;
            task * 2
        });
        assert!(results.into_iter().eq((0..1_000).map(|task| task * 2)));
        assert_eq!(workers.iter().sum::<usize>(), 1_000);
    }

    #[test]
    fn a_round_ends_and_is_used_again() {
        let document = vec![b'x'; 3 * 1024 * 1024];
        let mut source = MemorySource::new(vec![document; 5]);
        let (mut round, stop) = (Round::default(), AtomicBool::new(false));
        let mut sizes = Vec::new();
        while round.read(&mut source, &stop).unwrap() {
            sizes.push(round.documents().len());
        }
        assert_eq!(sizes, [2, 2, 1]);
        stop.store(true, Ordering::Relaxed);
        assert!(matches!(round.read(&mut source, &stop), Err(Stopped::Interrupted)));
    }
}
