//! Where two JSON texts differ: in values, in what is there, and in the order of fields.

use reshelve::parity::says_nothing;
use serde_json::{Value, json};

/// The longest text of a document that is shown, in characters.
const TEXT_CHARS_MAX: usize = 60;
/// How many characters are shown in front of the place where two texts begin to differ.
const TEXT_CHARS_BEFORE: usize = 12;

/// How two sides differ at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Both have a value there, and not the same.
    Value,
    /// Only the first side has something there.
    OnlyFirst,
    /// Only the second side has.
    OnlySecond,
    /// Both have the same fields with the same values, in another order.
    Order,
}

impl Kind {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Value => "value",
            Kind::OnlyFirst => "only-first",
            Kind::OnlySecond => "only-second",
            Kind::Order => "order",
        }
    }

    /// Its word, with the names of the first and of the second side.
    pub(crate) fn named(self, sides: [&str; 2]) -> String {
        match self {
            Kind::OnlyFirst => format!("only-{}", sides[0]),
            Kind::OnlySecond => format!("only-{}", sides[1]),
            Kind::Value | Kind::Order => self.as_str().to_owned(),
        }
    }
}

/// A step into JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Name(String),
    Position(usize),
}

/// A place at which two documents differ, and what each has there.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place<'v> {
    pub(super) path: Vec<Step>,
    pub(super) kind: Kind,
    pub(super) first: Option<&'v Value>,
    pub(super) second: Option<&'v Value>,
}

/// A path as people read it, such as `chapters[0].title`.
pub(super) fn shown_path(path: &[Step]) -> String {
    written(path, |index| format!("[{index}]"))
}

/// The same with `[]` for every position, as rules name them.
pub(super) fn folded_path(path: &[Step]) -> String {
    written(path, |_| "[]".to_owned())
}

fn written(path: &[Step], position: impl Fn(usize) -> String) -> String {
    let mut out = String::new();
    for step in path {
        match step {
            Step::Name(name) if out.is_empty() => out.push_str(name),
            Step::Name(name) => out.push_str(&format!(".{name}")),
            Step::Position(index) => out.push_str(&position(*index)),
        }
    }
    out
}

/// The first places at which two documents differ, at most so many; none where both are the same,
/// in the order of fields too.
pub(super) fn places<'v>(first: &'v Value, second: &'v Value, places_max: usize) -> Vec<Place<'v>> {
    let mut walk = Walk { path: Vec::new(), found: Vec::new(), places_max };
    walk.value(Some(first), Some(second));
    walk.found
}

struct Walk<'v> {
    path: Vec<Step>,
    found: Vec<Place<'v>>,
    places_max: usize,
}

impl<'v> Walk<'v> {
    fn value(&mut self, first: Option<&'v Value>, second: Option<&'v Value>) {
        if self.found.len() >= self.places_max {
            return;
        }
        match (first, second) {
            (Some(Value::Object(left)), Some(Value::Object(right))) => {
                let before = self.found.len();
                let more = right.keys().filter(|name| !left.contains_key(*name));
                for name in left.keys().chain(more) {
                    self.path.push(Step::Name(name.clone()));
                    self.value(left.get(name), right.get(name));
                    self.path.pop();
                }
                // The same fields in another order are another text.
                if self.found.len() == before && !left.keys().eq(right.keys()) {
                    self.add(Kind::Order, first, second);
                }
            }
            (Some(Value::Array(left)), Some(Value::Array(right))) => {
                for index in 0..left.len().max(right.len()) {
                    self.path.push(Step::Position(index));
                    self.value(left.get(index), right.get(index));
                    self.path.pop();
                }
            }
            _ if first == second => {}
            (Some(_), None) => self.add(Kind::OnlyFirst, first, second),
            (None, _) => self.add(Kind::OnlySecond, first, second),
            _ => self.add(Kind::Value, first, second),
        }
    }

    fn add(&mut self, kind: Kind, first: Option<&'v Value>, second: Option<&'v Value>) {
        self.found.push(Place { path: self.path.clone(), kind, first, second });
    }
}

/// What each side has at a place, as an example shows it: texts by their length alone unless they
/// may be shown, or are a word of the schemas, an id or a date; documents and arrays by what they
/// count.
pub(super) fn shown(place: &Place<'_>, with_texts: bool) -> [Value; 2] {
    let sides = [place.first, place.second];
    if with_texts && let [Some(Value::String(first)), Some(Value::String(second))] = sides {
        let same = first.chars().zip(second.chars()).take_while(|(one, two)| one == two).count();
        let skipped = same.saturating_sub(TEXT_CHARS_BEFORE);
        return [first, second].map(|text| Value::String(cut(text, skipped)));
    }
    sides.map(|value| match value {
        None => Value::Null,
        Some(Value::String(text)) if with_texts || says_nothing(text) => {
            Value::String(cut(text, 0))
        }
        Some(Value::String(text)) => json!({ "textBytes": text.len() }),
        Some(Value::Array(all)) => json!({ "items": all.len() }),
        Some(Value::Object(all)) => json!({ "fields": all.len() }),
        Some(plain) => plain.clone(),
    })
}

/// A piece of a text, with `…` where it does not begin or end.
fn cut(text: &str, skipped: usize) -> String {
    let mut rest = text.chars().skip(skipped);
    let mut out = if skipped > 0 { "…".to_owned() } else { String::new() };
    out.extend(rest.by_ref().take(TEXT_CHARS_MAX));
    if rest.next().is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(first: &Value, second: &Value, with_texts: bool) -> Vec<(String, Kind, [Value; 2])> {
        let all = places(first, second, 3);
        all.iter()
            .map(|place| (shown_path(&place.path), place.kind, shown(place, with_texts)))
            .collect()
    }

    #[test]
    fn differences_are_named_and_texts_are_not_shown() {
        let one = json!({"a": [1, {"b": "secret"}], "c": null});
        let two = json!({"a": [1, {"b": "other"}], "c": 1});
        let lengths = [json!({"textBytes": 6}), json!({"textBytes": 5})];
        let expected = [
            ("a[1].b".to_owned(), Kind::Value, lengths),
            ("c".to_owned(), Kind::Value, [Value::Null, json!(1)]),
        ];
        assert_eq!(found(&one, &two, false), expected);
        let less = json!({"a": [1, {"b": "secret"}]});
        let nothing = [Value::Null, Value::Null];
        assert_eq!(found(&one, &less, true), [("c".to_owned(), Kind::OnlyFirst, nothing)]);
        assert!(found(&one, &one, false).is_empty());
        let turned = json!({"c": null, "a": [1, {"b": "secret"}]});
        let fields = [json!({"fields": 2}), json!({"fields": 2})];
        assert_eq!(found(&one, &turned, false), [(String::new(), Kind::Order, fields)]);
    }

    #[test]
    fn no_more_than_asked_for_are_found() {
        let many = |value: u32| json!((0..100).map(|_| value).collect::<Vec<_>>());
        assert_eq!(found(&many(1), &many(2), false).len(), 3);
    }

    #[test]
    fn texts_are_cut_around_the_place_where_they_differ() {
        let text = |end: &str| json!(format!("{}{end}{}", "x".repeat(100), "y".repeat(100)));
        let [first, second] = found(&text("AB"), &text("AC"), true)[0].2.clone();
        let expected = |end| format!("…{}A{end}{}…", "x".repeat(11), "y".repeat(47));
        assert_eq!((first, second), (expected("B").into(), expected("C").into()));
    }
}
