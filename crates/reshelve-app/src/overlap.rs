//! Places that overlap: what a command would write lies where something is that it, or a run before
//! it, reads.
//!
//! Places are told apart by device and inode, so that links and other spellings do not hide one.

use std::path::{Path, PathBuf};

use reshelve::dump::{COLLECTION_DEFAULT, STANDARD_INPUT};
use reshelve::ends::{PlannedSource, PlannedTarget, TargetFolder};
use reshelve::run::{Plan, RunFolder};
use reshelve::store::{Disk, Files, Identity, absolute};
use reshelve::target_schema::Collection;
use reshelve_mongo::{Place, share_a_host};

use crate::failure::Failure;
use crate::hints;
use crate::places::{self, SourcePlace, TargetPlace};

/// Refuses a run whose target is its source, lies in it, or contains it.
pub(crate) fn refuse_run(source: &SourcePlace, target: &TargetPlace) -> Result<(), Failure> {
    let uris = (places::connection_string(&source.name)?, places::connection_string(&target.name)?);
    match uris {
        (None, None) => {
            let db = target.db.as_deref().unwrap_or(places::TARGET_DB_DEFAULT);
            refuse_folder(&source.name, &target.name, db)
        }
        (Some(from), Some(to)) => refuse_collection(source, from, target, to),
        _ => Ok(()),
    }
}

/// Refuses a target folder that overlaps with a source of files.
pub(crate) fn refuse_folder(source: &Path, root: &Path, db: &str) -> Result<(), Failure> {
    if source == Path::new("-") {
        return Ok(());
    }
    // A file may lie beside the database folder, but not where the target's own files are.
    let is_folder = source.is_dir();
    let target = if is_folder { root.to_owned() } else { root.join(db) };
    let (from, to) = (Spot::of(source), Spot::of(&target));
    let database = Spot::of(&root.join(db));
    if !from.overlaps(&to) && !from.overlaps(&database) {
        return Ok(());
    }
    let message = format!(
        "the target {} and the source {} are the same place, or one lies in the other",
        target.display(),
        source.display()
    );
    Err(Failure::refused(message, hints::TARGET_ELSEWHERE))
}

/// Refuses a scratch folder that is the source, lies in it, or contains it.
pub(crate) fn refuse_scratch(source: &Path, scratch: &Path) -> Result<(), Failure> {
    if source == Path::new(STANDARD_INPUT) || !Spot::of(source).overlaps(&Spot::of(scratch)) {
        return Ok(());
    }
    let message = format!(
        "the scratch {} and the source {} are the same place, or one lies in the other",
        scratch.display(),
        source.display()
    );
    Err(Failure::refused(message, hints::SCRATCH_ELSEWHERE))
}

/// Refuses a copy that would lie in the source that it is made of, or around it.
pub(crate) fn refuse_copy(source: &Path, out: &Path) -> Result<(), Failure> {
    let is_file =
        source != Path::new(STANDARD_INPUT) && places::connection_string(source)?.is_none();
    if !is_file || !Spot::of(source).overlaps(&Spot::of(out)) {
        return Ok(());
    }
    let message = format!(
        "the copy {} and the source {} are the same place, or one lies in the other",
        out.display(),
        source.display()
    );
    Err(Failure::refused(message, hints::anonymize::COPY_ELSEWHERE))
}

/// Refuses to write over a snapshot, or into one.
pub(crate) fn refuse_snapshot(place: &Path) -> Result<(), Failure> {
    let Some(snapshot) = crate::snapshot::around(&real(place)) else { return Ok(()) };
    let (place, snapshot) = (place.display(), snapshot.display());
    let message = format!("{place} is, or lies in, the snapshot {snapshot}");
    Err(Failure::refused(message, hints::snapshot::SNAPSHOTS_STAY))
}

/// Refuses a live target that would get documents of one of its own collections.
fn refuse_collection(
    source: &SourcePlace,
    from: &str,
    target: &TargetPlace,
    to: &str,
) -> Result<(), Failure> {
    let collection = source.collection.as_deref().unwrap_or_default();
    if !Collection::ALL.iter().any(|of_target| of_target.name() == collection) {
        return Ok(());
    }
    let (from, to) = (Place::parse(from)?, Place::parse(to)?);
    let from_db = source.db.as_deref().or(from.database());
    let to_db = target.db.as_deref().or(to.database()).unwrap_or(places::TARGET_DB_DEFAULT);
    // Whether two hosts are one server cannot be told by their names, and no legacy collection has
    // the name of a target collection.
    if from_db.is_some_and(|db| db != to_db) {
        return Ok(());
    }
    let message =
        format!("the source {to_db}.{collection} has the name of a collection of the target");
    Err(Failure::refused(message, hints::TARGET_ELSEWHERE))
}

/// Refuses to restore over, into or around the target, which is at `named`, or the source of a run
/// that wrote it: that may be the only copy of the legacy collection.
pub(crate) fn refuse_restore(
    out: &Path,
    file: &Path,
    named: &Path,
    target: &PlannedTarget,
    runs: &[(RunFolder, Plan)],
) -> Result<(), Failure> {
    refuse_snapshot(file)?;
    let outs = [Spot::of(out), Spot::of(file)];
    let refuse = |what: &Path, of: &str| {
        let spot = Spot::of(what);
        if !outs.iter().any(|out| out.overlaps(&spot)) {
            return Ok(());
        }
        let message = format!(
            "{} and {of}, {}, are the same place, or one lies in the other",
            out.display(),
            what.display()
        );
        Err(Failure::refused(message, hints::RESTORE_APART))
    };
    if let PlannedTarget::Folder(folder) = target {
        refuse(named, "the target")?;
        refuse(&folder.database(), "the target")?;
    }
    // The target of a run that is not where it was may be this one, moved.
    let may_be_it = |planned: &PlannedTarget| match planned {
        PlannedTarget::Folder(folder) if !folder.database().exists() => true,
        planned => is_same_target(planned, target),
    };
    let plans = || runs.iter().map(|(_, plan)| plan);
    let have_written = || plans().filter(|plan| plan.apply && may_be_it(&plan.target));
    for plan in have_written().filter(|plan| plan.source.live.is_none()) {
        refuse(&plan.source.path, &format!("the source of the run {}", plan.run))?;
    }
    match have_written().find(|plan| is_source(&plan.source, file)) {
        Some(plan) => Err(Failure::refused(moved_source(file, plan), hints::RESTORE_APART)),
        None => Ok(()),
    }
}

/// Whether a file is the one that a run read, wherever it was moved. A number may have been given
/// to another file since, hardly of the same length.
fn is_source(source: &PlannedSource, file: &Path) -> bool {
    let found = Disk.look(file).ok().flatten();
    found.is_some_and(|found| {
        source.file == Some(found.identity) && source.bytes == Some(found.length)
    })
}

fn moved_source(file: &Path, plan: &Plan) -> String {
    let (file, path) = (file.display(), plan.source.path.display());
    format!("{file} is the source of the run {}, which was {path} then", plan.run)
}

/// Refuses to generate data into a target, or over what a run has read: nothing else may hold it.
pub(crate) fn refuse_generated(
    file: &Path,
    overwrite: bool,
    runs: &[(RunFolder, Plan)],
) -> Result<(), Failure> {
    refuse_snapshot(file)?;
    let spot = Spot::of(file);
    let refused = |what: String| {
        let message = format!("{} is {what}", file.display());
        Err(Failure::refused(message, hints::GENERATE_ELSEWHERE))
    };
    let folder = absolute(file).parent().map(Path::to_owned).unwrap_or_default();
    let db = folder.file_name().and_then(|name| name.to_str());
    if let Some((root, db)) = folder.parent().zip(db)
        && TargetFolder::find(root, Some(db))?.is_some()
    {
        return refused(format!("in the target {}", folder.display()));
    }
    for (_, plan) in runs.iter().filter(|(_, plan)| plan.apply) {
        if let Some(target) = plan.target.folder()
            && spot.lies_in(&Spot::of(&target.database()))
        {
            return refused(format!("in the target of the run {}", plan.run));
        }
        let source = &plan.source;
        if overwrite && source.live.is_none() && spot.overlaps(&Spot::of(&source.path)) {
            let path = source.path.display();
            return refused(format!("the source of the run {}, {path}, or lies in it", plan.run));
        }
        if is_source(source, file) {
            return Err(Failure::refused(moved_source(file, plan), hints::GENERATE_ELSEWHERE));
        }
    }
    Ok(())
}

/// Whether two targets are the same folder or the same database.
pub(crate) fn is_same_target(one: &PlannedTarget, other: &PlannedTarget) -> bool {
    match (one, other) {
        (PlannedTarget::Folder(one), PlannedTarget::Folder(other)) => is_same_folder(one, other),
        (PlannedTarget::Live(one), PlannedTarget::Live(other)) => {
            one.db == other.db && share_a_host(&one.hosts, &other.hosts)
        }
        _ => false,
    }
}

/// Refuses another folder than the one that a run wrote to. A connection string is that of a variable,
/// for other runs.
pub(crate) fn expect_same_folder(folder: &TargetFolder, given: &Path) -> Result<(), Failure> {
    if places::connection_string(given)?.is_some() {
        return Ok(());
    }
    let root = absolute(given);
    let parent = root.parent().filter(|_| root.file_name() == Some(folder.db.as_ref()));
    let is_same = [Some(root.as_path()), parent].into_iter().flatten().any(|root| {
        is_same_folder(&TargetFolder { root: root.to_owned(), ..folder.clone() }, folder)
    });
    if is_same {
        return Ok(());
    }
    let message = format!(
        "the run wrote to the folder {}, and --target names another place",
        folder.database().display()
    );
    Err(Failure::refused(message, hints::TARGET_STAYS))
}

/// Whether a SOURCE is certainly the collection that a run read, whatever it holds now.
pub(crate) fn is_same_source(planned: &PlannedSource, named: &SourcePlace) -> bool {
    let name = |name: &Option<String>| name.clone().unwrap_or(COLLECTION_DEFAULT.to_owned());
    if name(&planned.collection) != name(&named.collection) {
        return false;
    }
    match (&planned.live, named.uri()) {
        (Some(live), Ok(Some(uri))) => Place::parse(uri).is_ok_and(|place| {
            let db = named.db.as_deref().or(place.database());
            let hosts = place.planned("", None).hosts;
            db == Some(&live.db) && share_a_host(&hosts, &live.hosts)
        }),
        (None, Ok(None)) => is_same_dump(planned, named),
        _ => false,
    }
}

/// Whether two runs read the same collection, certainly.
pub(crate) fn read_the_same(one: &PlannedSource, other: &PlannedSource) -> bool {
    let db = other.live.as_ref().map(|live| live.db.clone()).or(other.db.clone());
    let collection = other.collection.clone();
    let name = other.path.clone();
    is_same_source(one, &SourcePlace { db, collection, ..SourcePlace::new(name) })
}

/// A dump may be named by its folder, by the folder of a database in it, or by a file in that.
fn is_same_dump(planned: &PlannedSource, named: &SourcePlace) -> bool {
    let is_pipe = planned.bytes.is_none() || named.name == Path::new(STANDARD_INPUT);
    let other_db = matches!((&planned.db, &named.db), (Some(one), Some(other)) if one != other);
    if is_pipe || other_db {
        return false;
    }
    let (one, other) = (Spot::of(&planned.path), Spot::of(&named.name));
    let (outer, inner, db) = match () {
        () if one.is(&other) => return true,
        () if other.lies_in(&one) => (one, other, &planned.db),
        () if one.lies_in(&other) => (other, one, &named.db),
        () => return false,
    };
    let Ok(below) = inner.path.strip_prefix(&outer.path) else { return false };
    let below: Vec<_> = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let file = format!("{}.bson", planned.collection.as_deref().unwrap_or(COLLECTION_DEFAULT));
    let is_file = |name: &String| {
        name.split_once(&file).is_some_and(|(before, after)| {
            before.is_empty() && ["", ".gz", ".zst"].contains(&after)
        })
    };
    let is_db = |name: &String| db.as_ref().is_none_or(|db| db == name);
    match below.as_slice() {
        [name] if inner.path.is_dir() => is_db(name),
        [name] => is_file(name),
        [folder, name] => is_db(folder) && is_file(name),
        _ => false,
    }
}

/// Whether two paths are the same file or folder, however they are spelled; where one is not there,
/// whether they would be.
pub(crate) fn is_same_path(one: &Path, other: &Path) -> bool {
    Spot::of(one).is(&Spot::of(other))
}

fn is_same_folder(one: &TargetFolder, other: &TargetFolder) -> bool {
    Spot::of(&one.database()).is(&Spot::of(&other.database()))
}

/// A place in the file system, whether something is there yet or not.
struct Spot {
    /// Its path without links, as far as it exists.
    path: PathBuf,
    /// The file or folder there, and the folders that it is in, from the inside out; `None` for
    /// those that do not exist.
    chain: Vec<Option<Identity>>,
}

impl Spot {
    fn of(path: &Path) -> Spot {
        let path = real(path);
        let identity = |path: &Path| Disk.look(path).ok().flatten().map(|found| found.identity);
        let chain = path.ancestors().map(identity).collect();
        Spot { path, chain }
    }

    fn is(&self, other: &Spot) -> bool {
        match (self.chain.first(), other.chain.first()) {
            (Some(Some(one)), Some(Some(other))) => one == other,
            _ => self.path == other.path,
        }
    }

    /// Whether one is the other, or lies in it.
    fn overlaps(&self, other: &Spot) -> bool {
        self.lies_in(other) || other.lies_in(self)
    }

    fn lies_in(&self, outer: &Spot) -> bool {
        match outer.chain.first() {
            Some(Some(outer)) => self.chain.contains(&Some(*outer)),
            _ => self.path.starts_with(&outer.path),
        }
    }
}

/// The path without links, as far as it exists; what does not exist yet is appended.
fn real(path: &Path) -> PathBuf {
    let absolute = absolute(path);
    for known in absolute.ancestors() {
        if let Ok(found) = known.canonicalize() {
            return match absolute.strip_prefix(known) {
                Ok(rest) if !rest.as_os_str().is_empty() => found.join(rest),
                _ => found,
            };
        }
    }
    absolute
}
