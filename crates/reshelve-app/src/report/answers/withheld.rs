//! What was found of answers, without what people wrote.

use reshelve::report::{withheld_id, withheld_place};
use serde_json::{Value, json};

/// Takes out what people wrote: texts, and the names in paths that they chose. What was found may
/// have been looked for with them.
pub(in crate::report) fn without_texts(found: &mut Value) {
    match found {
        Value::Array(all) => all.iter_mut().for_each(without_texts),
        Value::Object(fields) => {
            for (name, field) in fields {
                match (name.as_str(), &mut *field) {
                    // Those of the schema.
                    ("sources", _) => {}
                    ("jobId", Value::String(id)) => *id = withheld_id(id),
                    ("request", Value::String(request)) => *request = withheld_request(request),
                    ("path" | "target", Value::String(path)) => *path = withheld_place(path),
                    ("value" | "expected" | "application", Value::String(text)) => {
                        *field = json!({ "textBytes": text.len() });
                    }
                    (_, field) => without_texts(field),
                }
            }
        }
        _ => {}
    }
}

/// A request without a text in the place of an id, or of a status.
fn withheld_request(request: &str) -> String {
    let (path, query) = request.split_once('?').unwrap_or((request, ""));
    let is_kept = |segment: &str| withheld_id(segment) == segment;
    match path.split('/').all(is_kept) {
        true if query.is_empty() || query.starts_with("before=") => request.to_owned(),
        true => path.to_owned(),
        false => "/api/novel/…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_taken_out_wherever_an_answer_is_shown() {
        let mut found = json!({ "groups": [{ "examples": [{
            "jobId": "a job", "request": "/api/novel?status=secret", "expected": { "status": 200, "value": "secret" },
            "differences": [{ "path": "payload.title", "expected": "secret", "application": 5 }]
        }] }] });
        without_texts(&mut found);
        let hidden = json!({ "textBytes": 6 });
        let named = "storyBible.characters.Anna.summary";
        let mut of_map = json!({ "groups": [{ "path": named }], "sources": [{ "path": named }] });
        without_texts(&mut of_map);
        assert_eq!(of_map["groups"][0]["path"], "storyBible.characters.*.summary");
        assert_eq!(of_map["sources"][0]["path"], named);
        let example = &found["groups"][0]["examples"][0];
        assert_eq!(
            (&example["expected"]["value"], &example["request"]),
            (&hidden, &json!("/api/novel"))
        );
        assert_eq!(example["differences"][0]["expected"], hidden);
        assert_eq!(example["differences"][0]["application"], 5);
        assert_eq!(
            (&example["jobId"], &example["differences"][0]["path"]),
            (&json!("a job"), &json!("payload.title"))
        );
    }
}
