//! The comparison itself: every job of a pass against what the target holds of it, then what is left
//! over in the target.

use std::borrow::Cow;

use super::causes::{Known, causes};
use super::compare::{Difference, differences};
use super::conflicts::Conflicts;
use super::cost_and_tokens::{add_stored, judge};
use super::doubles::LeftOver;
use super::groups::{GroupKind, Groups};
use super::sample::Chosen;
use super::side::{Found, Side, is_well_formed};
use super::survey::Survey;
use super::texts::{Texts, show};
use super::verification::{Mismatch, Sample, Verification};
use super::verify::{VerifyError, VerifyRequest};
use super::walk::Taken;
use crate::ends::TargetReader;
use crate::target_schema::Collection;
use reshelve_core::mapping::{self, Mapped};
use reshelve_core::raw::{self, Document, Value};

/// What is found along the way.
struct Findings<'v> {
    each: &'v mut dyn FnMut(&Mismatch),
    found: Verification,
    groups: Groups,
    /// What was found of the job in hand: what it has in common is known when it is done.
    of_job: Vec<(GroupKind, Mismatch)>,
    known: Known,
    texts: Texts,
}

/// Compares jobs with a target, one after the other.
pub(super) struct Verifier<'v> {
    request: &'v VerifyRequest,
    target: &'v dyn TargetReader,
    sides: Vec<Side>,
    conflicts: Conflicts,
    findings: Findings<'v>,
}

impl<'v> Verifier<'v> {
    pub(super) fn open(
        request: &'v VerifyRequest,
        target: &'v dyn TargetReader,
        chosen: Option<&Chosen>,
        each: &'v mut dyn FnMut(&Mismatch),
    ) -> Result<Self, VerifyError> {
        let mut sides = Vec::new();
        // One collection may be lost; if all of them are, this is the wrong place.
        let mut is_there = false;
        for collection in Collection::ALL {
            is_there |= target.has(collection)?;
        }
        if !is_there {
            return Err(VerifyError::NoTarget(target.name()));
        }
        for collection in Collection::ALL {
            let scratch = &request.reading.scratch;
            sides.push(match chosen {
                Some(chosen) => Side::open_jobs(target, collection, scratch, &chosen.jobs)?,
                None => Side::open(target, collection, scratch)?,
            });
        }
        let found = Verification { survey: Survey::new(), ..Verification::default() };
        let known = Known {
            jobs: 0,
            different_jobs: 0,
            missing_in_flight: 0,
            in_flight: request.reading.options.in_flight,
        };
        let (groups, of_job) = (Groups::default(), Vec::new());
        let findings = Findings { each, found, groups, of_job, known, texts: request.texts };
        let conflicts = Conflicts::new(request.reading.scratch.as_path().into());
        Ok(Verifier { request, target, sides, conflicts, findings })
    }

    /// What was found so far.
    pub(super) fn found(&mut self) -> &mut Verification {
        &mut self.findings.found
    }

    /// One document of the source.
    pub(super) fn take(&mut self, taken: &Taken<'_>) -> Result<(), VerifyError> {
        let in_flight = self.found().survey.in_flight.count;
        self.found().survey.take(taken);
        let is_in_flight = self.found().survey.in_flight.count > in_flight;
        self.compare(taken, is_in_flight)
    }

    /// One document that a retry carried over, or left out.
    pub(super) fn take_retried(&mut self, taken: &Taken<'_>) -> Result<(), VerifyError> {
        self.found().survey.take_content(taken);
        self.compare(taken, false)
    }

    fn compare(&mut self, taken: &Taken<'_>, is_in_flight: bool) -> Result<(), VerifyError> {
        match taken {
            Taken::Mapped { mapped, parts, legacy, .. } => {
                self.take_job(mapped, *parts, legacy, is_in_flight)
            }
            // The sides of a sample hold nothing but the jobs that were chosen.
            Taken::Conflict { job_id, parts, key } if self.request.sample.is_none() => {
                Ok(self.conflicts.take((job_id, key), *parts, &mut self.sides)?)
            }
            Taken::Skipped { .. }
            | Taken::Rejected
            | Taken::Conflict { .. }
            | Taken::Carried { .. } => Ok(()),
        }
    }

    /// One job: compares each of its documents, and restores the legacy document from those that
    /// are there.
    fn take_job(
        &mut self,
        mapped: &Mapped,
        parts: [&[u8]; 4],
        legacy: &[u8],
        is_in_flight: bool,
    ) -> Result<(), VerifyError> {
        self.findings.known.jobs += 1;
        let texts = self.findings.texts;
        let job = String::from_utf8_lossy(&mapped.job_id).into_owned();
        let mut stored: [Option<Cow<'_, [u8]>>; 4] = Default::default();
        let mut is_there = false;
        for (collection, bytes) in Collection::ALL.into_iter().zip(parts) {
            for place in raw::documents(bytes) {
                let expected = &bytes[place];
                let side = &mut self.sides[collection.index()];
                match side.find(expected)? {
                    Found::Same => stored[collection.index()] = Some(Cow::Borrowed(expected)),
                    Found::Missing => {
                        // Everything after the damage is missing; the first missing document is the
                        // damaged one.
                        if let Some(damage) = side.damage.take() {
                            let values = (None, Some(damage));
                            self.findings.add(GroupKind::Damaged, &job, collection, "", values);
                        }
                        let id = Document::new(expected).get("_id").map(|id| show(id, texts));
                        self.findings.add(GroupKind::Missing, &job, collection, "_id", (id, None));
                        continue;
                    }
                    Found::Different => {
                        let actual = side.actual.clone();
                        for difference in differences(expected, &actual, texts) {
                            let Difference { path, expected, actual } = difference;
                            let values = (expected, actual);
                            self.findings.add(
                                GroupKind::Different,
                                &job,
                                collection,
                                &path,
                                values,
                            );
                        }
                        stored[collection.index()] = Some(Cow::Owned(actual));
                    }
                }
                is_there = true;
            }
        }
        self.findings.end_job(is_there, is_in_flight);
        let found = &mut self.findings.found;
        add_stored(&mut found.survey.totals, stored[Collection::Metrics.index()].as_deref());
        match (&stored[Collection::Jobs.index()], &stored[Collection::Metadata.index()]) {
            (None, _) | (_, None) => found.restored.missing += 1,
            // These bytes were restored and compared when they were mapped, a moment ago.
            (Some(Cow::Borrowed(_)), Some(Cow::Borrowed(_))) => found.restored.identical += 1,
            (Some(stored_job), Some(metadata)) => {
                let back = is_well_formed(stored_job)
                    && is_well_formed(metadata)
                    && mapping::restore(stored_job, metadata)
                        .is_ok_and(|restored| restored.bytes == legacy);
                if back {
                    found.restored.identical += 1;
                } else {
                    found.restored.different += 1;
                }
            }
        }
        Ok(())
    }

    /// Finds what is left over in the target, and checks the sums. `of` is how many documents a
    /// sample was chosen from.
    pub(super) fn finish(mut self, of: Option<u64>) -> Result<Verification, VerifyError> {
        let mut extra_jobs = 0;
        self.conflicts.end()?;
        for collection in Collection::ALL {
            let (left_over, doubles) = self.take_left_over(collection)?;
            let counts = &mut self.findings.found.survey.counts;
            let of_others = if self.request.allow_existing { left_over - doubles } else { 0 };
            let ours = self.sides[collection.index()].count - of_others;
            counts.left_alone += of_others;
            counts.collections.insert(collection.name(), ours);
            if collection == Collection::Jobs {
                extra_jobs = left_over - of_others;
            }
        }
        let findings = &mut self.findings;
        self.conflicts.gone(|job_id| findings.add_gone(&String::from_utf8_lossy(job_id)))?;
        let Findings { mut found, groups, known, .. } = self.findings;
        match of {
            Some(of) => found.sample = Some(Sample { documents: found.survey.counts.legacy, of }),
            None => found.restored.extra = Some(extra_jobs),
        }
        let usd = self.request.tolerance_usd * number(known.jobs);
        judge(&mut found.survey.totals, usd, self.request.tolerance_tokens);
        found.groups = groups.finish();
        found.causes = causes(&found, &known);
        Ok(found)
    }

    /// The documents of a collection that were not expected: how many they are, and how many of
    /// these have the `_id` or the job of another one and cannot be of others.
    fn take_left_over(&mut self, collection: Collection) -> Result<(u64, u64), VerifyError> {
        let Verifier { request, target, conflicts, findings, .. } = self;
        let scratch = &request.reading.scratch;
        let side = &mut self.sides[collection.index()];
        let mut keys = LeftOver::new(scratch);
        let mut left_over = 0;
        side.extra(|document| {
            left_over += 1;
            conflicts.meet(document)?;
            match request.allow_existing {
                true => keys.add(document),
                false => findings.add_unexpected(GroupKind::Extra, collection, document),
            }
            Ok(())
        })?;
        if let Some(damage) = side.damage.take() {
            let values = (None, Some(damage));
            findings.add(GroupKind::Damaged, "", collection, "", values);
            findings.flush();
        }
        let mut doubles = 0;
        if left_over > 0 && request.allow_existing {
            let strangers = keys.all(*target, collection)?;
            let mut add = |kind, document: &[u8]| {
                doubles += 1;
                findings.add_unexpected(kind, collection, document);
            };
            if !target.has_unique_ids() {
                strangers.doubles(scratch, |document| add(GroupKind::Double, document))?;
            }
            strangers.of_same_job(scratch, |document| add(GroupKind::SameJob, document))?;
        }
        Ok((left_over, doubles))
    }
}

impl Findings<'_> {
    fn add(
        &mut self,
        kind: GroupKind,
        job: &str,
        collection: Collection,
        path: &str,
        (expected, actual): (Option<String>, Option<String>),
    ) {
        let mismatch =
            Mismatch { job: job.to_owned(), collection, path: path.to_owned(), expected, actual };
        self.of_job.push((kind, mismatch));
    }

    /// A document of the target that should not be there.
    fn add_unexpected(&mut self, kind: GroupKind, collection: Collection, document: &[u8]) {
        let document = Document::new(document);
        let job = document.get("jobId").and_then(Value::string).unwrap_or_default();
        let id = document.get("_id").map(|id| show(id, self.texts));
        let id = id.or_else(|| Some("a document without _id".to_owned()));
        self.add(kind, &String::from_utf8_lossy(job), collection, "_id", (None, id));
        self.flush();
    }

    /// A job that the run did not carry over because of what the target no longer holds.
    fn add_gone(&mut self, job: &str) {
        let values = (Some(job.to_owned()), None);
        self.add(GroupKind::ConflictGone, job, Collection::Jobs, "_id", values);
        self.end_job(true, false);
    }

    /// The job in hand is done; `is_there` tells whether anything of it is in the target.
    fn end_job(&mut self, is_there: bool, is_in_flight: bool) {
        if self.of_job.is_empty() {
            return;
        }
        self.found.mismatched_jobs += 1;
        let is_different = |(kind, _): &(GroupKind, Mismatch)| *kind == GroupKind::Different;
        self.known.different_jobs += u64::from(self.of_job.iter().any(is_different));
        if !is_there {
            self.known.missing_in_flight += u64::from(is_in_flight);
            for (kind, _) in &mut self.of_job {
                if *kind == GroupKind::Missing {
                    *kind = GroupKind::MissingJob;
                }
            }
        }
        self.flush();
    }

    fn flush(&mut self) {
        for (kind, mismatch) in self.of_job.drain(..) {
            self.groups.add(kind, &mismatch);
            (self.each)(&mismatch);
            self.found.add(mismatch);
        }
    }
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "below 2^53 jobs")]
fn number(jobs: u64) -> f64 {
    jobs as f64
}
