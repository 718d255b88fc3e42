//! The field `Content-Type`, as the package `content-type` reads it.

/// A media type and its character set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ContentType {
    /// In lower case.
    pub(super) media: String,
    /// In lower case.
    pub(super) charset: Option<String>,
}

impl ContentType {
    /// Reads a value; `None` where any part of it is malformed.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let text: String = value.iter().map(|byte| char::from(*byte)).collect();
        let (media, mut rest) = match text.find(';') {
            Some(at) => text.split_at(at),
            None => (&text[..], ""),
        };
        let media = media.trim_matches([' ', '\t']).to_ascii_lowercase();
        let (kind, subtype) = media.split_once('/')?;
        if !is_token(kind) || !is_token(subtype) {
            return None;
        }
        let mut charset = None;
        while !rest.is_empty() {
            let after = rest.strip_prefix(';')?.trim_start_matches(' ');
            let (name, after) = after.split_once('=')?;
            let name = name.trim_end_matches(' ');
            if !is_token(name) {
                return None;
            }
            let (value, after) = parameter_value(after.trim_start_matches(' '))?;
            rest = after.trim_start_matches(' ');
            if name.eq_ignore_ascii_case("charset") {
                charset = Some(value.to_lowercase());
            }
        }
        Some(ContentType { media: media.clone(), charset })
    }
}

/// The value at the beginning of a text, and what follows it.
fn parameter_value(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find([' ', ';']).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return is_token(value).then(|| (value.to_owned(), rest));
    };
    let mut value = String::new();
    loop {
        let first = rest.chars().next()?;
        rest = &rest[first.len_utf8()..];
        match first {
            '"' => return Some((value, rest)),
            '\\' => {
                let escaped = rest.chars().next()?;
                rest = &rest[escaped.len_utf8()..];
                value.push(escaped);
            }
            other => value.push(other),
        }
    }
}

fn is_token(text: &str) -> bool {
    let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(may_stand)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_as_express_reads_them() {
        for (value, expected) in [
            ("application/json", Some(("application/json", None))),
            (" Application/JSON ;charset=UTF-8", Some(("application/json", Some("utf-8")))),
            ("application/json; charset=\"utf-8\"; x=y", Some(("application/json", Some("utf-8")))),
            ("a/b; x=\"a;\\\"b\"; charset = nope", Some(("a/b", Some("nope")))),
            ("application/json; charset", None),
            ("application/json;", None),
            ("application/json; =x", None),
            ("application/json x", None),
            ("json", None),
            ("", None),
        ] {
            let expected = expected.map(|(media, charset): (&str, Option<&str>)| ContentType {
                media: media.to_owned(),
                charset: charset.map(str::to_owned),
            });
            assert_eq!(ContentType::parse(value.as_bytes()), expected, "{value}");
        }
    }
}
