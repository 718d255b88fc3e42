//! Legacy document to residue: one walk that leaves out what the target holds.

use super::shelf::{Place, Shelf, ShelfName, Twins, mirrored, place_of};
use super::stream::{length, object_id_parts, push_varint, zigzag};
use super::words::{DEFAULT_METADATA, NAMES, name_number, word_number};
use super::{NAME_SPELLED, RESIDUE_VERSION, USUAL_TOKEN, token};
use crate::mapping::copied::is_left_out_without_id;
use crate::mapping::metadata::Places;
use crate::raw::{Document, Element, Value, kind};

/// A mirrored document is searched by name for every field. Above this size it is not searched, so
/// that no document can make the walk slow.
const MIRROR_BYTES_MAX: usize = 64 * 1024;

/// Writes residues; keeps its buffers from one document to the next.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    shape: Vec<u8>,
    payload: Vec<u8>,
    last_date: i64,
    last_object_id: [u8; 12],
    residue: Vec<u8>,
    /// The token that the value of the name just written usually has.
    usual: Option<u8>,
}

/// What the walk needs of the target documents.
struct TargetView<'t, 'p> {
    shelf: &'p Shelf<'t>,
    places: &'p Places,
    suspicious: bool,
}

impl Encoder {
    /// The residue of a legacy document whose target documents are on the shelf. `suspicious` says
    /// whether anything unreadable occurs in the document.
    pub(crate) fn encode<'t>(
        &mut self,
        legacy: Document<'_>,
        shelf: &Shelf<'t>,
        places: &Places,
        suspicious: bool,
    ) -> &[u8] {
        self.shape.clear();
        self.payload.clear();
        self.last_date = 0;
        self.last_object_id = [0; 12];
        self.fields(legacy, Place::Root, &TargetView { shelf, places, suspicious });
        self.residue.clear();
        self.residue.push(RESIDUE_VERSION);
        push_varint(&mut self.residue, length(&self.shape));
        self.residue.extend_from_slice(&self.shape);
        self.residue.extend_from_slice(&self.payload);
        &self.residue
    }

    /// The fields of a document, and END.
    fn fields<'t>(
        &mut self,
        document: Document<'_>,
        place: Place<'t>,
        target: &TargetView<'t, '_>,
    ) {
        if let Place::Shelf(name) = place {
            return self.entries(document, name, target);
        }
        let mut last = 0;
        for element in document.elements() {
            last = self.name(element.name, last);
            let twin = match place {
                Place::Nowhere => None,
                _ => target.shelf.slot(place, element.name),
            };
            self.field_value(element, place, twin, target);
        }
        self.shape.push(token::END);
    }

    fn field_value<'t>(
        &mut self,
        element: Element<'_>,
        place: Place<'t>,
        twin: Option<Value<'t>>,
        target: &TargetView<'t, '_>,
    ) {
        let value = element.value;
        if twin == Some(value) {
            self.token(token::COPY);
        } else if matches!(place, Place::Root)
            && element.name == b"metadata"
            && value.kind == kind::DOCUMENT
            && value.bytes == DEFAULT_METADATA.as_slice()
        {
            self.token(token::DEFAULT_METADATA);
        } else {
            let inside = match place {
                Place::Nowhere => Place::Nowhere,
                _ => target.shelf.inside(place, element.name),
            };
            self.value(value, inside, target);
        }
    }

    /// The entries of a map that is on a shelf, and END.
    fn entries<'t>(&mut self, map: Document<'_>, name: ShelfName, target: &TargetView<'t, '_>) {
        let mut last = 0;
        let mut expected = 0;
        for (order, element) in map.elements().enumerate() {
            last = self.name(element.name, last);
            match element.value.document() {
                Some(document) => {
                    let place = self.anchor(name, order, &mut expected, target);
                    self.fields(document, place, target);
                }
                None => self.value(element.value, Place::Nowhere, target),
            }
        }
        self.shape.push(token::END);
    }

    /// Token and anchor of a document on a shelf; without a position there it is a plain document.
    fn anchor<'t>(
        &mut self,
        name: ShelfName,
        order: usize,
        expected: &mut usize,
        target: &TargetView<'t, '_>,
    ) -> Place<'t> {
        let places = target.places;
        let index = match name {
            ShelfName::Outline | ShelfName::Chapters => Some(order),
            ShelfName::Characters => places.characters.get(order).copied(),
            ShelfName::Locations => places.locations.get(order).copied(),
            ShelfName::Alerts => places.alerts.get(order).copied(),
            ShelfName::Decisions => places.decisions.get(order).copied(),
            ShelfName::Enhancements => places.enhancements.get(order).copied(),
        };
        let found = index.and_then(|index| Some((index, *target.shelf.books(name).get(index)?)));
        let Some((index, book)) = found else {
            self.token(token::DOCUMENT);
            return Place::Nowhere;
        };
        self.token(token::ANCHORED);
        let distance = distance(index, *expected);
        push_varint(&mut self.payload, zigzag(distance));
        self.payload.extend_from_slice(&book.called.to_le_bytes()[..name.hash_bytes()]);
        *expected = index + 1;
        place_of(name, index, book.document)
    }

    fn array<'t>(&mut self, array: Document<'_>, place: Place<'t>, target: &TargetView<'t, '_>) {
        let mut walk = ArrayWalk { twins: Twins::new(place), ..ArrayWalk::default() };
        for element in array.elements() {
            self.element(element.value, place, &mut walk, target);
        }
        self.shape.push(token::END);
    }

    fn element<'t>(
        &mut self,
        value: Value<'_>,
        place: Place<'t>,
        walk: &mut ArrayWalk<'t>,
        target: &TargetView<'t, '_>,
    ) {
        if let Some(document) = value.document() {
            return self.element_document(document, place, walk, target);
        }
        let twin = match value.string() {
            Some(text) => walk.twins.of_string(text.is_empty()),
            None => walk.twins.of_other(),
        };
        if twin == Some(value) {
            self.token(token::COPY);
        } else {
            let inside = twin.and_then(mirrored).unwrap_or(Place::Nowhere);
            self.value(value, inside, target);
        }
    }

    fn element_document<'t>(
        &mut self,
        document: Document<'_>,
        place: Place<'t>,
        walk: &mut ArrayWalk<'t>,
        target: &TargetView<'t, '_>,
    ) {
        let before = self.shape.len();
        let (inside, same) = match place {
            Place::Shelf(name) => {
                let order = walk.order;
                walk.order += 1;
                let inside = self.anchor(name, order, &mut walk.expected, target);
                let anchored = self.shape[before] == token::ANCHORED;
                (inside, if anchored { token::SAME_ANCHORED } else { token::SAME })
            }
            // What the mapping left out has no twin: its token tells it from its neighbours.
            Place::Mirrors(_) if target.suspicious && is_left_out_without_id(document) => {
                return self.raw(Value { kind: kind::DOCUMENT, bytes: document.bytes() });
            }
            _ => {
                let twin = walk.twins.of_document();
                if twin == Some(Value { kind: kind::DOCUMENT, bytes: document.bytes() }) {
                    return self.token(token::COPY);
                }
                let inside = twin.and_then(mirrored).unwrap_or(Place::Nowhere);
                if !is_searchable(inside) {
                    self.token(token::UNMIRRORED);
                    return self.fields(document, Place::Nowhere, target);
                }
                self.token(token::DOCUMENT);
                (inside, token::SAME)
            }
        };
        let start = self.shape.len();
        self.fields(document, inside, target);
        let shape = start..self.shape.len();
        match walk.previous.clone() {
            Some(previous) if self.shape[previous.clone()] == self.shape[shape.clone()] => {
                self.shape.truncate(before);
                self.shape.push(same);
            }
            _ => walk.previous = Some(shape),
        }
    }

    /// A value that the target does not hold unchanged.
    fn value<'t>(&mut self, value: Value<'_>, inside: Place<'t>, target: &TargetView<'t, '_>) {
        match value.kind {
            kind::DOCUMENT if is_searchable(inside) => {
                self.token(token::DOCUMENT);
                self.fields(Document::new(value.bytes), inside, target);
            }
            kind::DOCUMENT => {
                self.token(token::UNMIRRORED);
                self.fields(Document::new(value.bytes), Place::Nowhere, target);
            }
            kind::ARRAY => {
                let array = Document::new(value.bytes);
                if has_plain_keys(array) {
                    self.token(token::ARRAY);
                    self.array(array, inside, target);
                } else {
                    self.token(token::KEYED_ARRAY);
                    self.fields(array, Place::Nowhere, target);
                }
            }
            kind::STRING => self.string(value.string().unwrap_or_default()),
            kind::BOOLEAN => {
                let yes = value.boolean() == Some(true);
                self.token(if yes { token::TRUE } else { token::FALSE });
            }
            kind::NULL => self.token(token::NULL),
            kind::OBJECT_ID => self.object_id(value),
            kind::INT32 | kind::INT64 | kind::DOUBLE | kind::DATE => self.number(value),
            _ => self.raw(value),
        }
    }

    fn raw(&mut self, value: Value<'_>) {
        self.token(token::RAW);
        self.payload.push(value.kind);
        push_varint(&mut self.payload, length(value.bytes));
        self.payload.extend_from_slice(value.bytes);
    }

    fn string(&mut self, text: &[u8]) {
        match word_number(text) {
            Some(number) => {
                self.token(token::WORD);
                self.shape.push(number);
            }
            None => {
                self.token(token::STRING);
                push_varint(&mut self.payload, length(text));
                self.payload.extend_from_slice(text);
            }
        }
    }

    fn number(&mut self, value: Value<'_>) {
        if let Some(number) = value.int32() {
            self.token(token::INT32);
            push_varint(&mut self.payload, zigzag(i64::from(number)));
        } else if let Some(number) = value.int64() {
            self.token(token::INT64);
            push_varint(&mut self.payload, zigzag(number));
        } else if let Some(date_ms) = value.date_ms() {
            self.token(token::DATE);
            push_varint(&mut self.payload, zigzag(date_ms.wrapping_sub(self.last_date)));
            self.last_date = date_ms;
        } else if let Some(whole) = value.double().and_then(whole) {
            self.token(token::WHOLE_DOUBLE);
            push_varint(&mut self.payload, zigzag(whole));
        } else {
            self.token(token::DOUBLE);
            self.payload.extend_from_slice(value.bytes);
        }
    }

    fn object_id(&mut self, value: Value<'_>) {
        let id = value.object_id().unwrap_or_default();
        if id[4..9] == self.last_object_id[4..9] {
            self.token(token::NEXT_OBJECT_ID);
            let (seconds, counter) = object_id_parts(id);
            let (last_seconds, last_counter) = object_id_parts(self.last_object_id);
            push_varint(&mut self.payload, zigzag(seconds - last_seconds));
            push_varint(&mut self.payload, zigzag(counter - last_counter));
        } else {
            self.token(token::OBJECT_ID);
            self.payload.extend_from_slice(&id);
        }
        self.last_object_id = id;
    }

    /// Writes a token; where it is the usual one of the name before it, only marks the name.
    fn token(&mut self, token: u8) {
        if self.usual.take() == Some(token)
            && let Some(name) = self.shape.last_mut()
        {
            *name |= USUAL_TOKEN;
        } else {
            self.shape.push(token);
        }
    }

    /// Writes a name. Returns its number, which predicts the next one.
    fn name(&mut self, name: &[u8], last: u8) -> u8 {
        if let Some(number) = name_number(name, last) {
            self.shape.push(number);
            self.usual = NAMES.get(usize::from(number)).map(|(_, usual)| *usual);
            return number;
        }
        self.usual = None;
        self.shape.push(NAME_SPELLED);
        push_varint(&mut self.shape, length(name));
        self.shape.extend_from_slice(name);
        last
    }
}

/// The state of the walk over an array.
#[derive(Debug)]
struct ArrayWalk<'t> {
    twins: Twins<'t>,
    /// Documents seen so far.
    order: usize,
    /// The position on the shelf where the next document is expected.
    expected: usize,
    /// The shape of the last document that was spelled out.
    previous: Option<std::ops::Range<usize>>,
}

impl Default for ArrayWalk<'_> {
    fn default() -> Self {
        ArrayWalk { twins: Twins::new(Place::Nowhere), order: 0, expected: 0, previous: None }
    }
}

fn is_searchable(place: Place<'_>) -> bool {
    !matches!(place, Place::Mirror(twin) if twin.bytes().len() > MIRROR_BYTES_MAX)
}

fn has_plain_keys(array: Document<'_>) -> bool {
    array.elements().enumerate().all(|(index, element)| is_plain_key(element.name, index))
}

/// Whether a name is that position in decimal, as `push_index` writes it.
fn is_plain_key(name: &[u8], index: usize) -> bool {
    let digits = |number: usize, byte: &u8| {
        byte.is_ascii_digit().then(|| number * 10 + usize::from(byte - b'0'))
    };
    // No array in memory has positions of more digits, and shorter numbers do not overflow.
    let plain = matches!(name, [b'0'] | [b'1'..=b'9', ..]) && name.len() < 19;
    plain && name.iter().try_fold(0, digits) == Some(index)
}

/// The whole number of a Double that comes back from it bit for bit.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "tested by the way back")]
fn whole(number: f64) -> Option<i64> {
    let whole = number as i64;
    let exact = number.abs() < 9e15 && (whole as f64).to_bits() == number.to_bits();
    exact.then_some(whole)
}

fn distance(index: usize, expected: usize) -> i64 {
    let wide = |index: usize| i64::try_from(index).unwrap_or(i64::MAX);
    wide(index) - wide(expected)
}
