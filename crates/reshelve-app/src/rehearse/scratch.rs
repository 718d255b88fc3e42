//! Where a rehearsal is held: a folder, or a database with a folder for what belongs to no database.
//!
//! Everything in it is a copy. Still, only what the rehearsal made is removed: by name, and only if
//! nothing else is there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use reshelve::ends::{Compression, TargetFolder, TargetReader};
use reshelve::store::{Disk, Files, absolute};
use reshelve::target_schema::Collection;
use reshelve_mongo::{ScratchDatabase, indexes_up};

use super::Request;
use super::record::{ScratchRecord, folder_of};
use crate::failure::Failure;
use crate::handle::Handle;
use crate::hints;
use crate::outside;
use crate::overlap;
use crate::passwords::Side;
use crate::places::{self, TARGET_DB_DEFAULT, TargetPlace};

/// How the name of a scratch database begins.
const DATABASE: &str = "reshelve_rehearsal_";
/// The parts of a scratch folder.
const TARGET: &str = "target";
const RUNS: &str = "runs";
/// The scratch folder in the folder of the record, unless another one is named.
const SCRATCH: &str = "scratch";

/// Where a rehearsal is held.
pub(super) struct Scratch {
    /// The folder: with the runs, and the target unless that is a database.
    root: PathBuf,
    /// Whether the folder was not there before.
    is_new: bool,
    /// Whether it is in the folder of the record: nobody else knows of it.
    is_own: bool,
    compression: Compression,
    database: Option<Database>,
}

struct Database {
    /// The connection string as it was given.
    uri: PathBuf,
    db: String,
    scratch: ScratchDatabase,
}

impl Scratch {
    /// Looks at what was named, and refuses what is not empty or not apart from the source. Nothing
    /// is written.
    pub(super) fn look(request: &Request, id: &str, handle: &Handle) -> Result<Scratch, Failure> {
        let own = folder_of(&request.runs_folder, id).join(SCRATCH);
        let named = request.scratch.as_deref();
        let database = match named.map(places::connection_string).transpose()?.flatten() {
            Some(uri) => Some(Database::look(uri, id, handle)?),
            None => None,
        };
        let root = match named.filter(|_| database.is_none()) {
            Some(named) => named.to_owned(),
            None => own,
        };
        outside::check("--runs-dir", &request.runs_folder)?;
        let is_own = named.is_none() || database.is_some();
        if !is_own {
            refuse_beside_runs(&root, &request.runs_folder)?;
        }
        let is_new = !Disk.exists(&root)?;
        if !is_new {
            if !Disk.is_folder(&root)? {
                let message = format!("the scratch {} is not a folder", root.display());
                return Err(Failure::refused(message, hints::SCRATCH_IS_USED));
            }
            if let Some(name) = Disk.list(&root)?.first() {
                let (root, name) = (root.display(), name.display());
                let message = format!("the scratch {root} is not empty: it holds {name}");
                return Err(Failure::refused(message, hints::SCRATCH_IS_USED));
            }
        }
        if request.source.uri()?.is_none() {
            overlap::refuse_scratch(&request.source.name, &root)?;
        }
        Ok(Scratch { root, is_new, is_own, compression: request.compression, database })
    }

    /// Makes the folder; in a database, collections and indexes.
    pub(super) fn make(&self, handle: &Handle) -> Result<String, Failure> {
        Disk.create_folders(&self.root)?;
        let Some(database) = &self.database else { return Ok("a folder".to_owned()) };
        let uri = database.uri.to_str().unwrap_or_default();
        let connection = places::written_target(uri, Some(&database.db), handle)?;
        database.refuse_used()?;
        let made = indexes_up(&connection)?;
        Ok(format!("{} collections and indexes created in {}", made.len(), database.db))
    }

    /// The target of the rehearsal.
    pub(super) fn target(&self) -> TargetPlace {
        match &self.database {
            Some(database) => {
                TargetPlace { name: database.uri.clone(), db: Some(database.db.clone()) }
            }
            None => TargetPlace::new(self.root.join(TARGET)),
        }
    }

    /// The connection string, for commands that have to be given it again.
    pub(super) fn again(&self) -> Option<PathBuf> {
        self.database.as_ref().map(|database| database.uri.clone())
    }

    /// The folder of its run folders.
    pub(super) fn runs(&self) -> PathBuf {
        self.root.join(RUNS)
    }

    /// The folder, for files without a name.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn is_database(&self) -> bool {
        self.database.is_some()
    }

    /// What the record says of it.
    pub(super) fn record(&self) -> ScratchRecord {
        let (form, place) = match &self.database {
            Some(database) => ("database", database.scratch.name()),
            None => ("folder", absolute(&self.root).display().to_string()),
        };
        ScratchRecord {
            form: form.to_owned(),
            place,
            kept: true,
            remove: Some(self.how_to_remove()),
        }
    }

    /// Only what nobody else can have put something into is named in a command.
    fn how_to_remove(&self) -> String {
        let root = absolute(&self.root);
        let of_folder = match self.is_own {
            true => hints::remove_scratch_folder(&root),
            false => hints::LOOK_AT_SCRATCH.to_owned(),
        };
        match &self.database {
            Some(database) => {
                let of_database = hints::remove_scratch_database(&database.db);
                format!("{of_database}; its run folders: {of_folder}")
            }
            None => of_folder,
        }
    }

    fn folder(&self) -> TargetFolder {
        let (root, db) = (self.root.join(TARGET), TARGET_DB_DEFAULT.to_owned());
        TargetFolder { root, db, compression: self.compression }
    }

    /// What is there that a target would not hold which was empty before, each in a sentence; found
    /// by reading it.
    pub(super) fn left_over(&self, target: &dyn TargetReader) -> Result<Vec<String>, Failure> {
        let mut left = Vec::new();
        for collection in Collection::ALL {
            if !target.has(collection)? {
                continue;
            }
            if target.documents(collection)?.next_document()?.is_some() {
                left.push(format!("{collection} holds documents"));
            }
        }
        match &self.database {
            Some(database) => left.extend(database.scratch.left_over()?),
            None => left.extend(self.strangers()?),
        }
        Ok(left)
    }

    /// What is in the target folder and was not made by a run, each in a sentence.
    fn strangers(&self) -> Result<Vec<String>, Failure> {
        let folder = self.folder();
        let mut strangers = Vec::new();
        let mut look = |path: &Path, own: &[String]| -> Result<(), Failure> {
            if Disk.is_folder(path)? {
                let names =
                    Disk.list(path)?.into_iter().map(|it| it.to_string_lossy().into_owned());
                let others = names.filter(|name| !own.contains(name));
                strangers.extend(others.map(|name| format!("{} holds {name}", path.display())));
            }
            Ok(())
        };
        look(&folder.root, std::slice::from_ref(&folder.db))?;
        look(&folder.database(), &own_files(&folder))?;
        Ok(strangers)
    }

    /// Removes what the rehearsal made; `documents` are in the target, `runs` are the ids of its
    /// runs. Returns why it is kept, if something else is there: then nothing is removed.
    pub(super) fn remove(
        &self,
        documents: &BTreeMap<&str, u64>,
        runs: &[String],
    ) -> Result<Option<String>, Failure> {
        if let Some(why) = self.strangers()?.into_iter().chain(self.other_runs(runs)?).next() {
            return Ok(Some(why));
        }
        if let Some(database) = &self.database
            && let Some(why) = database.scratch.drop_if_only(documents)?
        {
            return Ok(Some(why));
        }
        let folder = self.folder();
        for name in own_files(&folder) {
            let path = folder.database().join(name);
            if Disk.exists(&path)? {
                Disk.remove_file(&path)?;
            }
        }
        for run in runs {
            let path = self.runs().join(run);
            if Disk.exists(&path)? {
                Disk.remove_folder(&path)?;
            }
        }
        self.remove_folders()
    }

    /// Removes the folders that the rehearsal made and that hold nothing. Returns why one stays.
    pub(super) fn remove_folders(&self) -> Result<Option<String>, Failure> {
        let folder = self.folder();
        let root = self.is_new.then(|| self.root.clone());
        let folders = [folder.database(), folder.root, self.runs()].into_iter().chain(root);
        for path in folders {
            if !Disk.exists(&path)? {
                continue;
            }
            if let Some(name) = Disk.list(&path)?.first() {
                return Ok(Some(format!("{} holds {}", path.display(), name.display())));
            }
            Disk.remove_empty_folder(&path)?;
        }
        Ok(None)
    }

    /// What is in the folder beside the target and these runs, each in a sentence.
    fn other_runs(&self, runs: &[String]) -> Result<Vec<String>, Failure> {
        let mut others = Vec::new();
        let own = [TARGET.to_owned(), RUNS.to_owned()];
        for (path, own) in [(self.root.clone(), own.as_slice()), (self.runs(), runs)] {
            if !Disk.is_folder(&path)? {
                continue;
            }
            for name in Disk.list(&path)? {
                let name = name.to_string_lossy().into_owned();
                if !own.contains(&name) {
                    others.push(format!("{} holds {name}", path.display()));
                }
            }
        }
        Ok(others)
    }
}

/// Refuses a scratch that holds the run folders, or lies among them: its runs would be taken for those
/// of real targets, and what is real for a part of it.
fn refuse_beside_runs(root: &Path, runs: &Path) -> Result<(), Failure> {
    let real = |path: &Path| {
        let path = absolute(path);
        path.canonicalize().unwrap_or(path)
    };
    let (root, runs) = (real(root), real(runs));
    if root.starts_with(&runs) || runs.starts_with(&root) {
        let message = format!(
            "the scratch {} overlaps with the run folders {}",
            root.display(),
            runs.display()
        );
        return Err(Failure::refused(message, hints::SCRATCH_ELSEWHERE));
    }
    Ok(())
}

/// The names of the files that a run makes in a target folder.
fn own_files(folder: &TargetFolder) -> Vec<String> {
    let suffix = folder.compression.suffix();
    let of = |collection: Collection| {
        [format!("{collection}.bson{suffix}"), format!("{collection}.metadata.json{suffix}")]
    };
    Collection::ALL.into_iter().flat_map(of).collect()
}

impl Database {
    fn look(uri: &str, id: &str, handle: &Handle) -> Result<Database, Failure> {
        let place = handle.passwords().place(uri, Side::Target)?;
        let db = match place.database() {
            Some(db) if db.len() > DATABASE.len() && db.starts_with(DATABASE) => db.to_owned(),
            Some(db) => {
                let message = format!(
                    "the connection string names the database {db}, which is not one for \
                     rehearsals ({DATABASE}…)"
                );
                return Err(Failure::refused(message, hints::SCRATCH_DATABASE));
            }
            None => format!("{DATABASE}{}", id.replace('-', "_")),
        };
        let connection = places::target_connection(uri, Some(&db), handle)?;
        let scratch = ScratchDatabase::new(connection);
        let database = Database { uri: PathBuf::from(uri), db, scratch };
        database.refuse_used()?;
        Ok(database)
    }

    /// Refuses a database that exists: it is somebody's.
    fn refuse_used(&self) -> Result<(), Failure> {
        match self.scratch.collections()?.first() {
            None => Ok(()),
            Some(name) => {
                let message =
                    format!("the scratch {} is not empty: it holds {name}", self.scratch.name());
                Err(Failure::refused(message, hints::SCRATCH_DATABASE))
            }
        }
    }
}

#[cfg(test)]
#[path = "scratch_tests.rs"]
mod tests;
