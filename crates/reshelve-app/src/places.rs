//! The two ends of a command: what a SOURCE and a TARGET on the command line mean.

use std::path::{Path, PathBuf};

use reshelve::ends::{
    Compression, Destination, LivePlace, Origin, PlannedSource, PlannedTarget, SourceSpec,
    TargetFolder, TargetReader,
};
use reshelve::folder::FolderDestination;
use reshelve::store::absolute;
use reshelve::target_schema::Collection;
use reshelve_mongo::{Connection, LiveDestination, LiveOrigin, LiveTarget, Place};

use crate::failure::Failure;
use crate::handle::Handle;
use crate::hints;
use crate::noted::Noted;
use crate::options::ReadPreference;
use crate::outside::{self, Outside};
use crate::overlap::{self, expect_same_folder};
use crate::passwords::Side;

/// The target's database if neither a request nor the connection string names one.
pub const TARGET_DB_DEFAULT: &str = "letswriteabook";

/// A SOURCE, and what to pick inside it.
#[derive(Clone, Default)]
pub struct SourcePlace {
    /// A path, `-` for standard input, or a connection string.
    pub name: PathBuf,
    /// The database.
    pub db: Option<String>,
    /// The collection; `jobs` unless named.
    pub collection: Option<String>,
    /// Which member of a replica set is read from; none for what the connection string says.
    pub read_preference: Option<ReadPreference>,
    /// Whether standard input, or a pipe, may hold nothing at all.
    pub allow_empty: bool,
}

/// A TARGET.
#[derive(Clone, Default)]
pub struct TargetPlace {
    /// A folder, or a connection string.
    pub name: PathBuf,
    /// The database.
    pub db: Option<String>,
}

impl SourcePlace {
    /// The whole of a SOURCE.
    pub fn new(name: impl Into<PathBuf>) -> Self {
        SourcePlace { name: name.into(), ..SourcePlace::default() }
    }

    /// The connection string, if it is one; checks everything that the user gave.
    pub(crate) fn uri(&self) -> Result<Option<&str>, Failure> {
        self.db.iter().try_for_each(|name| outside::check("--db", name))?;
        self.collection.iter().try_for_each(|name| outside::check("--collection", name))?;
        connection_string(&self.name)
    }
}

impl TargetPlace {
    /// A TARGET with the usual database.
    pub fn new(name: impl Into<PathBuf>) -> Self {
        TargetPlace { name: name.into(), db: None }
    }

    /// The connection string, if it is one; checks everything that the user gave.
    pub(crate) fn uri(&self) -> Result<Option<&str>, Failure> {
        self.db.iter().try_for_each(|name| outside::check("--target-db", name))?;
        connection_string(&self.name)
    }
}

/// The connection string, if a SOURCE or TARGET is one. A malformed one may still hold a password:
/// it is neither quoted nor taken for a path.
pub(crate) fn connection_string(path: &Path) -> Result<Option<&str>, Failure> {
    match Outside::of(path.as_os_str()) {
        Outside::Plain => outside::refuse_address(path).map(|()| None),
        Outside::ConnectionString => Ok(path.to_str()),
        Outside::NearMiss => Err(outside::no_place(path.as_os_str())),
    }
}

/// Something that has to be a file or a folder.
pub(crate) fn refuse_live(path: &Path) -> Result<(), Failure> {
    match connection_string(path)? {
        Some(_) => Err(Failure::usage(
            "this has to be a file or a folder, not a live database",
            hints::WRITE_FILES_FIRST,
        )),
        None => Ok(()),
    }
}

/// Where the legacy documents of a command come from.
pub(crate) fn origin(source: &SourcePlace, handle: &Handle) -> Result<Box<dyn Origin>, Failure> {
    let Some(uri) = source.uri()? else {
        let stop = Some(handle.stop_flag());
        return Ok(Box::new(Noted::new(SourceSpec { stop, ..source_spec(source) }, handle)));
    };
    let place = handle.passwords().place(uri, Side::Source)?;
    let (db, collection) = (source.db.as_deref(), source.collection.as_deref());
    let read_preference = source.read_preference.map(Into::into);
    let patience = handle.patience();
    Ok(Box::new(LiveOrigin::connect(&place, db, collection, read_preference, &patience)?))
}

/// A source of files as the library takes it.
pub(crate) fn source_spec(source: &SourcePlace) -> SourceSpec {
    SourceSpec {
        path: source.name.clone(),
        db: source.db.clone(),
        collection: source.collection.clone(),
        allow_empty: source.allow_empty,
        ..SourceSpec::default()
    }
}

/// What a command says of the source of an earlier run.
#[derive(Default)]
pub(crate) struct SourceAgain<'a> {
    /// Where it is now, if it is named again.
    pub(crate) given: Option<&'a Path>,
    pub(crate) read_preference: Option<ReadPreference>,
    pub(crate) allow_empty: bool,
}

/// Where a resumed run gets its documents from: as it was, or as `given`.
pub(crate) fn origin_again(
    planned: &PlannedSource,
    again: &SourceAgain<'_>,
    handle: &Handle,
) -> Result<Box<dyn Origin>, Failure> {
    let &SourceAgain { given, read_preference, allow_empty } = again;
    let (db, collection) = (planned.db.clone(), planned.collection.clone());
    let Some(live) = &planned.live else {
        let path = given.map_or_else(|| planned.path.clone(), Path::to_owned);
        if connection_string(&path)?.is_some() {
            let message = "this run reads a file, not a live collection";
            return Err(Failure::refused(message, hints::SOURCE_IS_A_FILE));
        }
        // What has no known size was read from a pipe.
        let read_before = given.is_none() && planned.bytes.is_none();
        let stop = Some(handle.stop_flag());
        let spec = SourceSpec { path, db, collection, allow_empty, read_before, stop };
        return Ok(Box::new(Noted::new(spec, handle)));
    };
    let place = place_again(live, given, &SOURCE, handle)?;
    let read_preference = read_preference.map(Into::into);
    let (db, collection) = (Some(live.db.as_str()), collection.as_deref());
    let patience = handle.patience();
    let origin = LiveOrigin::connect(&place, db, collection, read_preference, &patience)?;
    origin.connection().check_same(live)?;
    Ok(Box::new(origin.as_it_was(live.collection.clone())))
}

/// The source of a run as somebody would name it: as it was, or as `given`.
pub(crate) fn source_again(planned: &PlannedSource, given: Option<&Path>) -> SourcePlace {
    let kept = match &planned.live {
        Some(live) => PathBuf::from(&live.uri),
        None => planned.path.clone(),
    };
    SourcePlace {
        name: given.map_or(kept, Path::to_owned),
        db: planned.live.as_ref().map(|live| live.db.clone()).or_else(|| planned.db.clone()),
        collection: planned.collection.clone(),
        ..SourcePlace::default()
    }
}

/// The same for its target.
pub(crate) fn target_again(planned: &PlannedTarget, given: Option<&Path>) -> TargetPlace {
    let (kept, db) = match planned {
        PlannedTarget::Folder(folder) => (folder.root.clone(), folder.db.clone()),
        PlannedTarget::Live(live) => (PathBuf::from(&live.uri), live.db.clone()),
    };
    // A folder that has moved may name its database in another way.
    let is_moved = planned.folder().is_some() && given.is_some();
    TargetPlace { name: given.map_or(kept, Path::to_owned), db: (!is_moved).then_some(db) }
}

/// Where the target documents of a run go.
pub(crate) fn destination(
    target: &TargetPlace,
    compression: Compression,
    handle: &Handle,
) -> Result<Box<dyn Destination>, Failure> {
    Ok(target_ends(target, compression, handle)?.destination)
}

/// A target that is written, and read back by the same connection.
pub(crate) struct TargetEnds {
    pub(crate) destination: Box<dyn Destination>,
    pub(crate) reader: Box<dyn TargetReader>,
}

impl TargetEnds {
    fn of_folder(folder: TargetFolder) -> TargetEnds {
        let destination = FolderDestination::new(folder.clone());
        TargetEnds { destination: Box::new(destination), reader: Box::new(folder) }
    }

    fn of_live(connection: Connection) -> TargetEnds {
        let reader = LiveTarget::new(connection.clone(), None);
        let destination = LiveDestination::new(connection);
        TargetEnds { destination: Box::new(destination), reader: Box::new(reader) }
    }
}

/// The same as [`destination`], with the way back.
pub(crate) fn target_ends(
    target: &TargetPlace,
    compression: Compression,
    handle: &Handle,
) -> Result<TargetEnds, Failure> {
    let Some(uri) = target.uri()? else {
        let db = outside::database(target.db.as_deref().unwrap_or(TARGET_DB_DEFAULT))?.to_owned();
        let root = absolute(&target.name);
        overlap::refuse_snapshot(&root.join(&db))?;
        return Ok(TargetEnds::of_folder(TargetFolder { root, db, compression }));
    };
    if compression != Compression::None {
        let message = "a live target is not compressed";
        return Err(Failure::usage(message, hints::LIVE_IS_NOT_COMPRESSED));
    }
    Ok(TargetEnds::of_live(written_target(uri, target.db.as_deref(), handle)?))
}

/// Where the target documents of a resumed run go.
pub(crate) fn destination_again(
    planned: &PlannedTarget,
    given: Option<&Path>,
    handle: &Handle,
) -> Result<Box<dyn Destination>, Failure> {
    Ok(target_ends_again(planned, given, handle)?.destination)
}

/// The same as [`destination_again`], with the way back.
pub(crate) fn target_ends_again(
    planned: &PlannedTarget,
    given: Option<&Path>,
    handle: &Handle,
) -> Result<TargetEnds, Failure> {
    match planned {
        // A folder stays where it is: another one would not hold what the run has written.
        PlannedTarget::Folder(folder) => {
            if let Some(given) = given {
                expect_same_folder(folder, given)?;
            }
            Ok(TargetEnds::of_folder(folder.clone()))
        }
        PlannedTarget::Live(live) => {
            let place = place_again(live, given, &TARGET, handle)?;
            let connection = Connection::open(&place, &live.db, &handle.patience())?;
            connection.check_same(live)?;
            tell_overridden(&connection, handle);
            Ok(TargetEnds::of_live(connection))
        }
    }
}

/// A connection to the target's database: the one that is named, or that the connection string
/// names, or the usual one.
pub(crate) fn target_connection(
    uri: &str,
    db: Option<&str>,
    handle: &Handle,
) -> Result<Connection, Failure> {
    let place = handle.passwords().place(uri, Side::Target)?;
    let db = db.or(place.database()).unwrap_or(TARGET_DB_DEFAULT).to_owned();
    Ok(Connection::open(&place, &db, &handle.patience())?)
}

/// The same for a target that is written.
pub(crate) fn written_target(
    uri: &str,
    db: Option<&str>,
    handle: &Handle,
) -> Result<Connection, Failure> {
    let connection = target_connection(uri, db, handle)?;
    tell_overridden(&connection, handle);
    Ok(connection)
}

fn tell_overridden(connection: &Connection, handle: &Handle) {
    connection.overridden().iter().for_each(|note| handle.watcher().note(note));
}

/// A target that is read back.
pub(crate) fn reader(
    target: &TargetPlace,
    read_preference: Option<ReadPreference>,
    handle: &Handle,
) -> Result<Box<dyn TargetReader>, Failure> {
    let db = target.db.as_deref();
    let Some(uri) = target.uri()? else {
        return Ok(Box::new(find_target(&target.name, db)?));
    };
    let connection = target_connection(uri, db, handle)?;
    let live = LiveTarget::new(connection, read_preference.map(Into::into));
    for collection in Collection::ALL {
        if live.has(collection)? {
            return Ok(Box::new(live));
        }
    }
    let message = format!("{}: no target collections there", live.name());
    Err(Failure::usage(message, hints::NAME_THE_TARGET_DATABASE))
}

/// A target that is read back, and what a run folder would say of it.
pub(crate) fn planned_reader(
    target: &TargetPlace,
    read_preference: Option<ReadPreference>,
    handle: &Handle,
) -> Result<(PlannedTarget, Box<dyn TargetReader>), Failure> {
    let db = target.db.as_deref();
    let Some(uri) = target.uri()? else {
        let folder = find_target(&target.name, db)?;
        return Ok((PlannedTarget::Folder(folder.clone()), Box::new(folder)));
    };
    let place = Place::parse(uri)?;
    let db = db.or(place.database()).unwrap_or(TARGET_DB_DEFAULT);
    Ok((PlannedTarget::Live(place.planned(db, None)), reader(target, read_preference, handle)?))
}

/// The target of a run, read back: as it was, or as `given`.
pub(crate) fn reader_again(
    planned: &PlannedTarget,
    given: Option<&Path>,
    handle: &Handle,
) -> Result<Box<dyn TargetReader>, Failure> {
    match (planned, given) {
        (PlannedTarget::Folder(folder), None) => Ok(Box::new(folder.clone())),
        (PlannedTarget::Folder(_), Some(path)) => reader(&TargetPlace::new(path), None, handle),
        (PlannedTarget::Live(live), _) => {
            let place = place_again(live, given, &TARGET, handle)?;
            let connection = Connection::open(&place, &live.db, &handle.patience())?;
            Ok(Box::new(LiveTarget::new(connection, None)))
        }
    }
}

/// The target folder that a path names.
fn find_target(root: &Path, db: Option<&str>) -> Result<TargetFolder, Failure> {
    let says = |what: &str| format!("{}: {what}", root.display());
    let usage = |what| Failure::usage(says(what), hints::NAME_THE_TARGET_FOLDER);
    if root.symlink_metadata().is_err() {
        let missing = Failure::failed(says("there is no such folder"));
        return Err(missing.hinting(hints::NAME_THE_TARGET_FOLDER));
    }
    if root.is_file() {
        return Err(usage("a file, and a target is a folder"));
    }
    TargetFolder::find(root, db)?.ok_or_else(|| usage("no target collections in this folder"))
}

/// An end of a run, as a command line names it again.
struct End {
    side: Side,
    flag: &'static str,
    variable: &'static str,
}

const SOURCE: End = End { side: Side::Source, flag: "--source", variable: "LEGACY_MONGODB_URI" };
const TARGET: End = End { side: Side::Target, flag: "--target", variable: "TARGET_MONGODB_URI" };

/// The connection string of a run: the one that is given, if it leads to the same place; without
/// one, the one that the run kept.
fn place_again(
    planned: &LivePlace,
    given: Option<&Path>,
    end: &End,
    handle: &Handle,
) -> Result<Place, Failure> {
    let hint = || hints::connection_string_again(end.flag, end.variable);
    let given = match given {
        Some(path) => Some(connection_string(path)?.ok_or_else(|| {
            let message = format!("this run is on a live database, and {} names a file", end.flag);
            Failure::refused(message, hint())
        })?),
        None => None,
    };
    match given {
        Some(uri) => {
            let place = handle.passwords().place(uri, end.side)?;
            place.check_same(planned)?;
            Ok(place)
        }
        None if planned.needs_uri => {
            let message =
                format!("{} needs its credentials again: they are not stored", planned.uri);
            Err(Failure::usage(message, hint()))
        }
        None => Ok(Place::parse(&planned.uri)?),
    }
}
