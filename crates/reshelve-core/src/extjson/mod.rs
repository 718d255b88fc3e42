//! Extended JSON, the text form of BSON that `mongoexport` writes: parsed and written.

mod date;
mod decimal;
mod double;
mod parse;
mod quoted;
mod scalar;
mod text;
mod wrapped;
mod wrapper;
mod write;

pub use date::parse_iso;
pub use parse::{JsonError, parse};
pub use write::{Style, write_document, write_value};
