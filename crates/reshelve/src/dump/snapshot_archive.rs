//! A snapshot that is an archive in a folder: the folder stands for the archive.

use std::borrow::Cow;

use crate::ends::{Compression, SourceSpec};

/// The manifest of a snapshot: without it, there is none.
pub const MANIFEST: &str = "snapshot.json";
/// The archive beside it, without what its compression adds to the name.
pub const SNAPSHOT_ARCHIVE: &str = "snapshot.archive";

/// The same source, by the archive that is meant.
pub(super) fn resolved(spec: &SourceSpec) -> Cow<'_, SourceSpec> {
    let name = |it: Compression| format!("{SNAPSHOT_ARCHIVE}{}", it.suffix());
    let archives = || Compression::ALL.into_iter().map(|it| spec.path.join(name(it)));
    if !spec.path.join(MANIFEST).is_file() {
        return Cow::Borrowed(spec);
    }
    match archives().find(|archive| archive.is_file()) {
        Some(path) => Cow::Owned(SourceSpec { path, ..spec.clone() }),
        None => Cow::Borrowed(spec),
    }
}
