//! What tests that run in memory share: where things are, a source, and somebody who only listens.

use std::path::PathBuf;

use reshelve::ends::{
    About, Compression, EndError, MemorySource, Notes, Opened, Oplog, Origin, PlannedSource,
    SourceDescription, SourceForm,
};
use reshelve::generate::{Plan as Corpus, Stream};
use reshelve::run::{Observer, Plan, Progress, RunFolder};

/// The folder of run folders.
pub(crate) const RUNS: &str = "/runs";
/// The target.
pub(crate) const TARGET: &str = "/target";

/// Legacy documents in memory.
pub(crate) struct InMemory(pub(crate) Vec<Vec<u8>>);

impl Origin for InMemory {
    fn open(&self) -> Result<Opened, EndError> {
        let bytes = self.0.iter().map(|document| u64::try_from(document.len()).unwrap()).sum();
        Ok(Opened {
            source: Box::new(MemorySource::new(self.0.clone())),
            description: SourceDescription {
                form: SourceForm::BsonFile,
                path: PathBuf::from("memory"),
                namespace: None,
                rewindable: true,
                bytes_total: Some(bytes),
                oplog: Oplog::Absent,
                notes: Vec::new(),
                about: About::default(),
                compression: Compression::None,
            },
            first: 0,
        })
    }

    fn for_each_status(&self, _: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), EndError> {
        Ok(())
    }

    fn planned(&self, description: &SourceDescription) -> PlannedSource {
        PlannedSource {
            path: description.path.clone(),
            db: None,
            collection: None,
            form: description.form_words(),
            bytes: description.bytes_total,
            live: None,
            ..PlannedSource::default()
        }
    }
}

/// Ignores what it is told.
pub(crate) struct Silent;

impl Notes for Silent {
    fn note(&mut self, _: &str) {}
}

impl reshelve::rollback::Observer for Silent {
    fn progress(&mut self, _: &reshelve::rollback::Progress) {}
}

impl Observer for Silent {
    fn begun(&mut self, _: &Plan, _: &RunFolder, _: Option<u64>) {}
    fn progress(&mut self, _: &Progress) {}
}

/// Generated documents in every stage.
pub(crate) fn corpus(seed: u64, documents: u64) -> Vec<Vec<u8>> {
    Stream::new(Corpus::lifecycle(seed, documents)).collect()
}
