//! The text of one Extended JSON document to BSON, in one pass.
//!
//! Text goes straight to its place in the BSON; lengths and types that are known only later are
//! patched in. Canonical, relaxed and version 1 are told apart by shape, value by value. The
//! parser keeps its own stack of open documents: depth costs memory, never the thread's stack.

use super::{date, decimal, scalar, text, wrapper};
use crate::raw::kind;

/// Why a text is not an Extended JSON document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at byte {offset} of the document")]
pub struct JsonError {
    /// Where it is, in bytes from the start of the text.
    pub offset: usize,
    /// What is wrong, as a fragment of a sentence.
    pub reason: &'static str,
}

/// Parses the text of one document and appends its BSON to `out`. On an error, `out` is left
/// unchanged.
///
/// Order and repeated names are kept. An object that begins like one of the format's type wrappers
/// is that wrapper or an error, never a document.
///
/// # Errors
/// The first problem, with its offset.
pub fn parse(text: &[u8], out: &mut Vec<u8>) -> Result<(), JsonError> {
    let start = out.len();
    if simdutf8::basic::from_utf8(text).is_err() {
        let offset = std::str::from_utf8(text).map_or_else(|error| error.valid_up_to(), |_| 0);
        return Err(JsonError { offset, reason: "text is not UTF-8" });
    }
    let mut parser =
        Parser { text, at: 0, out, frames: Vec::new(), scratch: Vec::new(), error_at: None };
    let done = parser.document();
    let offset = parser.error_at.unwrap_or(parser.at);
    if done.is_err() {
        out.truncate(start);
    }
    done.map_err(|reason| JsonError { offset, reason })
}

/// A document or array that is open.
struct Frame {
    /// Where its type byte is; none for the document itself.
    kind_at: Option<usize>,
    /// Where its BSON starts.
    start: usize,
    /// Where its text starts.
    text_at: usize,
    /// Elements so far.
    count: u32,
    array: bool,
    /// Whether its first name is one that a wrapper with several names begins with: only the end
    /// shows whether it is one.
    wrapper: bool,
}

type Step<T = ()> = Result<T, &'static str>;

pub(super) const TOO_LARGE: &str = "value is larger than BSON can hold";
const NOT_A_DOCUMENT: &str = "expected a document, found a value";

struct Parser<'t, 'o> {
    text: &'t [u8],
    at: usize,
    out: &'o mut Vec<u8>,
    frames: Vec<Frame>,
    scratch: Vec<u8>,
    /// Where the error is, if not at the parser's position.
    error_at: Option<usize>,
}

impl<'t> Parser<'t, '_> {
    fn document(&mut self) -> Step {
        self.skip_space();
        self.expect(b'{', "document does not start with {")?;
        self.open(None, false);
        while let Some(top) = self.frames.last_mut() {
            let (array, first) = (top.array, top.count == 0);
            self.skip_space();
            let closing = if array { b']' } else { b'}' };
            match self.peek() {
                Some(byte) if byte == closing => {
                    self.at += 1;
                    self.close()?;
                    continue;
                }
                Some(b',') if !first => {
                    self.at += 1;
                    self.skip_space();
                }
                Some(_) if first => {}
                Some(_) if array => return Err("expected , or ] after an element"),
                Some(_) => return Err("expected , or } after a value"),
                None => return Err("document is cut off"),
            }
            if array { self.item()? } else { self.member()? }
        }
        self.skip_space();
        if self.at < self.text.len() { Err("text after the document") } else { Ok(()) }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8, reason: &'static str) -> Step {
        if self.peek() != Some(byte) {
            return Err(reason);
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Opens a document or array whose text starts one byte before.
    fn open(&mut self, kind_at: Option<usize>, array: bool) {
        let start = self.out.len();
        self.out.extend_from_slice(&[0; 4]);
        let text_at = self.at - 1;
        self.frames.push(Frame { kind_at, start, text_at, count: 0, array, wrapper: false });
    }

    fn close(&mut self) -> Step {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        self.out.push(0);
        patch_length(self.out, frame.start, 0)?;
        if !frame.wrapper {
            return Ok(());
        }
        self.scratch.clear();
        let bytes = &self.out[frame.start..];
        let converted = wrapper::convert(bytes, &mut self.scratch).inspect_err(|_| {
            self.error_at = Some(frame.text_at);
        })?;
        if let Some(kind) = converted {
            let Some(kind_at) = frame.kind_at else { return Err(NOT_A_DOCUMENT) };
            self.out[kind_at] = kind;
            self.out.truncate(frame.start);
            self.out.extend_from_slice(&self.scratch);
        }
        Ok(())
    }

    /// An element of an array.
    fn item(&mut self) -> Step {
        let kind_at = self.out.len();
        self.out.push(0);
        if let Some(top) = self.frames.last_mut() {
            text::push_index(self.out, top.count);
            top.count = top.count.saturating_add(1);
        }
        self.out.push(0);
        self.value(kind_at)
    }

    /// A name and its value.
    fn member(&mut self) -> Step {
        let name_text_at = self.at;
        self.expect(b'"', "name does not start with a quote")?;
        let kind_at = self.out.len();
        self.out.push(0);
        self.at = text::push_string(self.text, self.at, self.out)
            .map_err(|(at, reason)| self.fail(at, reason))?;
        let name = &self.out[kind_at + 1..];
        // A null character can only come from an escape: then the name is shorter than its text.
        let escaped = self.at - name_text_at != name.len() + 2;
        if escaped && memchr::memchr(0, name).is_some() {
            return Err(self.fail(name_text_at, "name contains a null character"));
        }
        let dollar = name.first() == Some(&b'$');
        self.out.push(0);
        self.skip_space();
        self.expect(b':', "expected : after a name")?;
        self.skip_space();
        let Some(top) = self.frames.last_mut() else { return Ok(()) };
        top.count = top.count.saturating_add(1);
        if dollar && top.count == 1 {
            let name = &self.out[kind_at + 1..self.out.len() - 1];
            if let Some(single) = wrapper::single(name) {
                return self.single(single);
            }
            top.wrapper = wrapper::begins(name);
        }
        self.value(kind_at)
    }

    fn fail(&mut self, at: usize, reason: &'static str) -> &'static str {
        self.error_at = Some(at);
        reason
    }

    /// A value whose type byte is at `kind_at`. Documents and arrays are only opened.
    fn value(&mut self, kind_at: usize) -> Step {
        let kind = match self.peek() {
            Some(b'"') => {
                self.at += 1;
                self.string()?;
                kind::STRING
            }
            Some(b'{') => {
                self.at += 1;
                self.open(Some(kind_at), false);
                kind::DOCUMENT
            }
            Some(b'[') => {
                self.at += 1;
                self.open(Some(kind_at), true);
                kind::ARRAY
            }
            Some(b't') => {
                self.literal(b"true")?;
                self.out.push(1);
                kind::BOOLEAN
            }
            Some(b'f') => {
                self.literal(b"false")?;
                self.out.push(0);
                kind::BOOLEAN
            }
            Some(b'n') => {
                self.literal(b"null")?;
                kind::NULL
            }
            Some(b'-' | b'0'..=b'9') => {
                let number = self.number()?;
                number.push(self.out);
                number.kind()
            }
            Some(_) => return Err("expected a value"),
            None => return Err("document is cut off"),
        };
        self.out[kind_at] = kind;
        Ok(())
    }

    /// A string, after its quote, as BSON: length, text, closing zero.
    fn string(&mut self) -> Step {
        let start = self.out.len();
        self.out.extend_from_slice(&[0; 4]);
        self.at = text::push_string(self.text, self.at, self.out)
            .map_err(|(at, reason)| self.fail(at, reason))?;
        self.out.push(0);
        patch_length(self.out, start, 4)
    }

    fn literal(&mut self, literal: &[u8]) -> Step {
        if !self.text[self.at..].starts_with(literal) {
            return Err("expected a value");
        }
        self.at += literal.len();
        Ok(())
    }

    fn number(&mut self) -> Step<text::Number> {
        let (number, length) = text::number(&self.text[self.at..])?;
        self.at += length;
        Ok(number)
    }

    /// A wrapper with one name, after its name and colon: removes the document that was opened for
    /// it.
    fn single(&mut self, single: wrapper::Single) -> Step {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let value_at = self.at;
        let Some(kind_at) = frame.kind_at else {
            return Err(self.fail(frame.text_at, NOT_A_DOCUMENT));
        };
        self.out.truncate(frame.start);
        let kind = match single {
            wrapper::Single::Date => self.date()?,
            wrapper::Single::Text(kind) => {
                self.expect(b'"', "type wrapper does not hold a string")?;
                self.wrapped_text(kind).map_err(|reason| self.fail(value_at, reason))?;
                if kind == wrapper::UUID { kind::BINARY } else { kind }
            }
            wrapper::Single::Constant(kind, literal) => {
                self.literal(literal)
                    .map_err(|_| "type wrapper does not hold the expected value")?;
                kind
            }
        };
        self.skip_space();
        self.expect(b'}', "unexpected text in a type wrapper")?;
        self.out[kind_at] = kind;
        Ok(())
    }

    /// The string of a wrapper, after its quote, as the value that it stands for.
    fn wrapped_text(&mut self, kind: u8) -> Step {
        if kind == kind::SYMBOL {
            return self.string();
        }
        let text = self.short_string()?;
        let text = text.as_ref();
        match kind {
            kind::OBJECT_ID => {
                let id: [u8; 12] = scalar::parse_hex(text).ok_or("$oid is not 24 hex digits")?;
                self.out.extend_from_slice(&id);
            }
            kind::INT32 => {
                let number = scalar::parse_integer(text).and_then(|n| i32::try_from(n).ok());
                let number = number.ok_or("$numberInt does not hold an Int32")?;
                self.out.extend_from_slice(&number.to_le_bytes());
            }
            kind::INT64 => {
                let number =
                    scalar::parse_integer(text).ok_or("$numberLong does not hold an Int64")?;
                self.out.extend_from_slice(&number.to_le_bytes());
            }
            kind::DOUBLE => {
                let number =
                    text::wrapped_double(text).ok_or("$numberDouble does not hold a Double")?;
                self.out.extend_from_slice(&number.to_le_bytes());
            }
            kind::DECIMAL128 => {
                let bits =
                    decimal::parse(text).ok_or("$numberDecimal does not hold a Decimal128")?;
                self.out.extend_from_slice(&bits.to_le_bytes());
            }
            _ => {
                let uuid = scalar::parse_uuid(text).ok_or("$uuid is not a UUID")?;
                self.out.extend_from_slice(&[16, 0, 0, 0, 4]);
                self.out.extend_from_slice(&uuid);
            }
        }
        Ok(())
    }

    /// A string, after its quote, that is examined and not kept.
    fn short_string(&mut self) -> Step<std::borrow::Cow<'t, [u8]>> {
        let rest = &self.text[self.at..];
        let end = text::plain_length(rest);
        if rest.get(end) == Some(&b'"') {
            self.at += end + 1;
            return Ok(rest[..end].into());
        }
        let mut unescaped = Vec::new();
        self.at = text::push_string(self.text, self.at, &mut unescaped)
            .map_err(|(at, reason)| self.fail(at, reason))?;
        Ok(unescaped.into())
    }

    /// What `$date` holds: an ISO string, a number (version 1), or a `$numberLong`.
    fn date(&mut self) -> Step<u8> {
        let value_at = self.at;
        let date_ms = match self.peek() {
            Some(b'"') => {
                self.at += 1;
                date::parse_iso(&self.short_string()?)
            }
            Some(b'{') => {
                self.at += 1;
                self.skip_space();
                self.expect(b'"', "$date does not hold a date")?;
                let name = self.short_string()?;
                self.skip_space();
                self.expect(b':', "expected : after a name")?;
                self.skip_space();
                self.expect(b'"', "$date does not hold a date")?;
                let text = self.short_string()?;
                self.skip_space();
                self.expect(b'}', "unexpected text in $date")?;
                if &*name == b"$numberLong" { scalar::parse_integer(&text) } else { None }
            }
            Some(b'-' | b'0'..=b'9') => match self.number()? {
                text::Number::Int32(number) => Some(i64::from(number)),
                text::Number::Int64(number) => Some(number),
                text::Number::Double(_) => None,
            },
            _ => None,
        };
        let date_ms = date_ms.ok_or_else(|| self.fail(value_at, "$date does not hold a date"))?;
        self.out.extend_from_slice(&date_ms.to_le_bytes());
        Ok(kind::DATE)
    }
}

/// Writes the length of what follows `start` to `start`; `less` bytes of it do not count.
pub(super) fn patch_length(out: &mut [u8], start: usize, less: usize) -> Step {
    let length = i32::try_from(out.len() - start - less).map_err(|_| TOO_LARGE)?;
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    Ok(())
}
