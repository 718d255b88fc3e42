//! The two ends of a command: what a SOURCE and a TARGET on the command line mean.

use std::path::Path;

use reshelve::dump::Origin;
use reshelve::folder::TargetFolder;
use reshelve::run::{Destination, FolderDestination, PlannedSource, PlannedTarget};
use reshelve::source::SourceSpec;

use crate::cli::PickArgs;
use crate::failure::Failure;

/// Where the legacy documents of a command come from.
pub(crate) fn origin(path: &Path, pick: &PickArgs) -> Result<Box<dyn Origin>, Failure> {
    Ok(Box::new(source_spec(path, pick)?))
}

/// Where a run that is gone on with gets its documents from: as it was, or as `given`.
pub(crate) fn origin_again(
    planned: &PlannedSource,
    given: Option<&Path>,
) -> Result<Box<dyn Origin>, Failure> {
    let path = given.map_or_else(|| planned.path.clone(), Path::to_owned);
    refuse_live(&path)?;
    let (db, collection) = (planned.db.clone(), planned.collection.clone());
    Ok(Box::new(SourceSpec { path, db, collection }))
}

/// Where the target documents of a run that is gone on with go.
pub(crate) fn destination_again(planned: &PlannedTarget) -> Result<Box<dyn Destination>, Failure> {
    match planned {
        PlannedTarget::Folder(folder) => Ok(Box::new(FolderDestination::new(folder.clone()))),
        PlannedTarget::Live(place) => refuse_live(Path::new(&place.uri))
            .and(Err(Failure::usage("this run wrote to a live database", None))),
    }
}

/// Where the target documents of a run go.
pub(crate) fn destination(target: TargetFolder) -> Result<Box<dyn Destination>, Failure> {
    refuse_live(&target.root)?;
    Ok(Box::new(FolderDestination::new(target)))
}

/// A source of files as the library takes it.
pub(crate) fn source_spec(path: &Path, pick: &PickArgs) -> Result<SourceSpec, Failure> {
    refuse_live(path)?;
    let (db, collection) = (pick.db.clone(), pick.collection.clone());
    Ok(SourceSpec { path: path.to_owned(), db, collection })
}

/// A connection string is not looked at any further, and never shown: it may hold a password.
pub(crate) fn refuse_live(path: &Path) -> Result<(), Failure> {
    let text = path.to_string_lossy();
    if text.starts_with("mongodb://") || text.starts_with("mongodb+srv://") {
        let hint = "make a dump with mongodump, or restore the target folder with mongorestore";
        return Err(Failure::usage(
            "this version reads and writes files, not live databases",
            Some(hint),
        ));
    }
    Ok(())
}
