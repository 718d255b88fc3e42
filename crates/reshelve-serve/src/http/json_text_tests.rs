//! Messages against those of Node 20.

use super::*;

/// Texts, and what `JSON.parse` of Node 20 says of each: nothing where it is sound.
const SAID: &[(&str, Option<&str>)] = &[
    ("{", Some("Expected property name or '}' in JSON at position 1")),
    ("[1,]", Some("Unexpected token ']', \"[1,]\" is not valid JSON")),
    ("{\"a\":1,}", Some("Expected double-quoted property name in JSON at position 7")),
    ("{\"a\"}", Some("Expected ':' after property name in JSON at position 4")),
    ("{\"a\":}", Some("Unexpected token '}', \"{\"a\":}\" is not valid JSON")),
    ("{a:1}", Some("Expected property name or '}' in JSON at position 1")),
    ("[1 2]", Some("Expected ',' or ']' after array element in JSON at position 3")),
    ("{\"a\":1 \"b\"}", Some("Expected ',' or '}' after property value in JSON at position 7")),
    ("{\"a\":1}x", Some("Unexpected non-whitespace character after JSON at position 7")),
    ("{} {}", Some("Unexpected non-whitespace character after JSON at position 3")),
    ("[", Some("Unexpected end of JSON input")),
    ("[1", Some("Expected ',' or ']' after array element in JSON at position 2")),
    ("{\"a\"", Some("Expected ':' after property name in JSON at position 4")),
    ("{\"a\":", Some("Unexpected end of JSON input")),
    ("{\"a\":1", Some("Expected ',' or '}' after property value in JSON at position 6")),
    ("[\"", Some("Unterminated string in JSON at position 2")),
    ("[\"a\\q\"]", Some("Bad escaped character in JSON at position 4")),
    ("[\"\\u12g4\"]", Some("Bad Unicode escape in JSON at position 6")),
    ("[\"\n\"]", Some("Bad control character in string literal in JSON at position 2")),
    ("[-]", Some("No number after minus sign in JSON at position 2")),
    ("[-a]", Some("No number after minus sign in JSON at position 2")),
    ("[1.]", Some("Unterminated fractional number in JSON at position 3")),
    ("[1.a]", Some("Unterminated fractional number in JSON at position 3")),
    ("[1e]", Some("Exponent part is missing a number in JSON at position 3")),
    ("[1e+a]", Some("Exponent part is missing a number in JSON at position 4")),
    ("[01]", Some("Unexpected number in JSON at position 2")),
    ("[00]", Some("Unexpected number in JSON at position 2")),
    ("[tru]", Some("Unexpected token ']', \"[tru]\" is not valid JSON")),
    ("[nul", Some("Unexpected end of JSON input")),
    ("[truex]", Some("Expected ',' or ']' after array element in JSON at position 5")),
    ("[+1]", Some("Unexpected token '+', \"[+1]\" is not valid JSON")),
    ("[.5]", Some("Unexpected token '.', \"[.5]\" is not valid JSON")),
    ("[NaN]", Some("Unexpected token 'N', \"[NaN]\" is not valid JSON")),
    ("[undefined]", Some("Unexpected token 'u', \"[undefined]\" is not valid JSON")),
    (
        "{\"a\":1,\"b\":2,\"c\":3,,\"d\":4,\"e\":5}",
        Some("Expected double-quoted property name in JSON at position 19"),
    ),
    (
        "[1,2,3,4,5,6,7,8,9,10,x,11,12,13,14]",
        Some("Unexpected token 'x', ...\",7,8,9,10,x,11,12,13\"... is not valid JSON"),
    ),
    (
        "[1,2,3,4,5,6,7,8,9,10,11,12,x]",
        Some("Unexpected token 'x', ...\",10,11,12,x]\" is not valid JSON"),
    ),
    (
        "[x,2,3,4,5,6,7,8,9,10,11,12,13]",
        Some("Unexpected token 'x', \"[x,2,3,4,5,\"... is not valid JSON"),
    ),
    (
        "[\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" \"b\"]",
        Some("Expected ',' or ']' after array element in JSON at position 36"),
    ),
    ("[1,\"a\" 2]", Some("Expected ',' or ']' after array element in JSON at position 7")),
    ("{\"a\":\"b\"\"c\"}", Some("Expected ',' or '}' after property value in JSON at position 8")),
    ("[\"ü\",x]", Some("Unexpected token 'x', \"[\"ü\",x]\" is not valid JSON")),
    (
        "[\"😀😀😀😀😀😀😀😀😀😀😀😀\",x]",
        Some("Unexpected token 'x', ...\"😀😀😀😀\",x]\" is not valid JSON"),
    ),
    ("[\u{a0}]", Some("Unexpected token '\u{a0}', \"[\u{a0}]\" is not valid JSON")),
    ("[1,2}", Some("Expected ',' or ']' after array element in JSON at position 4")),
    ("{\"a\":1]", Some("Expected ',' or '}' after property value in JSON at position 6")),
    ("[,]", Some("Unexpected token ',', \"[,]\" is not valid JSON")),
    ("{,}", Some("Expected property name or '}' in JSON at position 1")),
    ("{\"a\":1,2}", Some("Expected double-quoted property name in JSON at position 7")),
    ("{\"a\" 1}", Some("Expected ':' after property name in JSON at position 5")),
    ("{1:2}", Some("Expected property name or '}' in JSON at position 1")),
    ("{\"a\":1,\"b}", Some("Unterminated string in JSON at position 10")),
    ("[\"\\", Some("Unexpected end of JSON input")),
    ("[\"\\u", Some("Bad Unicode escape in JSON at position 4")),
    ("[\"\\u1", Some("Bad Unicode escape in JSON at position 5")),
    ("[1", Some("Expected ',' or ']' after array element in JSON at position 2")),
    ("[-0]", None),
    ("[-01]", Some("Unexpected number in JSON at position 3")),
    ("[1.5.5]", Some("Expected ',' or ']' after array element in JSON at position 4")),
    ("[1e5e5]", Some("Expected ',' or ']' after array element in JSON at position 4")),
    ("[\"\u{7f}\"]", None),
    ("['a']", Some("Unexpected token ''', \"['a']\" is not valid JSON")),
    ("[true false]", Some("Expected ',' or ']' after array element in JSON at position 6")),
    ("[{}{}]", Some("Expected ',' or ']' after array element in JSON at position 3")),
    ("{\"a\":tru}", Some("Unexpected token '}', \"{\"a\":tru}\" is not valid JSON")),
    ("[[[[", Some("Unexpected end of JSON input")),
    ("{\"a\":[}", Some("Unexpected token '}', \"{\"a\":[}\" is not valid JSON")),
    ("[{]", Some("Expected property name or '}' in JSON at position 2")),
    ("[1\"a\"]", Some("Expected ',' or ']' after array element in JSON at position 2")),
    (
        "[1,\"a\" \"bcdefghijklmnopqrstuvwxyz0123\"]",
        Some("Expected ',' or ']' after array element in JSON at position 7"),
    ),
    (
        "{\"aaaaaaaaaaaaaaaaaaaaaaaaa\":1,5}",
        Some("Expected double-quoted property name in JSON at position 31"),
    ),
    ("[object Object]", Some("\"[object Object]\" is not valid JSON")),
];

#[test]
fn what_is_wrong_is_said_as_v8_says_it() {
    for (text, said) in SAID {
        assert_eq!(check(text).err().as_deref(), *said, "{text:?}");
    }
}

#[test]
fn what_is_neither_object_nor_array_is_refused() {
    for (text, said) in [
        ("nonsense", "Unexpected token 'n', \"nonsense\" is not valid JSON"),
        ("\"x\"", "Unexpected token '\"', \"\"x\"\" is not valid JSON"),
        (" 1", "Unexpected token '1', \" 1\" is not valid JSON"),
        (
            "nonsense beyond twenty characters",
            "Unexpected token 'n', \"nonsense b\"... is not valid JSON",
        ),
        ("  \n ", "Unexpected end of JSON input"),
    ] {
        assert_eq!(check(text), Err(said.to_owned()), "{text:?}");
    }
}

#[test]
fn depth_is_no_danger() {
    let deep = "[".repeat(100_000);
    assert_eq!(check(&deep).err().as_deref(), Some("Unexpected end of JSON input"));
    assert_eq!(check(&format!("{deep}{}", "]".repeat(100_000))), Ok(()));
    assert!(check(&format!("{deep}{}", "}".repeat(100_000))).is_err());
}

proptest::proptest! {
    #[test]
    fn any_text_is_judged_as_serde_judges_it(text in "[\\[\\{][\\[\\]{}:,\"a0-9.eE+\\- \\\\untrlfs]{0,12}") {
        let is_sound = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        proptest::prop_assert_eq!(check(&text).is_ok(), is_sound);
    }

    #[test]
    fn no_text_panics(text in ".{0,40}") {
        let _ = check(&text);
    }
}
