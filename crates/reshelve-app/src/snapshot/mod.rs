//! `snapshot`: a safe copy before anything else happens.

mod dest;
mod kept;
mod list;
mod unfinished;
mod verify;

use std::path::PathBuf;

use reshelve::dump::COLLECTION_DEFAULT;
use reshelve::ends::{About, Oplog, SourceDescription, SourceForm};
use reshelve::run::{Refusal, RunError, now_iso};
use reshelve::snapshot::{
    self, Heard, MANIFEST, Manifest, SCHEMA, SnapshotError, TakenFrom, Wanted,
};
use reshelve::store::{Disk, folder_of, write_checked_state};
use serde::Serialize;

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::handle::{Handle, Reading};
use crate::hints;
use crate::options::threads;
use crate::overlap;
use crate::places::{self, SourcePlace, TARGET_DB_DEFAULT};
use crate::text::plain;

use dest::Dest;
use unfinished::{Unfinished, refuse_existing, sweep};

pub use list::{ListOutcome, Listed, list};
pub use reshelve::snapshot::Form;
pub use verify::{VerifyOutcome, verify};

pub(crate) use kept::around;

/// The longest name of a database, and what none has.
const DATABASE_BYTES_MAX: usize = 63;
/// See [`DATABASE_BYTES_MAX`].
const FORBIDDEN_IN_DATABASE: [char; 8] = ['/', '\\', '.', ' ', '"', '$', '\0', '\n'];

/// What the tool calls itself in a dump.
const TOOL: &str = concat!("reshelve ", env!("CARGO_PKG_VERSION"));

/// What `snapshot` is asked.
#[derive(Clone)]
pub struct Request {
    /// The source.
    pub source: SourcePlace,
    /// Where the snapshot goes: nothing may be there.
    pub dest: PathBuf,
    /// What it looks like; none for what the name of `dest` shows.
    pub form: Option<Form>,
    /// Whether nothing is compressed.
    pub is_plain: bool,
    /// Whether all of it is read again before it gets its name.
    pub read_back: bool,
    /// Whether to take documents that an oplog in the dump would change.
    pub ignore_oplog: bool,
    /// Threads; none for one per core.
    pub threads: Option<usize>,
}

/// A snapshot; as JSON, `reshelve.snapshot-taken/1`.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    schema: &'static str,
    /// Where it is.
    pub dest: String,
    /// What is in it.
    pub manifest: Manifest,
    /// The bytes of its objects.
    pub bytes_stored: u64,
}

/// Takes a snapshot of the legacy collection.
///
/// # Errors
/// If the source cannot be read to its end, or the snapshot cannot be written, or is not as it was
/// written when it is read again. Refused if something is where it should go. In all these cases
/// nothing is left but folders that were made for it.
pub fn snapshot(request: &Request, handle: &Handle) -> Result<Outcome, Failure> {
    handle.check_may_write("`snapshot`")?;
    let dest = Dest::of(&request.dest, request.form, request.is_plain)?;
    overlap::refuse_copy(&request.source.name, &dest.out)?;
    refuse_existing(&dest)?;
    overlap::refuse_snapshot(folder_of(&dest.out))?;
    let origin = places::origin(&request.source, handle)?;
    let mut opened = origin.open()?;
    refuse_oplog(request, &opened.description)?;
    let about = origin.about(&opened.description)?;
    if let Some(spoiled) = &about.spoiled_metadata {
        handle.watcher().note(&format!("note: {}", plain(spoiled)));
    }
    let (db, collection) = names(request, &opened.description, &about)?;
    handle.watcher().ready();
    let unfinished = Unfinished::begin(&dest, &request.source.name)?;
    let folder = unfinished.folder();
    let archive = dest.archive();
    let wanted = Wanted {
        folder: &folder,
        form: dest.form,
        compression: dest.compression,
        archive: &archive,
        db: &db,
        collection: &collection,
        about: &about,
        tool: TOOL,
    };
    let reading = snapshot::Reading { threads: threads(request.threads), stop: handle.stop() };
    let total = opened.source.bytes_total();
    let mut tell = told(handle, total);
    let source = opened.source.as_mut();
    let taken = snapshot::take(&Disk, source, &wanted, reading, &mut tell).map_err(failure)?;
    let manifest = Manifest {
        schema: SCHEMA.to_owned(),
        created_at: now_iso(),
        tool: TOOL.to_owned(),
        form: dest.form,
        compression: dest.compression,
        content: taken.content,
        objects: taken.objects,
        notes: about.spoiled_metadata.clone().into_iter().chain(taken.notes).collect(),
        source: taken_from(&opened.description, about),
        read_back: request.read_back,
        db,
        collection,
    };
    if request.read_back {
        read_back(&unfinished, &manifest, reading, handle)?;
    }
    unfinished.expect_ours()?;
    write_checked_state(&Disk, &folder.join(MANIFEST), &manifest)?;
    unfinished.name(&dest)?;
    sweep(&dest, &request.source.name, &mut |note| handle.watcher().note(note));
    Ok(Outcome {
        schema: "reshelve.snapshot-taken/1",
        dest: dest.out.display().to_string(),
        bytes_stored: stored(&manifest),
        manifest,
    })
}

/// Reads all of it again, and compares.
fn read_back(
    unfinished: &Unfinished,
    manifest: &Manifest,
    reading: snapshot::Reading<'_>,
    handle: &Handle,
) -> Result<(), Failure> {
    handle.watcher().step("reading it back");
    let mut tell = told(handle, manifest.objects.first().map(|object| object.bytes));
    let found = snapshot::check(&Disk, &unfinished.folder(), (manifest, true), reading, &mut tell);
    let found = found.map_err(failure)?;
    if found.is_empty() {
        return Ok(());
    }
    let message = format!("the snapshot is not as it was written: {}", found.join("; "));
    Err(Failure::failed(message).hinting(hints::snapshot::LOOK_AT_THE_DISK))
}

/// The bytes of all objects.
fn stored(manifest: &Manifest) -> u64 {
    manifest.objects.iter().map(|object| object.bytes).sum()
}

fn told(handle: &Handle, file_bytes_total: Option<u64>) -> impl FnMut(Heard<'_>) + '_ {
    move |heard| match heard {
        Heard::Read { documents, bytes: file_bytes } => {
            handle.watcher().reading(Reading { documents, file_bytes, file_bytes_total });
        }
        Heard::Note(note) => handle.watcher().note(&format!("note: {}", plain(note))),
    }
}

/// Documents that an oplog would change are no state of the data.
fn refuse_oplog(request: &Request, description: &SourceDescription) -> Result<(), Failure> {
    let refusal = match description.oplog {
        _ if request.ignore_oplog => return Ok(()),
        Oplog::Absent | Oplog::Entries(0) => return Ok(()),
        Oplog::Entries(count) => Refusal::Oplog { count },
        Oplog::Unknown => Refusal::OplogUnknown,
    };
    Err(RunError::Refused(refusal).into())
}

/// The database and the collection that the snapshot names. A file is read whatever it is called, so
/// what it says of its collection counts before what was asked for. The database becomes a folder:
/// its name must be one that a server takes.
fn names(
    request: &Request,
    description: &SourceDescription,
    about: &About,
) -> Result<(String, String), Failure> {
    let found = description.namespace.clone().or_else(|| about.namespace.clone());
    let (db, collection) = found.unzip();
    let asked = &request.source;
    let db = asked.db.clone().or(db).unwrap_or_else(|| TARGET_DB_DEFAULT.to_owned());
    let usual = || COLLECTION_DEFAULT.to_owned();
    let collection = collection.or_else(|| asked.collection.clone()).unwrap_or_else(usual);
    if db.is_empty() || db.len() > DATABASE_BYTES_MAX || db.contains(FORBIDDEN_IN_DATABASE) {
        let message = format!("{} is not a name that a database can have", plain(&db));
        return Err(Failure::usage(message, hints::snapshot::NAME_THE_DATABASE));
    }
    Ok((db, collection))
}

fn taken_from(description: &SourceDescription, about: About) -> TakenFrom {
    let path = &description.path;
    let is_file = !matches!(description.form, SourceForm::LiveCollection { .. });
    let is_file = is_file && path.as_os_str() != reshelve::dump::STANDARD_INPUT;
    let place = if is_file { reshelve::store::absolute(path) } else { path.clone() };
    TakenFrom {
        place: place.display().to_string(),
        form: description.form_words(),
        has_metadata: about.metadata.is_some(),
        server_version: about.server_version,
        tool_version: about.tool_version,
        cluster_time: about.cluster_time,
    }
}

fn interrupted(what: &str) -> Failure {
    let failure = Failure::failed(format!("interrupted: {what}"));
    Failure { code: ExitCode::Interrupted, ..failure }
}

/// Why there is no snapshot, in words.
fn failure(error: SnapshotError) -> Failure {
    match error {
        SnapshotError::Source(damage) => {
            let hint = hints::of_damage(damage.kind);
            let hint = hint.unwrap_or_else(|| hints::snapshot::ALL_OR_NOTHING.to_owned());
            Failure::failed(damage.to_string()).hinting(hint)
        }
        SnapshotError::Interrupted => {
            let hint = hints::snapshot::TAKE_AGAIN;
            interrupted("no snapshot was taken").hinting(hint)
        }
        SnapshotError::Malformed { .. } => {
            Failure::failed(error.to_string()).hinting(hints::snapshot::REPAIR_THE_EXPORT)
        }
        _ => Failure::failed(error.to_string()),
    }
}
