//! What stored values are to JavaScript once the driver has read them.

use reshelve_core::raw::{Document, Value, kind};

/// The largest distance from 0 at which an Int64 is read as a number: 2⁵³, both ends included.
const SAFE_MAX: u64 = 1 << 53;

/// The value of a field, if it is there and defined.
pub(super) type Field<'a> = Option<Value<'a>>;

/// The values of these fields: where a name repeats, the last one. Undefined is absent. A
/// reference has fields of other names.
pub(super) fn fields<'a, const N: usize>(
    document: Document<'a>,
    names: [&str; N],
) -> [Field<'a>; N] {
    let mut fields = [None; N];
    let mut may_refer = false;
    for element in document.elements() {
        may_refer |= element.name.first() == Some(&b'$');
        for (field, name) in fields.iter_mut().zip(names) {
            if element.name == name.as_bytes() {
                *field = Some(element.value).filter(|value| value.kind != kind::UNDEFINED);
            }
        }
    }
    if may_refer && Reference::of(document).is_some() {
        return [None; N];
    }
    fields
}

/// As [`fields`], of a value that need not be a document: others have none of the fields that
/// are asked for here.
pub(super) fn fields_of<'a, const N: usize>(value: Value<'a>, names: [&str; N]) -> [Field<'a>; N] {
    value.document().map_or([None; N], |document| fields(document, names))
}

/// Whether the value is null, undefined or absent.
pub(super) fn is_nullish(field: Field<'_>) -> bool {
    field.is_none_or(Value::is_nullish)
}

/// What `typeof` calls a number, NaN and infinities too.
pub(super) fn number(value: Value<'_>) -> Option<f64> {
    match value.kind {
        kind::INT64 if value.int64()?.unsigned_abs() > SAFE_MAX => None,
        _ => value.numeric(),
    }
}

/// The text of what `typeof` calls a string.
pub(super) fn text(value: Value<'_>) -> Option<&[u8]> {
    matches!(value.kind, kind::STRING | kind::SYMBOL).then(|| counted_text(value.bytes))
}

/// The text in the bytes of a string: between its length and its closing zero.
pub(super) fn counted_text(bytes: &[u8]) -> &[u8] {
    bytes.get(4..bytes.len().saturating_sub(1)).unwrap_or(&[])
}

/// Whether the value counts as true in a condition.
pub(super) fn is_truthy(field: Field<'_>) -> bool {
    let Some(value) = field.filter(|value| !value.is_nullish()) else { return false };
    if let Some(number) = number(value) {
        return number != 0.0 && !number.is_nan();
    }
    if let Some(text) = text(value) {
        return !text.is_empty();
    }
    value.boolean().unwrap_or(true)
}

/// The field, where it counts as true in a condition.
pub(super) fn truthy(field: Field<'_>) -> Field<'_> {
    field.filter(|_| is_truthy(field))
}

/// What Mongoose makes of a field that is declared as an array: null and absent are empty, and
/// what is no array becomes the one element of one.
pub(super) enum Items<'a> {
    /// The elements of an array.
    Stored(Document<'a>),
    /// A value in place of an array.
    Wrapped(Value<'a>),
    /// Nothing.
    Empty,
}

impl<'a> Items<'a> {
    pub(super) fn of(field: Field<'a>) -> Self {
        match field {
            Some(value) if value.is_nullish() => Items::Empty,
            Some(value) => value.array().map_or(Items::Wrapped(value), Items::Stored),
            None => Items::Empty,
        }
    }

    pub(super) fn values(&self) -> impl Iterator<Item = Value<'a>> + use<'a> {
        let (stored, wrapped) = match self {
            Items::Stored(array) => (*array, None),
            Items::Wrapped(value) => (Document::EMPTY, Some(*value)),
            Items::Empty => (Document::EMPTY, None),
        };
        stored.values().chain(wrapped)
    }
}

/// A document that the driver takes for a reference to another: `$ref` is a string, `$id` is
/// there, `$db` is a string if it is there, and no other name begins with a dollar.
pub(super) struct Reference<'a> {
    pub(super) collection: &'a [u8],
    pub(super) id: Value<'a>,
    pub(super) database: Option<&'a [u8]>,
}

impl<'a> Reference<'a> {
    pub(super) fn of(document: Document<'a>) -> Option<Self> {
        let (mut collection, mut id, mut database) = (None, None, None);
        for element in document.elements() {
            match element.name {
                b"$ref" => collection = Some(element.value),
                b"$id" => id = Some(element.value),
                b"$db" => database = Some(element.value),
                [b'$', ..] => return None,
                _ => {}
            }
        }
        let database = match database {
            None => None,
            Some(value) => Some(text(value)?),
        };
        let id = id.filter(|id| !id.is_nullish())?;
        Some(Self::split(text(collection?)?, id, database))
    }

    /// A name of two parts is a database and a collection.
    pub(super) fn split(name: &'a [u8], id: Value<'a>, database: Option<&'a [u8]>) -> Self {
        let mut parts = name.split(|byte| *byte == b'.');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(database), Some(collection), None) => {
                Reference { collection, id, database: Some(database) }
            }
            _ => Reference { collection: name, id, database },
        }
    }
}
