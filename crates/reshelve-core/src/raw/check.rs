//! One walk over the bytes of a document that proves them well formed.

use super::cursor::{has_wrong_inner_length, name_end, value_length};
use super::kind;

/// What the walk found on its way, so that no later step needs another walk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// The deepest level; the document itself is level 1. Documents, arrays and the scope of a
    /// Code value add one each.
    pub depth: usize,
    /// Whether a Regex, Code, Code with scope, Symbol or DBPointer, a Binary of subtype 2 with a
    /// wrong inner length, or a name that starts with `$` occurs anywhere: only then can a copied
    /// part be unreadable.
    pub unreadable: bool,
}

/// Why bytes are not a well-formed document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at byte {offset}")]
pub struct Malformed {
    /// Where it is, in bytes from the start of the document.
    pub offset: usize,
    /// What is wrong, as a fragment of a sentence.
    pub reason: &'static str,
}

/// Proves that `bytes` are exactly one well-formed document: every length fits exactly, every type
/// is known, booleans are 0 or 1, names and the text of strings, regexes, code and symbols are
/// UTF-8. The content of a binary is not checked. Depth is not limited here: the walk keeps its
/// own stack.
///
/// # Errors
/// The first problem, with its offset.
pub fn check(bytes: &[u8]) -> Result<Checked, Malformed> {
    let facts = Checked { depth: 1, unreadable: false };
    let mut walk =
        Walk { bytes, facts, inner: End { at: bytes.len(), array: false }, outer: Vec::new() };
    let end = walk.end_of(0, bytes.len())?;
    if end != bytes.len() {
        return Err(Malformed { offset: 0, reason: "length does not match" });
    }
    let mut at = 4;
    loop {
        // The byte before an end is the document's closing zero: elements must end exactly there.
        let last = walk.inner.at - 1;
        if at < last {
            at = walk.element(at, last)?;
            continue;
        }
        if bytes[at] != 0 {
            return Err(Malformed { offset: at, reason: "document does not end with a zero byte" });
        }
        at += 1;
        match walk.outer.pop() {
            Some(outer) => walk.inner = outer,
            None => return Ok(walk.facts),
        }
    }
}

struct Walk<'a> {
    bytes: &'a [u8],
    facts: Checked,
    /// The innermost open document.
    inner: End,
    /// Those around it, outermost first.
    outer: Vec<End>,
}

/// Where an open document ends, and whether it is an array, whose keys are not names.
#[derive(Clone, Copy)]
struct End {
    at: usize,
    array: bool,
}

impl Walk<'_> {
    /// Where the document ends whose length prefix is at `at`; it must end by `limit`.
    #[inline]
    fn end_of(&self, at: usize, limit: usize) -> Result<usize, Malformed> {
        let bad = || Malformed { offset: at, reason: "length of a document does not fit" };
        let prefix = self.bytes.get(at..).and_then(<[u8]>::first_chunk).ok_or_else(bad)?;
        let length = usize::try_from(i32::from_le_bytes(*prefix)).map_err(|_| bad())?;
        if length < 5 || length > limit - at {
            return Err(bad());
        }
        Ok(at + length)
    }

    /// Opens the document whose length prefix is at `at`; it must end by `limit`.
    #[inline]
    fn open(&mut self, at: usize, limit: usize, array: bool) -> Result<usize, Malformed> {
        let end = self.end_of(at, limit)?;
        self.outer.push(std::mem::replace(&mut self.inner, End { at: end, array }));
        self.facts.depth = self.facts.depth.max(self.outer.len() + 1);
        Ok(end)
    }

    /// Checks the element at `at`, which must end by `limit`; returns the next position: after it,
    /// or inside it where it is a document.
    fn element(&mut self, at: usize, limit: usize) -> Result<usize, Malformed> {
        let bytes = self.bytes;
        let kind = bytes[at];
        let name_start = at + 1;
        let unended = Malformed { offset: at, reason: "name does not end with a zero byte" };
        let (name_length, is_ascii) = name_end(&bytes[name_start..limit]).ok_or(unended)?;
        let name_end = name_start + name_length;
        let name = &bytes[name_start..name_end];
        if !is_ascii && std::str::from_utf8(name).is_err() {
            return Err(Malformed { offset: name_start, reason: "name is not UTF-8" });
        }
        if name.first() == Some(&b'$') && !self.inner.array {
            self.facts.unreadable = true;
        }
        let start = name_end + 1;
        match kind {
            kind::DOCUMENT | kind::ARRAY => {
                self.open(start, limit, kind == kind::ARRAY)?;
                return Ok(start + 4);
            }
            kind::CODE_WITH_SCOPE => return self.code_with_scope(start, limit),
            _ => {}
        }
        let length = value_length(kind, &bytes[start..limit]);
        let Some(length) = length.filter(|length| *length <= limit - start) else {
            return Err(unfit(kind, length, at));
        };
        self.value(kind, start, length)?;
        Ok(start + length)
    }

    fn value(&mut self, kind: u8, start: usize, length: usize) -> Result<(), Malformed> {
        let value = &self.bytes[start..start + length];
        match kind {
            kind::STRING => text(value, start),
            kind::BOOLEAN if value[0] > 1 => {
                Err(Malformed { offset: start, reason: "boolean is neither 0 nor 1" })
            }
            kind::CODE | kind::SYMBOL => {
                self.facts.unreadable = true;
                text(value, start)
            }
            kind::DB_POINTER => {
                self.facts.unreadable = true;
                text(&value[..length - 12], start)
            }
            kind::REGEX => {
                self.facts.unreadable = true;
                if std::str::from_utf8(value).is_err() {
                    return Err(Malformed { offset: start, reason: "regex is not UTF-8" });
                }
                Ok(())
            }
            // The content of a binary does not decide whether the document is well formed.
            kind::BINARY => {
                self.facts.unreadable |= has_wrong_inner_length(value);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Code with scope: its total length, a string, a document.
    fn code_with_scope(&mut self, start: usize, limit: usize) -> Result<usize, Malformed> {
        self.facts.unreadable = true;
        let bad = Malformed { offset: start, reason: "code with scope does not fit" };
        let total = value_length(kind::CODE_WITH_SCOPE, &self.bytes[start..limit]).ok_or(bad)?;
        if total < 14 || total > limit - start {
            return Err(bad);
        }
        let end = start + total;
        let code = start + 4;
        let length = value_length(kind::STRING, &self.bytes[code..end]).ok_or(bad)?;
        if length > end - code {
            return Err(bad);
        }
        text(&self.bytes[code..code + length], code)?;
        if self.open(code + length, end, false)? != end {
            return Err(bad);
        }
        Ok(code + length + 4)
    }
}

/// What is wrong with a value of this length, if it has one, in the element at `offset`.
#[cold]
fn unfit(kind: u8, length: Option<usize>, offset: usize) -> Malformed {
    let is_known = matches!(kind, 0x01..=0x13 | kind::MIN_KEY | kind::MAX_KEY);
    let reason = match length {
        None if !is_known => "unknown element type",
        _ => "value does not fit its document",
    };
    Malformed { offset, reason }
}

/// A string with its length prefix and closing zero.
#[inline]
fn text(value: &[u8], offset: usize) -> Result<(), Malformed> {
    let Some((&0, head)) = value.split_last() else {
        return Err(Malformed { offset, reason: "string does not end with a zero byte" });
    };
    let Some(text) = head.get(4..) else {
        return Err(Malformed { offset, reason: "string is too short" });
    };
    // Short strings are not worth the set-up of the vector code, and most of them are ASCII.
    let valid = if text.len() < 64 {
        is_ascii(text) || std::str::from_utf8(text).is_ok()
    } else {
        simdutf8::basic::from_utf8(text).is_ok()
    };
    if valid { Ok(()) } else { Err(Malformed { offset, reason: "string is not UTF-8" }) }
}

/// Eight bytes at a time; the last eight may have been seen in part.
#[inline]
fn is_ascii(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk() else { return text.iter().all(u8::is_ascii) };
    let (words, _) = text.as_chunks::<8>();
    let last = u64::from_le_bytes(*last);
    let bits = words.iter().fold(last, |bits, word| bits | u64::from_le_bytes(*word));
    bits & 0x8080_8080_8080_8080 == 0
}
