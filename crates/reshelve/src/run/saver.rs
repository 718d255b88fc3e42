//! Saves checkpoints beside the mapping: syncs what was written, then writes the checkpoint.

use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::RunError;
use super::checkpoint::Checkpoint;
use super::run_folder::RunFolder;
use crate::ends::Syncer;
use crate::store::OpenFile;

/// What has to be durable before a checkpoint may say so.
pub(crate) struct Saving {
    pub(crate) sink: Box<dyn Syncer>,
    /// The run's own files: the journal among them.
    pub(crate) files: Vec<Box<dyn OpenFile>>,
    pub(crate) folder: RunFolder,
}

impl Saving {
    /// Makes everything durable that was written before the call, then writes the checkpoint.
    pub(crate) fn save(&mut self, checkpoint: &Checkpoint) -> Result<(), RunError> {
        // The journal first: the target must hold nothing that it does not name.
        for file in &self.files {
            file.sync_data()?;
            self.folder.files().expect_there(file.as_ref(), 0)?;
        }
        self.sink.sync(&checkpoint.target)?;
        Ok(self.folder.write_checkpoint(checkpoint)?)
    }
}

/// A thread that saves, one checkpoint at a time.
pub(crate) struct Saver {
    orders: Option<Sender<Box<Checkpoint>>>,
    answers: Receiver<Result<Box<Checkpoint>, RunError>>,
    thread: Option<JoinHandle<Saving>>,
    busy: bool,
}

impl Saver {
    pub(crate) fn start(mut saving: Saving) -> Self {
        let (orders, todo) = bounded::<Box<Checkpoint>>(1);
        let (done, answers) = bounded(1);
        let thread = std::thread::spawn(move || {
            for checkpoint in todo {
                let saved = saving.save(&checkpoint).map(|()| checkpoint);
                if done.send(saved).is_err() {
                    break;
                }
            }
            saving
        });
        Saver { orders: Some(orders), answers, thread: Some(thread), busy: false }
    }

    /// Whether a checkpoint is being saved.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy
    }

    /// Begins to save a checkpoint; only where none is being saved.
    pub(crate) fn save(&mut self, checkpoint: Checkpoint) {
        if let Some(orders) = &self.orders {
            self.busy = orders.send(Box::new(checkpoint)).is_ok();
        }
    }

    /// The checkpoint that was saved since the last call.
    pub(crate) fn saved(&mut self) -> Result<Option<Box<Checkpoint>>, RunError> {
        match self.answers.try_recv() {
            Ok(answer) => {
                self.busy = false;
                answer.map(Some)
            }
            Err(_) => Ok(None),
        }
    }

    /// Waits for a save that is under way, and gives its checkpoint.
    pub(crate) fn wait(&mut self) -> Result<Option<Box<Checkpoint>>, RunError> {
        if !self.busy {
            return Ok(None);
        }
        self.busy = false;
        // Where the thread is gone, its end tells why.
        self.answers.recv().ok().transpose()
    }

    /// Waits for a save that is under way, and gives back the means to save.
    pub(crate) fn end(mut self) -> Result<Saving, RunError> {
        self.orders = None;
        let last = if self.busy { self.answers.recv().ok() } else { None };
        let saving = self.thread.take().and_then(|thread| thread.join().ok());
        if let Some(Err(error)) = last {
            return Err(error);
        }
        saving.ok_or(RunError::Bug("the saving thread ended with a panic"))
    }
}
