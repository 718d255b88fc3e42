//! Where the application answers 500 because of a document.

/// A document that the application fails on: it answers 500. The mapping never writes one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` {cause}")]
pub struct Unpresentable {
    /// Where in the document it is, such as `outline.3.keyEvents`.
    pub path: String,
    /// What the application fails on.
    pub cause: Cause,
}

/// What the application fails on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// A null or undefined element of which a field is read.
    #[error("is null")]
    Null,
    /// Something that is copied element by element, and is neither an array nor a string.
    #[error("is neither an array nor a string")]
    NotIterable,
    /// Something that is mapped element by element, and is not an array.
    #[error("is not an array")]
    NotAnArray,
    /// A date beyond ±8 640 000 000 000 000 milliseconds, where it must be written as text.
    #[error("is a date that JavaScript cannot hold")]
    DateOutOfRange,
    /// Something whose fields are listed, and which is null in JSON.
    #[error("is null in JSON")]
    NullInJson,
    /// A document that nests deeper than any server stores.
    #[error("nests too deep")]
    TooDeep,
}

impl Unpresentable {
    pub(super) fn new(path: impl Into<String>, cause: Cause) -> Self {
        Unpresentable { path: path.into(), cause }
    }

    /// The same, of a part of the document at `path`.
    pub(super) fn within(self, path: &str) -> Self {
        Unpresentable { path: format!("{path}.{}", self.path), cause: self.cause }
    }
}
