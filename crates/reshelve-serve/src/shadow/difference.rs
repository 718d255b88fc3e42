//! Where two JSON texts differ first.

use serde_json::{Value, json};

/// The longest text of a document that is shown, in characters.
const TEXT_CHARS_MAX: usize = 60;

/// The first difference of two documents.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Difference {
    /// Its JSON path, such as `chapters[0].title`; empty for the whole document.
    pub(super) path: String,
    /// What each side has there: texts by their length alone.
    pub(super) legacy: Value,
    pub(super) normalized: Value,
}

/// The first difference; none where both are the same, in the order of fields too.
pub(super) fn first(legacy: &Value, normalized: &Value, with_texts: bool) -> Option<Difference> {
    let mut path = String::new();
    let (one, other) = descend(Some(legacy), Some(normalized), &mut path)?;
    let shown = |value: Option<&Value>| value.map_or(Value::Null, |value| shown(value, with_texts));
    Some(Difference { path, legacy: shown(one), normalized: shown(other) })
}

type Pair<'v> = (Option<&'v Value>, Option<&'v Value>);

fn descend<'v>(
    one: Option<&'v Value>,
    other: Option<&'v Value>,
    path: &mut String,
) -> Option<Pair<'v>> {
    match (one, other) {
        (Some(Value::Object(left)), Some(Value::Object(right))) => {
            let names = left.keys().chain(right.keys().filter(|name| !left.contains_key(*name)));
            let mut inner = names.filter_map(|name| {
                let length = path.len();
                let dot = if path.is_empty() { "" } else { "." };
                path.push_str(&format!("{dot}{name}"));
                let found = descend(left.get(name), right.get(name), path);
                if found.is_none() {
                    path.truncate(length);
                }
                found
            });
            let found = inner.next();
            drop(inner);
            // The same fields in another order are another text.
            found.or_else(|| (!left.keys().eq(right.keys())).then_some((one, other)))
        }
        (Some(Value::Array(left)), Some(Value::Array(right))) => (0..left.len().max(right.len()))
            .find_map(|index| {
                let length = path.len();
                path.push_str(&format!("[{index}]"));
                let found = descend(left.get(index), right.get(index), path);
                if found.is_none() {
                    path.truncate(length);
                }
                found
            }),
        _ => (one != other).then_some((one, other)),
    }
}

/// A value as an example shows it.
fn shown(value: &Value, with_texts: bool) -> Value {
    match value {
        Value::String(text) if with_texts => {
            Value::String(text.chars().take(TEXT_CHARS_MAX).collect())
        }
        Value::String(text) => json!({ "textBytes": text.len() }),
        Value::Array(all) => json!({ "items": all.len() }),
        Value::Object(all) => json!({ "fields": all.len() }),
        plain => plain.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named_and_texts_are_not_shown() {
        let one = json!({"a": [1, {"b": "secret"}], "c": null});
        let found = first(&one, &json!({"a": [1, {"b": "other"}], "c": 1}), false).unwrap();
        let expected = ("a[1].b", json!({"textBytes": 6}), json!({"textBytes": 5}));
        assert_eq!((&found.path[..], found.legacy, found.normalized), expected);
        let found = first(&one, &json!({"a": [1, {"b": "secret"}]}), true).unwrap();
        assert_eq!(found.path, "c");
        assert_eq!(first(&one, &one, false), None);
        let turned = json!({"c": null, "a": [1, {"b": "secret"}]});
        assert_eq!(first(&one, &turned, false).unwrap().path, "");
    }
}
