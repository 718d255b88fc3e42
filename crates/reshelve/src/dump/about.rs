//! What lies beside a file of documents in a dump: the metadata of its collection, and versions.

use std::path::{Path, PathBuf};

use super::dump_folder::{metadata_files, namespace_of, preludes, read_small};
use super::metadata::{Metadata, string};
use super::prelude::{Entry, Prelude};
use crate::ends::About;
use crate::store::folder_of;
use reshelve_core::extjson;
use reshelve_core::raw::Document;

/// What `mongodump` writes where it does not know a version.
pub(crate) const UNKNOWN_VERSION: &str = "unknown";

/// What the neighbours of a file tell: those of a dump, which has metadata beside the documents. A
/// `prelude.json` beside anything else may be that of another dump.
pub(super) fn of_file(file: &Path) -> About {
    let is_there = |path: &&PathBuf| path.symlink_metadata().is_ok();
    let files = metadata_files(file);
    let Some(metadata) = files.iter().find(is_there) else { return About::default() };
    let mut about = About::default();
    let text = text(metadata);
    match text.as_deref().map(|text| Metadata::parse(text.as_bytes())) {
        Some(parsed) if parsed.readable => {
            let namespace = namespace_of(file);
            let collection = |named: String| parsed.collection_name.unwrap_or(named);
            about.namespace = namespace.map(|it| (it.db, collection(it.collection)));
            about.metadata = text;
        }
        _ => about.spoiled_metadata = Some(spoiled(&metadata.display().to_string())),
    }
    let folder = folder_of(file);
    (about.server_version, about.tool_version) = versions(&preludes(folder))
        .or_else(|| versions(&preludes(folder_of(folder))))
        .unwrap_or_default();
    about
}

/// What the prelude of an archive tells of one of its collections.
pub(super) fn of_archive(prelude: &Prelude, (db, collection): (&str, &str)) -> About {
    let is_it = |it: &&Entry| it.namespace.db == db && it.namespace.collection == collection;
    let entry = prelude.collections.iter().find(is_it);
    let text = entry.and_then(|it| it.metadata.clone()).filter(|text| !text.is_empty());
    let is_readable = |text: &String| Metadata::parse(text.as_bytes()).readable;
    let name = format!("the metadata of {db}.{collection} in the archive");
    About {
        namespace: None,
        spoiled_metadata: text.as_ref().filter(|it| !is_readable(it)).map(|_| spoiled(&name)),
        metadata: text.filter(is_readable),
        server_version: known(prelude.server_version.clone()),
        tool_version: known(prelude.tool_version.clone()),
        cluster_time: None,
    }
}

fn spoiled(name: &str) -> String {
    format!("{name} cannot be read: options and indexes of the collection are not known")
}

fn known(version: Option<String>) -> Option<String> {
    version.filter(|version| !version.is_empty() && version != UNKNOWN_VERSION)
}

/// The versions of server and tool that a `prelude.json` names; that of the last one that can be
/// read.
pub(super) fn versions(preludes: &[PathBuf]) -> Option<(Option<String>, Option<String>)> {
    let read = |prelude: &PathBuf| {
        let mut bytes = Vec::new();
        extjson::parse(text(prelude)?.trim_ascii().as_bytes(), &mut bytes).ok()?;
        let document = Document::new(&bytes);
        let [server, tool] = ["ServerVersion", "ToolVersion"].map(|name| string(document, name));
        Some((known(server), known(tool)))
    };
    preludes.iter().rev().find_map(read)
}

fn text(file: &Path) -> Option<String> {
    String::from_utf8(read_small(file).ok().flatten()?).ok()
}
