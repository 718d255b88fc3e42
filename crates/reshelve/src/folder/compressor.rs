//! Compresses the members of a target beside each other, and gives them back in their order.

use std::collections::VecDeque;
use std::io;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, unbounded};

use crate::ends::Compression;
use crate::target_schema::Collection;

/// More threads than this would hold more bytes than they are worth.
const THREADS_MAX: usize = 8;

/// The members of one cut, by collection; none where a collection got nothing.
pub(super) type Members = [Option<Vec<u8>>; 4];

/// A cut, and how many of its members are still being compressed.
#[derive(Debug, Default)]
struct Cut {
    members: Members,
    waiting: usize,
}

/// The bytes of a collection between two cuts, plain or compressed.
#[derive(Debug)]
struct Piece<T> {
    cut: usize,
    at: Collection,
    bytes: T,
}

/// Threads that compress.
#[derive(Debug)]
pub(super) struct Compressor {
    tasks: Option<Sender<Piece<Vec<u8>>>>,
    done: Receiver<Piece<io::Result<Vec<u8>>>>,
    threads: Vec<JoinHandle<()>>,
    cuts: VecDeque<Cut>,
    /// How many cuts were given back.
    given: usize,
}

impl Compressor {
    /// Starts at most so many threads.
    pub(super) fn start(compression: Compression, threads: usize) -> io::Result<Self> {
        let (tasks, todo) = unbounded::<Piece<Vec<u8>>>();
        let (results, done) = unbounded();
        let start = |number: usize| {
            let (todo, results) = (todo.clone(), results.clone());
            std::thread::Builder::new().name(format!("compress-{number}")).spawn(move || {
                for Piece { cut, at, bytes } in todo {
                    let bytes = compression.member(&bytes);
                    if results.send(Piece { cut, at, bytes }).is_err() {
                        return;
                    }
                }
            })
        };
        let threads: io::Result<Vec<_>> = (0..threads.clamp(1, THREADS_MAX)).map(start).collect();
        let (threads, cuts) = (threads?, VecDeque::new());
        Ok(Compressor { tasks: Some(tasks), done, threads, cuts, given: 0 })
    }

    /// Begins to compress what lies between the last cut and this one, and takes it.
    pub(super) fn cut(&mut self, held_back: &mut [Vec<u8>; 4]) {
        let cut = self.given + self.cuts.len();
        let mut waiting = 0;
        for (at, bytes) in Collection::ALL.into_iter().zip(held_back) {
            if let Some(tasks) = self.tasks.as_ref().filter(|_| !bytes.is_empty()) {
                // The next piece will be about as long.
                let next = Vec::with_capacity(bytes.len());
                let bytes = std::mem::replace(bytes, next);
                // Where all threads are gone, waiting for the piece says so.
                drop(tasks.send(Piece { cut, at, bytes }));
                waiting += 1;
            }
        }
        self.cuts.push_back(Cut { waiting, ..Cut::default() });
    }

    /// Whether enough cuts are on their way to keep all threads busy: the next one has to wait.
    pub(super) fn is_full(&self) -> bool {
        self.cuts.len() > self.threads.len() + 1
    }

    /// The members of the next cut if they are ready; waits for them where that is asked for. None
    /// where no cut is left.
    ///
    /// # Errors
    /// If they cannot be compressed.
    pub(super) fn next(&mut self, is_waiting: bool) -> io::Result<Option<Members>> {
        while self.cuts.front().is_some_and(|cut| cut.waiting > 0) {
            let done = match is_waiting {
                true => self.done.recv().map_err(|_| io::Error::other("the threads ended"))?,
                false => match self.done.try_recv() {
                    Ok(done) => done,
                    Err(_) => return Ok(None),
                },
            };
            if let Some(cut) = self.cuts.get_mut(done.cut - self.given) {
                cut.waiting -= 1;
                cut.members[done.at.index()] = Some(done.bytes?);
            }
        }
        let cut = self.cuts.pop_front();
        self.given += usize::from(cut.is_some());
        Ok(cut.map(|cut| cut.members))
    }
}

impl Drop for Compressor {
    fn drop(&mut self) {
        self.tasks = None;
        for thread in self.threads.drain(..) {
            // One that panicked has said so.
            drop(thread.join());
        }
    }
}
