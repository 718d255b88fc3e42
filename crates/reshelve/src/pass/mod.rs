//! A pass over a source: reading and mapping in source order, and what becomes of each document.
//! Run, profile and parity share it.

mod budget;
mod checksum;
mod document_id;
mod hash_sum;
mod only_rejects;
pub(crate) mod pipeline;
mod reject_place;
mod reject_record;
mod rejection;
pub(crate) mod repeated_ids;
mod rounds;
mod source_hash;
mod tally;

pub use reject_record::RejectRecord;
pub use rejection::{RejectReason, Rejection};
pub use tally::{EXAMPLES_MAX, Example, Tallies, Tally};

pub(crate) use checksum::{Checksum, hash as checksum_hash};
pub(crate) use document_id::{id_json, id_text, id_words, job_key};
pub(crate) use hash_sum::HashSum;
pub(crate) use only_rejects::OnlyRejects;
pub(crate) use reject_place::RejectPlace;
pub(crate) use reject_record::{REJECTS_FILE, read_rejects};
pub(crate) use rounds::{Original, Round, Stopped, in_parallel, in_parallel_while};
pub(crate) use source_hash::SourceHash;
pub(crate) use tally::{tally_reject, tally_warnings};
