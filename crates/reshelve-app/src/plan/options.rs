//! The options of a run that carries a plan out: those of the plan, and none that differs.

use std::path::PathBuf;

use reshelve::dump::COLLECTION_DEFAULT;
use reshelve::ends::{Compression, LivePlace, OnExisting, PlannedTarget};
use reshelve::plan::SavedPlan;
use reshelve::store::absolute;
use reshelve_mongo::Place;

use crate::failure::Failure;
use crate::hints;
use crate::options::{BatchOptions, GivenOptions, MappingOptions, RunName};
use crate::overlap::is_same_path;
use crate::places::{SourcePlace, TargetPlace};
use crate::run::Request;

/// The options that were given; the others are those of the plan.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The decisions of the mapping.
    pub mapping: GivenOptions,
    /// What to do with a target that holds documents.
    pub on_existing: Option<OnExisting>,
    /// Take only the documents that this run rejected.
    pub only_rejects: Option<RunName>,
    /// Whether to break the lock of a run that was cut off.
    pub take_over: bool,
    /// How the files of a target folder are compressed.
    pub compression: Option<Compression>,
    /// Read at most this many documents.
    pub limit: Option<u64>,
    /// Whether to stop at the first reject.
    pub fail_fast: bool,
    /// Whether to write documents that an oplog in the dump would change.
    pub ignore_oplog: bool,
}

/// What was given against what the plan says.
#[derive(Default)]
struct Contradictions(Vec<String>);

impl Contradictions {
    /// An option with a value.
    fn compare<T: PartialEq + std::fmt::Display>(
        &mut self,
        flag: &str,
        given: Option<T>,
        planned: Option<T>,
    ) {
        let Some(given) = given else { return };
        match planned {
            Some(planned) if planned == given => {}
            Some(planned) => self.0.push(format!("{flag} is {given}, and {planned} in the plan")),
            None => self.0.push(format!("{flag} is {given}, and not set in the plan")),
        }
    }

    /// An option without one.
    fn switch(&mut self, flag: &str, given: bool, planned: bool) {
        if given && !planned {
            self.0.push(format!("{flag} is set, and not set in the plan"));
        }
    }
}

impl Given {
    /// Refuses what contradicts the plan.
    fn check(
        &self,
        source: &SourcePlace,
        target: &TargetPlace,
        plan: &SavedPlan,
    ) -> Result<(), Failure> {
        let mut found = Contradictions::default();
        let options = &plan.options;
        let decisions = options.decisions;
        // A dry run without a decision has included them.
        let in_flight = decisions.in_flight.unwrap_or_default();
        if let (None, Some(given)) = (decisions.in_flight, self.mapping.in_flight)
            && given != in_flight
        {
            let message = format!(
                "--in-flight is {given}, and the dry run of the plan, without a decision, took jobs \
                 in flight as {in_flight}"
            );
            return Err(Failure::usage(message, hints::plans::INCLUDE_OR_DECIDE));
        }
        found.compare("--in-flight", self.mapping.in_flight, Some(in_flight));
        let policy = Some(decisions.status_policy);
        found.compare("--status-policy", self.mapping.status_policy, policy);
        let unknown = Some(decisions.on_unknown_status);
        found.compare("--on-unknown-status", self.mapping.on_unknown_status, unknown);
        match self.on_existing {
            Some(OnExisting::Replace) => {
                found.switch("--replace", true, options.on_existing == OnExisting::Replace);
            }
            Some(OnExisting::Keep) => {
                let is_planned = options.on_existing == OnExisting::Keep;
                found.switch("--allow-existing", true, is_planned);
            }
            Some(OnExisting::Refuse) | None => {}
        }
        found.switch("--take-over", self.take_over, options.take_over);
        found.switch("--fail-fast", self.fail_fast, options.fail_fast);
        found.switch("--ignore-oplog", self.ignore_oplog, options.ignore_oplog);
        found.compare("--limit", self.limit, options.limit);
        let of_run = |path: &PathBuf| path.display().to_string();
        let only_rejects = match &self.only_rejects {
            Some(run) => {
                let given = absolute(run.find()?.path());
                // Another spelling of the same folder is no contradiction.
                let same = options.only_rejects.as_ref().filter(|it| is_same_path(it, &given));
                Some(of_run(same.unwrap_or(&given)))
            }
            None => None,
        };
        found.compare("--only-rejects", only_rejects, options.only_rejects.as_ref().map(of_run));
        let compression = plan.target.place.folder().map(|folder| folder.compression.name());
        let given = self.compression.map(Compression::name);
        found.compare("the compression of the target", given, compression);
        let place = &plan.source.place;
        let collection =
            |name: &Option<String>| name.clone().unwrap_or_else(|| COLLECTION_DEFAULT.to_owned());
        found.compare("--db", source.db.clone(), place.db.clone());
        let given = source.collection.clone();
        found.compare("--collection", given, Some(collection(&place.collection)));
        found.compare("--target-db", target.db.clone(), Some(database(&plan.target.place)));
        match found.0.is_empty() {
            true => Ok(()),
            false => Err(Failure::usage(found.0.join("; "), hints::plans::OPTIONS_OF_THE_PLAN)),
        }
    }

    /// The run that carries a plan out.
    ///
    /// # Errors
    /// A usage error if something was given that differs from the plan.
    pub(super) fn request(
        &self,
        (source, target): (&SourcePlace, &TargetPlace),
        plan: &SavedPlan,
        (batch, runs_folder): (BatchOptions, &PathBuf),
    ) -> Result<Request, Failure> {
        self.check(source, target, plan)?;
        let options = &plan.options;
        let decisions = options.decisions;
        let place = &plan.source.place;
        let mut source = source.clone();
        let uri = source.uri()?.map(str::to_owned);
        source.db = source.db.or(match (uri, &place.live) {
            (Some(uri), Some(live)) => database_beside(&uri, live)?,
            _ => place.db.clone(),
        });
        source.collection = source.collection.or(place.collection.clone());
        let mut target = target.clone();
        let uri = target.uri()?.map(str::to_owned);
        let is_live = uri.is_some();
        target.db = target.db.or(match (uri, &plan.target.place) {
            (Some(uri), PlannedTarget::Live(live)) => database_beside(&uri, live)?,
            (None, PlannedTarget::Folder(folder)) => Some(folder.db.clone()),
            _ => None,
        });
        let compression = plan.target.place.folder().map(|folder| folder.compression);
        let by_path = |path: &PathBuf| RunName {
            name: path.to_string_lossy().into_owned(),
            runs_folder: runs_folder.clone(),
        };
        Ok(Request {
            compression: match is_live {
                true => Compression::None,
                false => compression.unwrap_or_default(),
            },
            apply: true,
            mapping: MappingOptions {
                in_flight: decisions.in_flight.or(self.mapping.in_flight),
                status_policy: decisions.status_policy,
                on_unknown_status: decisions.on_unknown_status,
            },
            on_existing: options.on_existing,
            only_rejects: options.only_rejects.as_ref().map(by_path),
            take_over: options.take_over,
            batch,
            limit: options.limit,
            fail_fast: options.fail_fast,
            ignore_oplog: options.ignore_oplog,
            ..Request::new(source, target, runs_folder)
        })
    }
}

/// The database of a plan, for a connection string that names none, or the one that the plan's
/// string named: one that names another one means that.
fn database_beside(uri: &str, live: &LivePlace) -> Result<Option<String>, Failure> {
    let place = Place::parse(uri)?;
    let is_of_plan = place.database().is_none_or(|named| Some(named) == live.uri_db.as_deref());
    Ok(is_of_plan.then(|| live.db.clone()))
}

fn database(target: &PlannedTarget) -> String {
    match target {
        PlannedTarget::Folder(folder) => folder.db.clone(),
        PlannedTarget::Live(live) => live.db.clone(),
    }
}
