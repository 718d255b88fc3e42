//! Names and small files of a target folder.

use std::path::{Path, PathBuf};

use super::lock::{Holder, Lock};
use crate::ends::{Compression, EndError, TargetFolder};
use crate::store::{At, Disk, DiskError, Files};
use crate::target_schema::{Collection, indexes_of, metadata_json};

/// A file of a target collection that is there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The collection.
    pub collection: Collection,
    /// The file.
    pub path: PathBuf,
    /// How it is compressed.
    pub compression: Compression,
    /// Its size on disk.
    pub bytes: u64,
}

impl TargetFolder {
    /// Finds the target in a folder: the database `db` inside it, else the only one inside it that
    /// holds target collections, else the folder itself where it is a database folder. Of the two
    /// last, one with empty files counts only where the other is none.
    ///
    /// # Errors
    /// Where the folder cannot be read, holds a collection in two forms, or is a target and has one
    /// inside it. Without a target in it the answer is none.
    pub fn find(root: &Path, db: Option<&str>) -> Result<Option<TargetFolder>, EndError> {
        let found = Self::find_any(root, db)?;
        if let Some(found) = &found {
            found.expect_one_form()?;
        }
        Ok(found)
    }

    fn find_any(root: &Path, db: Option<&str>) -> Result<Option<TargetFolder>, EndError> {
        if let Some(db) = db {
            return Ok(Self::in_database(root, db));
        }
        let mut found = Vec::new();
        for name in Disk.list(root)? {
            found.extend(name.to_str().and_then(|db| Self::in_database(root, db)));
        }
        let inside = if found.len() == 1 { found.pop() } else { None };
        let name = root.file_name().and_then(|name| name.to_str());
        let itself = name.zip(root.parent()).and_then(|(db, above)| Self::in_database(above, db));
        let (Some(inside), Some(itself)) = (&inside, &itself) else { return Ok(inside.or(itself)) };
        let holds = |folder: &TargetFolder| {
            Ok::<_, DiskError>(folder.held()?.iter().any(|held| held.bytes > 0))
        };
        match (holds(inside)?, holds(itself)?) {
            (true, true) => {
                let (outer, inner) = (itself.database(), inside.database());
                let (outer, inner) = (outer.display(), inner.display());
                let message = format!("{outer} holds target collections, and so does {inner}");
                let hint = "move one of them to another folder, or name one with --target-db";
                Err(EndError::refused(message, hint))
            }
            (false, true) => Ok(Some(itself.clone())),
            _ => Ok(Some(inside.clone())),
        }
    }

    fn in_database(root: &Path, db: &str) -> Option<TargetFolder> {
        let forms = Compression::ALL.map(|compression| TargetFolder {
            root: root.to_owned(),
            db: db.to_owned(),
            compression,
        });
        let bytes = |folder: &TargetFolder| {
            let found = folder.file(Collection::Jobs).metadata().ok();
            found.filter(|found| found.is_file()).map(|found| found.len())
        };
        // Beside empty files that a rollback has left, those count that a later run wrote in another
        // form.
        let held = forms.iter().find(|folder| bytes(folder).is_some_and(|bytes| bytes > 0));
        held.or_else(|| forms.iter().find(|folder| bytes(folder).is_some())).cloned()
    }

    /// Refuses a folder in which a collection has a plain and a compressed file: nothing tells
    /// which of the two is the one that is meant.
    pub(super) fn expect_one_form(&self) -> Result<(), EndError> {
        let held = self.held()?;
        let mut held = held.iter().filter(|held| held.bytes > 0);
        let Some(first) = held.next() else { return Ok(()) };
        let Some(other) = held.find(|held| held.compression != first.compression) else {
            return Ok(());
        };
        let message = format!(
            "the target holds two forms of its collections: {} and {}",
            first.path.display(),
            other.path.display()
        );
        let hint = "find out which of them a run wrote, and move the others to another folder";
        Err(EndError::refused(message, hint))
    }

    /// The database folder.
    pub fn database(&self) -> PathBuf {
        self.root.join(&self.db)
    }

    /// The file of a collection.
    pub fn file(&self, collection: Collection) -> PathBuf {
        let name = format!("{collection}.bson{}", self.compression.suffix());
        self.database().join(name)
    }

    /// The file with the indexes of a collection.
    pub(super) fn metadata_file(&self, collection: Collection) -> PathBuf {
        let name = format!("{collection}.metadata.json{}", self.compression.suffix());
        self.database().join(name)
    }

    /// The lock file. It is in the database folder itself, so that runs that reach this folder by
    /// different paths, through links, meet the same lock.
    pub(crate) fn lock_file(&self) -> PathBuf {
        self.database().join(".reshelve.lock")
    }

    /// Who holds the target, or left it without being done.
    ///
    /// # Errors
    /// Where the lock file cannot be read.
    pub fn left_by(&self) -> Result<Option<Holder>, DiskError> {
        let found = Lock::look(&Disk, &self.lock_file())?;
        Ok(found.and_then(|(holder, _)| holder).filter(|holder| !holder.is_done(&Disk)))
    }

    /// Which target collections have a file already, in any compression.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn held(&self) -> Result<Vec<Held>, DiskError> {
        self.held_on(&Disk)
    }

    pub(super) fn held_on(&self, files: &dyn Files) -> Result<Vec<Held>, DiskError> {
        Self::held_in(files, &self.database())
    }

    /// The files of target collections that lie in a folder.
    pub(super) fn held_in(files: &dyn Files, folder: &Path) -> Result<Vec<Held>, DiskError> {
        let mut held = Vec::new();
        for collection in Collection::ALL {
            for compression in Compression::ALL {
                let name = format!("{collection}.bson{}", compression.suffix());
                let path = folder.join(name);
                if let Some(found) = files.look(&path)? {
                    held.push(Held { collection, path, compression, bytes: found.length });
                }
            }
        }
        Ok(held)
    }

    /// Makes the folders and the metadata files that are not there yet. Gives the collections whose
    /// files were made.
    pub(crate) fn prepare(&self, files: &dyn Files) -> Result<Vec<Collection>, DiskError> {
        files.create_folders(&self.database())?;
        let mut made = Vec::new();
        for collection in Collection::ALL {
            let path = self.metadata_file(collection);
            let text = metadata_json(collection.name(), indexes_of(collection));
            let bytes = self.compression.member(text.as_bytes()).at("compressing", &path)?;
            if is_missing(files, &path, &bytes)? {
                files.replace(&path, &bytes)?;
                made.push(collection);
            }
        }
        files.sync_folder(&self.root)?;
        Ok(made)
    }
}

/// Whether a metadata file is not there, or is no more than the beginning of what belongs there, as
/// a disk leaves it that lost what it had called durable: nothing is lost where it is made again.
fn is_missing(files: &dyn Files, path: &Path, bytes: &[u8]) -> Result<bool, DiskError> {
    match files.look(path)? {
        None => Ok(true),
        Some(found) if usize::try_from(found.length).is_ok_and(|length| length < bytes.len()) => {
            Ok(bytes.starts_with(&files.read(path, found.length)?))
        }
        Some(_) => Ok(false),
    }
}

/// The space that is free to this user where `path` is, or will be, in bytes.
///
/// # Errors
/// Where the file system does not tell.
pub fn free_bytes(path: &Path) -> Result<u64, DiskError> {
    Disk.free_bytes(path)
}
