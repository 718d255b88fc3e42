//! What must hold for any document: answers are JSON, objects are those of JavaScript, and nothing
//! panics, whatever the bytes.

use super::common::{NOW_MS, text};
use proptest::collection::vec;
use proptest::prelude::*;
use reshelve_core::raw::{self, Document, Writer, kind};
use reshelve_serve::present;
use serde::de::IgnoredAny;

/// A value to be stored.
#[derive(Clone, Debug)]
enum Stored {
    Scalar(u8, Vec<u8>),
    Document(Vec<(String, Stored)>),
    Array(Vec<Stored>),
}

/// Names that are read, names that JavaScript treats in its own way, and others.
const NAMES: [&str; 56] = [
    "jobId",
    "status",
    "queue",
    "payload",
    "requestedAt",
    "createdAt",
    "updatedAt",
    "summary",
    "engine",
    "outline",
    "chapters",
    "events",
    "domainEvents",
    "context",
    "failures",
    "chapterNumber",
    "title",
    "keyEvents",
    "wordTarget",
    "humanLikeElements",
    "wordCount",
    "content",
    "model",
    "costInUsd",
    "attempts",
    "tokens",
    "occurredAt",
    "reason",
    "stage",
    "metadata",
    "kind",
    "emittedAt",
    "event",
    "snapshot",
    "cost",
    "latencyMs",
    "totalUsd",
    "storyBibleCharacters",
    "storyBibleMetadata",
    "storyBibleLocations",
    "storyBibleThemes",
    "continuityAlerts",
    "aiDecisions",
    "enhancements",
    "performance",
    "_id",
    "__proto__",
    "constructor",
    "0",
    "1",
    "10",
    "01",
    "4294967295",
    "$ref",
    "$id",
    "",
];

fn counted(text: &str) -> Vec<u8> {
    let mut out = Writer::default();
    out.text(text.as_bytes());
    out.into_bytes()
}

fn scalar() -> impl Strategy<Value = Stored> {
    let eight = any::<[u8; 8]>().prop_map(|bytes| bytes.to_vec());
    prop_oneof![
        any::<String>().prop_map(|text| (kind::STRING, counted(&text))),
        prop_oneof![Just("completed"), Just("generation"), Just("2025-07-24"), Just("1e13")]
            .prop_map(|text| (kind::STRING, counted(text))),
        any::<i32>().prop_map(|number| (kind::INT32, number.to_le_bytes().to_vec())),
        any::<f64>().prop_map(|number| (kind::DOUBLE, number.to_le_bytes().to_vec())),
        eight.clone().prop_map(|bytes| (kind::DOUBLE, bytes)),
        eight.clone().prop_map(|bytes| (kind::INT64, bytes)),
        eight.clone().prop_map(|bytes| (kind::DATE, bytes)),
        eight.prop_map(|bytes| (kind::TIMESTAMP, bytes)),
        any::<bool>().prop_map(|yes| (kind::BOOLEAN, vec![u8::from(yes)])),
        any::<[u8; 16]>().prop_map(|bytes| (kind::DECIMAL128, bytes.to_vec())),
        any::<[u8; 12]>().prop_map(|bytes| (kind::OBJECT_ID, bytes.to_vec())),
        (any::<u8>(), vec(any::<u8>(), 0..20)).prop_map(|(subtype, content)| {
            let length = u32::try_from(content.len()).unwrap();
            (kind::BINARY, [&length.to_le_bytes()[..], &[subtype], &content].concat())
        }),
        any::<String>().prop_map(|text| (kind::SYMBOL, counted(&text))),
        any::<String>().prop_map(|text| (kind::CODE, counted(&text))),
        (any::<String>(), any::<[u8; 12]>())
            .prop_map(|(text, id)| (kind::DB_POINTER, [counted(&text), id.to_vec()].concat())),
        Just((kind::REGEX, b"a\0i\0".to_vec())),
        Just((kind::NULL, Vec::new())),
        Just((kind::UNDEFINED, Vec::new())),
        Just((kind::MIN_KEY, Vec::new())),
        Just((kind::MAX_KEY, Vec::new())),
    ]
    .prop_map(|(kind_of, bytes)| Stored::Scalar(kind_of, bytes))
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(&NAMES[..]).prop_map(str::to_string),
        1 => "[a-zé\"\\\\.\n]{0,12}",
    ]
}

fn stored() -> impl Strategy<Value = Stored> {
    scalar().prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            vec((name(), inner.clone()), 0..8).prop_map(Stored::Document),
            vec(inner, 0..6).prop_map(Stored::Array),
        ]
    })
}

fn document() -> impl Strategy<Value = Vec<u8>> {
    vec((name(), stored()), 0..16).prop_map(|fields| {
        let mut out = Writer::default();
        let document = out.begin();
        fields.iter().for_each(|(name, value)| write(&mut out, name, value));
        out.end(document);
        out.into_bytes()
    })
}

fn write(out: &mut Writer, name: &str, value: &Stored) {
    match value {
        Stored::Scalar(kind_of, bytes) => {
            out.header(*kind_of, name.as_bytes());
            out.extend(bytes);
        }
        Stored::Document(fields) => {
            let document = out.begin_document(name);
            fields.iter().for_each(|(name, value)| write(out, name, value));
            out.end(document);
        }
        Stored::Array(values) => {
            let array = out.begin_array(name);
            // The keys are of no meaning.
            values.iter().for_each(|value| write(out, "7", value));
            out.end(array);
        }
    }
}

/// Everything that can be asked of bytes, as far as there are answers.
fn answers(bytes: &[u8]) -> Vec<Vec<u8>> {
    let documents = [bytes.to_vec()];
    let mut answers: Vec<Vec<u8>> = [
        present::list(&documents, NOW_MS),
        present::detail(bytes, NOW_MS),
        present::events(&documents),
        present::metrics("j", Some(bytes), NOW_MS),
        present::metadata("j", Some(bytes), NOW_MS),
    ]
    .into_iter()
    .flatten()
    .collect();
    let messages = present::catch_up("j", &documents, None, NOW_MS);
    let status = present::catch_up("j", &[], Some(bytes), NOW_MS);
    answers.extend(messages.into_iter().chain(status).map(|message| message.1));
    answers
}

/// The object that JavaScript makes of a document, found in the slowest way.
fn expected(document: Document<'_>) -> String {
    let mut fields: Vec<(String, Option<String>)> = Vec::new();
    for element in document.elements() {
        let (name, json) = (element.name_text().into_owned(), expected_value(element.value));
        match fields.iter_mut().find(|field| field.0 == name) {
            Some(field) => field.1 = json,
            None => fields.push((name, json)),
        }
    }
    let index = |name: &str| {
        name.parse().ok().filter(|index: &u32| index.to_string() == name && *index < u32::MAX)
    };
    let (mut indexes, others): (Vec<_>, Vec<_>) =
        fields.into_iter().partition(|field| index(&field.0).is_some());
    indexes.sort_by_key(|field| index(&field.0));
    let written: Vec<String> = indexes
        .into_iter()
        .chain(others)
        .filter_map(|(name, json)| Some(format!("{}:{}", serde_json::json!(name), json?)))
        .collect();
    format!("{{{}}}", written.join(","))
}

fn expected_value(value: raw::Value<'_>) -> Option<String> {
    match value.kind {
        kind::UNDEFINED => None,
        kind::DOCUMENT => value.document().map(expected),
        kind::ARRAY => {
            let values = value
                .array()?
                .values()
                .map(|value| expected_value(value).unwrap_or_else(|| "null".to_string()));
            Some(format!("[{}]", values.collect::<Vec<_>>().join(",")))
        }
        kind::STRING => {
            Some(serde_json::to_string(std::str::from_utf8(value.string()?).unwrap()).unwrap())
        }
        kind::INT32 => value.int32().map(|number| number.to_string()),
        _ => Some("null".to_string()),
    }
}

/// Objects of few types and many odd names: repeated, array indexes, long ones with the same ends.
fn plain_document() -> impl Strategy<Value = Stored> {
    let name = prop_oneof![
        prop::sample::select(
            &[
                "a",
                "b",
                "c",
                "0",
                "1",
                "2",
                "10",
                "01",
                "4294967294",
                "4294967295",
                "__proto__",
                ""
            ][..]
        )
        .prop_map(str::to_string),
        "[ab]{8}[ab]{0,2}[ab]{8}",
        "[a-p]{1,3}",
    ];
    let leaf = prop_oneof![
        any::<i32>().prop_map(|number| Stored::Scalar(kind::INT32, number.to_le_bytes().to_vec())),
        any::<String>().prop_map(|text| Stored::Scalar(kind::STRING, counted(&text))),
        Just(Stored::Scalar(kind::NULL, Vec::new())),
        Just(Stored::Scalar(kind::UNDEFINED, Vec::new())),
    ];
    leaf.prop_recursive(4, 80, 12, move |inner| {
        prop_oneof![
            2 => vec((name.clone(), inner.clone()), 0..20).prop_map(Stored::Document),
            1 => vec(inner, 0..6).prop_map(Stored::Array),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    // Not as `Value`: halves of letters, which JavaScript escapes, are JSON but no string of ours.
    #[test]
    fn every_answer_is_json(document in document()) {
        raw::check(&document).unwrap();
        for answer in answers(&document) {
            let answer = text(answer);
            prop_assert!(serde_json::from_str::<IgnoredAny>(&answer).is_ok(), "{answer}");
        }
    }

    #[test]
    fn objects_are_those_of_javascript(payload in plain_document()) {
        let mut out = Writer::default();
        let job = out.begin();
        write(&mut out, "payload", &payload);
        out.end(job);
        let value = Document::new(out.bytes()).get("payload").unwrap();
        let list = text(present::list(&[out.bytes().to_vec()], NOW_MS).unwrap());
        let start = match expected_value(value) {
            Some(json) => format!("{{\"items\":[{{\"payload\":{json},\"requestedAt\":null,"),
            None => "{\"items\":[{\"requestedAt\":null,".to_string(),
        };
        prop_assert!(list.starts_with(&start), "{list}\n{start}");
    }

    #[test]
    fn bytes_that_are_no_document_do_no_harm(bytes in vec(any::<u8>(), 0..200)) {
        answers(&bytes);
    }

    #[test]
    fn damaged_documents_do_no_harm(
        document in document(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        length in any::<prop::sample::Index>(),
    ) {
        let mut damaged = document.clone();
        damaged[at.index(document.len())] = byte;
        answers(&damaged);
        answers(&document[..length.index(document.len())]);
    }
}
