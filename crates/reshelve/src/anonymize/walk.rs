//! A walk over everything in a document that could say something: texts, keys, binaries, ids.

use super::policy::{NodeId, Policy};
use super::rule::Class;
use reshelve_core::raw::{Document, Element, Value, kind};

/// A part of a document that could say something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A string, or another kind of text.
    Text(&'a [u8]),
    /// A name of a field that is data: a key of a map, or a field that the policy does not know.
    Name(&'a [u8]),
    /// The content of a binary.
    Bytes(&'a [u8]),
    /// An ObjectId.
    Id([u8; 12]),
}

/// Where a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    /// At a path of the policy.
    Known(NodeId),
    /// Below that path, where the policy knows nothing.
    Below(NodeId),
}

impl Spot {
    /// The nearest path of the policy.
    pub(super) fn node(self) -> NodeId {
        match self {
            Spot::Known(node) | Spot::Below(node) => node,
        }
    }

    /// The path as reports show it: without any name that is data.
    pub(super) fn path(self, policy: &Policy) -> String {
        match self {
            Spot::Known(node) => policy.path(node).to_owned(),
            Spot::Below(Policy::ROOT) => "**".to_owned(),
            Spot::Below(node) => format!("{}.**", policy.path(node)),
        }
    }

    /// Where a field of a document is, and whether its name is data.
    pub(super) fn field(self, policy: &Policy, name: &[u8]) -> (Spot, bool) {
        let Spot::Known(node) = self else { return (self, true) };
        if policy.is_subtree(node) {
            return (Spot::Below(node), true);
        }
        match policy.child(node, name) {
            Some(child) => (Spot::Known(child), false),
            None => match policy.star(node) {
                Some(star) => (Spot::Known(star), !is_phase(policy, star, name)),
                None => (Spot::Below(node), true),
            },
        }
    }

    /// Where the elements of an array are.
    pub(super) fn elements(self, policy: &Policy) -> Spot {
        let Spot::Known(node) = self else { return self };
        match policy.elements(node) {
            Some(elements) if !policy.is_subtree(node) => Spot::Known(elements),
            _ => Spot::Below(node),
        }
    }
}

/// The phases of the legacy application, which are the keys of one map.
const PHASES: [&[u8]; 5] = [
    b"premise_analysis",
    b"outline_generation",
    b"chapter_writing",
    b"quality_validation",
    b"finalization",
];

fn is_phase(policy: &Policy, star: NodeId, key: &[u8]) -> bool {
    policy.class(star) == Some(Class::Date) && PHASES.contains(&key)
}

/// Whether an array has that key at that place, as it should.
pub(super) fn is_index(key: &[u8], index: usize) -> bool {
    let mut digits = Vec::with_capacity(8);
    reshelve_core::raw::push_index(&mut digits, index);
    digits == key
}

/// Hears of what a walk meets.
pub(super) trait Visitor {
    /// A field that the policy does not know, in a document at that path; or, without a name, an
    /// element of an array there.
    fn unknown(&mut self, _above: NodeId, _name: Option<&[u8]>) {}

    /// A piece, and what is at the same place of the other document, if that is alike.
    fn piece(&mut self, spot: Spot, piece: Piece<'_>, twin: Option<Piece<'_>>);
}

/// Walks over a document, beside another one of the same form if there is one. It goes as deep as
/// the document, which the caller has bounded.
pub(super) fn walk(
    policy: &Policy,
    document: Document<'_>,
    twin: Option<Document<'_>>,
    visitor: &mut dyn Visitor,
) {
    let root = Value { kind: kind::DOCUMENT, bytes: document.bytes() };
    let twin = twin.map(|twin| Value { kind: kind::DOCUMENT, bytes: twin.bytes() });
    nested(policy, Spot::Known(Policy::ROOT), root, twin, visitor);
}

fn nested(
    policy: &Policy,
    spot: Spot,
    value: Value<'_>,
    twin: Option<Value<'_>>,
    visitor: &mut dyn Visitor,
) {
    let is_array = value.kind == kind::ARRAY;
    let elements_spot = spot.elements(policy);
    let mut twins = twin.map_or(Document::EMPTY, |twin| Document::new(twin.bytes)).elements();
    let elements = Document::new(value.bytes).elements();
    let mut reported = false;
    for (index, Element { name, value, .. }) in elements.enumerate() {
        let twin = twins.next();
        let (at, is_data) = match is_array {
            true => (elements_spot, !is_index(name, index)),
            false => spot.field(policy, name),
        };
        if let (Spot::Known(above), Spot::Below(_)) = (spot, at)
            && !policy.is_subtree(above)
            && !(is_array && std::mem::replace(&mut reported, true))
        {
            visitor.unknown(above, (!is_array).then_some(name));
        }
        if is_data {
            let twin = twin.as_ref().map(|twin| Piece::Name(twin.name));
            visitor.piece(at, Piece::Name(name), twin);
        }
        let twin = twin.map(|twin| twin.value).filter(|twin| twin.kind == value.kind);
        each_piece(policy, at, value, twin, visitor);
    }
}

fn each_piece(
    policy: &Policy,
    at: Spot,
    value: Value<'_>,
    twin: Option<Value<'_>>,
    visitor: &mut dyn Visitor,
) {
    match value.kind {
        kind::DOCUMENT | kind::ARRAY => nested(policy, at, value, twin, visitor),
        kind::STRING => {
            let text = value.string().unwrap_or_default();
            if !matches!(at, Spot::Known(node) if policy.is_closed_value(node, text)) {
                let twin = twin.and_then(Value::string).map(Piece::Text);
                visitor.piece(at, Piece::Text(text), twin);
            }
        }
        kind::CODE | kind::SYMBOL => {
            let twin = twin.map(|twin| Piece::Text(text_in(twin.bytes)));
            visitor.piece(at, Piece::Text(text_in(value.bytes)), twin);
        }
        kind::CODE_WITH_SCOPE => {
            let (code, scope) = code_and_scope(value.bytes);
            let twin = twin.map(|twin| code_and_scope(twin.bytes));
            visitor.piece(at, Piece::Text(code), twin.map(|(code, _)| Piece::Text(code)));
            let scope = Value { kind: kind::DOCUMENT, bytes: scope };
            let twin = twin.map(|(_, scope)| Value { kind: kind::DOCUMENT, bytes: scope });
            nested(policy, Spot::Below(at.node()), scope, twin, visitor);
        }
        kind::REGEX => {
            let twin = twin.map(|twin| Piece::Text(pattern_and_options(twin.bytes).0));
            visitor.piece(at, Piece::Text(pattern_and_options(value.bytes).0), twin);
        }
        kind::DB_POINTER => {
            let (namespace, id) = pointer(value.bytes);
            let twin = twin.map(|twin| pointer(twin.bytes));
            visitor.piece(at, Piece::Text(namespace), twin.map(|(name, _)| Piece::Text(name)));
            visitor.piece(at, Piece::Id(id), twin.map(|(_, id)| Piece::Id(id)));
        }
        kind::BINARY => {
            let twin = twin.map(|twin| Piece::Bytes(content(twin.bytes)));
            visitor.piece(at, Piece::Bytes(content(value.bytes)), twin);
        }
        kind::OBJECT_ID => {
            let id = |value: Value<'_>| value.object_id().map(Piece::Id);
            if let Some(piece) = id(value) {
                visitor.piece(at, piece, twin.and_then(id));
            }
        }
        _ => {}
    }
}

/// What a binary holds after its length and its subtype.
fn content(bytes: &[u8]) -> &[u8] {
    bytes.get(5..).unwrap_or_default()
}

/// The text of a value that begins with its length, such as code.
pub(super) fn text_in(bytes: &[u8]) -> &[u8] {
    let length = bytes.first_chunk().map_or(0, |length| u32::from_le_bytes(*length));
    let end = usize::try_from(length).unwrap_or(0) + 3;
    bytes.get(4..end).unwrap_or_default()
}

/// The code and the document of a code with scope.
pub(super) fn code_and_scope(bytes: &[u8]) -> (&[u8], &[u8]) {
    let code = text_in(bytes.get(4..).unwrap_or_default());
    (code, bytes.get(4 + 4 + code.len() + 1..).unwrap_or_default())
}

/// Pattern and options of a regular expression.
pub(super) fn pattern_and_options(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    let options = bytes.get(end + 1..bytes.len().saturating_sub(1)).unwrap_or_default();
    (&bytes[..end], options)
}

/// Namespace and ObjectId of a DBPointer.
pub(super) fn pointer(bytes: &[u8]) -> (&[u8], [u8; 12]) {
    let id = bytes.last_chunk().copied().unwrap_or_default();
    (text_in(bytes), id)
}
