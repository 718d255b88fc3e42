//! BSON as a tree that a test can edit: written for the tests alone, so that damage does not come
//! from the code that is to find it.

/// A field of a document, or an element of an array.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) kind: u8,
    pub(crate) name: String,
    pub(crate) body: Body,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Body {
    Bytes(Vec<u8>),
    Fields(Vec<Field>),
}

impl Field {
    pub(crate) fn text(name: &str, text: &str) -> Field {
        let mut bytes = u32::try_from(text.len() + 1).unwrap().to_le_bytes().to_vec();
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
        Field { kind: 2, name: name.to_owned(), body: Body::Bytes(bytes) }
    }

    /// The text of a string.
    pub(crate) fn as_text(&self) -> &str {
        match &self.body {
            Body::Bytes(bytes) if self.kind == 2 => {
                std::str::from_utf8(&bytes[4..bytes.len() - 1]).unwrap()
            }
            _ => panic!("{} is no string", self.name),
        }
    }

    /// The fields of a document, or the elements of an array.
    pub(crate) fn fields(&mut self) -> &mut Vec<Field> {
        match &mut self.body {
            Body::Fields(fields) => fields,
            Body::Bytes(_) => panic!("{} has no fields", self.name),
        }
    }
}

/// The field at the end of these names.
pub(crate) fn at<'f>(fields: &'f mut [Field], names: &[&str]) -> Option<&'f mut Field> {
    let field = fields.iter_mut().find(|field| field.name == names[0])?;
    match names {
        [_] => Some(field),
        [_, rest @ ..] => at(field.fields(), rest),
        [] => None,
    }
}

pub(crate) fn parse(document: &[u8]) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut at = 4;
    while document[at] != 0 {
        let kind = document[at];
        let end = at + 1 + document[at + 1..].iter().position(|byte| *byte == 0).unwrap();
        let name = String::from_utf8(document[at + 1..end].to_vec()).unwrap();
        let rest = &document[end + 1..];
        let prefix = || usize::try_from(u32::from_le_bytes(rest[..4].try_into().unwrap())).unwrap();
        let length = match kind {
            1 | 9 | 0x11 | 0x12 => 8,
            2 => 4 + prefix(),
            3 | 4 => prefix(),
            5 => 5 + prefix(),
            7 => 12,
            8 => 1,
            0x0a => 0,
            0x10 => 4,
            other => panic!("no test edits documents with type {other}"),
        };
        let body = match kind {
            3 | 4 => Body::Fields(parse(&rest[..length])),
            _ => Body::Bytes(rest[..length].to_vec()),
        };
        fields.push(Field { kind, name, body });
        at = end + 1 + length;
    }
    fields
}

pub(crate) fn build(fields: &[Field]) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    for field in fields {
        bytes.push(field.kind);
        bytes.extend_from_slice(field.name.as_bytes());
        bytes.push(0);
        match &field.body {
            Body::Bytes(body) => bytes.extend_from_slice(body),
            Body::Fields(fields) => bytes.extend_from_slice(&build(fields)),
        }
    }
    bytes.push(0);
    let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
    bytes[..4].copy_from_slice(&length);
    bytes
}
