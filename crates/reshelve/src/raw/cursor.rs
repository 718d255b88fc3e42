//! Cursors over borrowed BSON: no copy, no decoding of text.

use super::kind;

/// A document (or the body of an array) as it lies in memory, its length prefix and its closing
/// zero included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Document<'a>(&'a [u8]);

impl<'a> Document<'a> {
    /// The empty document.
    pub const EMPTY: Document<'static> = Document(&[5, 0, 0, 0, 0]);

    /// Takes the bytes of one whole document. They are meant to have passed
    /// [`check`](super::check); others make the iteration stop early.
    pub fn new(bytes: &'a [u8]) -> Self {
        Document(bytes)
    }

    /// The bytes, length prefix and closing zero included.
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// The elements in the order in which they are stored, repeated names included.
    pub fn elements(self) -> Elements<'a> {
        Elements { bytes: self.0, at: 4 }
    }

    /// The values in stored order: for arrays, whose keys are ignored.
    pub fn values(self) -> impl Iterator<Item = Value<'a>> {
        self.elements().map(|element| element.value)
    }

    /// The first element of that name, which is the one that is meant where a name repeats.
    pub fn get(self, name: &str) -> Option<Value<'a>> {
        self.elements().find(|element| element.name == name.as_bytes()).map(|found| found.value)
    }

    /// Whether the document has no element.
    pub fn is_empty(self) -> bool {
        self.0.len() <= 5
    }
}

/// One element of a document.
#[derive(Clone, Copy, Debug)]
pub struct Element<'a> {
    /// The name, without its closing zero. UTF-8 where the document passed the check.
    pub name: &'a [u8],
    /// The value.
    pub value: Value<'a>,
    /// Where the element starts in its document, in bytes.
    pub offset: usize,
}

impl<'a> Element<'a> {
    /// The name as text; bytes that are not UTF-8 (in a document never checked) are replaced.
    pub fn name_text(&self) -> std::borrow::Cow<'a, str> {
        String::from_utf8_lossy(self.name)
    }
}

/// A value: its type and its bytes, exactly as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value<'a> {
    /// The element type, one of [`kind`].
    pub kind: u8,
    /// The bytes of the value, without type and name.
    pub bytes: &'a [u8],
}

impl<'a> Value<'a> {
    /// Whether the value is null or undefined, which count as absent.
    pub fn is_nullish(self) -> bool {
        matches!(self.kind, kind::NULL | kind::UNDEFINED)
    }

    /// The bytes of a string's text (UTF-8, without length and closing zero).
    pub fn string(self) -> Option<&'a [u8]> {
        (self.kind == kind::STRING).then(|| self.text_bytes())
    }

    /// The text bytes of a string that is not empty.
    pub fn text(self) -> Option<&'a [u8]> {
        self.string().filter(|text| !text.is_empty())
    }

    fn text_bytes(self) -> &'a [u8] {
        self.bytes.get(4..self.bytes.len().saturating_sub(1)).unwrap_or(&[])
    }

    /// The embedded document.
    pub fn document(self) -> Option<Document<'a>> {
        (self.kind == kind::DOCUMENT).then_some(Document(self.bytes))
    }

    /// The array, as the document that stores it.
    pub fn array(self) -> Option<Document<'a>> {
        (self.kind == kind::ARRAY).then_some(Document(self.bytes))
    }

    /// The boolean.
    pub fn boolean(self) -> Option<bool> {
        (self.kind == kind::BOOLEAN).then(|| self.bytes == [1])
    }

    /// The date in milliseconds since the epoch, any year.
    pub fn date_ms(self) -> Option<i64> {
        if self.kind == kind::DATE { self.int64_bits() } else { None }
    }

    /// The 12 bytes of an ObjectId.
    pub fn object_id(self) -> Option<[u8; 12]> {
        if self.kind == kind::OBJECT_ID { self.bytes.try_into().ok() } else { None }
    }

    /// The value of an Int32.
    pub fn int32(self) -> Option<i32> {
        if self.kind != kind::INT32 {
            return None;
        }
        self.bytes.try_into().ok().map(i32::from_le_bytes)
    }

    /// The value of an Int64.
    pub fn int64(self) -> Option<i64> {
        if self.kind == kind::INT64 { self.int64_bits() } else { None }
    }

    /// The value of a Double, NaN and infinities included.
    pub fn double(self) -> Option<f64> {
        if self.kind != kind::DOUBLE {
            return None;
        }
        self.bytes.try_into().ok().map(f64::from_le_bytes)
    }

    /// Any of the three numeric types as f64; NaN and infinities included.
    pub fn numeric(self) -> Option<f64> {
        match self.kind {
            kind::INT32 => self.int32().map(f64::from),
            #[expect(clippy::as_conversions, reason = "numbers are compared and written as f64")]
            kind::INT64 => self.int64().map(|value| value as f64),
            kind::DOUBLE => self.double(),
            _ => None,
        }
    }

    /// The bytes of a Binary of subtype 0.
    pub fn binary(self) -> Option<&'a [u8]> {
        if self.kind != kind::BINARY || self.bytes.get(4) != Some(&0) {
            return None;
        }
        self.bytes.get(5..)
    }

    fn int64_bits(self) -> Option<i64> {
        self.bytes.try_into().ok().map(i64::from_le_bytes)
    }
}

/// The elements of a [`Document`], in stored order.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    #[inline]
    fn next(&mut self) -> Option<Element<'a>> {
        let offset = self.at;
        let kind = *self.bytes.get(offset)?;
        if kind == 0 {
            return None;
        }
        let rest = self.bytes.get(offset + 1..)?;
        let name_length = name_length(rest)?;
        let name = &rest[..name_length];
        let body = &rest[name_length + 1..];
        let length = value_length(kind, body)?;
        let bytes = body.get(..length)?;
        self.at = offset + 1 + name_length + 1 + length;
        Some(Element { name, value: Value { kind, bytes }, offset })
    }
}

/// Names are short: a plain loop beats a call for most of them.
#[inline]
fn name_length(bytes: &[u8]) -> Option<usize> {
    let head = &bytes[..bytes.len().min(24)];
    head.iter()
        .position(|&byte| byte == 0)
        .or_else(|| memchr::memchr(0, &bytes[head.len()..]).map(|at| at + head.len()))
}

/// How many bytes a value of that type takes at the start of `body`; none for an unknown type or
/// where the length prefix is cut off or cannot be.
#[inline]
pub(super) fn value_length(kind: u8, body: &[u8]) -> Option<usize> {
    let prefixed = |extra: usize| {
        let prefix: [u8; 4] = body.get(..4)?.try_into().ok()?;
        usize::try_from(i32::from_le_bytes(prefix)).ok().map(|length| length + extra)
    };
    match kind {
        kind::STRING | kind::CODE | kind::SYMBOL => prefixed(4),
        kind::DOCUMENT | kind::ARRAY | kind::CODE_WITH_SCOPE => prefixed(0),
        kind::INT32 => Some(4),
        kind::DOUBLE | kind::DATE | kind::INT64 | kind::TIMESTAMP => Some(8),
        kind::OBJECT_ID => Some(12),
        kind::BOOLEAN => Some(1),
        kind::NULL | kind::UNDEFINED | kind::MIN_KEY | kind::MAX_KEY => Some(0),
        kind::BINARY => prefixed(5),
        kind::DECIMAL128 => Some(16),
        kind::DB_POINTER => prefixed(16),
        kind::REGEX => {
            let pattern = memchr::memchr(0, body)?;
            let options = memchr::memchr(0, &body[pattern + 1..])?;
            Some(pattern + 1 + options + 1)
        }
        _ => None,
    }
}
