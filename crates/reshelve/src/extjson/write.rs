//! BSON to Extended JSON text.
