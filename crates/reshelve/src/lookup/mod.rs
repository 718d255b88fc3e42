//! Single jobs, found by their ids, in places that are files: what a server reads.
//!
//! [`FolderLookup`] reads a target folder, [`LegacyLookup`] maps the documents of a legacy source
//! when they are asked for. Both read their files once, from front to end, and keep where each
//! document lies: memory does not grow with the files. What cannot be read again at its place,
//! because it is compressed or comes through a pipe, is put aside in a file without a name.

mod card;
mod catalogue;
mod folder;
mod fresh;
mod kept;
mod legacy;
mod mapped_job;
mod newest;
mod retraced;

pub use card::card;
pub use catalogue::{
    Catalogue, CatalogueMaker, Extras, ExtrasByJob, ExtrasMaker, JobTexts, ReadTexts, Traces,
    Wanted,
};
pub use folder::{FolderLookup, newest_events, texts_of};
pub use fresh::{Changes, Fresh};
pub use legacy::{LegacyLookup, LegacyRequest};
pub use mapped_job::MappedJob;
pub use newest::STATUSES_MAX;
pub use retraced::WholeJob;
