//! Arbitrary BSON to text and back; arbitrary text to anything except a panic.

use proptest::prelude::*;
use reshelve_core::extjson::{self, Style};
use reshelve_core::raw::{Document, Mark, Writer, check, kind};

use crate::helpers::{parse, read_bytes, read_garbage, small_archive};

/// A value, by its type and its bytes; documents by their elements.
#[derive(Clone, Debug)]
enum Node {
    Leaf(u8, Vec<u8>),
    Document(Vec<(String, Node)>),
    Array(Vec<Node>),
    Scoped(String, Vec<(String, Node)>),
}

/// A string value: length, text, closing zero.
fn text_bytes(text: &str) -> Vec<u8> {
    let mut bytes = i32::try_from(text.len() + 1).unwrap().to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes.push(0);
    bytes
}

fn binary(subtype: u8, content: &[u8]) -> Vec<u8> {
    let length = |bytes: usize| i32::try_from(bytes).unwrap().to_le_bytes();
    let mut inner = Vec::new();
    if subtype == 2 {
        inner.extend(length(content.len()));
    }
    inner.extend(content);
    let mut bytes = length(inner.len()).to_vec();
    bytes.push(subtype);
    bytes.extend(inner);
    bytes
}

/// A name: no zero, and no dollar at its start, which would make a wrapper of its document.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z_]{0,8}", 1 => "[^\\x00$][^\\x00]{0,6}"]
}

fn double() -> impl Strategy<Value = f64> {
    // The payload of a NaN is not in the text.
    prop_oneof![any::<f64>(), (-1000..1000i32).prop_map(|it| f64::from(it) / 8.0), Just(-0.0)]
        .prop_map(|it| if it.is_nan() { f64::NAN } else { it })
}

fn decimal() -> impl Strategy<Value = u128> {
    let finite = (any::<bool>(), 0..=10u128.pow(34) - 1, 0..=12_287u128, 0..34u32);
    prop_oneof![
        finite.prop_map(|(negative, coefficient, exponent, digits)| {
            let coefficient = coefficient % 10u128.pow(digits + 1);
            u128::from(negative) << 127 | exponent << 113 | coefficient
        }),
        prop_oneof![Just(0x78u128 << 120), Just(0xF8 << 120), Just(0x7C << 120)],
    ]
}

fn leaf() -> impl Strategy<Value = Node> {
    let text = || ".{0,40}".prop_map(|it| text_bytes(&it));
    let regex = ("[^\\x00]{0,8}", "[a-z]{0,4}");
    prop_oneof![
        text().prop_map(|it| Node::Leaf(kind::STRING, it)),
        any::<i32>().prop_map(|it| Node::Leaf(kind::INT32, it.to_le_bytes().to_vec())),
        any::<i64>().prop_map(|it| Node::Leaf(kind::INT64, it.to_le_bytes().to_vec())),
        any::<i64>().prop_map(|it| Node::Leaf(kind::DATE, it.to_le_bytes().to_vec())),
        any::<u64>().prop_map(|it| Node::Leaf(kind::TIMESTAMP, it.to_le_bytes().to_vec())),
        double().prop_map(|it| Node::Leaf(kind::DOUBLE, it.to_le_bytes().to_vec())),
        decimal().prop_map(|it| Node::Leaf(kind::DECIMAL128, it.to_le_bytes().to_vec())),
        any::<[u8; 12]>().prop_map(|it| Node::Leaf(kind::OBJECT_ID, it.to_vec())),
        any::<bool>().prop_map(|it| Node::Leaf(kind::BOOLEAN, vec![u8::from(it)])),
        (any::<u8>(), prop::collection::vec(any::<u8>(), 0..20))
            .prop_map(|(subtype, content)| Node::Leaf(kind::BINARY, binary(subtype, &content))),
        regex.prop_map(|(pattern, options)| {
            Node::Leaf(kind::REGEX, format!("{pattern}\0{options}\0").into_bytes())
        }),
        text().prop_map(|it| Node::Leaf(kind::CODE, it)),
        text().prop_map(|it| Node::Leaf(kind::SYMBOL, it)),
        (text(), any::<[u8; 12]>())
            .prop_map(|(name, id)| Node::Leaf(kind::DB_POINTER, [&name[..], &id].concat())),
        prop::sample::select(vec![kind::NULL, kind::UNDEFINED, kind::MIN_KEY, kind::MAX_KEY])
            .prop_map(|kind| Node::Leaf(kind, Vec::new())),
    ]
}

fn members() -> impl Strategy<Value = Vec<(String, Node)>> {
    let node = leaf().prop_recursive(4, 40, 6, |node| {
        let members = prop::collection::vec((name(), node.clone()), 0..6).boxed();
        prop_oneof![
            members.clone().prop_map(Node::Document),
            prop::collection::vec(node, 0..14).prop_map(Node::Array),
            (".{0,9}", members).prop_map(|(code, scope)| Node::Scoped(code, scope)),
        ]
    });
    prop::collection::vec((name(), node), 0..8)
}

fn build(members: &[(String, Node)]) -> Vec<u8> {
    let mut writer = Writer::default();
    let mark = writer.begin();
    for (name, node) in members {
        push(&mut writer, name, node);
    }
    writer.end(mark);
    writer.into_bytes()
}

fn push(writer: &mut Writer, name: &str, node: &Node) {
    let nested = |writer: &mut Writer, mark: Mark, members: &[(String, Node)]| {
        for (name, node) in members {
            push(writer, name, node);
        }
        writer.end(mark);
    };
    match node {
        Node::Leaf(kind, bytes) => {
            writer.header(*kind, name.as_bytes());
            writer.extend(bytes);
        }
        Node::Document(members) => {
            let mark = writer.begin_document(name);
            nested(writer, mark, members);
        }
        Node::Array(nodes) => {
            let mark = writer.begin_array(name);
            for (index, node) in nodes.iter().enumerate() {
                push(writer, &index.to_string(), node);
            }
            writer.end(mark);
        }
        Node::Scoped(code, scope) => {
            let code = text_bytes(code);
            let scope = build(scope);
            writer.header(kind::CODE_WITH_SCOPE, name.as_bytes());
            let length = i32::try_from(4 + code.len() + scope.len()).unwrap();
            writer.extend(&length.to_le_bytes());
            writer.extend(&code);
            writer.extend(&scope);
        }
    }
}

fn text_of(document: &[u8], style: Style) -> Vec<u8> {
    let mut text = Vec::new();
    extjson::write_document(&mut text, Document::new(document), style);
    text
}

proptest! {
    #[test]
    fn canonical_text_reads_back_as_the_same_bytes(members in members()) {
        let document = build(&members);
        check(&document).unwrap();
        let text = text_of(&document, Style::Canonical);
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&text).is_ok());
        prop_assert_eq!(parse(&text), Some(document.clone()));
        // Relaxed text loses types, but still reads back as a document.
        let relaxed = parse(&text_of(&document, Style::Relaxed)).unwrap();
        check(&relaxed).unwrap();
        prop_assert_eq!(text_of(&relaxed, Style::Relaxed), text_of(&document, Style::Relaxed));
    }

    #[test]
    fn changed_text_never_panics(members in members(), at: prop::sample::Index, byte: u8) {
        let mut text = text_of(&build(&members), Style::Canonical);
        let at = at.index(text.len());
        text[at] = byte;
        if let Some(bytes) = parse(&text) {
            check(&bytes).unwrap();
        }
        read_garbage(&text);
    }

    #[test]
    fn changed_documents_never_panic_the_writer(members in members(), at: prop::sample::Index, byte: u8) {
        let mut document = build(&members);
        let at = at.index(document.len());
        document[at] = byte;
        let text = text_of(&document, Style::Relaxed);
        prop_assert!(std::str::from_utf8(&text).is_ok());
        read_garbage(&document);
    }

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), head in 0..7usize) {
        let heads: [&[u8]; 7] = [
            b"", b"{", b"[{", &[0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3], &[0x28, 0xB5, 0x2F, 0xFD],
            &[0x6D, 0xE2, 0x99, 0x81], &[20, 0, 0, 0],
        ];
        let bytes = [heads[head], &bytes].concat();
        parse(&bytes);
        read_garbage(&bytes);
    }

    #[test]
    fn garbage_of_brackets_never_panics(text in "[\\[\\]{}\":,\\\\ \n1a]{0,80}") {
        parse(text.as_bytes());
        let read = read_garbage(text.as_bytes());
        // What parses as a whole is never refused, nor reported as damage.
        if parse(text.as_bytes()).is_some() {
            let (documents, damage) = read.unwrap();
            prop_assert!(documents.len() == 1 && damage.is_none());
        }
    }

    #[test]
    fn archives_of_any_documents(all in prop::collection::vec(members(), 1..5)) {
        let documents: Vec<Vec<u8>> = all.iter().map(|it| build(it)).collect();
        let (given, damage) = read_bytes(&small_archive(&documents).0);
        prop_assert!(damage.is_none());
        prop_assert_eq!(given, documents.into_iter().map(Some).collect::<Vec<_>>());
    }
}
