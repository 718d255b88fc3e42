//! What the mapping left of the jobs of a live target: all their documents are read, some jobs at a
//! time, and mapped again.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use mongodb::bson::doc;
use mongodb::options::FindOptions;
use reshelve::ends::EndError;
use reshelve::lookup::{Catalogue, Traces, WholeJob};
use reshelve::target_schema::{self, Collection};
use reshelve_core::mapping::Retracer;

use super::target::LiveLookup;

/// How old what was found may be: every document of the target is read for it.
pub(super) const AGE: Duration = Duration::from_secs(60);
/// How many jobs are read at a time. Their documents are in memory.
const JOBS_AT_ONCE: usize = 20;

/// All jobs, with what the mapping left of each.
#[derive(Debug)]
pub(super) struct Traced {
    pub(super) catalogue: Catalogue,
    pub(super) traces: Traces,
}

impl Traced {
    /// Reads all jobs of a target.
    pub(super) fn read(target: &LiveLookup, catalogue: Catalogue) -> Result<Self, EndError> {
        let (mut traces, mut retracer) = (Traces::default(), Retracer::default());
        let (mut some, mut looked): (Vec<String>, _) = (Vec::new(), Ok(()));
        let mut look = |ids: &mut Vec<String>| -> Result<(), EndError> {
            let mut found = whole(target, ids)?;
            for id in ids.drain(..) {
                // One that went away meanwhile has no traces.
                let job = found.remove(&id);
                traces.add(job.map(|job| job.retraced(&mut retracer)).unwrap_or_default());
            }
            Ok(())
        };
        catalogue.each_id(&|wanted| target.texts(wanted), &mut |id| {
            some.push(id.to_owned());
            if some.len() >= JOBS_AT_ONCE {
                looked = look(&mut some);
            }
            if looked.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        looked?;
        look(&mut some)?;
        Ok(Traced { catalogue, traces })
    }
}

/// All documents of some jobs, by the ids of the jobs.
fn whole(target: &LiveLookup, ids: &[String]) -> Result<BTreeMap<String, WholeJob>, EndError> {
    let mut jobs: BTreeMap<String, WholeJob> = BTreeMap::new();
    for collection in Collection::ALL {
        let filter = doc! { "jobId": { "$in": ids } };
        for document in target.find(collection, filter, FindOptions::default())? {
            let id = String::from_utf8_lossy(target_schema::job_id(&document)).into_owned();
            if collection == Collection::Jobs {
                jobs.entry(id).or_insert(WholeJob { job: document, ..WholeJob::default() });
            } else if let Some(job) = jobs.get_mut(&id) {
                match collection {
                    Collection::Metrics => drop(job.metrics.get_or_insert(document)),
                    Collection::Metadata => drop(job.metadata.get_or_insert(document)),
                    Collection::Jobs | Collection::Events => job.events.push(document),
                }
            }
        }
    }
    Ok(jobs)
}
