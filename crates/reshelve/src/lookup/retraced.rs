//! What the documents of one job tell of its mapping, where some of them may be missing.

use reshelve_core::mapping::{JobDocuments, Retraced, Retracer};
use reshelve_core::raw::{Document, Value};

use super::folder::emitted_at;

/// All that a place has of one job.
#[derive(Clone, Debug, Default)]
pub struct WholeJob {
    /// Its job document.
    pub job: Vec<u8>,
    /// Its metrics, if there are any.
    pub metrics: Option<Vec<u8>>,
    /// Its metadata, if there is any.
    pub metadata: Option<Vec<u8>>,
    /// All its events, in any order.
    pub events: Vec<Vec<u8>>,
}

impl WholeJob {
    /// What the documents tell of their own mapping.
    pub fn retraced(mut self, retracer: &mut Retracer) -> Retraced {
        let Some(metadata) = self.metadata else {
            // The new application makes jobs without metadata; a mapped one has lost it.
            return Retraced { is_edited: was_mapped(&self.job), ..Retraced::default() };
        };
        self.events.sort_by(|left, right| emitted_at(left).cmp(&emitted_at(right)));
        let events = self.events.concat();
        retracer.retrace(&JobDocuments {
            job: &self.job,
            events: &events,
            metrics: self.metrics.as_deref(),
            metadata: &metadata,
        })
    }
}

/// Whether a job document was written by the mapping: it names what the job was.
fn was_mapped(job: &[u8]) -> bool {
    let context = Document::new(job).get("context").and_then(Value::document);
    let noted = context.and_then(|context| context.get("metadata")).and_then(Value::document);
    noted.is_some_and(|noted| noted.get("legacyStatus").is_some())
}
