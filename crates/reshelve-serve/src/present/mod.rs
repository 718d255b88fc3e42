//! The JSON of the read API, written from raw BSON.
