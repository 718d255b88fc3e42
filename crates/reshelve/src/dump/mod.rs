//! Readers of every form in which the legacy collection can arrive; the content decides which one
//! is used.
//!
//! [`open`] takes what the command line names and returns a [`Source`]. Bytes come from a `content`
//! (a file after decompression); each form has a file here that frames documents in them.

mod about;
mod archive;
mod archive_body;
mod archive_writer;
mod bson_file;
mod compressed;
mod content;
mod detect;
mod documents;
mod dump_folder;
mod error;
mod feed;
mod foreign;
mod inspect;
mod intake;
mod json_file;
mod json_scan;
mod metadata;
mod oplog;
mod origin;
mod pipe;
mod prelude;
mod snapshot_archive;
mod status_scan;
mod text_form;
mod unchanged;

use std::fs;
use std::io::Read;
use std::path::PathBuf;

use content::{Content, Fault};
use detect::FileForm;
use feed::Feed;
use unchanged::Unchanged;

pub(crate) use about::UNKNOWN_VERSION;
pub(crate) use archive_writer::{
    ArchivedCollection, END_OF_BLOCK, Listed, prelude as archive_prelude,
};
pub(crate) use compressed::detect as compression_of;
pub use documents::Documents;
pub(crate) use documents::each_of_part;
pub(crate) use dump_folder::{PRELUDE, escape};
pub use error::OpenError;
pub use inspect::{CollectionInfo, Inventory, inspect};
pub use snapshot_archive::{MANIFEST, SNAPSHOT_ARCHIVE};
pub use status_scan::for_each_status;

use crate::ends::{
    About, Batch, BatchLimits, Damage, Opened, Oplog, Place, Source, SourceDescription, SourceForm,
    SourceSpec,
};

/// The collection that is read unless another one is named.
pub const COLLECTION_DEFAULT: &str = "jobs";
/// The path that means standard input.
pub const STANDARD_INPUT: &str = "-";

/// Opens a file, a folder or standard input.
///
/// Damage is no reason not to open: the source reports it, after the documents before it.
///
/// # Errors
/// If there is nothing to read, it is none of the forms, or it is not clear which collection is
/// meant.
pub fn open(spec: &SourceSpec) -> Result<Opened, OpenError> {
    let spec = &snapshot_archive::resolved(spec);
    if pipe::is_pipe(&spec.path) {
        return open_pipe(spec);
    }
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound if spec.read_before => {
            OpenError::PipeGone { path: spec.path.clone() }
        }
        _ => OpenError::of(&spec.path, error),
    };
    if fs::metadata(&spec.path).map_err(failed)?.is_dir() {
        return open_folder(spec);
    }
    if let Some(error) = error::target_file(spec) {
        return Err(error);
    }
    let mut content = Content::open(&spec.path).map_err(failed)?;
    if archive::is_named_archive(&spec.path) && content.is_blank() {
        return Err(OpenError::EmptyArchive { path: spec.path.clone() });
    }
    let rewindable = content.bytes_total.is_some();
    let mut opened = open_content(content, spec, rewindable)?;
    if opened.description.form == SourceForm::BsonFile
        && let Some(namespace) = dump_folder::namespace_of(&spec.path)
        && !oplog::files_of_one(&spec.path).is_empty()
    {
        // It is part of a dump that is one state of the data only with its oplog.
        opened.description.oplog = Oplog::Unknown;
        opened.description.namespace = Some((namespace.db, namespace.collection));
    }
    if rewindable {
        opened.source =
            Unchanged::watch(opened.source, &spec.path).map_err(|error| failed(error.source))?;
    }
    Ok(opened)
}

/// Nothing at all is nearly always a producer that failed.
fn open_pipe(spec: &SourceSpec) -> Result<Opened, OpenError> {
    let failed = |error| OpenError::of(&spec.path, error);
    let name = pipe::name(&spec.path);
    let reader = pipe::open(&spec.path, spec.stop.as_ref()).map_err(failed)?;
    let mut content = Content::new(reader, name.clone(), None).map_err(failed)?;
    if !spec.allow_empty && content.is_blank() {
        return Err(OpenError::Empty { name });
    }
    open_content(content, spec, false)
}

fn open_folder(spec: &SourceSpec) -> Result<Opened, OpenError> {
    let dump_folder::Picked { file, namespace, notes } = dump_folder::pick(spec)?;
    let mut content = Content::open(&file).map_err(|error| OpenError::of(&file, error))?;
    if let Some(foreign) = detect::foreign_in_folder(&mut content) {
        return Err(OpenError::wrong_form(&content, foreign));
    }
    let rewindable = content.bytes_total.is_some();
    let form = SourceForm::DumpFolder;
    let has_oplog = !oplog::files(&spec.path, &file).is_empty();
    let namespace = Some((namespace.db, namespace.collection));
    let mut description = describe(&content, form, file.clone(), namespace, rewindable);
    description.notes = notes;
    description.oplog = if has_oplog { Oplog::Unknown } else { Oplog::Absent };
    // In a folder the name decides the form: a bad length is damage, unless the content is
    // something else for certain.
    let mut source: Box<dyn Source> = Box::new(bson_file::BsonFile::new(content));
    if rewindable {
        source =
            Unchanged::watch(source, &file).map_err(|error| OpenError::of(&file, error.source))?;
    }
    Ok(Opened { source, description, first: 0 })
}

/// Opens any stream that holds one of the file forms; `name` is its name in messages.
///
/// # Errors
/// If it is none of the forms, or it is not clear which collection of an archive is meant.
pub fn open_stream(
    reader: Box<dyn Read + Send>,
    name: &str,
    spec: &SourceSpec,
) -> Result<Opened, OpenError> {
    let content = Content::new(reader, name.to_owned(), None)
        .map_err(|error| OpenError::of(&spec.path, error))?;
    open_content(content, spec, false)
}

fn open_content(
    mut content: Content,
    spec: &SourceSpec,
    rewindable: bool,
) -> Result<Opened, OpenError> {
    let form = match detect::detect(&mut content) {
        Ok(form) => form,
        // What was read until then shows nothing: whoever reads on is told why.
        Err(_) if spec.is_stopped() => FileForm::Bson,
        Err(foreign) => return Err(OpenError::wrong_form(&content, foreign)),
    };
    let mut description = describe(&content, form.into(), spec.path.clone(), None, rewindable);
    let source: Box<dyn Source> = match form {
        FileForm::Bson => Box::new(bson_file::BsonFile::new(content)),
        FileForm::Json => Box::new(json_file::JsonFile::new(content)),
        FileForm::Archive => {
            let mut feed = Feed::new(content);
            match prelude::Prelude::read(&mut feed) {
                Ok(prelude) => {
                    let namespace = archive::pick(&prelude, spec)?;
                    if prelude.collections.iter().any(|it| oplog::is_oplog(&it.namespace)) {
                        description.oplog = Oplog::Unknown;
                    }
                    let name = (namespace.db.clone(), namespace.collection.clone());
                    description.about = about::of_archive(&prelude, (&name.0, &name.1));
                    description.namespace = Some(name);
                    Box::new(archive::Archive::new(feed, &prelude, namespace))
                }
                Err(fault) => Box::new(Broken::new(&feed.content, fault, feed.offset())),
            }
        }
    };
    Ok(Opened { source, description, first: 0 })
}

fn describe(
    content: &Content,
    form: SourceForm,
    path: PathBuf,
    namespace: Option<(String, String)>,
    rewindable: bool,
) -> SourceDescription {
    SourceDescription {
        form,
        compression: content.compression,
        path,
        namespace,
        rewindable,
        bytes_total: content.bytes_total,
        oplog: Oplog::Absent,
        notes: Vec::new(),
        about: About::default(),
    }
}

/// A source that is damaged before its first document.
struct Broken {
    damage: Option<Damage>,
    bytes_read: u64,
    bytes_total: Option<u64>,
}

impl Broken {
    fn new(content: &Content, fault: Fault, offset: u64) -> Broken {
        let place = Place { offset, line: 0, column: 0 };
        Broken {
            damage: Some(Damage { earlier_in_doubt: false, ..content.damage(fault, place) }),
            bytes_read: content.bytes_read(),
            bytes_total: content.bytes_total,
        }
    }
}

impl Source for Broken {
    fn fill(&mut self, batch: &mut Batch, _: BatchLimits) -> Result<bool, Damage> {
        batch.clear();
        self.damage.take().map_or(Ok(false), Err)
    }

    fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    fn bytes_total(&self) -> Option<u64> {
        self.bytes_total
    }
}
