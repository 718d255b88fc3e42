//! Raw BSON: a cursor over borrowed bytes, a check, and a writer that patches lengths.
//!
//! The hot path never decodes a document. [`check`] walks the bytes once and proves them well
//! formed. After that, the cursors here need no errors: on bytes that were not checked they stop
//! early and never panic. Repeated names, number types and every byte of text survive, because
//! nothing here builds a map.

mod check;
mod cursor;
mod documents;
mod format;
mod writer;

pub use check::{Checked, Malformed, check};
pub use cursor::{Document, Element, Elements, Value};
pub use documents::documents;
pub use format::{
    DATE_MAX, DATE_MIN, Iso, hex, hex_pair, iso, plain_decimal, push_hex, push_index,
    push_plain_decimal,
};
pub use writer::{Mark, Writer};

/// BSON element types, as numbered by the specification (bsonspec.org, version 1.1).
pub mod kind {
    /// MongoDB's `$type` aliases: of the types 0x01 to 0x13, in this order, then of the two keys.
    pub const ALIASES: [&str; 21] = [
        "double",
        "string",
        "object",
        "array",
        "binData",
        "undefined",
        "objectId",
        "bool",
        "date",
        "null",
        "regex",
        "dbPointer",
        "javascript",
        "symbol",
        "javascriptWithScope",
        "int",
        "timestamp",
        "long",
        "decimal",
        "minKey",
        "maxKey",
    ];

    /// 64-bit binary floating point.
    pub const DOUBLE: u8 = 0x01;
    /// UTF-8 string.
    pub const STRING: u8 = 0x02;
    /// Embedded document.
    pub const DOCUMENT: u8 = 0x03;
    /// Array: a document whose keys are ignored.
    pub const ARRAY: u8 = 0x04;
    /// Binary data.
    pub const BINARY: u8 = 0x05;
    /// Undefined (deprecated).
    pub const UNDEFINED: u8 = 0x06;
    /// ObjectId, 12 bytes.
    pub const OBJECT_ID: u8 = 0x07;
    /// Boolean.
    pub const BOOLEAN: u8 = 0x08;
    /// UTC date, milliseconds since the epoch.
    pub const DATE: u8 = 0x09;
    /// Null.
    pub const NULL: u8 = 0x0A;
    /// Regular expression: pattern and options.
    pub const REGEX: u8 = 0x0B;
    /// DBPointer (deprecated): a namespace and an ObjectId.
    pub const DB_POINTER: u8 = 0x0C;
    /// JavaScript code.
    pub const CODE: u8 = 0x0D;
    /// Symbol (deprecated).
    pub const SYMBOL: u8 = 0x0E;
    /// JavaScript code with scope (deprecated).
    pub const CODE_WITH_SCOPE: u8 = 0x0F;
    /// 32-bit integer.
    pub const INT32: u8 = 0x10;
    /// Timestamp, as the server uses it internally: an increment and seconds.
    pub const TIMESTAMP: u8 = 0x11;
    /// 64-bit integer.
    pub const INT64: u8 = 0x12;
    /// 128-bit decimal.
    pub const DECIMAL128: u8 = 0x13;
    /// Min key.
    pub const MIN_KEY: u8 = 0xFF;
    /// Max key.
    pub const MAX_KEY: u8 = 0x7F;
}
