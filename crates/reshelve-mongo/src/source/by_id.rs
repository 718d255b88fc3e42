//! Conditions for the documents after an `_id`: they compare across types, and the index serves
//! them.
//!
//! `{_id: {$gt: x}}` alone finds only documents whose `_id` has the same type as `x`. A second
//! condition names the types that sort after it. The order is MongoDB's comparison order for BSON
//! types.

use mongodb::bson::{Bson, Document, RawDocument, doc};

/// The `_id` of a document: the type and the value of its BSON element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Id {
    pub(crate) kind: u8,
    pub(crate) value: Vec<u8>,
}

/// Types in the order in which they sort, with their names for `$type`; the types of a row compare
/// with each other.
const ORDER: [&[(u8, &str)]; 14] = [
    &[(0xff, "minKey")],
    &[(0x06, "undefined"), (0x0a, "null")],
    &[(0x01, "double"), (0x10, "int"), (0x12, "long"), (0x13, "decimal")],
    &[(0x02, "string"), (0x0e, "symbol")],
    &[(0x03, "object")],
    &[(0x04, "array")],
    &[(0x05, "binData")],
    &[(0x07, "objectId")],
    &[(0x08, "bool")],
    &[(0x09, "date")],
    &[(0x11, "timestamp")],
    &[(0x0b, "regex"), (0x0c, "dbPointer")],
    &[(0x0d, "javascript"), (0x0f, "javascriptWithScope")],
    &[(0x7f, "maxKey")],
];

impl Id {
    /// Reads what a checkpoint stores: type and value in hex.
    pub(crate) fn from_hex(hex: &str) -> Option<Id> {
        let digits: Vec<u8> = hex
            .chars()
            .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect::<Option<_>>()?;
        let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        let (&kind, value) = bytes.split_first()?;
        let id = Id { kind, value: value.to_vec() };
        id.value().is_some().then_some(id)
    }

    fn value(&self) -> Option<Bson> {
        let length = 4 + 1 + 4 + self.value.len() + 1;
        let mut bytes = i32::try_from(length).ok()?.to_le_bytes().to_vec();
        bytes.push(self.kind);
        bytes.extend_from_slice(b"_id\0");
        bytes.extend_from_slice(&self.value);
        bytes.push(0);
        let raw = RawDocument::from_bytes(&bytes).ok()?;
        Document::try_from(raw).ok()?.remove("_id")
    }

    /// The conditions for every document that sorts after this one, in the order in which to ask:
    /// documents of the same type, then documents of later types. For a single `$or` a server may
    /// walk the whole index.
    pub(crate) fn after(&self) -> Vec<Document> {
        let row = ORDER.iter().position(|row| row.iter().any(|(kind, _)| *kind == self.kind));
        let later: Vec<&str> = row.map_or_else(Vec::new, |row| {
            ORDER[row + 1..].iter().flat_map(|row| row.iter().map(|(_, alias)| *alias)).collect()
        });
        let within = match self.value() {
            // The smallest key compares with keys of every type.
            Some(Bson::MinKey) => return vec![doc! { "_id": { "$type": later } }],
            // Nothing is greater than NaN, and every other number sorts after it.
            Some(Bson::Double(number)) if number.is_nan() => doc! { "$gte": f64::NEG_INFINITY },
            Some(Bson::Decimal128(number)) if number.to_string().contains("NaN") => {
                doc! { "$gte": f64::NEG_INFINITY }
            }
            Some(value) => doc! { "$gt": value },
            None => doc! { "$exists": true },
        };
        let mut conditions = vec![doc! { "_id": within }];
        if !later.is_empty() {
            conditions.push(doc! { "_id": { "$type": later } });
        }
        conditions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_types_are_named() {
        let id = Id { kind: 2, value: b"\x02\0\0\0a\0".to_vec() };
        let conditions = id.after();
        assert_eq!(conditions[0], doc! { "_id": { "$gt": "a" } });
        let later = conditions[1].get_document("_id").unwrap().get_array("$type").unwrap();
        assert_eq!(later[0], Bson::from("object"));
        assert_eq!(later.last(), Some(&Bson::from("maxKey")));
    }

    #[test]
    fn numbers_sort_after_nan() {
        let id = Id { kind: 1, value: f64::NAN.to_le_bytes().to_vec() };
        let conditions = id.after();
        let within = conditions[0].get_document("_id").unwrap();
        assert_eq!(within.get_f64("$gte").unwrap(), f64::NEG_INFINITY);
    }

    #[test]
    fn malformed_marks_are_errors() {
        assert!(Id::from_hex("").is_none());
        assert!(Id::from_hex("0").is_none());
        assert!(Id::from_hex("zz").is_none());
        assert!(Id::from_hex("0701").is_none());
        assert!(Id::from_hex("07000102030405060708090a0b").is_some());
    }
}
