//! The residue: the parts of a legacy document that have no natural place in the target, and how to
//! join them with those that have.
//!
//! # Format, version 1
//! A version byte, the length of the *shape* as a varint, the shape, the *payload*.
//!
//! The shape says which fields there are, in order: for each a name (a byte of a dictionary, or
//! spelled out) and a [`token`] that says how its value was kept; the token is left out where it is
//! the usual one of that name. The payload holds the values themselves, in few bytes: varints for
//! whole numbers, differences for dates and ObjectIds, raw bytes for everything else. A value that
//! the target holds unchanged costs its token only ([`token::COPY`]): text is never stored twice.
//! A document of an array that has the shape of the one before costs one byte of shape.
//!
//! Documents that the target keeps elsewhere (a sorted alert, a renamed character) begin with an
//! *anchor*: the position in the target, and a hash of what they are called there (16 bits for
//! chapters and outline, 32 for the others), by which they are found after the target was edited.

mod decode;
mod encode;
mod error;
mod shelf;
mod sink;
mod stream;
mod words;

pub(crate) use decode::restore;
pub(crate) use encode::Encoder;
pub use error::RestoreError;
pub(crate) use shelf::Shelf;
pub(crate) use sink::{Build, Compare};

/// The version of the format that is written.
pub(crate) const RESIDUE_VERSION: u8 = 1;

/// How a value was kept.
pub(crate) mod token {
    /// End of a document or array.
    pub(crate) const END: u8 = 0;
    /// Type byte, varint length and raw bytes, in the payload.
    pub(crate) const RAW: u8 = 1;
    /// The target holds it unchanged.
    pub(crate) const COPY: u8 = 2;
    /// String: varint length and text.
    pub(crate) const STRING: u8 = 3;
    /// String of the dictionary of words; its number follows in the shape.
    pub(crate) const WORD: u8 = 4;
    /// Int32 as zigzag varint.
    pub(crate) const INT32: u8 = 5;
    /// Int64 as zigzag varint.
    pub(crate) const INT64: u8 = 6;
    /// Double, 8 bytes.
    pub(crate) const DOUBLE: u8 = 7;
    /// Whole Double as zigzag varint.
    pub(crate) const WHOLE_DOUBLE: u8 = 8;
    /// Date as zigzag varint of the difference to the date before.
    pub(crate) const DATE: u8 = 9;
    /// ObjectId, 12 bytes.
    pub(crate) const OBJECT_ID: u8 = 10;
    /// ObjectId of the same process as the one before: differences of seconds and counter.
    pub(crate) const NEXT_OBJECT_ID: u8 = 11;
    /// True.
    pub(crate) const TRUE: u8 = 12;
    /// False.
    pub(crate) const FALSE: u8 = 13;
    /// Null.
    pub(crate) const NULL: u8 = 14;
    /// Document: its fields follow, up to END.
    pub(crate) const DOCUMENT: u8 = 15;
    /// Array with the keys 0, 1, 2 …: its values follow, up to END.
    pub(crate) const ARRAY: u8 = 16;
    /// Array with other keys: fields follow as in a document, up to END.
    pub(crate) const KEYED_ARRAY: u8 = 17;
    /// Document of the same shape as the document before in this array.
    pub(crate) const SAME: u8 = 18;
    /// Document with an anchor.
    pub(crate) const ANCHORED: u8 = 19;
    /// Document with an anchor, of the same shape as the document before in this array.
    pub(crate) const SAME_ANCHORED: u8 = 20;
    /// The `metadata` that the application gives every document.
    pub(crate) const DEFAULT_METADATA: u8 = 21;
    /// Document whose twin in the target is too large to be searched: all its values are here.
    pub(crate) const UNMIRRORED: u8 = 22;
}

/// Added to the number of a name: the value has the token that it usually has under that name, and
/// no token follows.
pub(crate) const USUAL_TOKEN: u8 = 0x80;

/// A name that is not in the dictionary: varint length and bytes follow in the shape.
pub(crate) const NAME_SPELLED: u8 = 255;
