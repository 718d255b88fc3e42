//! Text of one Extended JSON document to BSON.
