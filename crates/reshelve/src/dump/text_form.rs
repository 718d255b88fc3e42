//! Text that is not Extended JSON in UTF-8: which encoding or which notation it is.

use super::detect::BYTE_ORDER_MARK;
use super::foreign::Foreign;
use crate::ends::{Hint, SourceHint};

/// Characters of the first line that are shown.
const SHOWN_CHARS_MAX: usize = 60;
/// How many code units in a row have to be ASCII for text of two or four bytes each.
const UNITS: usize = 6;

/// The encoding of text that is not UTF-8, told by its byte-order mark or its zero bytes.
pub(super) fn encoding(head: &[u8]) -> Option<&'static str> {
    let marked: [(&[u8], usize, usize, &str); 4] = [
        // The longer mark first: it begins like the shorter one.
        (b"\xFF\xFE\0\0", 4, 0, "UTF-32 text, little-endian"),
        (b"\0\0\xFE\xFF", 4, 3, "UTF-32 text, big-endian"),
        (b"\xFF\xFE", 2, 0, "UTF-16 text, little-endian"),
        (b"\xFE\xFF", 2, 1, "UTF-16 text, big-endian"),
    ];
    for (mark, width, at, name) in marked {
        if let Some(text) = head.strip_prefix(mark)
            && (text.is_empty() || ascii_units(text, width, at) >= 1)
        {
            return Some(name);
        }
    }
    marked.iter().find_map(|&(_, width, at, name)| {
        let units = (head.len() / width).min(UNITS);
        (units >= 2 && ascii_units(head, width, at) >= units && begins_json(head.get(at)))
            .then_some(name)
    })
}

/// How many code units at the start are ASCII text, up to [`UNITS`].
fn ascii_units(text: &[u8], width: usize, at: usize) -> usize {
    let is_ascii = |unit: &&[u8]| {
        let text = matches!(unit[at], b' '..=b'~' | b'\t' | b'\n' | b'\r');
        text && unit.iter().enumerate().all(|(index, byte)| index == at || *byte == 0)
    };
    text.chunks_exact(width).take(UNITS).take_while(is_ascii).count()
}

/// Text without a mark is believed only where it begins like a JSON file.
fn begins_json(first: Option<&u8>) -> bool {
    matches!(first, Some(b'{' | b'[' | b' ' | b'\t' | b'\n' | b'\r' | b'/'))
}

/// What text is that begins neither with a document nor with an array; none where it is no text.
pub(super) fn likely(head: &[u8]) -> Option<Foreign> {
    let text = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head).trim_ascii_start();
    let line = first_line(text)?;
    if is_shell_notation(text) == Some(true) {
        return Some(Foreign::new(SHELL, Hint::Source(SourceHint::ExportAsJson)));
    }
    let begins = shown(line).map_or(String::new(), |shown| format!("; it begins with {shown}"));
    if text.starts_with(b"<") {
        let what = format!("a web page or XML{begins}");
        return Some(Foreign::new(what, Hint::Source(SourceHint::GetTheFileAgain)));
    }
    if is_heading(line) {
        let what = format!("CSV or TSV{begins}");
        return Some(Foreign::new(what, Hint::Source(SourceHint::ExportAsJson)));
    }
    let what = format!("text, neither a document nor an array of documents{begins}");
    Some(Foreign::new(what, Hint::Source(SourceHint::LeaveOutTheMessages)))
}

pub(super) const SHELL: &str = "the notation of the mongo shell, such as ObjectId(…), not JSON";

/// The first line, if what there is of it is text.
fn first_line(text: &[u8]) -> Option<&str> {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = &line[..line.len().min(SHOWN_CHARS_MAX * 4)];
    let line = match std::str::from_utf8(line) {
        Ok(line) => line,
        // A character may be cut where the line was.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&line[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let control = |c: char| c.is_control() && !matches!(c, '\t' | '\r' | '\u{1b}');
    (!line.is_empty() && !line.contains(control)).then(|| line.trim_end())
}

/// The beginning of a line, quoted, to be recognised. A connection string in it may hold a password,
/// so a word with an `@` and what comes after it are left out; so is what comes after a word that
/// announces one. A line that is a single word may be a key or a password itself.
fn shown(line: &str) -> Option<String> {
    let mut end = line.find('@').map_or(line.len(), |at| {
        line[..at].rfind(char::is_whitespace).map_or(0, |space| space + 1)
    });
    let lower = line.to_ascii_lowercase();
    for word in ["pass", "pwd", "secret", "token", "key", "credential", "bearer", " -p"] {
        end = end.min(lower.find(word).map_or(end, |at| at + word.len()));
    }
    let text: String = line[..end].chars().take(SHOWN_CHARS_MAX).collect();
    if !text.trim_end().contains([' ', '\t', ',', ';', '<']) {
        return None;
    }
    let cut = if text.len() < line.len() { "…" } else { "" };
    Some(format!("{:?}", format!("{text}{cut}")))
}

/// Whether a line is a list of field names, as `mongoexport --type=csv` writes it first.
fn is_heading(line: &str) -> bool {
    let name = |cell: &str| {
        let cell = cell.trim_matches('"');
        cell.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && cell.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '$'))
    };
    [',', '\t', ';'].iter().any(|&separator| {
        let line = line.trim_end_matches(separator);
        line.contains(separator) && line.split(separator).all(name)
    })
}

/// Whether the first document of a text is in the notation of the shell: calls such as
/// `ObjectId(…)`, names without quotes, comments between documents.
///
/// None if the document does not end here, and shows neither.
pub(super) fn is_shell_notation(text: &[u8]) -> Option<bool> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text).trim_ascii_start();
    let mut rest = skip_comments(text);
    if !matches!(rest.first()?, b'{' | b'[') {
        return Some(false);
    }
    if text.starts_with(b"/") {
        return Some(true);
    }
    let mut depth = 0u32;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'"' | b'\'' => rest = &after[end_of_string(after, byte)?..],
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(false);
                }
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' => {
                let word =
                    |byte: &u8| !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'$');
                let end = after.iter().position(word)?;
                let next = after[end..].trim_ascii_start().first()?;
                // `new Date(…)` is a word before a word.
                if matches!(next, b'(' | b':') || byte == b'n' && after.starts_with(b"ew ") {
                    return Some(true);
                }
                rest = &after[end..];
            }
            _ => {}
        }
    }
    None
}

/// What follows white space and comments.
fn skip_comments(mut text: &[u8]) -> &[u8] {
    loop {
        text = text.trim_ascii_start();
        let end = match text {
            [b'/', b'*', ..] => memchr::memmem::find(text, b"*/").map(|at| at + 2),
            [b'/', b'/', ..] => memchr::memchr(b'\n', text),
            _ => None,
        };
        match end {
            Some(end) => text = &text[end..],
            None => return text,
        }
    }
}

/// Where the text after a quote has its closing quote, and what follows begins.
fn end_of_string(text: &[u8], quote: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(quote, b'\\', text.get(at..)?)?;
        if text[at] == quote {
            return Some(at + 1);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notation_of_the_shell() {
        for text in [
            r#"{ "_id" : ObjectId("68c742c37a78e16545d97e01") }"#,
            "/* 1 */\n{\n    \"_id\" : 1\n}",
            "// a comment\n{\"_id\":1}",
            "[\n  {\n    _id: 1\n  }\n]",
            "{ 'a': 'x\\'y', b: 1 }",
            r#"{"a":"x\"y","when":new Date(5)}"#,
            r#"[{"n":NumberLong(5)}]"#,
        ] {
            assert_eq!(is_shell_notation(text.as_bytes()), Some(true), "{text}");
        }
        for text in [
            r#"{"_id":"ObjectId(5)","a":[true,false,null,NaN,-Infinity],"b":"/* x */"}"#,
            r#"{"a":1} {"b":ISODate("x")}"#,
            "/* only a comment */",
            "[]",
            "{",
            "{'a':1}",
            r#"{"a":"#,
            "hello {",
        ] {
            assert_ne!(is_shell_notation(text.as_bytes()), Some(true), "{text}");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        let line = "2026-01-05 connected to: mongodb://me:secret@db1/ and more";
        assert_eq!(shown(line).unwrap(), r#""2026-01-05 connected to: …""#);
        assert_eq!(shown("me:secret@db1"), None);
        assert_eq!(shown("plain text").unwrap(), r#""plain text""#);
        for secret in ["hunter2", &"3f".repeat(32)] {
            assert_eq!(shown(secret), None, "{secret}");
        }
        let line = "mongodump -u root --password hunter2 --db x";
        assert_eq!(shown(line).unwrap(), r#""mongodump -u root --pass…""#);
        let line = "mongodump -u root -p hunter2";
        assert_eq!(shown(line).unwrap(), r#""mongodump -u root -p…""#);
    }

    #[test]
    fn encodings() {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        for text in ["{\"_id\":1}", "[{}]", "\r\n{}", "{}"] {
            let bytes = utf16(text);
            assert_eq!(encoding(&bytes), Some("UTF-16 text, little-endian"), "{text:?}");
            let marked = [b"\xFF\xFE".to_vec(), bytes.clone()].concat();
            assert_eq!(encoding(&marked), Some("UTF-16 text, little-endian"), "{text:?}");
            let turned: Vec<u8> = bytes.chunks(2).flat_map(|it| [it[1], it[0]]).collect();
            assert_eq!(encoding(&turned), Some("UTF-16 text, big-endian"), "{text:?}");
            let wide: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
            assert_eq!(encoding(&wide), Some("UTF-32 text, little-endian"), "{text:?}");
            assert_eq!(encoding(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(encoding(b"\xFF\xFE"), Some("UTF-16 text, little-endian"));
        // The smallest documents, and one with a null without a name.
        for bson in [&b"\x05\0\0\0\0"[..], b"\x07\0\0\0\x0A\0\0", b"\x20\0\0\0\x0A\0\x0D\0", b""] {
            assert_eq!(encoding(bson), None, "{bson:?}");
        }
    }
}
