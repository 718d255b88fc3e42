//! Takes the mapped documents in source order and collects the profile.

use std::collections::BTreeMap;
use std::path::Path;

use super::fields::Fields;
use super::model::{Dates, Forecast, Largest, Profile};
use super::paths::OTHER;
use super::sizes::SizeCounts;
use super::tallies::alias;
use crate::pass::pipeline::MappedBatch;
use crate::pass::repeated_ids::{HELD_MAX, Seen};
use crate::pass::{
    Example, RejectPlace, Rejection, Tallies, id_text, id_words, tally_reject, tally_warnings,
};
use crate::store::DiskError;
use reshelve_core::mapping::FirstLook;
use reshelve_core::mapping::{Outcome, RejectCode};
use reshelve_core::raw::{Document, Value};

/// How many job ids in flight are listed.
pub const IN_FLIGHT_SHOWN_MAX: usize = 1_000;
/// How many of the largest documents are listed.
pub const LARGEST_MAX: usize = 10;
/// How many pairs of status and phase are distinguished; the rest are counted under [`OTHER`].
pub const STATUS_PAIRS_MAX: usize = 1_000;
/// How long a distinguished status or phase may be, in bytes.
pub const STATUS_BYTES_MAX: usize = 64;
/// What replaces a status or a phase that is missing.
pub const MISSING: &str = "<missing>";
/// How much of an `_id` is shown, in bytes: a job id is never longer.
const ID_BYTES_MAX: usize = 128;

/// Whether a profile says a word, between angle brackets, in the place of a status or a phase.
pub fn is_placeholder(word: &str) -> bool {
    let is = |placeholder: &str| placeholder.get(1..placeholder.len() - 1) == Some(word);
    is(MISSING) || is(OTHER) || (0..=u8::MAX).any(|kind| alias(kind) == word)
}

/// A profile that is being collected.
#[derive(Debug)]
pub(crate) struct Survey {
    profile: Profile,
    sizes: SizeCounts,
    fields: Fields,
    status_pairs: usize,
    seen: Seen,
    /// Warnings and rejects, counted as a run counts them.
    warnings: Tallies,
    rejects: Tallies,
}

impl Survey {
    pub(crate) fn new(scratch: &Path) -> Self {
        Survey {
            profile: Profile::default(),
            sizes: SizeCounts::new(scratch),
            fields: Fields::new(),
            status_pairs: 0,
            seen: Seen::new(scratch, HELD_MAX),
            warnings: Tallies::default(),
            rejects: Tallies::default(),
        }
    }

    pub(crate) fn documents(&self) -> u64 {
        self.profile.documents
    }

    pub(crate) fn take_batch(&mut self, batch: &MappedBatch) -> Result<(), DiskError> {
        for (index, document) in batch.documents.iter().enumerate() {
            let bson = batch.bson(index);
            let original = batch.batch.document(&batch.batch.items[index]);
            if let Some(bytes) = bson {
                let position = batch.first + u64::try_from(index).unwrap_or(0);
                self.take_size(bytes, position)?;
            }
            self.profile.documents += 1;
            let Some(outcome) = &document.outcome else { continue };
            let code = match outcome {
                Outcome::Rejected(reject) => Some(reject.code),
                _ => None,
            };
            let malformed = [Some(RejectCode::MalformedBson), Some(RejectCode::MalformedJson)];
            if let Some(bytes) = bson.filter(|_| !malformed.contains(&code)) {
                self.take_fields(Document::new(bytes), code == Some(RejectCode::TooDeep));
            }
            match outcome {
                Outcome::Skipped => {}
                Outcome::Rejected(reject) => {
                    self.reject(&reject.clone().into(), bson, original);
                }
                Outcome::Mapped(_) if !self.seen.insert(document.key)? => {
                    self.reject(&Rejection::duplicate_id(), bson, original);
                }
                Outcome::Mapped(mapped) => {
                    tally_warnings(&mut self.warnings, &mapped.job_id, &mapped.warnings);
                }
            }
        }
        Ok(())
    }

    fn take_size(&mut self, bson: &[u8], position: u64) -> Result<(), DiskError> {
        let bytes = u64::try_from(bson.len()).unwrap_or(u64::MAX);
        let largest = &mut self.profile.largest;
        if largest.len() < LARGEST_MAX || largest.last().is_some_and(|last| last.bytes < bytes) {
            let at = largest.partition_point(|one| one.bytes >= bytes);
            largest.truncate(LARGEST_MAX - 1);
            largest.insert(at, Largest { id: cut(&id_text(Some(bson))), position, bytes });
        }
        self.sizes.add(bytes)
    }

    fn take_fields(&mut self, document: Document<'_>, too_deep: bool) {
        let look = FirstLook::at(document);
        self.fields.add(document, look.created);
        let profile = &mut self.profile;
        if let Some(created) = look.created {
            profile.created = Dates::with(profile.created, created);
        }
        *profile.eras.entry(look.era).or_default() += 1;
        self.take_status(&look);
        // A document that is too deep is rejected before its status is read.
        if let Some(job_id) = look.in_flight().filter(|_| !too_deep) {
            let profile = &mut self.profile;
            profile.in_flight_total += 1;
            if profile.in_flight.len() < IN_FLIGHT_SHOWN_MAX {
                profile.in_flight.push(String::from_utf8_lossy(&job_id).into_owned());
            }
        }
    }

    fn take_status(&mut self, look: &FirstLook<'_>) {
        let (status, phase) = (word(look.status), word(look.phase));
        let pairs = &mut self.profile.status_phases;
        if let Some(count) = pairs.get_mut(&status).and_then(|phases| phases.get_mut(&phase)) {
            *count += 1;
            return;
        }
        let full = self.status_pairs >= STATUS_PAIRS_MAX;
        let (status, phase) = if full { (OTHER.into(), OTHER.into()) } else { (status, phase) };
        let count = pairs.entry(status).or_default().entry(phase).or_insert(0);
        self.status_pairs += usize::from(*count == 0);
        *count += 1;
    }

    fn reject(&mut self, rejection: &Rejection, bson: Option<&[u8]>, original: &[u8]) {
        tally_reject(&mut self.rejects, rejection, || {
            let RejectPlace { id, path } = RejectPlace::of(rejection, bson, original);
            Example { job: cut(&id_words(id)), path }
        });
    }

    pub(crate) fn finish(self) -> Result<Profile, DiskError> {
        let Survey { mut profile, sizes, fields, warnings, rejects, .. } = self;
        profile.bytes = sizes.bytes;
        profile.size = sizes.finish()?;
        (profile.fields, profile.unknown_fields) = fields.finish(profile.documents);
        let sums = profile.status_phases.iter();
        profile.statuses =
            sums.map(|(status, phases)| (status.clone(), phases.values().sum())).collect();
        let (warnings, warning_examples) = split(warnings);
        let (rejects, reject_examples) = split(rejects);
        profile.forecast = Forecast { warnings, rejects, warning_examples, reject_examples };
        Ok(profile)
    }
}

type Counts = BTreeMap<String, u64>;
type Examples = BTreeMap<String, Vec<Example>>;

fn split(tallies: Tallies) -> (Counts, Examples) {
    let counts = tallies.iter().map(|(code, tally)| (code.clone(), tally.count)).collect();
    (counts, tallies.into_iter().map(|(code, tally)| (code, tally.examples)).collect())
}

/// A status or a phase as a word.
fn word(value: Option<Value<'_>>) -> String {
    match value {
        None => MISSING.into(),
        Some(value) => match value.string() {
            Some(text) if text.len() > STATUS_BYTES_MAX => OTHER.into(),
            Some(text) => String::from_utf8_lossy(text).into_owned(),
            None => format!("<{}>", alias(value.kind)),
        },
    }
}

/// An id, cut if it is too long to be shown.
fn cut(id: &str) -> String {
    if id.len() <= ID_BYTES_MAX {
        return id.to_owned();
    }
    let end = (0..=ID_BYTES_MAX).rev().find(|at| id.is_char_boundary(*at)).unwrap_or(0);
    format!("{}…", &id[..end])
}
