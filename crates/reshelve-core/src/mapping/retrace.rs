//! What the target documents of a job tell of their own mapping: they are mapped again from the
//! legacy document that they give back.

use super::{
    InFlight, Mapped, Mapper, OnUnknownStatus, Options, Outcome, RestoreError, StatusPolicy,
    TargetDocuments, restore,
};
use crate::raw::{Document, Element};

/// The target documents of one job, as a place has them.
#[derive(Clone, Copy, Debug)]
pub struct JobDocuments<'d> {
    /// Its job document.
    pub job: &'d [u8],
    /// Its events, one after the other, oldest first.
    pub events: &'d [u8],
    /// Its metrics, if there are any.
    pub metrics: Option<&'d [u8]>,
    /// Its metadata.
    pub metadata: &'d [u8],
}

/// What the documents of a job tell of their own mapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retraced {
    /// The mapping has warnings about the legacy document.
    pub is_warned: bool,
    /// The documents are no longer what the mapping wrote, whatever it was told to decide.
    pub is_edited: bool,
}

/// Maps jobs again. It keeps its buffers, so that many jobs should share one.
#[derive(Debug, Default)]
pub struct Retracer {
    mapper: Mapper,
    options: Options,
    out: TargetDocuments,
}

impl Retracer {
    /// What the documents of a job tell. A job that was never mapped has neither warnings nor edits.
    pub fn retrace(&mut self, found: &JobDocuments<'_>) -> Retraced {
        let restored = match restore(found.job, found.metadata) {
            Ok(restored) => restored,
            Err(RestoreError::NoResidue) => return Retraced::default(),
            Err(_) => return Retraced { is_edited: true, ..Retraced::default() },
        };
        // The options of the job before are mostly those of this one too.
        let first = self.mapped(&restored.bytes, self.options);
        let mut is_warned = first.as_ref().is_some_and(|mapped| !mapped.warnings.is_empty());
        let mut is_made = self.is_made(found);
        if !is_made && !restored.changed {
            for options in all_options() {
                let mapped = self.mapped(&restored.bytes, options);
                is_made = self.is_made(found);
                if is_made {
                    is_warned = mapped.is_some_and(|mapped| !mapped.warnings.is_empty());
                    break;
                }
            }
        }
        Retraced { is_warned, is_edited: restored.changed || !is_made }
    }

    /// Whether the mapping makes these documents of a legacy document, whatever it is told to
    /// decide.
    pub fn makes(&mut self, legacy: &[u8], found: &JobDocuments<'_>) -> bool {
        all_options().any(|options| {
            self.mapped(legacy, options);
            self.is_made(found)
        })
    }

    /// The documents that the mapping makes of a legacy document with the decisions by which they
    /// are most like these; nothing where none of them maps it.
    pub fn closest(&mut self, legacy: &[u8], found: &JobDocuments<'_>) -> Option<TargetDocuments> {
        let mut closest: Option<(usize, Options)> = None;
        for options in all_options() {
            if self.mapped(legacy, options).is_some() {
                let likeness = self.likeness(found);
                if closest.is_none_or(|(best, _)| likeness > best) {
                    closest = Some((likeness, options));
                }
            }
        }
        self.mapped(legacy, closest?.1)?;
        Some(std::mem::take(&mut self.out))
    }

    /// How many fields of the job are those that were just made; the other documents count as one
    /// each.
    fn likeness(&self, found: &JobDocuments<'_>) -> usize {
        let made = Document::new(self.out.jobs.bytes());
        let is_same = |element: &Element<'_>| {
            let value = made.get(&element.name_text());
            value.is_some_and(|it| it.kind == element.value.kind && it.bytes == element.value.bytes)
        };
        Document::new(found.job).elements().filter(is_same).count()
            + usize::from(self.out.events.bytes() == found.events)
            + usize::from(self.out.metadata.bytes() == found.metadata)
    }

    fn mapped(&mut self, legacy: &[u8], options: Options) -> Option<Mapped> {
        if options != self.options {
            (self.mapper, self.options) = (Mapper::new(options), options);
        }
        self.out.clear();
        match self.mapper.map(legacy, &mut self.out) {
            Outcome::Mapped(mapped) => Some(mapped),
            Outcome::Skipped | Outcome::Rejected(_) => None,
        }
    }

    /// Whether the documents that were just made are these.
    fn is_made(&self, found: &JobDocuments<'_>) -> bool {
        self.out.jobs.bytes() == found.job
            && self.out.metadata.bytes() == found.metadata
            && found.metrics == Some(self.out.metrics.bytes())
            && self.out.events.bytes() == found.events
    }
}

/// Every decision with which a run may have written a job.
fn all_options() -> impl Iterator<Item = Options> {
    let statuses = [StatusPolicy::Legacy, StatusPolicy::Evidence];
    let unknown = [OnUnknownStatus::Reject, OnUnknownStatus::Failed];
    statuses.into_iter().flat_map(move |status_policy| {
        unknown.into_iter().flat_map(move |on_unknown_status| {
            [InFlight::Include, InFlight::AsFailed].map(|in_flight| Options {
                on_unknown_status,
                status_policy,
                in_flight,
            })
        })
    })
}
