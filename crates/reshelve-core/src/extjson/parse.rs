//! The text of one Extended JSON document to BSON, in one pass.
//!
//! Text goes straight to its place in the BSON; lengths and types that are known only later are
//! patched in. Canonical, relaxed and version 1 are told apart by shape, value by value. The
//! parser keeps its own stack of open documents: depth costs memory, never the thread's stack.

use super::{text, wrapper};
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
pub(super) struct Frame {
    /// Where its type byte is; none for the document itself.
    pub(super) kind_at: Option<usize>,
    /// Where its BSON starts.
    pub(super) start: usize,
    /// Where its text starts.
    pub(super) text_at: usize,
    /// Elements so far.
    count: u32,
    array: bool,
    /// Whether its first name is one that a wrapper with several names begins with: only the end
    /// shows whether it is one.
    wrapper: bool,
}

pub(super) type Step<T = ()> = Result<T, &'static str>;

pub(super) const TOO_LARGE: &str = "value is larger than BSON can hold";
pub(super) const NOT_A_DOCUMENT: &str = "expected a document, found a value";

pub(super) struct Parser<'t, 'o> {
    pub(super) text: &'t [u8],
    pub(super) at: usize,
    pub(super) out: &'o mut Vec<u8>,
    pub(super) frames: Vec<Frame>,
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

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    pub(super) fn expect(&mut self, byte: u8, reason: &'static str) -> Step {
        if self.peek() != Some(byte) {
            return Err(reason);
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    pub(super) fn skip_space(&mut self) {
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

    pub(super) fn fail(&mut self, at: usize, reason: &'static str) -> &'static str {
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
            // Exports of version 1 have these words, which JSON does not know.
            Some(b'N' | b'I' | b'+') => self.word()?,
            Some(b'-') if self.text[self.at..].starts_with(b"-I") => self.word()?,
            Some(b'-' | b'0'..=b'9') => {
                let number = self.number()?;
                number.push(self.out);
                number.kind()
            }
            Some(_) => return Err(text::no_value(&self.text[self.at..])),
            None => return Err("document is cut off"),
        };
        self.out[kind_at] = kind;
        Ok(())
    }

    /// A string, after its quote, as BSON: length, text, closing zero.
    pub(super) fn string(&mut self) -> Step {
        let start = self.out.len();
        self.out.extend_from_slice(&[0; 4]);
        self.at = text::push_string(self.text, self.at, self.out)
            .map_err(|(at, reason)| self.fail(at, reason))?;
        self.out.push(0);
        patch_length(self.out, start, 4)
    }

    pub(super) fn literal(&mut self, literal: &[u8]) -> Step {
        if !self.text[self.at..].starts_with(literal) {
            return Err(text::no_value(&self.text[self.at..]));
        }
        self.at += literal.len();
        Ok(())
    }

    /// A Double that is no number, as a word of its own.
    fn word(&mut self) -> Step<u8> {
        let (number, length) = text::bare_double(&self.text[self.at..])?;
        self.at += length;
        number.push(self.out);
        Ok(number.kind())
    }

    pub(super) fn number(&mut self) -> Step<text::Number> {
        let (number, length) = text::number(&self.text[self.at..])?;
        self.at += length;
        Ok(number)
    }
}

/// Writes the length of what follows `start` to `start`; `less` bytes of it do not count.
pub(super) fn patch_length(out: &mut [u8], start: usize, less: usize) -> Step {
    let length = i32::try_from(out.len() - start - less).map_err(|_| TOO_LARGE)?;
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    Ok(())
}
