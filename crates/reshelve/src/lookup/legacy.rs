//! The jobs of a legacy source in files: each is mapped when it is asked for.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use reshelve_core::extjson;
use reshelve_core::mapping::{Mapper, Options, Outcome, TargetDocuments};
use reshelve_core::raw::{Document, Value};

use super::catalogue::{Catalogue, CatalogueMaker, Extras, JobTexts, Wanted};
use super::folder::texts_of;
use super::kept::{Extent, Keeping, Kept};
use super::mapped_job::MappedJob;
use super::newest::{Lists, Newest};
use crate::ends::{
    BatchLimits, Compression, EndError, Form, JobCatalogue, JobLookup, JobPage, JobQuery,
    JobTotals, OneJob, Opened, Origin, SourceDescription,
};
use crate::pass::pipeline::{self, BatchSize, MappedBatch, PipelineOptions, Step};
use crate::pass::repeated_ids::{HELD_MAX, Seen};
use crate::store::{Disk, Files, Open, Scratch, key_of};
use crate::target_schema::Collection;

/// How a legacy source is looked up.
#[derive(Clone, Debug)]
pub struct LegacyRequest {
    /// How its documents are mapped.
    pub options: Options,
    /// Mapping threads while it is read for the first time, at least one.
    pub jobs: usize,
    /// Where files without a name are created.
    pub scratch: Scratch,
}

/// The jobs that a mapping makes of a legacy source, as it was when it was opened. Documents that
/// are rejected or left out are not there; of several for one job, the first is meant.
#[derive(Debug)]
pub struct LegacyLookup {
    name: String,
    options: Options,
    form: Form,
    kept: Kept,
    lists: Lists,
    catalogue: Catalogue,
}

impl LegacyLookup {
    /// Reads and maps a source from front to end, and keeps where the documents lie that map.
    ///
    /// # Errors
    /// Where it is damaged, or cannot be read.
    pub fn open(origin: &dyn Origin, request: &LegacyRequest) -> Result<Self, EndError> {
        let LegacyRequest { options, jobs, scratch } = request;
        let Opened { mut source, description, .. } = origin.open()?;
        let mut reading = Reading {
            keeping: keeping(&description, scratch)?,
            is_aside: !stays(&description),
            newest: Newest::default(),
            catalogue: CatalogueMaker::of_mapped(scratch)?,
            seen: Seen::new(scratch, HELD_MAX),
            form: Form::Bson,
        };
        let pipeline_options = PipelineOptions {
            mapping: *options,
            batch: &BatchSize::new(BatchLimits::default()),
            jobs: *jobs,
            first: 0,
            known: 0,
            documents_max: None,
            only: None,
            hash_targets: false,
            stop: &AtomicBool::new(false),
        };
        pipeline::run(&mut *source, &pipeline_options, |steps| {
            loop {
                match steps.next() {
                    Step::Batch(batch) => {
                        reading.take(&batch)?;
                        steps.give_back(batch);
                    }
                    Step::End | Step::Stopped => return Ok::<(), EndError>(()),
                    Step::Damaged(damage) => return Err(damage.into()),
                }
            }
        })?;
        let Reading { keeping, newest, catalogue, form, .. } = reading;
        let (kept, catalogue) = (keeping.finish()?, catalogue.finish()?);
        let reader = Reader { kept: &kept, options: *options, form };
        let lists = Lists::make(newest, scratch, |extent| {
            Ok(reader.mapped(extent, None)?.jobs.into_bytes())
        })?;
        let name = description.path.display().to_string();
        Ok(LegacyLookup { name, options: *options, form, kept, lists, catalogue })
    }

    /// The documents that the mapping makes of a job.
    fn mapped(&self, job_id: &[u8]) -> Result<Option<MappedJob>, EndError> {
        let Some(extent) = self.kept.first(&key_of(job_id))? else { return Ok(None) };
        let reader = Reader { kept: &self.kept, options: self.options, form: self.form };
        reader.mapped(extent, Some(job_id)).map(|documents| Some(MappedJob::new(documents)))
    }
}

/// Whether documents can be read again where they lie.
fn stays(description: &SourceDescription) -> bool {
    description.rewindable && description.compression == Compression::None
}

fn keeping(description: &SourceDescription, scratch: &Scratch) -> Result<Keeping, EndError> {
    if stays(description) {
        return Ok(Keeping::in_place(Disk.open(&description.path, Open::Read)?, scratch));
    }
    Ok(Keeping::aside(scratch)?)
}

/// The first reading of a source.
struct Reading {
    keeping: Keeping,
    is_aside: bool,
    newest: Newest,
    catalogue: CatalogueMaker,
    seen: Seen,
    /// The form of what is kept.
    form: Form,
}

impl Reading {
    fn take(&mut self, batch: &MappedBatch) -> Result<(), EndError> {
        if !self.is_aside {
            self.form = batch.batch.form;
        }
        let mut ends = [0; 4];
        for (index, document) in batch.documents.iter().enumerate() {
            let Some(outcome) = &document.outcome else { continue };
            let Outcome::Mapped(mapped) = outcome else {
                self.catalogue.leave_out(outcome);
                continue;
            };
            let begins = ends;
            ends.iter_mut().zip(mapped.lengths).for_each(|(end, length)| *end += length);
            if !self.seen.insert(document.key)? {
                self.catalogue.leave_out(outcome);
                continue;
            }
            let item = &batch.batch.items[index];
            let original = batch.batch.document(item);
            let kept = if self.is_aside { batch.bson(index).unwrap_or(original) } else { original };
            let extent = self.keeping.add(&document.key, kept, item.place.offset)?;
            let part = |collection: Collection| {
                let at = collection.index();
                &batch.target.bytes()[at][begins[at]..ends[at]]
            };
            let mut extras = Extras::default();
            extras.take_metrics(part(Collection::Metrics));
            extras.take_metadata(part(Collection::Metadata));
            extras.take_warnings(&mapped.warnings);
            self.newest.offer(part(Collection::Jobs), extent)?;
            self.catalogue.add_at(part(Collection::Jobs), &extras, extent)?;
        }
        Ok(())
    }
}

/// Reads a document again, and maps it.
struct Reader<'k> {
    kept: &'k Kept,
    options: Options,
    form: Form,
}

/// How much of a legacy document is read to find its texts, which are at its beginning.
const BEGINNING_BYTES: u32 = 4096;

impl Reader<'_> {
    /// The texts of a job, from the beginning of its document if they are there: the mapping copies
    /// title and premise as they are.
    fn texts(&self, wanted: &Wanted<'_>) -> Result<Option<JobTexts>, EndError> {
        let Wanted { job_id, offset, length } = *wanted;
        if self.form == Form::Bson {
            let beginning = Extent { offset, length: length.min(BEGINNING_BYTES) };
            let bytes = self.kept.read(beginning)?;
            let text = |name| Document::new(&bytes).get(name).and_then(Value::string);
            if let (Some(title), Some(premise)) = (text("title"), text("premise")) {
                let (title, premise) = (title.to_vec(), premise.to_vec());
                return Ok(Some(JobTexts { job_id: job_id.to_vec(), title, premise }));
            }
        }
        let mapped = self.mapped(Extent { offset, length }, None)?;
        Ok(texts_of(mapped.jobs.bytes()))
    }

    /// The target documents of the job at a place.
    fn mapped(&self, extent: Extent, job_id: Option<&[u8]>) -> Result<TargetDocuments, EndError> {
        let mut bytes = self.kept.read(extent)?;
        if self.form == Form::Json {
            let mut bson = Vec::new();
            extjson::parse(&bytes, &mut bson).map_err(|_| self.kept.changed(extent))?;
            bytes = bson;
        }
        let mut out = TargetDocuments::default();
        match Mapper::new(self.options).map(&bytes, &mut out) {
            Outcome::Mapped(mapped) if job_id.is_none_or(|job_id| mapped.job_id == job_id) => {
                Ok(out)
            }
            _ => Err(self.kept.changed(extent)),
        }
    }
}

impl JobCatalogue for LegacyLookup {
    fn page(&self, query: &JobQuery) -> Result<JobPage, EndError> {
        let reader = Reader { kept: &self.kept, options: self.options, form: self.form };
        self.catalogue.page(query, &|wanted| wanted.iter().map(|one| reader.texts(one)).collect())
    }

    fn totals(&self) -> Result<Arc<JobTotals>, EndError> {
        Ok(self.catalogue.totals())
    }

    fn each_id(&self, give: &mut dyn FnMut(&str) -> ControlFlow<()>) -> Result<(), EndError> {
        let reader = Reader { kept: &self.kept, options: self.options, form: self.form };
        let read = |wanted: &[Wanted<'_>]| wanted.iter().map(|one| reader.texts(one)).collect();
        self.catalogue.each_id(&read, give)
    }
}

impl JobLookup for LegacyLookup {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn newest(&self, statuses: &[&[u8]], limit: usize) -> Result<Vec<Vec<u8>>, EndError> {
        self.lists.of(statuses, limit)
    }

    fn card(&self, job_id: &[u8]) -> Result<Option<Vec<u8>>, EndError> {
        self.mapped(job_id)?.card()
    }

    fn has(&self, job_id: &[u8]) -> Result<bool, EndError> {
        Ok(self.kept.first(&key_of(job_id))?.is_some())
    }

    fn document(&self, collection: Collection, job_id: &[u8]) -> Result<Option<Vec<u8>>, EndError> {
        self.mapped(job_id)?.document(collection)
    }

    fn events(&self, job_id: &[u8], before: Option<&[u8]>) -> Result<Vec<Vec<u8>>, EndError> {
        self.mapped(job_id)?.events(before)
    }

    fn look_at(&self, job_id: &[u8], look: &mut dyn FnMut(&dyn OneJob)) -> Result<(), EndError> {
        look(&self.mapped(job_id)?);
        Ok(())
    }
}
