//! Schemas in few words.

use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};

/// A schema, or the name of one.
pub(super) type Shape = RefOr<Schema>;

fn of(kind: Type) -> Shape {
    ObjectBuilder::new().schema_type(kind).into()
}

/// A text.
pub(super) fn text() -> Shape {
    of(Type::String)
}

/// A text, and what it says.
pub(super) fn text_that(says: &str) -> Shape {
    ObjectBuilder::new().schema_type(Type::String).description(Some(says)).into()
}

/// One of these texts.
pub(super) fn one_of(words: &[&str]) -> Shape {
    let words = words.iter().copied();
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).into()
}

/// A number.
pub(super) fn number() -> Shape {
    of(Type::Number)
}

/// A whole number that is not negative.
pub(super) fn count() -> Shape {
    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).into()
}

/// A whole number within bounds.
pub(super) fn whole(from: u16, to: u16) -> Shape {
    let within = ObjectBuilder::new().schema_type(Type::Integer);
    within.minimum(Some(from)).maximum(Some(to)).into()
}

/// True or false.
pub(super) fn truth() -> Shape {
    of(Type::Boolean)
}

/// A time in UTC, as JavaScript writes it: years beyond four digits have a sign and six.
pub(super) fn time() -> Shape {
    const FORM: &str = r"^(\d{4}|[+-]\d{6})-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$";
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(FORM)).into()
}

/// Any JSON at all.
pub(super) fn anything() -> Shape {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue).into()
}

/// An object that was stored, with all its fields.
pub(super) fn stored() -> Shape {
    map_of(anything())
}

/// An object whose values are all of one shape.
pub(super) fn map_of(shape: Shape) -> Shape {
    let all = ObjectBuilder::new().schema_type(Type::Object);
    all.additional_properties(Some(AdditionalProperties::RefOr(shape))).into()
}

/// An array of these.
pub(super) fn list_of(shape: Shape) -> Shape {
    ArrayBuilder::new().items(shape).into()
}

/// This or null.
pub(super) fn or_null(shape: Shape) -> Shape {
    either([shape, of(Type::Null)])
}

/// One of these, or several.
pub(super) fn either<const N: usize>(shapes: [Shape; N]) -> Shape {
    shapes.into_iter().fold(AnyOfBuilder::new(), AnyOfBuilder::item).into()
}

/// A schema of the document by its name.
pub(super) fn named(name: &str) -> Shape {
    Ref::from_schema_name(name).into()
}

/// An object with fields of its own, in the order in which they are written.
pub(super) struct Record(ObjectBuilder);

impl Record {
    pub(super) fn new() -> Self {
        Record(ObjectBuilder::new().schema_type(Type::Object))
    }

    /// A field that is always there.
    pub(super) fn has(self, name: &str, shape: Shape) -> Self {
        Record(self.0.property(name, shape).required(name))
    }

    /// A field that may be absent.
    pub(super) fn may_have(self, name: &str, shape: Shape) -> Self {
        Record(self.0.property(name, shape))
    }

    /// These fields, and no others.
    pub(super) fn and_no_more(self) -> Shape {
        self.0.additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false))).into()
    }

    /// Others too, all of one shape.
    pub(super) fn and_more(self, shape: Shape) -> Shape {
        self.0.additional_properties(Some(AdditionalProperties::RefOr(shape))).into()
    }
}
