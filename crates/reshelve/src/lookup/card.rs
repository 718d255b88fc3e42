//! What a list shows of a job, without its texts.

use reshelve_core::raw::{Document, Element, Value, Writer, kind};

/// What a list shows as it is.
const SHOWN: [&[u8]; 9] = [
    b"jobId",
    b"status",
    b"queue",
    b"payload",
    b"requestedAt",
    b"createdAt",
    b"updatedAt",
    b"summary",
    b"engine",
];

/// A job document without what no list shows. Of chapters, outline and failures only that is left
/// by which a list counts them, or by which the application would fail on them.
pub fn card(job: &[u8]) -> Vec<u8> {
    let mut out = Writer::new(Vec::with_capacity(2048));
    let document = out.begin();
    for element in Document::new(job).elements() {
        match element.name {
            name if SHOWN.contains(&name) => out.value_bytes(name, element.value),
            b"chapters" => parts(&mut out, &element, &[b"status", b"attempts"]),
            b"outline" => parts(&mut out, &element, &[b"keyEvents"]),
            b"failures" => parts(&mut out, &element, &[]),
            _ => {}
        }
    }
    out.end(document);
    out.into_bytes()
}

/// An array whose documents keep only some fields. All else stays as it is.
fn parts(out: &mut Writer, element: &Element<'_>, kept: &[&[u8]]) {
    let Some(array) = element.value.array() else {
        out.value_bytes(element.name, element.value);
        return;
    };
    let mark = out.begin_nested(kind::ARRAY, element.name);
    for (index, value) in array.values().enumerate() {
        let Some(document) = value.document() else {
            out.value_item(index, value);
            continue;
        };
        let item = out.begin_item(index);
        for field in document.elements().filter(|field| kept.contains(&field.name)) {
            out.value_bytes(field.name, without_length(field.value));
        }
        out.end(item);
    }
    out.end(mark);
}

/// An array of strings says nothing more than an empty one here.
fn without_length(value: Value<'_>) -> Value<'_> {
    const EMPTY: &[u8] = &[5, 0, 0, 0, 0];
    let is_of_strings =
        value.array().is_some_and(|array| array.values().all(|it| it.kind == kind::STRING));
    if is_of_strings { Value { kind: kind::ARRAY, bytes: EMPTY } } else { value }
}
