//! A writer of BSON that patches the length of a document in when the document ends.
//!
//! Nesting therefore costs nothing: text is written once, straight to its final place.

use super::{Document, Value, format, kind};

/// Writes documents one after the other into one buffer.
///
/// Names and text are taken as they are: that they are UTF-8, and that names hold no zero, is the
/// caller's part.
#[derive(Debug, Default)]
pub struct Writer {
    buffer: Vec<u8>,
}

/// Where an open document or array starts; to be passed to [`Writer::end`].
#[derive(Clone, Copy, Debug)]
#[must_use = "a document that is not ended has no length"]
pub struct Mark {
    /// Where the element starts: a composed part that stays empty is cut off here.
    element: usize,
    length: usize,
}

impl Mark {
    /// Where the document itself starts in the writer: the position of its length.
    #[inline]
    pub fn start(self) -> usize {
        self.length
    }
}

impl Writer {
    /// A writer that appends to `buffer`.
    pub fn new(buffer: Vec<u8>) -> Self {
        Writer { buffer }
    }

    /// What has been written.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// How many bytes have been written.
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Whether nothing has been written.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Returns the buffer.
    pub fn into_bytes(self) -> Vec<u8> {
        self.buffer
    }

    /// Drops everything after the first `length` bytes.
    pub fn truncate(&mut self, length: usize) {
        self.buffer.truncate(length);
    }

    /// Begins a top-level document.
    pub fn begin(&mut self) -> Mark {
        let mark = Mark { element: self.buffer.len(), length: self.buffer.len() };
        self.buffer.extend_from_slice(&[0; 4]);
        mark
    }

    /// Begins an embedded document.
    #[inline]
    pub fn begin_document(&mut self, name: &str) -> Mark {
        self.begin_nested(kind::DOCUMENT, name.as_bytes())
    }

    /// Begins an embedded document under a name given as bytes.
    pub fn begin_document_bytes(&mut self, name: &[u8]) -> Mark {
        self.begin_nested(kind::DOCUMENT, name)
    }

    /// Begins an array.
    #[inline]
    pub fn begin_array(&mut self, name: &str) -> Mark {
        self.begin_nested(kind::ARRAY, name.as_bytes())
    }

    /// Begins a document that is element `index` of an array.
    pub fn begin_item(&mut self, index: usize) -> Mark {
        let element = self.buffer.len();
        self.index_header(kind::DOCUMENT, index);
        self.open(element)
    }

    /// Begins a document or array of that type under a name given as bytes.
    #[inline]
    pub fn begin_nested(&mut self, kind: u8, name: &[u8]) -> Mark {
        let element = self.buffer.len();
        self.header(kind, name);
        self.open(element)
    }

    #[inline]
    fn open(&mut self, element: usize) -> Mark {
        let length = self.buffer.len();
        self.buffer.extend_from_slice(&[0; 4]);
        Mark { element, length }
    }

    /// Ends what [`Mark`] began: writes the closing zero and the length.
    #[inline]
    pub fn end(&mut self, mark: Mark) {
        self.buffer.push(0);
        self.patch_length(mark.length);
    }

    /// Writes the number of bytes since `start` into the four bytes there: the length of a value that
    /// counts its own, and has no closing zero.
    #[inline]
    pub fn patch_length(&mut self, start: usize) {
        let length = u32::try_from(self.buffer.len() - start).unwrap_or(u32::MAX);
        self.buffer[start..start + 4].copy_from_slice(&length.to_le_bytes());
    }

    /// Ends a part that is left out where it is empty; returns whether it was written.
    pub fn end_unless_empty(&mut self, mark: Mark) -> bool {
        if self.buffer.len() == mark.length + 4 {
            self.buffer.truncate(mark.element);
            return false;
        }
        self.end(mark);
        true
    }

    /// Removes what [`Mark`] began.
    pub fn undo(&mut self, mark: Mark) {
        self.buffer.truncate(mark.element);
    }

    /// Type byte and name of an element whose value follows.
    #[inline]
    pub fn header(&mut self, kind: u8, name: &[u8]) {
        self.buffer.push(kind);
        self.buffer.extend_from_slice(name);
        self.buffer.push(0);
    }

    /// Type byte and key of an array element whose value follows.
    #[inline]
    pub fn index_header(&mut self, kind: u8, index: usize) {
        self.buffer.push(kind);
        format::push_index(&mut self.buffer, index);
        self.buffer.push(0);
    }

    /// Bytes as they are, after a header.
    pub fn extend(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// A string of UTF-8 bytes.
    #[inline]
    pub fn string(&mut self, name: &str, text: &[u8]) {
        self.header(kind::STRING, name.as_bytes());
        self.text(text);
    }

    /// The value part of a string: length, text, closing zero.
    #[inline]
    pub fn text(&mut self, text: &[u8]) {
        let length = u32::try_from(text.len() + 1).unwrap_or(u32::MAX);
        self.buffer.extend_from_slice(&length.to_le_bytes());
        self.buffer.extend_from_slice(text);
        self.buffer.push(0);
    }

    /// A string that is element `index` of an array.
    pub fn string_item(&mut self, index: usize, text: &[u8]) {
        self.index_header(kind::STRING, index);
        self.text(text);
    }

    /// A number as a JavaScript driver writes it: integral, within int32 and not -0.0 as Int32,
    /// anything else as Double.
    #[inline]
    pub fn number(&mut self, name: &str, number: f64) {
        match format::as_int32(number) {
            Some(integer) => self.int32(name, integer),
            None => self.double(name, number),
        }
    }

    #[inline]
    fn double(&mut self, name: &str, number: f64) {
        self.header(kind::DOUBLE, name.as_bytes());
        self.extend(&number.to_le_bytes());
    }

    /// A number, as [`number`](Self::number), that is element `index` of an array.
    pub fn number_item(&mut self, index: usize, number: f64) {
        match format::as_int32(number) {
            Some(integer) => {
                self.index_header(kind::INT32, index);
                self.extend(&integer.to_le_bytes());
            }
            None => {
                self.index_header(kind::DOUBLE, index);
                self.extend(&number.to_le_bytes());
            }
        }
    }

    /// An Int32.
    #[inline]
    pub fn int32(&mut self, name: &str, number: i32) {
        self.header(kind::INT32, name.as_bytes());
        self.extend(&number.to_le_bytes());
    }

    /// A date, in milliseconds since the epoch.
    #[inline]
    pub fn date(&mut self, name: &str, date_ms: i64) {
        self.header(kind::DATE, name.as_bytes());
        self.extend(&date_ms.to_le_bytes());
    }

    /// A date as the ISO string of the target's readers.
    #[inline]
    pub fn iso(&mut self, name: &str, date_ms: i64) {
        self.string(name, format::iso(date_ms).as_bytes());
    }

    /// A boolean.
    #[inline]
    pub fn boolean(&mut self, name: &str, value: bool) {
        self.header(kind::BOOLEAN, name.as_bytes());
        self.buffer.push(u8::from(value));
    }

    /// Null.
    pub fn null(&mut self, name: &str) {
        self.header(kind::NULL, name.as_bytes());
    }

    /// An ObjectId.
    pub fn object_id(&mut self, name: &str, id: [u8; 12]) {
        self.header(kind::OBJECT_ID, name.as_bytes());
        self.extend(&id);
    }

    /// A Binary of subtype 0.
    pub fn binary(&mut self, name: &str, bytes: &[u8]) {
        self.header(kind::BINARY, name.as_bytes());
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.extend(&length.to_le_bytes());
        self.buffer.push(0);
        self.extend(bytes);
    }

    /// A value exactly as it was read.
    pub fn value(&mut self, name: &str, value: Value<'_>) {
        self.value_bytes(name.as_bytes(), value);
    }

    /// A value exactly as it was read, under a name given as bytes.
    pub fn value_bytes(&mut self, name: &[u8], value: Value<'_>) {
        self.header(value.kind, name);
        self.extend(value.bytes);
    }

    /// A value exactly as it was read, as element `index` of an array.
    pub fn value_item(&mut self, index: usize, value: Value<'_>) {
        self.index_header(value.kind, index);
        self.extend(value.bytes);
    }

    /// An embedded document exactly as it was read.
    pub fn document(&mut self, name: &str, document: Document<'_>) {
        self.value(name, Value { kind: kind::DOCUMENT, bytes: document.bytes() });
    }
}
