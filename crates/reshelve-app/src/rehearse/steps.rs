//! The steps of a rehearsal. Each is the command itself, and says what came of it in a sentence.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use reshelve::parity::{self, CollectionChecksum};
use reshelve::report::Verified;
use reshelve::restore::{self, RestoreFolderError, RestoreSummary};
use reshelve::rollback::Ended as TakenBack;
use reshelve::run::{DocumentCounts, Stop};

use super::comparison::{Compared, Comparison};
use super::record::RestoredRecord;
use super::stage::Stage;
use super::watched::{Watched, Way, stopping_too};
use super::{plain_file, refused};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::hints;
use crate::options::RunName;
use crate::places;
use crate::text::{counted, number};
use crate::{report, resume, rollback, run, verify};

/// Into how many batches the run is divided that is interrupted, if the source is small: it is to be
/// interrupted in the middle.
const BATCHES_MIN: u64 = 64;
/// A batch of it has at least so many bytes.
const BATCH_BYTES_MIN: u64 = 4 * 1024;

impl Stage<'_> {
    pub(super) fn prepare(&mut self) -> Result<String, Failure> {
        self.scratch().make(&self.backstage)
    }

    pub(super) fn run_and_interrupt(&mut self) -> Result<String, Failure> {
        let batch = self.small_batches();
        let asked = run::Request { batch, ..self.request.run(self.scratch()) };
        let stop = Arc::new(AtomicBool::new(false));
        let origin = places::origin(&self.request.source, &self.backstage)?;
        let origin = Watched { origin: origin.as_ref(), way: Way::Interrupts(Arc::clone(&stop)) };
        let handle = self.backstage_with(&stop);
        let library = asked.request()?;
        let ran =
            stopping_too(self.handle, &stop, || run::run_from(&asked, &library, &origin, &handle))?;
        self.runs.push(ran.report.plan.run.clone());
        self.check_stop()?;
        let documents = ran.report.checkpoint.totals.documents;
        match &ran.report.stop {
            Stop::Interrupted => {
                Ok(format!("interrupted after {}", counted(documents.read, "document")))
            }
            _ => self.ran(&ran).map(|_| "the source ended before it was interrupted".to_owned()),
        }
    }

    pub(super) fn resume(&mut self) -> Result<String, Failure> {
        let request = resume::Request {
            source: self.source_again(),
            target: self.scratch().again(),
            read_preference: self.request.source.read_preference,
            batch: self.request.batch,
            ..resume::Request::new(self.last_run())
        };
        let ran = resume::resume(&request, &self.backstage)?;
        let checkpoint = &ran.report.checkpoint;
        // As far as it came: a run that fails later has met these all the same.
        self.record.would_refuse = refused::of(self.request, self.oplog(), &checkpoint.totals);
        let documents = self.ran(&ran)?;
        self.record.documents = Some(documents);
        self.record.bytes_read = checkpoint.totals.bytes_read;
        self.record.source_hash = Some(checkpoint.source_hash.clone());
        Ok(format!("done: {}", in_words(documents)))
    }

    pub(super) fn verify(&mut self) -> Result<String, Failure> {
        let request = verify::Request {
            runs: vec![self.last_run()],
            ..verify::Request::new(self.request.source.clone(), self.scratch().target())
        };
        let origin = places::origin(&self.request.source, &self.backstage)?;
        let way = Way::EndsWith(self.handle.stop_flag());
        let origin = Watched { origin: origin.as_ref(), way };
        let target = places::reader(&self.scratch().target(), None, &self.backstage)?;
        // For the report, which would read the target again.
        let (sums, found) = std::thread::scope(|scope| {
            let sums = scope.spawn(|| parity::checksums(target.as_ref()));
            let found = verify::verify_from(&request, &origin, &self.backstage);
            (sums.join(), found)
        });
        let sums = sums.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let (verification, checksums) = (found?.verification, sums?);
        let survey = &verification.survey;
        self.record.set_hash = Some(survey.source.set_hash.clone());
        if self.record.source_hash.as_ref() != Some(&survey.source.hash) {
            return Err(source_changed("the run and the comparison"));
        }
        if !verification.is_clean() {
            let mismatches = counted(verification.mismatches_total, "mismatch");
            return Err(Failure {
                code: ExitCode::NoParity,
                message: format!("source and target differ: {mismatches}"),
                hint: Some(hints::REHEARSE_AGAIN.to_owned()),
            });
        }
        let restored = counted(verification.restored.identical, "document");
        let (rejected, skipped) = {
            let counts = &verification.survey.counts;
            (counts.rejected, counts.skipped)
        };
        let shown = checksums.iter().map(|(name, sum)| ((*name).to_owned(), sum.clone()));
        self.record.checksums = Some(shown.collect());
        self.verified = Some(Verified { verification, checksums });
        let exceptions = match rejected + skipped {
            0 => String::new(),
            _ => {
                let (rejected, skipped) = (number(rejected), number(skipped));
                format!(", with exceptions ({rejected} rejected, {skipped} left out)")
            }
        };
        Ok(format!("parity holds{exceptions}; {restored} would come back byte for byte"))
    }

    pub(super) fn report(&mut self) -> Result<String, Failure> {
        let request = report::Request {
            source: self.source_again(),
            target: self.scratch().again(),
            ..report::Request::new(self.last_run())
        };
        let verified = self.verified.clone();
        report::report_of(&request, verified, &self.backstage)?;
        Ok("written as a page, Markdown and JSON, without the profile of the source".to_owned())
    }

    pub(super) fn roll_back(&mut self) -> Result<String, Failure> {
        let request = rollback::Request {
            apply: true,
            target: self.scratch().again(),
            throttle: self.request.throttle,
            ..rollback::Request::new(self.last_run())
        };
        let taken = rollback::rollback(&request, &self.backstage)?.report;
        match taken.ended {
            TakenBack::RolledBack => Ok(format!(
                "{} taken back, {} deleted",
                counted(taken.jobs.deleted, "job"),
                counted(taken.documents.deleted, "document")
            )),
            TakenBack::Interrupted => self.check_stop().map(|()| String::new()),
            _ => Err(Failure::refused(
                format!(
                    "{} of the scratch changed since the run wrote them",
                    counted(taken.jobs.edited, "job")
                ),
                hints::REHEARSE_AGAIN,
            )),
        }
    }

    /// Reads the target itself: what the rollback says of it proves nothing.
    pub(super) fn check_empty(&mut self) -> Result<String, Failure> {
        let target = places::reader(&self.scratch().target(), None, &self.backstage)?;
        let left = self.scratch().left_over(target.as_ref())?;
        match left.first() {
            None => Ok("the target holds no documents, and nothing else was left".to_owned()),
            Some(what) => Err(Failure {
                code: ExitCode::NoParity,
                message: format!("the rollback left something: {what}"),
                hint: Some(hints::REHEARSE_AGAIN.to_owned()),
            }),
        }
    }

    pub(super) fn run_again(&mut self) -> Result<String, Failure> {
        let ran = run::run(self.run_request(), &self.backstage)?;
        self.runs.push(ran.report.plan.run.clone());
        self.check_stop()?;
        let documents = self.ran(&ran)?;
        if self.record.source_hash.as_ref() != Some(&ran.report.checkpoint.source_hash) {
            return Err(source_changed("the two runs"));
        }
        Ok(format!("done without an interruption: {}", in_words(documents)))
    }

    /// The restored collection is compared as it comes, and is not kept: it takes no room.
    pub(super) fn restore(&mut self) -> Result<String, Failure> {
        let target = places::reader(&self.scratch().target(), None, &self.backstage)?;
        let is_whole = self.record.documents.is_some_and(|it| it.mapped == it.read);
        let file = plain_file(&self.prepared.description).filter(|_| is_whole);
        let stop = self.handle.stop_flag();
        let comparison = Comparison::with(file, &stop)?;
        // One reads while the other computes.
        let (sums, restored) = std::thread::scope(|scope| {
            let sums = scope.spawn(|| parity::checksums(target.as_ref()));
            let restored = restore_and_compare(target.as_ref(), comparison, self);
            (sums.join(), restored)
        });
        let sums = sums.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let (summary, compared) = restored?;
        self.check_checksums(&sums)?;
        self.check_restored(&summary, compared)?;
        let what = match compared.same_bytes {
            Some(true) => "byte for byte the file of the source",
            Some(false) => "the same set, in another order than the file of the source",
            None if is_whole => "the same set as in the source",
            None => "the same set as was mapped: the others were rejected or left out",
        };
        let documents = counted(summary.documents, "document");
        Ok(format!("{documents} came back, {what}; the target has the checksums of the first run"))
    }

    pub(super) fn drop_scratch(&mut self) -> Result<String, Failure> {
        let checksums = self.record.checksums.iter().flatten();
        let documents: BTreeMap<&str, u64> =
            checksums.map(|(name, sum)| (name.as_str(), sum.documents)).collect();
        match self.scratch().remove(&documents, &self.runs)? {
            None => {
                self.record.scratch.drop();
                Ok("nothing of it is left".to_owned())
            }
            Some(why) => Err(Failure {
                hint: self.record.scratch.remove.clone(),
                ..Failure::failed(format!(
                    "the scratch is kept, because it holds what the rehearsal did not make: {why}"
                ))
            }),
        }
    }

    /// The second run must reach what the first one reached.
    fn check_checksums(
        &self,
        sums: &BTreeMap<&'static str, CollectionChecksum>,
    ) -> Result<(), Failure> {
        let mut first = self.record.checksums.iter().flatten();
        let differs = first.find(|(name, sum)| sums.get(name.as_str()) != Some(sum));
        match differs {
            None => Ok(()),
            Some((name, _)) => Err(Failure {
                code: ExitCode::NoParity,
                message: format!(
                    "{name} has another checksum than after the run that was interrupted"
                ),
                hint: Some(hints::REHEARSE_AGAIN.to_owned()),
            }),
        }
    }

    fn check_restored(
        &mut self,
        summary: &RestoreSummary,
        compared: Compared,
    ) -> Result<(), Failure> {
        let expected = self.verified.as_ref().map(|verified| verified.verification.survey.mapped);
        let same_set = expected == Some(compared.set);
        self.record.restored = Some(RestoredRecord {
            documents: summary.documents,
            set_hash: compared.set.hex(),
            same_set,
            same_bytes: compared.same_bytes,
        });
        if same_set && summary.changed.is_empty() && summary.foreign.is_empty() {
            return Ok(());
        }
        let expected = expected.unwrap_or_default().documents();
        Err(Failure {
            code: ExitCode::NoParity,
            message: format!(
                "the restored collection is not the source: {} came back, {} were expected",
                counted(summary.documents, "document"),
                number(expected)
            ),
            hint: Some(hints::REHEARSE_AGAIN.to_owned()),
        })
    }

    /// The documents of a run that did what it was to do.
    fn ran(&self, ran: &run::Outcome) -> Result<DocumentCounts, Failure> {
        self.check_stop()?;
        match &ran.report.stop {
            Stop::Done => Ok(ran.report.checkpoint.totals.documents),
            Stop::Damaged(damage) => Err(Failure {
                hint: hints::of_damage(damage.kind),
                ..Failure::failed(damage.to_string())
            }),
            _ => Err(Failure {
                code: ran.exit_code(),
                ..Failure::failed("the run did not end by itself".to_owned())
            }),
        }
    }

    /// Batches for the run that is interrupted.
    fn small_batches(&self) -> crate::BatchOptions {
        let batch = self.request.batch;
        let bytes = self.prepared.description.bytes_total.unwrap_or(u64::MAX);
        let small = (bytes / BATCHES_MIN).max(BATCH_BYTES_MIN);
        let usual = batch.limits(self.scratch().is_database()).bytes_max;
        let small = usize::try_from(small).unwrap_or(usize::MAX).min(usual);
        crate::BatchOptions { bytes_max: Some(small), ..batch }
    }

    fn last_run(&self) -> RunName {
        let name = self.runs.last().cloned().unwrap_or_default();
        RunName { name, runs_folder: self.scratch().runs() }
    }

    /// The source for commands that know it from the run: only a connection string is given again,
    /// as the run does not keep what is secret in it.
    fn source_again(&self) -> Option<PathBuf> {
        let source = &self.request.source;
        let is_live = source.uri().is_ok_and(|uri| uri.is_some());
        is_live.then(|| source.name.clone())
    }
}

fn restore_and_compare(
    target: &dyn reshelve::ends::TargetReader,
    mut comparison: Comparison<'_>,
    stage: &Stage<'_>,
) -> Result<(RestoreSummary, Compared), Failure> {
    let restored = restore::restore_to(target, &mut comparison, stage.scratch().root());
    let summary = restored.map_err(|error| match error {
        RestoreFolderError::Target(error) => Failure::from(error),
        error => Failure::failed(error.to_string()),
    })?;
    let compared = comparison.end().map_err(|error| Failure::failed(error.to_string()))?;
    Ok((summary, compared))
}

fn source_changed(between: &str) -> Failure {
    Failure {
        hint: Some(hints::UNCHANGED_SOURCE.to_owned()),
        ..Failure::failed(format!("the source changed between {between}"))
    }
}

/// What became of the documents of a run.
fn in_words(documents: DocumentCounts) -> String {
    let mut words =
        format!("{} of {}", number(documents.written), counted(documents.read, "document"));
    words.push_str(" written");
    for (count, what) in
        [(documents.rejected, "rejected"), (documents.skipped, "left out in flight")]
    {
        if count > 0 {
            words.push_str(&format!(", {} {what}", number(count)));
        }
    }
    words
}
