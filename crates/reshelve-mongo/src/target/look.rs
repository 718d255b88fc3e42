//! What a live target holds of the jobs of a batch before they are written.

use reshelve::ends::{Before, EndError, Found, JobAhead, Look, Looked, Section};
use reshelve::target_schema::Collection;
use reshelve_core::mapping::TargetDocuments;
use reshelve_core::raw;

use super::by_ids::{IDS_MAX, id_of, stored};
use super::standing::{is_all_own, standing};
use crate::connection::Connection;

/// One document of a section.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Its place among the sections.
    pub(crate) section: usize,
    /// Its place among the documents of its section in its collection.
    pub(crate) place: usize,
    pub(crate) collection: Collection,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Part {
    pub(crate) fn bytes<'t>(&self, target: &'t TargetDocuments) -> &'t [u8] {
        &target.bytes()[self.collection.index()][self.start..self.end]
    }

    /// A section with only this document.
    fn alone(&self) -> Section {
        let mut section: Section = std::array::from_fn(|_| 0..0);
        section[self.collection.index()] = self.start..self.end;
        section
    }
}

/// The documents of one collection, in order.
pub(crate) fn parts_of<'s>(
    target: &TargetDocuments,
    sections: impl Iterator<Item = (usize, &'s Section)>,
    collection: Collection,
) -> Vec<Part> {
    let bytes = target.bytes()[collection.index()];
    let mut parts = Vec::new();
    for (section, ranges) in sections {
        let range = ranges[collection.index()].clone();
        for (place, document) in raw::documents(&bytes[range.clone()]).enumerate() {
            let (start, end) = (range.start + document.start, range.start + document.end);
            parts.push(Part { section, place, collection, start, end });
        }
    }
    parts
}

/// The job id of a section, in which there is a job.
pub(super) fn job_id_of(target: &TargetDocuments, section: &Section) -> String {
    let at = Collection::Jobs.index();
    let job = &target.bytes()[at][section[at].clone()];
    let id = raw::Document::new(job).get("jobId").and_then(raw::Value::string);
    String::from_utf8_lossy(id.unwrap_or_default()).into_owned()
}

/// Looks into a live target.
#[derive(Clone, Debug)]
pub(crate) struct LiveLook {
    connection: Connection,
}

impl LiveLook {
    pub(crate) fn new(connection: Connection) -> Self {
        LiveLook { connection }
    }

    async fn look_at(
        &self,
        target: &TargetDocuments,
        jobs: &[JobAhead],
    ) -> Result<Vec<Before>, EndError> {
        let mut before = vec![Before::default(); jobs.len()];
        let mut found_any = vec![false; jobs.len()];
        for collection in Collection::ALL {
            let name = collection.name();
            let sections = jobs.iter().map(|job| &job.section).enumerate();
            let parts = parts_of(target, sections, collection);
            for some in parts.chunks(IDS_MAX) {
                let stored =
                    stored(&self.connection, name, some.iter().map(|part| part.bytes(target)))
                        .await?;
                for part in some {
                    let bytes = part.bytes(target);
                    let of_job = &mut before[part.section];
                    let found = match stored.get(id_of(bytes)) {
                        None => Found::Absent,
                        Some(stored) if stored.as_slice() == bytes => Found::Same,
                        Some(_) => Found::Other,
                    };
                    match found {
                        Found::Absent => of_job.missing.push(part.alone()),
                        Found::Other => {
                            of_job.conflict.get_or_insert_with(|| {
                                format!("the target holds another document with this _id in {name}")
                            });
                        }
                        _ => found_any[part.section] = true,
                    }
                    let earlier = &mut of_job.found[collection.index()];
                    *earlier = if part.place == 0 { found } else { earlier.and(found) };
                }
            }
        }
        for (job, before) in jobs.iter().zip(&mut before) {
            if let Some(wrote) = &job.wrote {
                let job_id = job_id_of(target, &job.section);
                let standing = standing(&self.connection, &job_id).await?;
                before.is_earlier_own = is_all_own(wrote, &job_id, &standing);
            }
        }
        for (before, found_any) in before.iter_mut().zip(found_any) {
            if !found_any {
                before.missing.clear();
            }
        }
        Ok(before)
    }
}

impl Look for LiveLook {
    fn look(&mut self, target: &TargetDocuments, jobs: &[JobAhead]) -> Result<Looked, EndError> {
        self.connection.wait(self.look_at(target, jobs)).map(Looked::Jobs)
    }
}
