//! Exports as `mongoexport` writes them: lines or an array, compact or pretty, and version 1.

use super::{
    files::{Counter, Target},
    forms::{Dialect, Documents, GenerateError, Layout, Output, Written},
};
use crate::ends::Compression;
use reshelve_core::{
    extjson::{Style, write_document},
    raw::Document,
};

/// How an export looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    pub(super) layout: Layout,
    pub(super) dialect: Dialect,
    pub(super) compression: Compression,
}

pub(super) fn write(
    documents: Documents<'_>,
    output: &Output,
    form: Form,
    progress: &mut dyn FnMut(Written),
) -> Result<Written, GenerateError> {
    let mut target = Target::create(&output.path, form.compression, output.overwrite)?;
    let mut counter = Counter::new(progress);
    let (mut document, mut text, mut shaped) = (Vec::new(), Vec::new(), Vec::new());
    // Opening, between two documents, closing: as the tool writes them.
    let (open, between, close): (&[u8], &[u8], &[u8]) = match form.layout {
        Layout::Lines | Layout::PrettyLines => (b"", b"", b""),
        Layout::Array => (b"[", b",\n", b"]\n"),
        Layout::PrettyArray => (b"[", b",\n", b"]\n\n"),
    };
    target.write(open)?;
    let mut first = true;
    while (documents.next)(&mut document)? {
        if !first {
            target.write(between)?;
        }
        first = false;
        let style = match form.dialect {
            Dialect::V2(style) => style,
            Dialect::V1 => Style::Canonical,
        };
        write_document(&mut text, Document::new(&document), style);
        if form.dialect == Dialect::V1 {
            to_version_1(&text, &mut shaped);
            std::mem::swap(&mut text, &mut shaped);
            shaped.clear();
        }
        match form.layout {
            Layout::Lines | Layout::Array => target.write(&text)?,
            Layout::PrettyLines | Layout::PrettyArray => {
                indent(&text, &mut shaped);
                target.write(&shaped)?;
                shaped.clear();
            }
        }
        if matches!(form.layout, Layout::Lines | Layout::PrettyLines) {
            target.write(b"\n")?;
        }
        counter.count(document.len());
        document.clear();
        text.clear();
    }
    target.write(close)?;
    target.finish()?;
    Ok(counter.finish())
}

/// Where the string that starts at `at` ends, including its quotes.
fn string_end(text: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(step) = memchr::memchr2(b'"', b'\\', text.get(end..).unwrap_or(&[])) {
        end += step;
        if text[end] == b'"' {
            return end + 1;
        }
        end += 2;
    }
    text.len()
}

/// Spreads compact JSON over lines, with tabs; empty values stay together.
fn indent(text: &[u8], out: &mut Vec<u8>) {
    let mut depth = 0;
    let line = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.resize(out.len() + depth, b'\t');
    };
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let mut end = at + 1;
        match byte {
            b'"' => {
                end = string_end(text, at);
                out.extend_from_slice(&text[at..end]);
            }
            b'{' | b'[' => {
                out.push(byte);
                if matches!(text.get(end), Some(b'}' | b']')) {
                    out.push(text[end]);
                    end += 1;
                } else {
                    depth += 1;
                    line(out, depth);
                }
            }
            b'}' | b']' => {
                depth = usize::saturating_sub(depth, 1);
                line(out, depth);
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                line(out, depth);
            }
            b':' => out.extend_from_slice(b": "),
            other => out.push(other),
        }
        at = end;
    }
}

/// How canonical version 2 wraps a value, and how version 1 does.
struct Wrapper {
    before: &'static [u8],
    after: &'static [u8],
    older_before: &'static [u8],
    older_after: &'static [u8],
}

const WRAPPERS: [Wrapper; 5] = [
    wrapper(br#"{"$numberInt":""#, br#""}"#, b"", b""),
    wrapper(br#"{"$numberDouble":""#, br#""}"#, b"", b""),
    wrapper(br#"{"$date":{"$numberLong":""#, br#""}}"#, br#"{"$date":"#, b"}"),
    wrapper(br#"{"$binary":{"base64":""#, br#""}}"#, br#"{"$binary":""#, br#""}"#),
    wrapper(br#"{"$regularExpression":{"pattern":""#, br#""}}"#, br#"{"$regex":""#, br#""}"#),
];

/// The second name inside a wrapper, in version 2 and in version 1.
const SECOND_NAMES: [(&[u8], &[u8]); 2] =
    [(br#""subType":"#, br#""$type":"#), (br#""options":"#, br#""$options":"#)];

const fn wrapper(
    before: &'static [u8],
    after: &'static [u8],
    older_before: &'static [u8],
    older_after: &'static [u8],
) -> Wrapper {
    Wrapper { before, after, older_before, older_after }
}

/// Rewrites canonical version 2 as version 1. Meant for generated documents: the fields' own names
/// must not look like wrappers.
fn to_version_1(text: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        if byte == b'"' {
            let end = string_end(text, at);
            out.extend_from_slice(&text[at..end]);
            at = end;
        } else if byte == b'{'
            && let Some(end) = rewrap(&text[at..], out)
        {
            at += end;
        } else {
            out.push(byte);
            at += 1;
        }
    }
}

/// Rewrites the wrapper at the start of the text; returns its length, or `None` if the text stays
/// as it is.
fn rewrap(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let wrapper = WRAPPERS.iter().find(|wrapper| text.starts_with(wrapper.before))?;
    let start = wrapper.before.len();
    let length = memchr::memmem::find(&text[start..], wrapper.after)?;
    let value = &text[start..start + length];
    // Version 1 has no bare form for NaN and infinity: they stay wrapped.
    if wrapper.older_before.is_empty() && value.iter().any(|byte| matches!(byte, b'N' | b'I')) {
        return None;
    }
    out.extend_from_slice(wrapper.older_before);
    let from = out.len();
    out.extend_from_slice(value);
    for (name, older) in SECOND_NAMES {
        if let Some(place) = memchr::memmem::find(&out[from..], name) {
            out.splice(from + place..from + place + name.len(), older.iter().copied());
        }
    }
    out.extend_from_slice(wrapper.older_after);
    Some(start + length + wrapper.after.len())
}
