//! The two ends of a command: what a SOURCE and a TARGET on the command line mean.

use std::path::Path;

use reshelve::ends::SourceSpec;
use reshelve::ends::TargetReader;
use reshelve::ends::{Destination, Origin};
use reshelve::ends::{LivePlace, PlannedSource, PlannedTarget};
use reshelve::folder::FolderDestination;
use reshelve::folder::TargetFolder;
use reshelve::target_schema::Collection;
use reshelve_mongo::{
    Connection, LiveDestination, LiveOrigin, LiveTarget, Patience, Place, is_live,
};

use crate::cli::{PickArgs, ReadPreference, TARGET_DB_DEFAULT};
use crate::failure::Failure;

/// The connection string, where a SOURCE or TARGET is one. What looks like one and is none may
/// hold a password all the same: it is neither quoted nor taken for a path.
pub(crate) fn live(path: &Path) -> Result<Option<&str>, Failure> {
    let text = path.to_string_lossy();
    let bare = text.trim_start_matches(|c: char| c.is_whitespace() || "\"'`".contains(c));
    let begin = bare.get(..7).unwrap_or_default().to_ascii_lowercase();
    let rest = bare.get(7..).unwrap_or_default();
    let is_uri = begin == "mongodb" && rest.starts_with([':', '+']);
    match path.to_str().filter(|text| is_live(text)) {
        Some(uri) => Ok(Some(uri)),
        None if is_uri || text.contains("://") => Err(Failure::usage(
            "this looks like a connection string, and is none",
            Some("it begins with mongodb:// or mongodb+srv://, in small letters, without quotes"),
        )),
        None => Ok(None),
    }
}

/// Where the legacy documents of a command come from.
pub(crate) fn origin(
    path: &Path,
    pick: &PickArgs,
    patience: &Patience,
) -> Result<Box<dyn Origin>, Failure> {
    match live(path)? {
        Some(uri) => Ok(Box::new(live_origin(uri, pick, patience)?)),
        None => Ok(Box::new(source_spec(path, pick)?)),
    }
}

/// A live collection.
pub(crate) fn live_origin(
    uri: &str,
    pick: &PickArgs,
    patience: &Patience,
) -> Result<LiveOrigin, Failure> {
    let place = Place::parse(uri)?;
    let (db, collection) = (pick.db.as_deref(), pick.collection.as_deref());
    let read_preference = pick.read_preference.map(Into::into);
    Ok(LiveOrigin::connect(&place, db, collection, read_preference, patience)?)
}

/// Where a run that is gone on with gets its documents from: as it was, or as `given`.
pub(crate) fn origin_again(
    planned: &PlannedSource,
    given: Option<&Path>,
    read_preference: Option<ReadPreference>,
    patience: &Patience,
) -> Result<Box<dyn Origin>, Failure> {
    let (db, collection) = (planned.db.clone(), planned.collection.clone());
    let Some(live_place) = &planned.live else {
        let path = given.map_or_else(|| planned.path.clone(), Path::to_owned);
        if live(&path)?.is_some() {
            let hint = "give the file with --source, or unset LEGACY_MONGODB_URI";
            return Err(Failure::refused("this run reads a file, not a live collection", hint));
        }
        return Ok(Box::new(SourceSpec { path, db, collection }));
    };
    let place = place_again(live_place, given, "--source", "LEGACY_MONGODB_URI")?;
    let collection = collection.as_deref();
    let read_preference = read_preference.map(Into::into);
    let db = Some(live_place.db.as_str());
    let origin = LiveOrigin::connect(&place, db, collection, read_preference, patience)?;
    origin.connection().check_same(live_place)?;
    Ok(Box::new(origin))
}

/// Where the target documents of a run that is gone on with go.
pub(crate) fn destination_again(
    planned: &PlannedTarget,
    given: Option<&Path>,
    patience: &Patience,
) -> Result<Box<dyn Destination>, Failure> {
    match planned {
        // A folder stays where it is: another one would not hold what the run has written.
        PlannedTarget::Folder(folder) => Ok(Box::new(FolderDestination::new(folder.clone()))),
        PlannedTarget::Live(live_place) => {
            let place = place_again(live_place, given, "--target", "TARGET_MONGODB_URI")?;
            let connection = Connection::open(&place, &live_place.db, patience)?;
            connection.check_same(live_place)?;
            Ok(Box::new(LiveDestination::new(connection)))
        }
    }
}

/// The connection string of a run: the one that is given, where it leads to the same place, else
/// the one that the run kept.
fn place_again(
    planned: &LivePlace,
    given: Option<&Path>,
    flag: &str,
    variable: &str,
) -> Result<Place, Failure> {
    let given = match given {
        Some(path) => Some(live(path)?.ok_or_else(|| {
            Failure::refused(
                format!("this run is on a live database, and {flag} names a file"),
                format!("give the connection string with {flag} or {variable}"),
            )
        })?),
        None => None,
    };
    match given {
        Some(uri) => {
            let place = Place::parse(uri)?;
            place.check_same(planned)?;
            Ok(place)
        }
        None if planned.needs_uri => Err(Failure::usage(
            format!("{} needs its credentials again: they are not stored", planned.uri),
            Some(&format!("give the connection string with {flag} or {variable}")),
        )),
        None => Ok(Place::parse(&planned.uri)?),
    }
}

/// Where the target documents of a run go.
pub(crate) fn destination(
    path: &Path,
    db: Option<&str>,
    compression: reshelve::folder::Compression,
    patience: &Patience,
) -> Result<Box<dyn Destination>, Failure> {
    let Some(uri) = live(path)? else {
        let db = db.unwrap_or(TARGET_DB_DEFAULT).to_owned();
        let target = TargetFolder { root: path.to_owned(), db, compression };
        return Ok(Box::new(FolderDestination::new(target)));
    };
    if compression != reshelve::folder::Compression::None {
        let hint = "leave out --gzip and --zstd: they compress the files of a target folder";
        return Err(Failure::usage("a live target is not compressed", Some(hint)));
    }
    Ok(Box::new(LiveDestination::new(target_connection(uri, db, patience)?)))
}

/// A connection to the target's database: the one that is named, or that the connection string
/// names, or the usual one.
pub(crate) fn target_connection(
    uri: &str,
    db: Option<&str>,
    patience: &Patience,
) -> Result<Connection, Failure> {
    let place = Place::parse(uri)?;
    let db = db.or(place.database()).unwrap_or(TARGET_DB_DEFAULT).to_owned();
    Ok(Connection::open(&place, &db, patience)?)
}

/// A target that is read back.
pub(crate) fn reader(
    path: &Path,
    db: Option<&str>,
    read_preference: Option<ReadPreference>,
) -> Result<Box<dyn TargetReader>, Failure> {
    match live(path)? {
        Some(uri) => {
            let connection = target_connection(uri, db, &Patience::default())?;
            let target = LiveTarget::new(connection, read_preference.map(Into::into));
            for collection in Collection::ALL {
                if target.has(collection).map_err(|error| Failure::failed(error.to_string()))? {
                    return Ok(Box::new(target));
                }
            }
            let hint = "name the database in the connection string, or with --target-db";
            Err(Failure::usage(format!("{}: no target of ours there", target.name()), Some(hint)))
        }
        None => Ok(Box::new(find_target(path, db)?)),
    }
}

/// The target of a run, read back: as it was, or as `given`.
pub(crate) fn reader_again(
    planned: &PlannedTarget,
    given: Option<&Path>,
) -> Result<Box<dyn TargetReader>, Failure> {
    match (planned, given) {
        (PlannedTarget::Folder(folder), None) => Ok(Box::new(folder.clone())),
        (PlannedTarget::Folder(_), Some(path)) => reader(path, None, None),
        (PlannedTarget::Live(live_place), _) => {
            let place = place_again(live_place, given, "--target", "TARGET_MONGODB_URI")?;
            let connection = Connection::open(&place, &live_place.db, &Patience::default())?;
            Ok(Box::new(LiveTarget::new(connection, None)))
        }
    }
}

/// The target folder that a path names.
pub(crate) fn find_target(root: &Path, db: Option<&str>) -> Result<TargetFolder, Failure> {
    TargetFolder::find(root, db)?.ok_or_else(|| {
        let hint = "name the folder that a run wrote; --target-db picks one of several databases";
        Failure::usage(format!("{}: no target of ours in this folder", root.display()), Some(hint))
    })
}

/// A source of files as the library takes it.
pub(crate) fn source_spec(path: &Path, pick: &PickArgs) -> Result<SourceSpec, Failure> {
    let (db, collection) = (pick.db.clone(), pick.collection.clone());
    Ok(SourceSpec { path: path.to_owned(), db, collection })
}

/// Something that has to be a file or a folder.
pub(crate) fn refuse_live(path: &Path) -> Result<(), Failure> {
    match live(path)? {
        Some(_) => Err(Failure::usage(
            "this has to be a file or a folder, not a live database",
            Some("write files, then carry them over with `reshelve run` or mongorestore"),
        )),
        None => Ok(()),
    }
}
