//! What holds for any document: it is copied or left out, never a panic; its form stays; no text of
//! it stands in the copy.

use proptest::collection::vec;
use proptest::prelude::*;
use reshelve_core::raw::{Document, Writer, kind};

use crate::helpers::{checked, key};

/// A value of any type.
#[derive(Clone, Debug)]
enum Any {
    Text(String),
    Number(f64),
    Int(i32),
    Long(i64),
    Date(i64),
    Id([u8; 12]),
    Bytes(Vec<u8>, u8),
    Code(String),
    Regex(String),
    Null,
    Bool(bool),
    Many(Vec<Any>),
    Fields(Vec<(String, Any)>),
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "_id",
            "status",
            "title",
            "premise",
            "chapters",
            "content",
            "outline",
            "metadata",
            "storyBible",
            "characters",
            "locations",
            "relationships",
            "traits",
            "continuityAlerts",
            "id",
            "message",
            "context",
            "character",
            "timestamp",
            "aiDecisions",
            "error",
            "analysis",
            "modelUsage",
            "createdAt",
            "phaseStartTimes",
            "themes",
            "name",
            "progress",
            "$odd",
            "a.b",
            "",
            "Anna",
            "Ann",
            "Joanna",
            "Mr. A. B.",
            "Élodie",
        ])
        .prop_map(str::to_owned),
        "[a-zA-Z .$é美]{0,6}",
    ]
}

fn value() -> impl Strategy<Value = Any> {
    let text = prop_oneof![
        "[A-Za-z0-9 ,.'é—美🌊\n]{0,60}",
        prop::sample::select(vec![
            "completed",
            "failed",
            "",
            "Anna",
            "sister of Joanna",
            "Mr. A. B.",
            "(no message)"
        ])
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        4 => text.prop_map(Any::Text),
        1 => any::<f64>().prop_map(Any::Number),
        1 => any::<i32>().prop_map(Any::Int),
        1 => any::<i64>().prop_map(Any::Long),
        1 => prop_oneof![any::<i64>(), 0..2_000_000_000_000_i64].prop_map(Any::Date),
        1 => any::<[u8; 12]>().prop_map(Any::Id),
        1 => (vec(any::<u8>(), 0..30), 0..6_u8).prop_map(|(bytes, kind)| Any::Bytes(bytes, kind)),
        1 => "[a-z ();]{0,20}".prop_map(Any::Code),
        1 => "[a-z\\\\.*]{0,10}".prop_map(Any::Regex),
        1 => Just(Any::Null),
        1 => any::<bool>().prop_map(Any::Bool),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Any::Many),
            vec((name(), inner), 0..8).prop_map(Any::Fields),
        ]
    })
}

fn write(out: &mut Writer, name: &[u8], value: &Any) {
    match value {
        Any::Text(text) => {
            out.header(kind::STRING, name);
            out.text(text.as_bytes());
        }
        Any::Code(text) => {
            out.header(kind::CODE, name);
            out.text(text.as_bytes());
        }
        Any::Regex(text) => {
            out.header(kind::REGEX, name);
            out.extend(text.as_bytes());
            out.extend(b"\0im\0");
        }
        Any::Number(number) => {
            out.header(kind::DOUBLE, name);
            out.extend(&number.to_le_bytes());
        }
        Any::Int(number) => {
            out.header(kind::INT32, name);
            out.extend(&number.to_le_bytes());
        }
        Any::Long(number) | Any::Date(number) => {
            let is_date = matches!(value, Any::Date(_));
            out.header(if is_date { kind::DATE } else { kind::INT64 }, name);
            out.extend(&number.to_le_bytes());
        }
        Any::Id(id) => {
            out.header(kind::OBJECT_ID, name);
            out.extend(id);
        }
        Any::Bytes(bytes, subtype) => {
            out.header(kind::BINARY, name);
            out.extend(&u32::try_from(bytes.len()).unwrap().to_le_bytes());
            out.extend(&[*subtype]);
            out.extend(bytes);
        }
        Any::Null => out.header(kind::NULL, name),
        Any::Bool(yes) => {
            out.header(kind::BOOLEAN, name);
            out.extend(&[u8::from(*yes)]);
        }
        Any::Many(values) => {
            let mark = out.begin_nested(kind::ARRAY, name);
            for (index, value) in values.iter().enumerate() {
                write(out, index.to_string().as_bytes(), value);
            }
            out.end(mark);
        }
        Any::Fields(fields) => {
            let mark = out.begin_nested(kind::DOCUMENT, name);
            fields.iter().for_each(|(name, value)| write(out, name.as_bytes(), value));
            out.end(mark);
        }
    }
}

fn kinds(document: Document<'_>, all: &mut Vec<u8>) {
    for element in document.elements() {
        all.push(element.value.kind);
        if matches!(element.value.kind, kind::DOCUMENT | kind::ARRAY) {
            kinds(Document::new(element.value.bytes), all);
            all.push(0);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_documents_are_copied_or_left_out(documents in vec(vec((name(), value()), 0..20), 1..5)) {
        let bytes: Vec<Vec<u8>> = documents
            .iter()
            .map(|fields| {
                let mut out = Writer::default();
                let mark = out.begin();
                fields.iter().for_each(|(name, value)| write(&mut out, name.as_bytes(), value));
                out.end(mark);
                out.into_bytes()
            })
            .collect();
        let (copies, summary) = checked(&bytes, &key('6'));
        prop_assert_eq!(summary.written + summary.left_out, summary.read);
        prop_assert!(copies.iter().all(|copy| reshelve_core::raw::check(copy).is_ok()));
        if summary.left_out == 0 {
            for (document, copy) in bytes.iter().zip(&copies) {
                let (mut one, mut other) = (Vec::new(), Vec::new());
                kinds(Document::new(document), &mut one);
                kinds(Document::new(copy), &mut other);
                prop_assert_eq!(one, other);
            }
        }
    }
}
