//! What stands beside a file of documents in a dump: the metadata of its collection, and versions.

use std::path::{Path, PathBuf};

use super::dump_folder::{metadata_files, namespace_of, preludes, read_small};
use super::metadata::{Metadata, string};
use super::prelude::Prelude;
use crate::ends::About;
use crate::store::folder_of;
use reshelve_core::extjson;
use reshelve_core::raw::Document;

/// What the neighbours of a file tell.
pub(super) fn of_file(file: &Path) -> About {
    let metadata = metadata_files(file).iter().find_map(|path| text(path)).filter(|text| {
        // What is damaged tells nothing.
        Metadata::parse(text.as_bytes()).readable
    });
    let folder = folder_of(file);
    let (server_version, tool_version) = versions(&preludes(folder))
        .or_else(|| versions(&preludes(folder_of(folder))))
        .unwrap_or_default();
    let namespace = metadata.as_ref().and_then(|_| namespace_of(file));
    About {
        namespace: namespace.map(|it| (it.db, it.collection)),
        metadata,
        server_version,
        tool_version,
        cluster_time: None,
    }
}

/// What the prelude of an archive tells of one of its collections.
pub(super) fn of_archive(prelude: &Prelude, (db, collection): (&str, &str)) -> About {
    let is_it = |it: &&super::prelude::Entry| {
        it.namespace.db == db && it.namespace.collection == collection
    };
    let metadata = prelude.collections.iter().find(is_it).and_then(|it| it.metadata.clone());
    About {
        metadata: metadata.filter(|text| Metadata::parse(text.as_bytes()).readable),
        server_version: prelude.server_version.clone(),
        tool_version: prelude.tool_version.clone(),
        ..About::default()
    }
}

/// The versions of server and tool that a `prelude.json` names; that of the last one that can be
/// read.
pub(super) fn versions(preludes: &[PathBuf]) -> Option<(Option<String>, Option<String>)> {
    let read = |prelude: &PathBuf| {
        let mut bytes = Vec::new();
        extjson::parse(text(prelude)?.trim_ascii().as_bytes(), &mut bytes).ok()?;
        let document = Document::new(&bytes);
        Some((string(document, "ServerVersion"), string(document, "ToolVersion")))
    };
    preludes.iter().rev().find_map(read)
}

fn text(file: &Path) -> Option<String> {
    String::from_utf8(read_small(file).ok().flatten()?).ok()
}
