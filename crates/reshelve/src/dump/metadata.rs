//! `<collection>.metadata.json`: what a dump says about a collection besides its documents.

use crate::target_schema::Index;
use reshelve_core::extjson::{self, Style};
use reshelve_core::raw::{Document, Value, kind};

/// What a metadata file says.
#[derive(Clone, Debug, Default)]
pub(super) struct Metadata {
    pub(super) collection_name: Option<String>,
    /// `collection`, `view`, `timeseries`; older tools do not say.
    pub(super) kind: Option<String>,
    pub(super) indexes: Vec<Index>,
    /// Whether the file could be read at all.
    pub(super) readable: bool,
}

impl Metadata {
    /// What is known from a damaged file.
    pub(super) fn unreadable() -> Metadata {
        Metadata::default()
    }

    /// Reads what is there; bad metadata is no reason to refuse documents.
    pub(super) fn parse(text: &[u8]) -> Metadata {
        let mut bytes = Vec::new();
        if extjson::parse(text.trim_ascii(), &mut bytes).is_err() {
            return Metadata::unreadable();
        }
        let document = Document::new(&bytes);
        let mut kind = string(document, "type");
        let options = document.get("options").and_then(Value::document);
        // Older tools do not name the type; the options reveal a view or a time series.
        if let (None, Some(options)) = (&kind, options) {
            if options.get("viewOn").is_some() {
                kind = Some("view".to_owned());
            } else if options.get("timeseries").is_some() {
                kind = Some("timeseries".to_owned());
            }
        }
        let indexes = document.get("indexes").and_then(Value::array).unwrap_or(Document::EMPTY);
        Metadata {
            collection_name: string(document, "collectionName"),
            kind,
            indexes: indexes.values().filter_map(Value::document).map(index).collect(),
            readable: true,
        }
    }
}

fn index(document: Document<'_>) -> Index {
    let text = |value: Value<'_>| {
        let mut text = Vec::new();
        extjson::write_value(&mut text, value, Style::Relaxed);
        String::from_utf8(text).unwrap_or_default()
    };
    let key = document.get("key").and_then(Value::document).unwrap_or(Document::EMPTY);
    let parts = key.elements().map(|part| {
        let direction = match part.value.numeric() {
            // The shell writes every number as a double.
            Some(number) if number.fract() == 0.0 => format!("{number:.0}"),
            _ => text(part.value),
        };
        format!("\"{}\":{direction}", part.name_text())
    });
    let options =
        document.elements().map(|field| (field.name_text().into_owned(), text(field.value)));
    let unique = document.get("unique");
    Index {
        name: string(document, "name").unwrap_or_default(),
        key: format!("{{{}}}", parts.collect::<Vec<_>>().join(",")),
        options: options.filter(|(name, value)| Index::is_option(name, value)).collect(),
        unique: unique.is_some_and(|value| {
            value.boolean() == Some(true)
                || value.kind != kind::BOOLEAN && value.numeric().is_some_and(|it| it != 0.0)
        }),
    }
}

/// A field of a document, if it is a string.
pub(super) fn string(document: Document<'_>, name: &str) -> Option<String> {
    let text = document.get(name).and_then(Value::string)?;
    Some(String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_and_newer_tools() {
        let newer = Metadata::parse(
            br#"{"indexes":[{"v":{"$numberInt":"2"},"key":{"a":{"$numberInt":"1"},
            "b":{"$numberInt":"-1"}},"name":"a_1_b_-1","unique":true}],
            "collectionName":"jobs","type":"collection"}"#,
        );
        assert_eq!(newer.collection_name.as_deref(), Some("jobs"));
        assert_eq!(newer.kind.as_deref(), Some("collection"));
        let [index] = newer.indexes.as_slice() else { panic!("one index") };
        assert_eq!((index.name.as_str(), index.key.as_str()), ("a_1_b_-1", r#"{"a":1,"b":-1}"#));
        assert!(index.unique && index.options.is_empty());
        let more = Metadata::parse(
            br#"{"indexes":[{"v":2,"key":{"a":1.0},"name":"a_1","sparse":true,"hidden":false,
            "expireAfterSeconds":{"$numberInt":"60"}}]}"#,
        );
        let index = &more.indexes[0];
        assert_eq!(index.key, r#"{"a":1}"#);
        assert_eq!(index.options.len(), 2, "{index:?}");
        assert!(index.deletes_documents());
        let oldest = Metadata::parse(
            br#"{"options":{},"indexes":[{"v":1,"key":{"_id":1},"name":"_id_","ns":"x.jobs"}]}"#,
        );
        assert_eq!(oldest.collection_name, None);
        assert_eq!(oldest.indexes.len(), 1);
        let view = Metadata::parse(br#"{"options":{"viewOn":"jobs","pipeline":[]},"indexes":[]}"#);
        assert_eq!(view.kind.as_deref(), Some("view"));
        assert!(!Metadata::parse(b"nonsense").readable);
    }
}
