//! Documents as JavaScript objects: in which order their fields come, and which of a repeated name
//! counts.
//!
//! An object has each name once: a repeated one keeps the first place and the last value. Names
//! that are array indexes come first, ascending. Nearly no document has either, so a look at the
//! names comes first, and only the others are put in order.

use reshelve_core::raw::{Document, Value, kind};

use super::javascript::{Reference, is_truthy};
use super::json::{DEPTH_MAX, close, push_name, push_value};
use super::{Cause, text};

/// Appends a document as an object; `depth` is its level.
pub(super) fn push(out: &mut Vec<u8>, document: Document<'_>, depth: usize) -> Result<(), Cause> {
    push_unless_false(out, document, depth, None)
}

/// As [`push`], without the field of that name where it counts as false.
pub(super) fn push_unless_false(
    out: &mut Vec<u8>,
    document: Document<'_>,
    depth: usize,
    optional: Option<&str>,
) -> Result<(), Cause> {
    if depth > DEPTH_MAX {
        return Err(Cause::TooDeep);
    }
    let names = Names::of(document);
    if names.may_refer
        && let Some(reference) = Reference::of(document)
    {
        return push_reference(out, &reference, document, depth);
    }
    let optional = optional.map(str::as_bytes);
    out.push(b'{');
    visit(document, names, |name, value| {
        if optional == Some(name) && !is_truthy(Some(value)) {
            return Ok(());
        }
        push_element(out, name, value, depth)
    })?;
    close(out, b'}');
    Ok(())
}

/// Appends an element and a comma; nothing where it is undefined.
#[inline]
pub(super) fn push_element(
    out: &mut Vec<u8>,
    name: &[u8],
    value: Value<'_>,
    depth: usize,
) -> Result<(), Cause> {
    if value.kind == kind::UNDEFINED {
        return Ok(());
    }
    push_name(out, name);
    push_value(out, value, depth)?;
    out.push(b',');
    Ok(())
}

/// Appends a reference, with the other fields of its document.
pub(super) fn push_reference(
    out: &mut Vec<u8>,
    reference: &Reference<'_>,
    document: Document<'_>,
    depth: usize,
) -> Result<(), Cause> {
    let names = Names { in_order: false, may_refer: true };
    out.push(b'{');
    visit(document, names, |name, value| match array_index(name) {
        Some(_) => push_element(out, name, value, depth),
        None => Ok(()),
    })?;
    out.extend_from_slice(b"\"$ref\":");
    text::push_string(out, reference.collection);
    out.extend_from_slice(b",\"$id\":");
    push_value(out, reference.id, depth)?;
    out.push(b',');
    visit(document, names, |name, value| {
        if is_part_of_reference(name) || array_index(name).is_some() {
            return Ok(());
        }
        push_element(out, name, value, depth)
    })?;
    if let Some(database) = reference.database {
        out.extend_from_slice(b"\"$db\":");
        text::push_string(out, database);
    }
    close(out, b'}');
    Ok(())
}

/// Whether a name is not among the other fields of a reference. The driver copies these by
/// assignment, to which the last of the names is not a field.
pub(super) fn is_part_of_reference(name: &[u8]) -> bool {
    matches!(name, b"$ref" | b"$id" | b"$db" | b"__proto__")
}

/// What a look at the names of a document shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    /// No name repeats, and none is an array index: the fields come as they are stored.
    in_order: bool,
    /// A name begins with a dollar.
    may_refer: bool,
}

impl Names {
    pub(super) fn of(document: Document<'_>) -> Self {
        // A name sets one of 1 024 bits. Where it is set already, two names may be the same; that
        // some are not costs time alone.
        let mut seen = [0_u64; 16];
        let mut names = Names { in_order: true, may_refer: false };
        for element in document.elements() {
            let place = place(element.name);
            let (word, bit) = (place / 64 % 16, 1 << (place % 64));
            names.in_order &= seen[word] & bit == 0;
            seen[word] |= bit;
            match element.name.first() {
                Some(b'0'..=b'9') => names.in_order &= array_index(element.name).is_none(),
                Some(b'$') => names.may_refer = true,
                _ => {}
            }
        }
        names
    }
}

/// Where a name sets its bit: from its length and its first and last eight bytes.
#[inline]
fn place(name: &[u8]) -> usize {
    let word = |bytes: &[u8]| bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    let head = word(&name[..name.len().min(8)]);
    let tail = word(&name[name.len().saturating_sub(8)..]);
    let length = u64::try_from(name.len()).unwrap_or(0);
    let mixed = (head ^ tail.rotate_left(29) ^ length).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    usize::try_from(mixed >> 54).unwrap_or(0)
}

/// Calls for each field of the object that a document is, in the object's order.
#[inline]
pub(super) fn visit<'a, E>(
    document: Document<'a>,
    names: Names,
    mut each: impl FnMut(&'a [u8], Value<'a>) -> Result<(), E>,
) -> Result<(), E> {
    if names.in_order {
        return document.elements().try_for_each(|element| each(element.name, element.value));
    }
    ordered(document).into_iter().try_for_each(|field| each(field.name, field.value))
}

/// A field of an object, and the place of its name among those of the document.
struct Placed<'a> {
    name: &'a [u8],
    value: Value<'a>,
    place: usize,
}

fn ordered(document: Document<'_>) -> Vec<Placed<'_>> {
    let elements = document.elements().enumerate();
    let mut fields: Vec<_> = elements
        .map(|(place, element)| Placed { name: element.name, value: element.value, place })
        .collect();
    // The same names come together, each in its order: the sort keeps it.
    fields.sort_by_key(|field| field.name);
    let mut once: Vec<Placed<'_>> = Vec::with_capacity(fields.len());
    for field in fields {
        match once.last_mut() {
            Some(last) if last.name == field.name => last.value = field.value,
            _ => once.push(field),
        }
    }
    once.sort_by_key(|field| (array_index(field.name).unwrap_or(u32::MAX), field.place));
    once
}

/// The array index that a name is: digits without a leading zero, up to 4 294 967 294.
pub(crate) fn array_index(name: &[u8]) -> Option<u32> {
    if name.is_empty() || name.len() > 10 || (name[0] == b'0' && name.len() > 1) {
        return None;
    }
    let number = name.iter().try_fold(0_u64, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0'))
    })?;
    u32::try_from(number).ok().filter(|index| *index < u32::MAX)
}
