//! Extended JSON, the text form of BSON: what `mongoexport` writes, read and written.
