//! A file, a folder or standard input as the origin of a run.

use super::prelude::Namespace;
use super::{STANDARD_INPUT, about, for_each_status, open, oplog, pipe};
use crate::ends::{
    About, EndError, Opened, Oplog, Origin, PlannedSource, SourceDescription, SourceForm,
    SourceSpec,
};
use crate::store::{Disk, Files, Found, Kind, absolute};

impl Origin for SourceSpec {
    fn open(&self) -> Result<Opened, EndError> {
        let mut opened = open(self)?;
        let description = &mut opened.description;
        if description.oplog == Oplog::Unknown {
            description.oplog = count_oplog(self, description);
            description.notes.extend(oplog_note(description));
        }
        Ok(opened)
    }

    fn about(&self, description: &SourceDescription) -> Result<About, EndError> {
        Ok(match description.form {
            SourceForm::BsonFile | SourceForm::DumpFolder => about::of_file(&description.path),
            _ => description.about.clone(),
        })
    }

    fn is_rewindable(&self) -> bool {
        !self.read_before && !pipe::is_pipe(&self.path)
    }

    fn for_each_status(&self, give: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), EndError> {
        Ok(for_each_status(self, give)?)
    }

    fn planned(&self, description: &SourceDescription) -> PlannedSource {
        let path = &self.path;
        PlannedSource {
            path: match path.as_os_str() == STANDARD_INPUT {
                true => path.clone(),
                false => absolute(path),
            },
            db: self.db.clone(),
            collection: self.collection.clone(),
            form: description.form_words(),
            bytes: description.bytes_total,
            file: Disk.look(&description.path).ok().flatten().filter(is_file).map(|it| it.identity),
            oplog_entries: match description.oplog {
                Oplog::Entries(entries) => Some(entries),
                Oplog::Absent | Oplog::Unknown => None,
            },
            notes: description.notes.clone(),
            live: None,
        }
    }
}

fn is_file(found: &Found) -> bool {
    found.kind == Kind::File
}

/// Counts the entries of an oplog that change the collection, before the documents are read.
fn count_oplog(spec: &SourceSpec, description: &SourceDescription) -> Oplog {
    let Some((db, collection)) = &description.namespace else { return Oplog::Unknown };
    let wanted = [Namespace { db: db.clone(), collection: collection.clone() }];
    let entries = match description.form {
        _ if !description.rewindable => None,
        SourceForm::DumpFolder => {
            oplog::count_files(&oplog::files(&spec.path, &description.path), &wanted)
        }
        SourceForm::BsonFile => oplog::count_files(&oplog::files_of_one(&spec.path), &wanted),
        _ => oplog::count_archive(&description.path, &wanted),
    };
    entries.map_or(Oplog::Unknown, Oplog::Entries)
}

/// What people should know of an oplog.
fn oplog_note(description: &SourceDescription) -> Option<String> {
    let (db, collection) = description.namespace.as_ref()?;
    let found = match description.oplog {
        Oplog::Absent | Oplog::Entries(0) => return None,
        Oplog::Entries(entries) => oplog::words(entries, &format!("{db}.{collection}")),
        Oplog::Unknown => {
            format!("the dump has an oplog, and its entries of {db}.{collection} cannot be counted")
        }
    };
    Some(format!("{found}; {}", oplog::ADVICE))
}
