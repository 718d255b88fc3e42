//! Cursors over borrowed BSON: no copy, no decoding of text.

use super::kind;

/// A document (or the body of an array) as it is stored, including its length prefix and its
/// closing zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Document<'a>(&'a [u8]);

impl<'a> Document<'a> {
    /// The empty document.
    pub const EMPTY: Document<'static> = Document(&[5, 0, 0, 0, 0]);

    /// Wraps the bytes of one whole document. They should have passed [`check`](super::check);
    /// with others, iteration stops early.
    pub fn new(bytes: &'a [u8]) -> Self {
        Document(bytes)
    }

    /// The bytes, including length prefix and closing zero.
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// The elements in stored order, including repeated names.
    pub fn elements(self) -> Elements<'a> {
        Elements { bytes: self.0, at: 4 }
    }

    /// The values in stored order: for arrays, whose keys are ignored.
    pub fn values(self) -> impl Iterator<Item = Value<'a>> {
        self.elements().map(|element| element.value)
    }

    /// The value of the first element with that name, which is the one that counts where a name
    /// repeats.
    pub fn get(self, name: &str) -> Option<Value<'a>> {
        self.find(name.as_bytes())
    }

    /// As [`get`](Self::get), for a name given as bytes.
    pub fn find(self, name: &[u8]) -> Option<Value<'a>> {
        self.elements().find(|element| element.name == name).map(|found| found.value)
    }

    /// Whether the document has no element.
    pub fn is_empty(self) -> bool {
        self.0.len() <= 5
    }
}

/// One element of a document.
#[derive(Clone, Copy, Debug)]
pub struct Element<'a> {
    /// The name, without its closing zero. UTF-8 if the document passed the check.
    pub name: &'a [u8],
    /// The value.
    pub value: Value<'a>,
    /// Where the element starts in its document, in bytes.
    pub offset: usize,
}

impl<'a> Element<'a> {
    /// The name as text; bytes that are not UTF-8 (in a document that was not checked) are
    /// replaced.
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
    /// Whether the value is null or undefined; both count as absent.
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

    /// The date in milliseconds since 1970-01-01 UTC, in any year.
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

    /// The value of a Double, including NaN and infinities.
    pub fn double(self) -> Option<f64> {
        if self.kind != kind::DOUBLE {
            return None;
        }
        self.bytes.try_into().ok().map(f64::from_le_bytes)
    }

    /// An Int32, Int64 or Double as f64, including NaN and infinities.
    pub fn numeric(self) -> Option<f64> {
        match self.kind {
            kind::INT32 => self.int32().map(f64::from),
            #[expect(clippy::as_conversions, reason = "numbers are compared and written as f64")]
            kind::INT64 => self.int64().map(|value| value as f64),
            kind::DOUBLE => self.double(),
            _ => None,
        }
    }

    /// The content of a Binary of subtype 0.
    pub fn binary(self) -> Option<&'a [u8]> {
        if self.kind != kind::BINARY || self.bytes.get(4) != Some(&0) {
            return None;
        }
        self.bytes.get(5..)
    }

    /// Whether the value is a Binary of subtype 2 (*old binary*) whose inner length is not its
    /// length − 4. It is well formed, but drivers refuse every document that contains one.
    pub fn has_wrong_inner_length(self) -> bool {
        self.kind == kind::BINARY && has_wrong_inner_length(self.bytes)
    }

    fn int64_bits(self) -> Option<i64> {
        self.bytes.try_into().ok().map(i64::from_le_bytes)
    }
}

/// Whether the bytes of a Binary are of subtype 2 and do not start, inside, with the length of the
/// rest: a content too short to hold a length has a wrong one.
pub(super) fn has_wrong_inner_length(binary: &[u8]) -> bool {
    const SUBTYPE_OLD: u8 = 2;
    if binary.get(4) != Some(&SUBTYPE_OLD) {
        return false;
    }
    let content = binary.get(5..).unwrap_or(&[]);
    content
        .split_first_chunk()
        .is_none_or(|(inner, rest)| usize::try_from(i32::from_le_bytes(*inner)) != Ok(rest.len()))
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
        let (&kind, rest) = self.bytes.get(offset..)?.split_first()?;
        if kind == 0 {
            return None;
        }
        let (name_length, _) = name_end(rest)?;
        let (name, rest) = rest.split_at(name_length);
        let body = &rest[1..];
        let length = value_length(kind, body)?;
        let bytes = body.get(..length)?;
        self.at = offset + 1 + name_length + 1 + length;
        Some(Element { name, value: Value { kind, bytes }, offset })
    }
}

/// The highest bit of each of eight bytes.
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
/// The lowest bit of each of eight bytes.
const LOW_BITS: u64 = 0x0101_0101_0101_0101;

/// The position of the zero after a name, and whether the name is ASCII.
///
/// Every element of every document passes here, and names are too short for a call to `memchr`:
/// eight bytes are examined together in a register.
#[inline]
pub(super) fn name_end(bytes: &[u8]) -> Option<(usize, bool)> {
    let Some((chunk, after)) = bytes.split_first_chunk() else {
        return long_name_end(bytes, 0, 0);
    };
    let word = u64::from_le_bytes(*chunk);
    match first_zero(word) {
        Some((length, before)) => Some((length, before & HIGH_BITS == 0)),
        None => long_name_end(after, chunk.len(), word),
    }
}

/// The number of bytes before the first zero of eight, and these bytes.
#[inline]
fn first_zero(word: u64) -> Option<(usize, u64)> {
    // The lowest bit set here belongs to the first zero; higher ones may belong to none.
    let zeros = word.wrapping_sub(LOW_BITS) & !word & HIGH_BITS;
    let before_zero = (zeros & zeros.wrapping_neg()).wrapping_sub(1);
    let length = usize::try_from(zeros.trailing_zeros() / 8).ok()?;
    (zeros != 0).then_some((length, word & before_zero))
}

/// The same for a name of which so many bytes come before these; `seen` holds their bits.
fn long_name_end(bytes: &[u8], before_bytes: usize, mut seen: u64) -> Option<(usize, bool)> {
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, chunk) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*chunk);
        if let Some((length, before)) = first_zero(word) {
            let is_ascii = (seen | before) & HIGH_BITS == 0;
            return Some((before_bytes + at * 8 + length, is_ascii));
        }
        seen |= word;
    }
    let length = rest.iter().position(|&byte| byte == 0)?;
    let is_ascii = seen & HIGH_BITS == 0 && rest[..length].is_ascii();
    Some((before_bytes + words.len() * 8 + length, is_ascii))
}

/// The lengths of values, by type.
const LENGTHS: [u8; 256] = lengths();
/// Added to the number of bytes that a length prefix does not count.
const PREFIXED: u8 = 0x80;
/// Two texts, each up to its zero.
const TWO_TEXTS: u8 = 0xFE;
/// No such type.
const UNKNOWN: u8 = 0xFF;

const fn lengths() -> [u8; 256] {
    let mut lengths = [UNKNOWN; 256];
    let known: [(u8, u8); 21] = [
        (kind::DOUBLE, 8),
        (kind::STRING, PREFIXED + 4),
        (kind::DOCUMENT, PREFIXED),
        (kind::ARRAY, PREFIXED),
        (kind::BINARY, PREFIXED + 5),
        (kind::UNDEFINED, 0),
        (kind::OBJECT_ID, 12),
        (kind::BOOLEAN, 1),
        (kind::DATE, 8),
        (kind::NULL, 0),
        (kind::REGEX, TWO_TEXTS),
        (kind::DB_POINTER, PREFIXED + 16),
        (kind::CODE, PREFIXED + 4),
        (kind::SYMBOL, PREFIXED + 4),
        (kind::CODE_WITH_SCOPE, PREFIXED),
        (kind::INT32, 4),
        (kind::TIMESTAMP, 8),
        (kind::INT64, 8),
        (kind::DECIMAL128, 16),
        (kind::MIN_KEY, 0),
        (kind::MAX_KEY, 0),
    ];
    let mut at = 0;
    while at < known.len() {
        let (kind, length) = known[at];
        #[expect(clippy::as_conversions, reason = "a wider number, where `from` is not const")]
        let index = kind as usize;
        lengths[index] = length;
        at += 1;
    }
    lengths
}

/// How many bytes a value of that type takes at the start of `body`; none for an unknown type, or
/// where the length prefix is cut off or impossible.
#[inline]
pub(super) fn value_length(kind: u8, body: &[u8]) -> Option<usize> {
    match LENGTHS[usize::from(kind)] {
        UNKNOWN => None,
        TWO_TEXTS => two_texts(body),
        fixed if fixed < PREFIXED => Some(usize::from(fixed)),
        extra => {
            let length = usize::try_from(i32::from_le_bytes(*body.first_chunk()?)).ok()?;
            Some(length + usize::from(extra - PREFIXED))
        }
    }
}

#[cold]
fn two_texts(body: &[u8]) -> Option<usize> {
    let pattern = memchr::memchr(0, body)?;
    let options = memchr::memchr(0, &body[pattern + 1..])?;
    Some(pattern + 1 + options + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_at_their_zero() {
        for length in 0..40 {
            for after in [&b""[..], b"\x01\xFF\x80", b"a value\0 and more of it", b"\0\x01\x01"] {
                let mut bytes = vec![b'n'; length];
                assert_eq!(name_end(&bytes), None);
                bytes.push(0);
                bytes.extend_from_slice(after);
                assert_eq!(name_end(&bytes), Some((length, true)), "{length} {after:?}");
                for odd in 0..length {
                    let mut bytes = bytes.clone();
                    bytes[odd] = 0x81;
                    assert_eq!(name_end(&bytes), Some((length, false)), "{length} {odd}");
                    bytes[odd] = 1;
                    assert_eq!(name_end(&bytes), Some((length, true)), "{length} {odd}");
                }
            }
        }
    }
}
