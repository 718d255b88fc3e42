//! Where a rejected document can be found again: its `_id`, and the path of the field at fault, as
//! far as they can be read in a document that is malformed.

use super::document_id::id_json;
use super::{RejectReason, Rejection};
use reshelve_core::extjson;
use reshelve_core::mapping::RejectCode;
use reshelve_core::raw::{self, Document, kind};

/// The longest path that is told, in bytes: names in a broken document may be anything.
const PATH_BYTES_MAX: usize = 1024;

/// Where a rejected document can be found again.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RejectPlace {
    /// Its `_id` as canonical Extended JSON; null if it cannot be read.
    pub(crate) id: serde_json::Value,
    /// The legacy path; empty if the reason is the document as a whole.
    pub(crate) path: String,
}

impl RejectPlace {
    /// Looks into a document as BSON, if it is that, or into its text.
    pub(crate) fn of(rejection: &Rejection, bson: Option<&[u8]>, original: &[u8]) -> Self {
        let mut path = match (rejection.reason, bson) {
            (RejectReason::Mapping(RejectCode::MalformedBson), Some(bson)) => {
                raw::check(bson).err().map_or_else(String::new, |it| bson_path(bson, it.offset))
            }
            (RejectReason::Mapping(RejectCode::MalformedJson), _) => {
                let error = extjson::parse(original, &mut Vec::new()).err();
                error.map_or_else(String::new, |error| Text::read(original, error.offset).path())
            }
            (reason, _) => reason.path().to_owned(),
        };
        while path.len() > PATH_BYTES_MAX {
            path.truncate(path.floor_char_boundary(PATH_BYTES_MAX));
        }
        let id = match bson {
            Some(bson) => id_json(bson),
            None => Text::read(original, original.len()).id(),
        };
        RejectPlace { id, path }
    }
}

/// The path of the element that a byte of a document belongs to.
fn bson_path(mut document: &[u8], mut offset: usize) -> String {
    let mut path: Vec<String> = Vec::new();
    'levels: loop {
        let mut end = 4;
        for element in Document::new(document).elements() {
            let start = element.offset + 2 + element.name.len();
            end = start + element.value.bytes.len();
            if offset >= end {
                continue;
            }
            path.push(element.name_text().into_owned());
            if matches!(element.value.kind, kind::DOCUMENT | kind::ARRAY) && offset >= start {
                document = element.value.bytes;
                offset -= start;
                continue 'levels;
            }
            return path.join(".");
        }
        // The element that cannot be framed, by its name.
        let name = document.get(end + 1..).unwrap_or_default();
        if let Some(length) = memchr::memchr(0, name) {
            path.push(String::from_utf8_lossy(&name[..length]).into_owned());
        }
        return path.join(".");
    }
}

/// What a walk over the text of a document has met up to a place in it.
#[derive(Default)]
struct Text<'t> {
    levels: Vec<Level<'t>>,
    /// The text of the value of `_id`.
    id: Option<&'t [u8]>,
}

struct Level<'t> {
    is_array: bool,
    index: usize,
    /// Between its quotes.
    name: &'t [u8],
    /// Whether a name comes next.
    before_name: bool,
    value_at: usize,
}

impl<'t> Text<'t> {
    fn read(text: &'t [u8], end: usize) -> Text<'t> {
        let mut found = Text::default();
        let mut at = 0;
        while at < end.min(text.len()) {
            match text[at] {
                b'"' => {
                    let close = string_end(text, at + 1);
                    if let Some(level) = found.levels.last_mut().filter(|it| it.before_name) {
                        // A name that is cut off is none.
                        level.name = text.get(at + 1..close).unwrap_or_default();
                    }
                    at = close;
                }
                byte @ (b'{' | b'[') => found.levels.push(Level {
                    is_array: byte == b'[',
                    index: 0,
                    name: b"",
                    before_name: byte == b'{',
                    value_at: 0,
                }),
                b':' => {
                    if let Some(level) = found.levels.last_mut() {
                        level.before_name = false;
                        level.value_at = at + 1;
                    }
                }
                b',' => {
                    found.end_of_value(text, at);
                    if let Some(level) = found.levels.last_mut() {
                        level.before_name = !level.is_array;
                        level.index += 1;
                    }
                }
                b'}' | b']' => {
                    found.end_of_value(text, at);
                    found.levels.pop();
                }
                _ => {}
            }
            at += 1;
        }
        found
    }

    fn end_of_value(&mut self, text: &'t [u8], at: usize) {
        if let [level] = self.levels.as_slice()
            && level.name == b"_id"
            && !level.before_name
            && self.id.is_none()
        {
            self.id = text.get(level.value_at..at);
        }
    }

    /// The path of the place, without the names of type wrappers.
    fn path(&self) -> String {
        let name = |level: &Level<'_>| match level.is_array {
            true => level.index.to_string(),
            false => String::from_utf8_lossy(level.name).into_owned(),
        };
        let names = self.levels.iter().map(name);
        let names: Vec<String> =
            names.take_while(|name| !name.is_empty() && !name.starts_with('$')).collect();
        names.join(".")
    }

    fn id(&self) -> serde_json::Value {
        let Some(id) = self.id else { return serde_json::Value::Null };
        let mut bson = Vec::new();
        let text = [b"{\"_id\":", id, b"}"].concat();
        match extjson::parse(&text, &mut bson) {
            Ok(()) => id_json(&bson),
            Err(_) => serde_json::Value::Null,
        }
    }
}

/// Where a string ends that begins there: at its closing quote, or at the end of the text.
fn string_end(text: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}
