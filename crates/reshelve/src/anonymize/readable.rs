//! Which documents can be copied: those that are well formed, and do not nest too deep.

use crate::pass::Original;
use reshelve_core::raw;

/// Documents nest at most so deep, or are left out: a walk goes as deep as they do.
pub const LEVELS_MAX: usize = 200;

/// A document as it can be read, or why it cannot.
pub(super) enum Read<'b> {
    Bson(&'b [u8]),
    Malformed,
    TooDeep,
}

impl<'b> Read<'b> {
    /// The document as BSON that is well formed; text is parsed into `buffer`.
    pub(super) fn of(original: &'b Original<'_>, buffer: &'b mut Vec<u8>) -> Read<'b> {
        let Ok(bson) = original.bson(buffer) else { return Read::Malformed };
        match raw::check(bson) {
            Err(_) => Read::Malformed,
            Ok(checked) if checked.depth > LEVELS_MAX => Read::TooDeep,
            Ok(_) => Read::Bson(bson),
        }
    }
}
