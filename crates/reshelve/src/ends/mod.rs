//! The seams: where legacy documents come from, where target documents go, and where they are read
//! back. Traits and plain data only.

mod catalogue;
mod content_hash;
mod destination;
mod error;
mod hint;
mod job_totals;
mod lookup;
mod origin;
mod place;
mod position;
mod sink;
mod source;
mod take_back;
mod target_reader;

pub use catalogue::{
    CursorSide, JobCatalogue, JobCursor, JobEntry, JobFacets, JobMark, JobPage, JobQuery, JobSort,
    JobTrace, PAGE_JOBS_MAX, SortOrder, Told,
};
pub use content_hash::{ContentHash, content_hash};
pub use destination::{
    Abandoned, Base, Claim, Destination, Held, JobSet, Left, Members, NamedJobs, Notes, OnExisting,
    TargetIdentity, TargetRequest, WrittenJob, WrittenJobs,
};
pub use error::{EndError, EndErrorKind};
pub use hint::{Hint, SourceHint};
pub use job_totals::{
    AlertSums, JobStage, JobSums, JobTotals, RESPONSE_BOUNDS_MS, ResponseSums, StageSums,
    response_group,
};
pub use lookup::{EVENTS_MAX, JobLookup, LIST_MAX, OneJob};
pub use origin::{About, Opened, Oplog, Origin, SourceDescription, SourceForm, SourceSize};
pub use place::{
    Compression, LiveCollection, LivePlace, PlannedSource, PlannedTarget, TargetFolder,
};
pub use position::Position;
pub use sink::{
    Action, Before, DrySink, Fate, Found, JobAhead, JobWrite, Look, Looked, NothingToSync, Section,
    Sink, Syncer, Wrote,
};
pub use source::{
    BATCH_BYTES_DEFAULT, BATCH_DOCS_DEFAULT, Batch, BatchLimits, DOCUMENT_BYTES_MAX, Damage,
    DamageKind, Form, Item, MemorySource, Operation, Place, Source, SourceSpec,
};
pub use take_back::{
    ChangedDocuments, Earlier, Edit, How, LeftOver, OwnJob, OwnJobs, SaveStep, Standing, TakenBack,
    TakesBack, has_its_id, is_relied_on,
};
pub use target_reader::{
    CollectionChecksum, Difference, DocumentStream, LastWriter, TargetReader, differences,
};
