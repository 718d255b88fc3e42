//! The sides that a server answers from: what a PLACE, a legacy SOURCE and a normalised TARGET
//! mean to it.

use std::path::Path;
use std::sync::Arc;

use reshelve::ends::{JobLookup, Origin, SourceSpec, TargetFolder, TargetReader};
use reshelve::lookup::{Changes, FolderLookup, Fresh, LegacyLookup, LegacyRequest};
use reshelve::store::Scratch;
use reshelve::target_schema::Collection;
use reshelve_core::mapping::Options;
use reshelve_mongo::{LiveLegacyLookup, LiveLookup, LiveOrigin, LiveTarget};

use crate::failure::Failure;
use crate::handle::Handle;
use crate::hints;
use crate::last_run::{LastRun, last_run};
use crate::noted::Noted;
use crate::options::{GivenOptions, MappingOptions, ReadPreference, flags, threads};
use crate::passwords::Side;
use crate::places::{self, SourcePlace, TargetPlace};

/// Which places are asked for.
pub struct Request {
    /// One place, of which its content says which side it is. Its database is that of the source
    /// and of the target.
    pub place: Option<SourcePlace>,
    /// The legacy side.
    pub legacy: Option<SourcePlace>,
    /// The normalised side.
    pub normalized: Option<TargetPlace>,
    /// How legacy documents are mapped; jobs in flight are carried over unless told otherwise.
    pub mapping: MappingOptions,
    /// Mapping threads for the first reading of a legacy file; none for one per core.
    pub threads: Option<usize>,
    /// Which member of a replica set is read from; none for the primary.
    pub read_preference: Option<ReadPreference>,
}

/// The sides that there are: one or both.
#[derive(Clone)]
pub struct Sides {
    /// The legacy documents, mapped when they are asked for.
    pub legacy: Option<Arc<dyn JobLookup>>,
    /// The target documents.
    pub normalized: Option<Arc<dyn JobLookup>>,
}

/// Opens the places, and reads those that are files once.
///
/// # Errors
/// If a place cannot be read, or is not of its side.
pub fn open(request: &Request, handle: &Handle) -> Result<Sides, Failure> {
    let mut sides = Sides { legacy: None, normalized: None };
    if let Some(place) = &request.place {
        let target = TargetPlace { name: place.name.clone(), db: place.db.clone() };
        sides.normalized = normalized_if_any(&target, request, handle)?;
        if sides.normalized.is_none() {
            sides.legacy = Some(legacy(place, request, handle)?);
        }
    }
    if let Some(source) = &request.legacy {
        sides.legacy = Some(legacy(source, request, handle)?);
    }
    if let Some(target) = &request.normalized {
        let Some(opened) = normalized_if_any(target, request, handle)? else {
            let message = match target.uri()? {
                Some(_) => "no target collections in this database".to_owned(),
                None => format!("{}: no target collections there", target.name.display()),
            };
            return Err(Failure::usage(message, hints::NAME_THE_TARGET_DATABASE));
        };
        sides.normalized = Some(opened);
    }
    Ok(sides)
}

/// The decisions of the mapping: as given, and those that are open as the last run from this legacy
/// side into this target had them. If no such run is known, they are the defaults.
///
/// # Errors
/// If the target cannot be looked at.
pub(crate) fn decisions(
    given: GivenOptions,
    (source, target): (&SourcePlace, &TargetPlace),
    runs_folder: &Path,
    handle: &Handle,
) -> Result<MappingOptions, Failure> {
    let usual = MappingOptions {
        in_flight: given.in_flight,
        ..MappingOptions::from(given.or(Options::default()))
    };
    if given.is_whole() || target.uri()?.is_none() && !target.name.is_dir() {
        return Ok(usual);
    }
    let (planned, reader) = places::planned_reader(target, source.read_preference, handle)?;
    let others = if given.is_empty() { "" } else { "as given, the others " };
    let (options, whose) = match last_run(source, &planned, reader.as_ref(), runs_folder) {
        LastRun::Unknown(why) => (usual.options(), format!("the defaults, because {why}")),
        LastRun::Known(family) => {
            let Some((_, plan)) = family.first() else { return Ok(usual) };
            let run = &plan.run;
            let whose =
                format!("those of the run {run}, the last one from this source into this target");
            (given.or(plan.options.mapping()), whose)
        }
    };
    handle.watcher().note(&format!("note: options: {others}{whose} ({})", flags(options)));
    Ok(MappingOptions::from(options))
}

/// Opens a legacy and a normalised side. Both are read from the member of a replica set that the
/// source names.
pub(crate) fn both(
    source: &SourcePlace,
    target: &TargetPlace,
    mapping: MappingOptions,
    threads: Option<usize>,
    handle: &Handle,
) -> Result<[Arc<dyn JobLookup>; 2], Failure> {
    let request = Request {
        place: None,
        legacy: Some(source.clone()),
        normalized: Some(target.clone()),
        mapping,
        threads,
        read_preference: source.read_preference,
    };
    match open(&request, handle)? {
        Sides { legacy: Some(legacy), normalized: Some(normalized) } => Ok([legacy, normalized]),
        _ => Err(Failure::failed("a side is missing")),
    }
}

/// Says what is expected of jobs in flight where nobody decided.
pub(crate) fn tell_open_decision(mapping: MappingOptions, handle: &Handle) {
    if mapping.in_flight.is_none() {
        let note = "note: answers about jobs in flight are expected as --in-flight include maps \
                    them; name another decision if the target was written with it";
        handle.watcher().note(note);
    }
}

/// Where what does not fit into memory is put.
fn scratch() -> Scratch {
    Scratch::from(std::env::temp_dir().as_path())
}

/// A target, if the place is one.
fn normalized_if_any(
    target: &TargetPlace,
    request: &Request,
    handle: &Handle,
) -> Result<Option<Arc<dyn JobLookup>>, Failure> {
    let db = target.db.as_deref();
    let Some(uri) = target.uri()? else {
        // A file, or what is not there, is told by whoever reads a source.
        if !target.name.is_dir() {
            return Ok(None);
        }
        let Some(folder) = TargetFolder::find(&target.name, db)? else { return Ok(None) };
        let files = FolderLookup::files(&folder);
        let open = move || FolderLookup::open(&folder, &scratch());
        return Ok(Some(Arc::new(Fresh::new(Changes::OfFiles(files), open)?)));
    };
    let connection = places::target_connection(uri, db, handle)?;
    let preference = request.read_preference.map(Into::into);
    let live = LiveTarget::new(connection.clone(), None);
    for collection in Collection::ALL {
        if live.has(collection)? {
            return Ok(Some(Arc::new(LiveLookup::new(connection, preference))));
        }
    }
    Ok(None)
}

/// A legacy source.
fn legacy(
    source: &SourcePlace,
    request: &Request,
    handle: &Handle,
) -> Result<Arc<dyn JobLookup>, Failure> {
    let options = request.mapping.options();
    if let Some(uri) = source.uri()? {
        let place = handle.passwords().place(uri, Side::Source)?;
        let (db, collection) = (source.db.as_deref(), source.collection.as_deref());
        let preference = request.read_preference.or(source.read_preference);
        let patience = handle.patience();
        let origin = LiveOrigin::connect(&place, db, collection, None, &patience)?;
        let collection = collection.unwrap_or(reshelve::dump::COLLECTION_DEFAULT);
        let connection = origin.connection().clone();
        let preference = preference.map(Into::into);
        return Ok(Arc::new(LiveLegacyLookup::open(connection, collection, preference, options)?));
    }
    let stop = Some(handle.stop_flag());
    let spec = SourceSpec { stop, ..places::source_spec(source) };
    let asked = LegacyRequest { options, jobs: threads(request.threads), scratch: scratch() };
    if !spec.is_rewindable() {
        return Ok(Arc::new(LegacyLookup::open(&Noted::new(spec, handle), &asked)?));
    }
    let file = reshelve::dump::open(&spec)?.description.path;
    let origin = Noted::new(spec, handle);
    let open = move || LegacyLookup::open(&origin, &asked);
    Ok(Arc::new(Fresh::new(Changes::OfFiles(vec![file]), open)?))
}
