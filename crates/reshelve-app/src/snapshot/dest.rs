//! Where a snapshot goes: what a DEST means, and which names belong to it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use reshelve::ends::Compression;
use reshelve::snapshot::{Form, MANIFEST, SNAPSHOT_ARCHIVE};
use reshelve::store::folder_of;

use crate::failure::Failure;
use crate::hints;

/// How the name of the lock of a place ends.
pub(super) const LOCK: &str = ".snapshot.lock";
/// How the name of the folder ends in which a snapshot is written.
pub(super) const UNFINISHED: &str = ".snapshot.tmp";
/// How hidden names end that belong to a place.
const HIDDEN: [&str; 2] = [LOCK, UNFINISHED];

/// How files of other forms are called.
const OTHER_FORMS: [&str; 10] =
    ["bson", "csv", "gz", "json", "jsonl", "ndjson", "tar", "tgz", "zip", "zst"];

/// A DEST.
#[derive(Clone, Debug)]
pub(super) struct Dest {
    pub(super) out: PathBuf,
    pub(super) form: Form,
    pub(super) compression: Compression,
    /// Whether it is a file: then the manifest lies beside it.
    pub(super) is_file: bool,
}

impl Dest {
    /// What a DEST and the flags mean together.
    pub(super) fn of(out: &Path, form: Option<Form>, is_plain: bool) -> Result<Dest, Failure> {
        crate::places::refuse_live(out)?;
        let is_free = |name: &OsStr| {
            let name = name.to_string_lossy();
            name != "-" && !(name.starts_with('.') && HIDDEN.iter().any(|it| name.ends_with(it)))
        };
        let name = out.file_name().filter(|name| is_free(name));
        let Some(name) = name else {
            let message = format!("a snapshot cannot be called {}", out.display());
            return Err(Failure::usage(message, hints::snapshot::FORM_AND_NAME));
        };
        // A slash at the end says nothing more.
        let out = folder_of(out).join(name);
        let named = archive_compression(&out);
        let is_other = match named {
            Some(named) => form == Some(Form::Folder) || is_plain && named != Compression::None,
            None => {
                out.extension().is_some_and(|ending| OTHER_FORMS.iter().any(|it| *it == ending))
            }
        };
        if is_other {
            let message = format!("{} has the name of another form", out.display());
            return Err(Failure::usage(message, hints::snapshot::FORM_AND_NAME));
        }
        let usual = if is_plain { Compression::None } else { Compression::Gzip };
        Ok(Dest {
            out,
            form: form.unwrap_or(if named.is_some() { Form::Archive } else { Form::Folder }),
            compression: named.unwrap_or(usual),
            is_file: named.is_some(),
        })
    }

    /// The name of the archive's file.
    pub(super) fn archive(&self) -> String {
        match self.out.file_name().filter(|_| self.is_file) {
            Some(name) => name.to_string_lossy().into_owned(),
            None => format!("{SNAPSHOT_ARCHIVE}{}", self.compression.suffix()),
        }
    }
}

/// How an archive of that name is compressed; none if it is no name of an archive.
fn archive_compression(path: &Path) -> Option<Compression> {
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    let is = |it: &Compression| {
        name.strip_suffix(it.suffix()).is_some_and(|stem| stem.ends_with(".archive"))
    };
    Compression::ALL.into_iter().find(is)
}

/// The manifest of an archive that is a file.
pub(super) fn manifest_of(archive: &Path) -> PathBuf {
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    folder_of(archive).join(format!("{name}.{MANIFEST}"))
}

/// The archive that a manifest beside it belongs to.
pub(super) fn archive_of(manifest: &Path) -> Option<PathBuf> {
    let name = manifest.file_name()?.to_str()?.strip_suffix(MANIFEST)?.strip_suffix('.')?;
    Some(folder_of(manifest).join(name))
}
