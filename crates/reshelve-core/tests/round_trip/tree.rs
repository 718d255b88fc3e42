//! BSON as a tree that can be generated, edited and encoded: every type, repeated names, any keys.

use reshelve_core::extjson;
use reshelve_core::raw::{Document, Value, Writer, kind};

/// Fields in order; names may repeat.
pub(crate) type Fields = Vec<(String, Node)>;

/// A value.
#[derive(Clone, PartialEq)]
pub(crate) enum Node {
    /// Anything without fields: its type and its bytes.
    Plain(u8, Vec<u8>),
    Document(Fields),
    /// An array with its keys, which need not be 0, 1, 2 …
    Array(Fields),
    /// Code with scope.
    Scope(String, Fields),
}

/// Extended JSON: what a failing test prints can then be read, and made into a case.
impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut value = Writer::default();
        self.push(&mut value);
        let value = Value { kind: self.kind(), bytes: value.bytes() };
        let mut text = Vec::new();
        extjson::write_value(&mut text, value, extjson::Style::Canonical);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

impl Node {
    pub(crate) fn null() -> Node {
        Node::Plain(kind::NULL, Vec::new())
    }

    pub(crate) fn string(text: &str) -> Node {
        Node::Plain(kind::STRING, text_bytes(text))
    }

    pub(crate) fn double(number: f64) -> Node {
        Node::Plain(kind::DOUBLE, number.to_le_bytes().to_vec())
    }

    pub(crate) fn int32(number: i32) -> Node {
        Node::Plain(kind::INT32, number.to_le_bytes().to_vec())
    }

    pub(crate) fn int64(number: i64) -> Node {
        Node::Plain(kind::INT64, number.to_le_bytes().to_vec())
    }

    pub(crate) fn date(date_ms: i64) -> Node {
        Node::Plain(kind::DATE, date_ms.to_le_bytes().to_vec())
    }

    pub(crate) fn boolean(value: bool) -> Node {
        Node::Plain(kind::BOOLEAN, vec![u8::from(value)])
    }

    pub(crate) fn object_id(id: [u8; 12]) -> Node {
        Node::Plain(kind::OBJECT_ID, id.to_vec())
    }

    pub(crate) fn binary(subtype: u8, content: &[u8]) -> Node {
        let length = u32::try_from(content.len()).unwrap().to_le_bytes();
        Node::Plain(kind::BINARY, [&length[..], &[subtype], content].concat())
    }

    /// An array with the keys of an array.
    pub(crate) fn array(values: impl IntoIterator<Item = Node>) -> Node {
        let keyed = values.into_iter().enumerate().map(|(at, value)| (at.to_string(), value));
        Node::Array(keyed.collect())
    }

    pub(crate) fn read(value: Value<'_>) -> Node {
        match value.kind {
            kind::DOCUMENT => Node::Document(fields(Document::new(value.bytes))),
            kind::ARRAY => Node::Array(fields(Document::new(value.bytes))),
            other => Node::Plain(other, value.bytes.to_vec()),
        }
    }

    /// The fields of a document or array.
    pub(crate) fn fields_mut(&mut self) -> Option<&mut Fields> {
        match self {
            Node::Document(fields) | Node::Array(fields) | Node::Scope(_, fields) => Some(fields),
            Node::Plain(..) => None,
        }
    }

    /// The value at a path of names and positions.
    pub(crate) fn at(&mut self, path: &str) -> Option<&mut Node> {
        path.split('.').try_fold(self, |node, name| {
            let fields = node.fields_mut()?;
            fields.iter_mut().find(|(found, _)| found == name).map(|(_, value)| value)
        })
    }

    fn kind(&self) -> u8 {
        match self {
            Node::Plain(kind, _) => *kind,
            Node::Document(_) => kind::DOCUMENT,
            Node::Array(_) => kind::ARRAY,
            Node::Scope(..) => kind::CODE_WITH_SCOPE,
        }
    }

    fn push(&self, out: &mut Writer) {
        match self {
            Node::Plain(_, bytes) => out.extend(bytes),
            Node::Document(fields) | Node::Array(fields) => out.extend(&encode(fields)),
            Node::Scope(code, fields) => {
                let (code, scope) = (text_bytes(code), encode(fields));
                let length = u32::try_from(4 + code.len() + scope.len()).unwrap();
                out.extend(&length.to_le_bytes());
                out.extend(&code);
                out.extend(&scope);
            }
        }
    }
}

/// Length, text, closing zero.
pub(crate) fn text_bytes(text: &str) -> Vec<u8> {
    let mut bytes = u32::try_from(text.len() + 1).unwrap().to_le_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes.push(0);
    bytes
}

/// The bytes of a document.
pub(crate) fn encode(fields: &Fields) -> Vec<u8> {
    let mut out = Writer::default();
    let document = out.begin();
    for (name, value) in fields {
        out.header(value.kind(), name.as_bytes());
        value.push(&mut out);
    }
    out.end(document);
    out.into_bytes()
}

/// The fields of a document; a scope of code stays as it is stored.
pub(crate) fn fields(document: Document<'_>) -> Fields {
    document
        .elements()
        .map(|element| (element.name_text().into_owned(), Node::read(element.value)))
        .collect()
}

/// A document as a tree.
pub(crate) fn decode(bytes: &[u8]) -> Node {
    Node::Document(fields(Document::new(bytes)))
}

/// The bytes of a tree that is a document.
pub(crate) fn bytes_of(node: &Node) -> Vec<u8> {
    match node {
        Node::Document(fields) => encode(fields),
        other => panic!("{other:?} is not a document"),
    }
}
