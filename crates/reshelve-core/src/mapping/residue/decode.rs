//! Residue and target documents to the legacy document.

use super::error::RestoreError;
use super::shelf::{Book, Place, Shelf, ShelfName, Twins, mirrored, place_of};
use super::sink::Sink;
use super::stream::{Stream, object_id_parts};
use super::words::{DEFAULT_METADATA, NAMES, WORDS};
use super::{NAME_SPELLED, RESIDUE_VERSION, USUAL_TOKEN, token};
use crate::mapping::warning::Path;
use crate::raw::{Value, kind};

/// No legacy document that was mapped is nested deeper than this.
const DEPTH_MAX: usize = 128;
/// No legacy document has more fields than this. The limit stops a forged residue that repeats a
/// shape without end, which need not write anything.
const FIELDS_MAX: u32 = 16 * 1024 * 1024;

/// What a restore yields besides the bytes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Restored {
    /// Legacy paths of values that the target no longer holds; they were left out.
    pub(crate) lost: Vec<String>,
}

/// Restores a legacy document into the sink.
pub(crate) fn restore<'t, S: Sink>(
    residue: &'t [u8],
    shelf: &Shelf<'t>,
    sink: &mut S,
) -> Result<Restored, RestoreError> {
    let Some((&version, rest)) = residue.split_first() else {
        return Err(RestoreError::NoResidue);
    };
    if version != RESIDUE_VERSION {
        return Err(RestoreError::Version(version));
    }
    let mut head = Stream::new(rest);
    let shape_length = head.length()?;
    let shape = head.take(shape_length)?;
    let mut decoder = Decoder {
        shape: Stream::new(shape),
        payload: Stream::new(&rest[head.at..]),
        shelf,
        sink,
        last_date: 0,
        last_object_id: [0; 12],
        restored: Restored::default(),
        depth: 0,
        fields: 0,
    };
    let mark = decoder.sink.begin(None)?;
    decoder.fields(Place::Root, &Path::ROOT)?;
    decoder.sink.end(mark)?;
    if !decoder.payload.is_at_end() || !decoder.shape.is_at_end() {
        return Err(RestoreError::Damaged(residue.len()));
    }
    Ok(decoder.restored)
}

struct Decoder<'t, 'd, S> {
    shape: Stream<'t>,
    payload: Stream<'t>,
    shelf: &'d Shelf<'t>,
    sink: &'d mut S,
    last_date: i64,
    last_object_id: [u8; 12],
    restored: Restored,
    depth: usize,
    fields: u32,
}

/// A value under its name, about to be restored.
struct Field<'f, 'p> {
    name: &'f [u8],
    path: &'f Path<'p>,
}

impl<'t, S: Sink> Decoder<'t, '_, S> {
    fn fields(&mut self, place: Place<'t>, path: &Path<'_>) -> Result<(), RestoreError> {
        let mut expected = 0;
        loop {
            let number = self.shape.byte()?;
            let (name, usual) = match number {
                token::END => return Ok(()),
                NAME_SPELLED => {
                    let length = self.shape.length()?;
                    (self.shape.take(length)?, None)
                }
                number => {
                    let (name, usual) = NAMES
                        .get(usize::from(number & !USUAL_TOKEN))
                        .ok_or(RestoreError::Damaged(self.shape.at))?;
                    (name.as_bytes(), (number & USUAL_TOKEN != 0).then_some(*usual))
                }
            };
            self.count_field()?;
            let field = Field { name, path: &path.key(name) };
            let how = usual.map_or_else(|| self.shape.byte(), Ok)?;
            match (how, place) {
                (token::ANCHORED, Place::Shelf(shelf)) => {
                    let inside = self.anchor(shelf, &mut expected)?;
                    self.document(&field, inside)?;
                }
                (token::COPY, _) => self.copy(&field, self.shelf.slot(place, name))?,
                _ => {
                    let inside = match place {
                        Place::Nowhere => Place::Nowhere,
                        _ => self.shelf.inside(place, name),
                    };
                    self.value(how, &field, inside)?;
                }
            }
        }
    }

    fn count_field(&mut self) -> Result<(), RestoreError> {
        self.fields += 1;
        if self.fields > FIELDS_MAX { Err(RestoreError::TooLarge) } else { Ok(()) }
    }

    /// A value that the target holds. Where it no longer does, the field is left out and listed.
    fn copy(&mut self, field: &Field<'_, '_>, slot: Option<Value<'t>>) -> Result<(), RestoreError> {
        match slot {
            Some(value) => self.sink.element(value.kind, field.name, [value.bytes]),
            None => {
                self.restored.lost.push(field.path.render());
                Ok(())
            }
        }
    }

    fn document(&mut self, field: &Field<'_, '_>, inside: Place<'t>) -> Result<(), RestoreError> {
        let mark = self.open(kind::DOCUMENT, field)?;
        self.fields(inside, field.path)?;
        self.close(mark)
    }

    fn open(&mut self, kind: u8, field: &Field<'_, '_>) -> Result<usize, RestoreError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(RestoreError::TooLarge);
        }
        self.sink.begin(Some((kind, field.name)))
    }

    fn close(&mut self, mark: usize) -> Result<(), RestoreError> {
        self.depth -= 1;
        self.sink.end(mark)
    }

    /// Finds a document of a shelf: at its position, else by what it is called.
    fn anchor(
        &mut self,
        shelf: ShelfName,
        expected: &mut usize,
    ) -> Result<Place<'t>, RestoreError> {
        let distance = self.payload.signed()?;
        let called = self.payload.take(shelf.hash_bytes())?;
        let index = i64::try_from(*expected)
            .ok()
            .and_then(|expected| expected.checked_add(distance))
            .and_then(|index| usize::try_from(index).ok())
            .ok_or(RestoreError::Damaged(self.payload.at))?;
        *expected = index.saturating_add(1);
        let books = self.shelf.books(shelf);
        let is_called = |book: &Book<'_>| book.called.to_le_bytes().starts_with(called);
        let found = match books.get(index) {
            Some(book) if is_called(book) => Some((index, book)),
            _ => books.iter().enumerate().find(|(_, book)| is_called(book)),
        };
        Ok(found.map_or(Place::Nowhere, |(at, book)| place_of(shelf, at, book.document)))
    }

    fn array(&mut self, field: &Field<'_, '_>, place: Place<'t>) -> Result<(), RestoreError> {
        let mark = self.open(kind::ARRAY, field)?;
        let mut twins = Twins::new(place);
        let mut expected = 0;
        let mut previous = None;
        let mut key = Vec::with_capacity(8);
        // Elements that were lost take no key, so that the array stays one.
        let mut written = 0;
        let mut position = 0;
        loop {
            let how = self.shape.byte()?;
            if how == token::END {
                return self.close(mark);
            }
            self.count_field()?;
            key.clear();
            crate::raw::push_index(&mut key, written);
            let field = Field { name: &key, path: &field.path.index(position) };
            let lost_before = self.restored.lost.len();
            match how {
                token::DOCUMENT | token::SAME | token::ANCHORED | token::SAME_ANCHORED => {
                    let anchored = matches!(how, token::ANCHORED | token::SAME_ANCHORED);
                    let inside = match place {
                        Place::Shelf(shelf) if anchored => self.anchor(shelf, &mut expected)?,
                        Place::Shelf(_) => Place::Nowhere,
                        _ => twins.of_document().and_then(mirrored).unwrap_or(Place::Nowhere),
                    };
                    let same = matches!(how, token::SAME | token::SAME_ANCHORED);
                    self.element_document(&field, inside, same, &mut previous)?;
                    written += 1;
                }
                token::UNMIRRORED => {
                    twins.of_document();
                    self.document(&field, Place::Nowhere)?;
                    written += 1;
                }
                token::COPY => {
                    let twin = match place {
                        Place::Mirrors(_) => twins.of_document(),
                        _ => twins.of_string(false),
                    };
                    self.copy(&field, twin)?;
                    written += usize::from(self.restored.lost.len() == lost_before);
                }
                _ => {
                    let twin = self.twin_of(how, &mut twins);
                    let inside = twin.and_then(mirrored).unwrap_or(Place::Nowhere);
                    self.value(how, &field, inside)?;
                    written += 1;
                }
            }
            position += 1;
        }
    }

    /// Takes the step along the target array that the encoder took for this value.
    fn twin_of(&self, how: u8, twins: &mut Twins<'t>) -> Option<Value<'t>> {
        match how {
            token::STRING => twins.of_string(false),
            token::WORD => {
                let empty = self.shape.bytes.get(self.shape.at) == Some(&0);
                twins.of_string(empty)
            }
            _ => twins.of_other(),
        }
    }

    fn element_document(
        &mut self,
        field: &Field<'_, '_>,
        inside: Place<'t>,
        same: bool,
        previous: &mut Option<usize>,
    ) -> Result<(), RestoreError> {
        if !same {
            *previous = Some(self.shape.at);
            return self.document(field, inside);
        }
        let shape = previous.ok_or(RestoreError::Damaged(self.shape.at))?;
        let back = std::mem::replace(&mut self.shape.at, shape);
        self.document(field, inside)?;
        self.shape.at = back;
        Ok(())
    }

    fn value(
        &mut self,
        how: u8,
        field: &Field<'_, '_>,
        inside: Place<'t>,
    ) -> Result<(), RestoreError> {
        let name = field.name;
        match how {
            token::DOCUMENT => self.document(field, inside),
            token::UNMIRRORED => self.document(field, Place::Nowhere),
            token::ARRAY => self.array(field, inside),
            token::KEYED_ARRAY => {
                let mark = self.open(kind::ARRAY, field)?;
                self.fields(Place::Nowhere, field.path)?;
                self.close(mark)
            }
            token::RAW => {
                let kind = self.payload.byte()?;
                let length = self.payload.length()?;
                let bytes = self.payload.take(length)?;
                self.sink.element(kind, name, [bytes])
            }
            token::STRING => {
                let length = self.payload.length()?;
                let text = self.payload.take(length)?;
                self.string(name, text)
            }
            token::WORD => {
                let number = usize::from(self.shape.byte()?);
                let word = WORDS.get(number).ok_or(RestoreError::Damaged(self.shape.at))?;
                self.string(name, word.as_bytes())
            }
            token::TRUE => self.sink.element(kind::BOOLEAN, name, [&[1]]),
            token::FALSE => self.sink.element(kind::BOOLEAN, name, [&[0]]),
            token::NULL => self.sink.element(kind::NULL, name, []),
            token::DEFAULT_METADATA => self.sink.element(kind::DOCUMENT, name, [&DEFAULT_METADATA]),
            token::OBJECT_ID | token::NEXT_OBJECT_ID => self.object_id(how, name),
            _ => self.number(how, name),
        }
    }

    fn string(&mut self, name: &[u8], text: &[u8]) -> Result<(), RestoreError> {
        let length = u32::try_from(text.len() + 1).map_err(|_| RestoreError::TooLarge)?;
        self.sink.element(kind::STRING, name, [&length.to_le_bytes(), text, &[0]])
    }

    fn number(&mut self, how: u8, name: &[u8]) -> Result<(), RestoreError> {
        match how {
            token::INT32 => {
                let number = i32::try_from(self.payload.signed()?)
                    .map_err(|_| RestoreError::Damaged(self.payload.at))?;
                self.sink.element(kind::INT32, name, [&number.to_le_bytes()])
            }
            token::INT64 => {
                let number = self.payload.signed()?;
                self.sink.element(kind::INT64, name, [&number.to_le_bytes()])
            }
            token::DOUBLE => {
                let bytes = self.payload.take(8)?;
                self.sink.element(kind::DOUBLE, name, [bytes])
            }
            token::WHOLE_DOUBLE => {
                #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "made so")]
                let number = self.payload.signed()? as f64;
                self.sink.element(kind::DOUBLE, name, [&number.to_le_bytes()])
            }
            token::DATE => {
                let date_ms = self.last_date.wrapping_add(self.payload.signed()?);
                self.last_date = date_ms;
                self.sink.element(kind::DATE, name, [&date_ms.to_le_bytes()])
            }
            _ => Err(RestoreError::Damaged(self.shape.at)),
        }
    }

    fn object_id(&mut self, how: u8, name: &[u8]) -> Result<(), RestoreError> {
        let damaged = RestoreError::Damaged(self.payload.at);
        let mut id = self.last_object_id;
        if how == token::OBJECT_ID {
            id.copy_from_slice(self.payload.take(12)?);
        } else {
            let (seconds, counter) = object_id_parts(id);
            let add = |base: i64, difference: i64| {
                base.checked_add(difference).and_then(|sum| u32::try_from(sum).ok()).ok_or(damaged)
            };
            let seconds = add(seconds, self.payload.signed()?)?.to_be_bytes();
            let counter = add(counter, self.payload.signed()?)?.to_be_bytes();
            id[..4].copy_from_slice(&seconds);
            id[9..].copy_from_slice(&counter[1..]);
        }
        self.last_object_id = id;
        self.sink.element(kind::OBJECT_ID, name, [&id])
    }
}
