//! The query of a target, read as Node's `querystring` reads it.

use std::borrow::Cow;

/// Parameters that count. Any after them are ignored.
const PARAMETERS_MAX: usize = 1000;

/// The parameters of a query, in order.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads what stands after the question mark.
    pub(super) fn parse(text: &str) -> Self {
        let pairs = text.split('&').take(PARAMETERS_MAX).filter(|pair| !pair.is_empty());
        Query(
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decoded(name), decoded(value))
                })
                .collect(),
        )
    }

    /// The values of a parameter.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(other, _)| other == name).map(|(_, value)| &value[..])
    }

    /// All of it.
    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}

/// Decodes what can be decoded: anything else stays, and bytes that are no UTF-8 become U+FFFD.
fn decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    match unescaped(spaced.as_bytes()) {
        Cow::Borrowed(_) => spaced,
        Cow::Owned(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
    }
}

/// Each `%` with two hexadecimal digits as the byte that they name; any other stays.
pub(super) fn unescaped(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        (bytes, rest) = match escaped(rest) {
            Some(named) => (push(bytes, named), &rest[3..]),
            None => (push(bytes, *byte), after),
        };
    }
    Cow::Owned(bytes)
}

fn push(mut bytes: Vec<u8>, byte: u8) -> Vec<u8> {
    bytes.push(byte);
    bytes
}

/// The byte that an escape at the beginning of a text names.
pub(super) fn escaped(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str, name: &str) -> Vec<String> {
        Query::parse(text).all(name).map(str::to_owned).collect()
    }

    #[test]
    fn parameters_are_read_as_node_reads_them() {
        for (text, expected) in [
            ("a=x", vec!["x"]),
            ("a=x&b=y&a=z", vec!["x", "z"]),
            ("a", vec![""]),
            ("a=", vec![""]),
            ("a=b=c", vec!["b=c"]),
            ("&&a=x&&", vec!["x"]),
            ("a=f%61iled", vec!["failed"]),
            ("%61=x", vec!["x"]),
            ("a=x+y%2B", vec!["x y+"]),
            ("a=%", vec!["%"]),
            ("a=%zz%6", vec!["%zz%6"]),
            ("a=%ff%61", vec!["\u{fffd}a"]),
            ("a=%E0%A4%A", vec!["\u{fffd}%A"]),
            ("a=%F0%9F%98%80", vec!["😀"]),
            ("a=%00", vec!["\0"]),
            ("a=x;a=y", vec!["x;a=y"]),
            ("A=x&a[]=y&=z", vec![]),
        ] {
            assert_eq!(all(text, "a"), expected, "{text}");
        }
        assert_eq!(all("=x", ""), ["x"]);
        assert_eq!(all("__proto__=x", "__proto__"), ["x"]);
    }

    #[test]
    fn only_the_first_thousand_parameters_count() {
        let before = |count: usize| (0..count).map(|at| format!("b{at}=1&")).collect::<String>();
        assert_eq!(all(&format!("{}a=x", before(999)), "a"), ["x"]);
        assert!(all(&format!("{}a=x", before(1000)), "a").is_empty());
        assert!(all(&format!("{}a=x", "&".repeat(1000)), "a").is_empty());
    }
}
