//! The forms in which the legacy collection can be written: those of a dump, an archive, an export.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use super::{Plan, Stream, archive, files, text};
use crate::ends::Compression;
use reshelve_core::extjson::Style;

/// Which Extended JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Version 2, canonical or relaxed.
    V2(Style),
    /// Version 1, of exports before 4.2.
    V1,
}

/// The layout of the documents of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One per line.
    Lines,
    /// One array.
    Array,
    /// One after the other, each spread over lines.
    PrettyLines,
    /// One array, each spread over lines.
    PrettyArray,
}

/// A form in which to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputForm {
    /// One file of BSON documents.
    Bson(Compression),
    /// A folder as `mongodump` makes it, with every file compressed or none.
    Folder {
        /// As with `mongodump --gzip`.
        gzip: bool,
    },
    /// One file as `mongodump --archive` makes it.
    Archive {
        /// As with `mongodump --gzip --archive`.
        gzip: bool,
    },
    /// A file as `mongoexport` makes it.
    Export {
        /// The layout of its documents.
        layout: Layout,
        /// Which Extended JSON.
        dialect: Dialect,
        /// How the file is compressed.
        compression: Compression,
    },
}

const CANONICAL: Dialect = Dialect::V2(Style::Canonical);
const RELAXED: Dialect = Dialect::V2(Style::Relaxed);

/// The names by which a form can be asked for.
pub const FORM_NAMES: [(&str, OutputForm); 16] = [
    ("bson", OutputForm::Bson(Compression::None)),
    ("bson.gz", OutputForm::Bson(Compression::Gzip)),
    ("bson.zst", OutputForm::Bson(Compression::Zstd)),
    ("folder", OutputForm::Folder { gzip: false }),
    ("folder-gzip", OutputForm::Folder { gzip: true }),
    ("archive", OutputForm::Archive { gzip: false }),
    ("archive.gz", OutputForm::Archive { gzip: true }),
    ("lines", export(Layout::Lines, CANONICAL)),
    ("array", export(Layout::Array, CANONICAL)),
    ("pretty-lines", export(Layout::PrettyLines, CANONICAL)),
    ("pretty-array", export(Layout::PrettyArray, CANONICAL)),
    ("relaxed-lines", export(Layout::Lines, RELAXED)),
    ("relaxed-array", export(Layout::Array, RELAXED)),
    ("relaxed-pretty-lines", export(Layout::PrettyLines, RELAXED)),
    ("relaxed-pretty-array", export(Layout::PrettyArray, RELAXED)),
    ("v1-lines", export(Layout::Lines, Dialect::V1)),
];

const fn export(layout: Layout, dialect: Dialect) -> OutputForm {
    OutputForm::Export { layout, dialect, compression: Compression::None }
}

impl OutputForm {
    /// The form that the name of a path asks for; a folder if the name says nothing. Exports are
    /// canonical, because relaxed ones lose number types.
    pub fn from_path(path: &Path) -> OutputForm {
        let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase());
        let name = name.unwrap_or_default();
        let (stem, compression) = if let Some(stem) = name.strip_suffix(".gz") {
            (stem, Compression::Gzip)
        } else if let Some(stem) = name.strip_suffix(".zst") {
            (stem, Compression::Zstd)
        } else {
            (name.as_str(), Compression::None)
        };
        match stem.rsplit_once('.').map(|(_, ending)| ending) {
            Some("bson") => OutputForm::Bson(compression),
            Some("archive") if compression != Compression::Zstd => {
                OutputForm::Archive { gzip: compression == Compression::Gzip }
            }
            Some("jsonl" | "ndjson") => {
                OutputForm::Export { layout: Layout::Lines, dialect: CANONICAL, compression }
            }
            Some("json") => {
                OutputForm::Export { layout: Layout::Array, dialect: CANONICAL, compression }
            }
            _ => OutputForm::Folder { gzip: false },
        }
    }
}

impl FromStr for OutputForm {
    type Err = GenerateError;

    fn from_str(name: &str) -> Result<Self, GenerateError> {
        let known = FORM_NAMES.iter().find(|(known, _)| *known == name);
        known.map(|&(_, form)| form).ok_or_else(|| GenerateError::UnknownForm(name.to_owned()))
    }
}

impl fmt::Display for OutputForm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut plain = *self;
        let mut ending = "";
        if let OutputForm::Export { compression, .. } = &mut plain {
            ending = compression.suffix();
            *compression = Compression::None;
        }
        let known = FORM_NAMES.iter().find(|(_, form)| *form == plain);
        write!(formatter, "{}{ending}", known.map_or("export", |(name, _)| name))
    }
}

/// Where to write, and under which names.
#[derive(Clone, Debug)]
pub struct Output {
    /// The file or folder.
    pub path: PathBuf,
    /// In which form.
    pub form: OutputForm,
    /// The database that a folder or an archive names.
    pub database: String,
    /// The collection.
    pub collection: String,
    /// How many documents the other collection `sessions` in a folder or an archive has; with 0
    /// there is no such collection.
    pub sessions: u32,
    /// Whether an existing file is replaced; otherwise it is an error.
    pub overwrite: bool,
}

impl Output {
    /// Writes to that path, in the form that its name asks for.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Output {
            form: OutputForm::from_path(&path),
            path,
            database: "letswriteabook".to_owned(),
            collection: "jobs".to_owned(),
            sessions: 200,
            overwrite: false,
        }
    }
}

/// How much has been written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Documents of the collection.
    pub documents: u64,
    /// Their bytes as BSON, in any form.
    pub bson_bytes: u64,
}

/// Why data could not be generated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// No form has that name.
    #[error("unknown form `{0}`")]
    UnknownForm(String),
    /// The documents could not be read to their end; who gives them knows why.
    #[error("the documents ended early")]
    Ended,
    /// A fault finds no place in the file.
    #[error("{}: {detail}", path.display())]
    NoPlace {
        /// The file.
        path: PathBuf,
        /// What is missing in it.
        detail: &'static str,
    },
}

/// Appends the next document; `false` at the end.
pub type Next<'d> = dyn FnMut(&mut Vec<u8>) -> Result<bool, GenerateError> + 'd;

/// The documents of a collection, in order, and what its identity is made of.
pub struct Documents<'d> {
    /// Gives them.
    pub next: &'d mut Next<'d>,
    /// What the id of the collection in a dump is drawn with.
    pub seed: u64,
}

/// Writes all documents of the plan. `progress` is called now and then, and at the end.
///
/// # Errors
/// What the operating system refuses; also an existing file, unless it may be replaced.
pub fn write(
    plan: &Plan,
    output: &Output,
    progress: &mut dyn FnMut(Written),
) -> Result<Written, GenerateError> {
    let mut stream = Stream::new(*plan);
    let mut next = |out: &mut Vec<u8>| Ok(stream.append_next(out));
    write_documents(Documents { next: &mut next, seed: plan.seed }, output, progress)
}

/// The same for any documents.
///
/// # Errors
/// Those of [`write()`], and those of the documents.
pub fn write_documents(
    documents: Documents<'_>,
    output: &Output,
    progress: &mut dyn FnMut(Written),
) -> Result<Written, GenerateError> {
    match output.form {
        OutputForm::Bson(compression) => {
            files::write_bson(documents, output, compression, progress)
        }
        OutputForm::Folder { gzip } => files::write_folder(documents, output, gzip, progress),
        OutputForm::Archive { gzip } => archive::write(documents, output, gzip, progress),
        OutputForm::Export { layout, dialect, compression } => {
            text::write(documents, output, text::Form { layout, dialect, compression }, progress)
        }
    }
}
