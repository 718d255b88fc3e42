//! Well-formed BSON of every type, with no regard to what the mapping expects.

use proptest::collection::vec;
use proptest::prelude::*;
use reshelve_core::raw::kind;

use crate::tree::{Fields, Node, text_bytes};

/// Deep enough to pass the limit of the mapping, so that both sides of it occur.
const CHAIN_LEVELS_MAX: usize = 110;

/// Text of all sorts: empty, words that rules look for, several bytes a letter, zero bytes.
pub(crate) fn text() -> BoxedStrategy<String> {
    prop_oneof![
        2 => Just(String::new()),
        6 => prop::sample::select(vec![
            "Ada", "Ada of the Isle", "Isle", "completed", "failed", "info", "legacy-0", "a#2",
            "loves Ada", "loves Ada of the Isle", "gpt-4o", "\u{feff}", " ", "é😀", "a\0b",
        ]).prop_map(str::to_owned),
        3 => "\\PC{0,12}",
        1 => "[a-z ]{100,300}",
    ]
    .boxed()
}

/// Names of fields: some that repeat, some that readers refuse, some that rules know.
pub(crate) fn name() -> BoxedStrategy<String> {
    prop_oneof![
        4 => prop::sample::select(vec![
            "", "a", "a.b", "$a", "$", "_", "_id", "0", "1", "status", "title", "chapters",
            "metadata", "residue", "legacy", "\u{ff04}a", "a#2",
        ]).prop_map(str::to_owned),
        2 => "[^\\x00]{0,6}",
    ]
    .boxed()
}

/// Numbers at the edges of types and formats.
pub(crate) fn number() -> BoxedStrategy<Node> {
    prop_oneof![
        3 => (-3_i32..40).prop_map(Node::int32),
        2 => prop::sample::select(vec![
            0.0, -0.0, 1.0, 2.5, -2.5, 1e21, 1e-7, 0.1, 5e-324, 1.797_693_134_862_315_7e308,
            2_147_483_647.0, 2_147_483_648.0, -2_147_483_649.0, f64::NAN, f64::INFINITY,
        ]).prop_map(Node::double),
        1 => any::<i32>().prop_map(Node::int32),
        1 => any::<i64>().prop_map(Node::int64),
        1 => (-5_i64..1_000_000).prop_map(Node::int64),
        1 => any::<u64>().prop_map(|bits| Node::double(f64::from_bits(bits))),
    ]
    .boxed()
}

/// Dates near each other, at the edges of the years that readers know, and beyond.
pub(crate) fn date() -> BoxedStrategy<Node> {
    prop_oneof![
        6 => (1_753_351_200_000_i64..1_753_351_200_020).prop_map(Node::date),
        3 => (1_700_000_000_000_i64..1_800_000_000_000).prop_map(Node::date),
        1 => prop::sample::select(vec![
            0, -1, -62_167_219_200_000, -62_167_219_200_001, 253_402_300_799_999,
            253_402_300_800_000, i64::MIN, i64::MAX,
        ]).prop_map(Node::date),
    ]
    .boxed()
}

fn bits<const N: usize>(kind: u8) -> impl Strategy<Value = Node> {
    any::<[u8; N]>().prop_map(move |bytes| Node::Plain(kind, bytes.to_vec()))
}

fn unreadable() -> impl Strategy<Value = Node> {
    let code = prop::sample::select(vec![kind::CODE, kind::SYMBOL]);
    let pointer = (text(), any::<[u8; 12]>()).prop_map(|(text, id)| {
        Node::Plain(kind::DB_POINTER, [&text_bytes(&text)[..], &id].concat())
    });
    let regex = ("[^\\x00]{0,5}", "[imsx]{0,3}")
        .prop_map(|(pattern, options)| format!("{pattern}\0{options}\0").into_bytes());
    prop_oneof![
        (code, text()).prop_map(|(kind, text)| Node::Plain(kind, text_bytes(&text))),
        regex.prop_map(|bytes| Node::Plain(kind::REGEX, bytes)),
        pointer,
    ]
}

/// A Binary of subtype 2: its inner length fits, is off by a little, or is missing.
fn old_binary() -> impl Strategy<Value = Node> {
    let off = prop::sample::select(vec![0, 0, 0, -1, 1, i32::MIN]);
    let content = (vec(any::<u8>(), 0..6), off).prop_map(|(rest, off)| {
        let inner = i32::try_from(rest.len()).unwrap().wrapping_add(off);
        [&inner.to_le_bytes()[..], &rest].concat()
    });
    prop_oneof![3 => content, 1 => vec(any::<u8>(), 0..4)]
        .prop_map(|content| Node::binary(2, &content))
}

/// A value without fields, of any type, with random bits.
pub(crate) fn plain() -> BoxedStrategy<Node> {
    let empty = vec![kind::NULL, kind::UNDEFINED, kind::MIN_KEY, kind::MAX_KEY];
    let binary = (any::<u8>(), vec(any::<u8>(), 0..20)).prop_map(|it| Node::binary(it.0, &it.1));
    prop_oneof![
        4 => text().prop_map(|text| Node::string(&text)),
        4 => number(),
        2 => date(),
        2 => any::<bool>().prop_map(Node::boolean),
        2 => prop::sample::select(empty).prop_map(|kind| Node::Plain(kind, Vec::new())),
        1 => bits::<12>(kind::OBJECT_ID),
        1 => bits::<8>(kind::TIMESTAMP),
        1 => bits::<16>(kind::DECIMAL128),
        1 => binary,
        1 => old_binary(),
        1 => unreadable(),
    ]
    .boxed()
}

/// Any value.
pub(crate) fn value() -> BoxedStrategy<Node> {
    plain()
        .prop_recursive(5, 24, 5, |inner| {
            let items = vec(inner.clone(), 0..5);
            let fields = vec((name(), inner), 0..5);
            prop_oneof![
                3 => fields.clone().prop_map(Node::Document),
                3 => items.prop_map(Node::array),
                1 => fields.clone().prop_map(Node::Array),
                1 => (text(), fields).prop_map(|(code, scope)| Node::Scope(code, scope)),
            ]
        })
        .boxed()
}

/// A value under many levels of documents, arrays and scopes.
pub(crate) fn deep() -> BoxedStrategy<Node> {
    (vec(0_u8..3, 80..CHAIN_LEVELS_MAX), name(), plain())
        .prop_map(|(levels, name, innermost)| {
            levels.into_iter().fold(innermost, |inside, how| {
                let fields = vec![(name.clone(), inside)];
                match how {
                    0 => Node::Document(fields),
                    1 => Node::Array(fields),
                    _ => Node::Scope(String::new(), fields),
                }
            })
        })
        .boxed()
}

/// An `_id`: mostly one that the mapping takes.
pub(crate) fn id() -> BoxedStrategy<Node> {
    prop_oneof![
        8 => any::<[u8; 12]>().prop_map(Node::object_id),
        3 => "[a-z0-9-]{1,12}".prop_map(|text| Node::string(&text)),
        1 => plain(),
    ]
    .boxed()
}

/// A document of any fields; mostly with what a document needs to be mapped at all.
pub(crate) fn document() -> BoxedStrategy<Fields> {
    let anything = prop_oneof![12 => value(), 1 => deep()];
    let fields = vec((name(), anything), 0..8);
    let head = prop::option::weighted(0.95, id());
    let status = prop::option::weighted(
        0.9,
        prop::sample::select(vec!["completed", "failed", "writing", "planning", "odd"]),
    );
    (head, status, fields, any::<prop::sample::Index>())
        .prop_map(|(id, status, mut fields, at)| {
            if let Some(status) = status {
                fields.insert(0, ("status".into(), Node::string(status)));
            }
            if let Some(id) = id {
                let at = at.index(fields.len() + 1);
                fields.insert(at, ("_id".into(), id));
            }
            fields
        })
        .boxed()
}
