//! Relationships: the mapping looks for the keys of characters in them, as parts of the text. So a
//! key becomes its pseudonym there even within a word, and what each of them points to is looked up
//! again on both sides.

use super::names::Names;
use reshelve_core::mapping::related_character;
use reshelve_core::raw::{Document, Value};

/// The entries of the characters of a document, as the mapping takes them.
fn entries(document: Document<'_>) -> Option<Document<'_>> {
    let names = ["metadata", "storyBible", "characters"];
    names.iter().try_fold(document, |document, name| document.get(name)?.document())
}

/// The keys of the characters and their pseudonyms, longest first.
pub(super) fn characters(document: Document<'_>, names: &Names) -> Vec<(Vec<u8>, Vec<u8>)> {
    let map = entries(document);
    let keys = map.into_iter().flat_map(Document::elements).filter(|it| !it.name.is_empty());
    let mut all: Vec<(Vec<u8>, Vec<u8>)> =
        keys.filter_map(|it| Some((it.name.to_vec(), names.of_key(it.name)?.to_vec()))).collect();
    all.sort_by(|(one, _), (other, _)| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    all.dedup();
    all
}

/// A relationship with the keys in it renamed; `draw` replaces what is between them.
pub(super) fn relationship(
    text: &[u8],
    characters: &[(Vec<u8>, Vec<u8>)],
    mut draw: impl FnMut(&[u8]) -> Vec<u8>,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        // The first key, and at one place the longest.
        let found = characters
            .iter()
            .filter_map(|(key, new)| Some((memchr::memmem::find(rest, key)?, key, new)))
            .min_by_key(|(at, key, _)| (*at, std::cmp::Reverse(key.len())));
        let Some((at, key, new)) = found else {
            out.extend(draw(rest));
            return out;
        };
        if at > 0 {
            out.extend(draw(&rest[..at]));
        }
        out.extend_from_slice(new);
        rest = &rest[at + key.len()..];
    }
}

/// Whether every relationship of a copy points to the character that the original's points to.
pub(super) fn are_alike(original: Document<'_>, copy: Document<'_>) -> bool {
    let (Some(one), Some(other)) = (entries(original), entries(copy)) else {
        return entries(original).is_none() && entries(copy).is_none();
    };
    fn keys(map: Document<'_>) -> Vec<&[u8]> {
        map.elements().map(|it| it.name).collect()
    }
    fn texts(value: Value<'_>) -> impl Iterator<Item = &[u8]> {
        let array = value.document().and_then(|it| it.get("relationships")?.array());
        array.into_iter().flat_map(Document::values).filter_map(Value::text)
    }
    let (keys_of_one, keys_of_other) = (keys(one), keys(other));
    one.values().zip(other.values()).enumerate().all(|(own, (one, other))| {
        texts(one).count() == texts(other).count()
            && texts(one).zip(texts(other)).all(|(one, other)| {
                related_character(one, own, &keys_of_one)
                    == related_character(other, own, &keys_of_other)
            })
    })
}
