//! Extended JSON: what is a document, what is a broken one, what is damage.

use reshelve::dump;
use reshelve::ends::{Batch, BatchLimits};
use reshelve_core::extjson::{self, Style};
use reshelve_core::raw::{Document, check};

use crate::helpers::{parse, read_bytes, spec};

/// Which documents of a text are good, and what ends it.
fn verdict(text: &str) -> (String, Option<String>) {
    let (documents, damage) = read_bytes(text.as_bytes());
    let verdict = documents.iter().map(|it| if it.is_some() { '+' } else { '-' }).collect();
    (verdict, damage.map(|damage| damage.to_string()))
}

#[test]
fn a_broken_document_costs_itself_where_its_end_can_be_found() {
    for (text, expected) in [
        ("{}{}\n{ }", "+++"),
        ("[ {} , {} ] \n", "++"),
        ("\u{feff}{}", "+"),
        ("{\"a\":{\"$oid\":\"x\"}}\n{\"b\":1}", "-+"),
        ("{\"a\":[}\n{\"b\":1}", "-+"),
        ("{\"a\":]}\n{\"b\":1}", "-+"),
        ("{\"a\":[{\"b\":1]}\n{\"b\":1}", "-+"),
        ("[{\"a\":[{\"b\":1]},\n{\"b\":1}]", "-+"),
        ("{\"a\":\"x}\n{\"b\":1}\n{}", "-++"),
        ("[{\"a\":\"x},\n{\"b\":1},\n{}]", "-++"),
        ("{\"a\":1\n{\"b\":1}\n{}", "-++"),
        ("{\"a\":\"\\q\"}\n{}", "-+"),
        ("{\"a\":tru}\n{}", "-+"),
        ("{\"a\":1 2}\n{}", "-+"),
        ("{'a':1}\n{}", "-+"),
        ("{\"a\":\"tab\there\"}\n{}", "-+"),
        ("{\"a\":\"line\nend\"}\n{}", "-+"),
        ("{\"a\":\n{\"b\":1}}\n{}", "++"),
        ("{\"a\":[\n{\"b\":1},\n{\"c\":2}\n]}\n{}", "++"),
        ("{\"\\u0000\":1}\n{\"a\":\"\\u0000\"}", "-+"),
        ("{\"a\":\"\\ud800\"}\n{\"a\":\"\\ud83d\\ude00\"}", "-+"),
    ] {
        assert_eq!(verdict(text), (expected.to_owned(), None), "{text}");
    }
}

#[test]
fn damage_has_line_and_column() {
    for (text, documents, message) in [
        ("{}\n  x", "+", "test: neither a document nor white space (line 2, column 3)"),
        ("{}\n{}}", "++", "test: a bracket that closes nothing (line 2, column 3)"),
        ("[{}\n{}]", "+", "test: no comma between two documents (line 2, column 1)"),
        ("[{},]", "+", "test: a comma before the end of the array (line 1, column 5)"),
        ("[,{}]", "", "test: a comma where a document must be (line 1, column 2)"),
        ("[{}]\n{}", "+", "test: a document after the end of the array (line 2, column 1)"),
        ("{},{}", "+", "test: a comma where a document must be (line 1, column 3)"),
        ("{}\n\n {\"a\":", "+", "test: truncated: the document does not end (line 3, column 2)"),
        ("[{}\n", "+", "test: truncated: the array does not end (line 2, column 1)"),
    ] {
        assert_eq!(verdict(text), (documents.to_owned(), Some(message.to_owned())), "{text}");
    }
}

#[test]
fn places_are_those_of_the_documents() {
    let text = "\u{feff}[\n {\"a\":\"\\n\"},\n\n{\"b\":\n1}, {}]";
    let reader = Box::new(std::io::Cursor::new(text.as_bytes().to_vec()));
    let mut opened = dump::open_stream(reader, "test", &spec("-")).unwrap();
    let mut batch = Batch::default();
    let mut places = Vec::new();
    while opened.source.fill(&mut batch, BatchLimits { docs_max: 1, bytes_max: 8 }).unwrap() {
        let place = batch.items[0].place;
        places.push((place.offset, place.line, place.column));
    }
    assert_eq!(places, [(6, 2, 2), (19, 4, 1), (29, 5, 5)]);
}

/// The canonical text of what a value in a document is read as.
fn read_as(value: &str) -> String {
    let Some(bytes) = parse(format!("{{\"v\":{value}}}").as_bytes()) else {
        return "error".to_owned();
    };
    check(&bytes).unwrap();
    let mut text = Vec::new();
    extjson::write_document(&mut text, Document::new(&bytes), Style::Canonical);
    let text = String::from_utf8(text).unwrap();
    text.strip_prefix("{\"v\":").unwrap().strip_suffix('}').unwrap().to_owned()
}

#[test]
fn every_shape_of_every_wrapper() {
    for (value, canonical) in [
        ("1", r#"{"$numberInt":"1"}"#),
        ("-0", r#"{"$numberInt":"0"}"#),
        ("2147483648", r#"{"$numberLong":"2147483648"}"#),
        ("9223372036854775808", r#"{"$numberDouble":"9.223372036854776E+18"}"#),
        ("1E+20", r#"{"$numberDouble":"1E+20"}"#),
        ("-0.0", r#"{"$numberDouble":"-0.0"}"#),
        (r#"{ "$numberInt" : "7" }"#, r#"{"$numberInt":"7"}"#),
        (r#"{"$numberDouble":"-Infinity"}"#, r#"{"$numberDouble":"-Infinity"}"#),
        (r#"{"$numberDouble":"NaN"}"#, r#"{"$numberDouble":"NaN"}"#),
        ("NaN", r#"{"$numberDouble":"NaN"}"#),
        (" Infinity ", r#"{"$numberDouble":"Infinity"}"#),
        ("+Infinity", r#"{"$numberDouble":"Infinity"}"#),
        ("-Infinity", r#"{"$numberDouble":"-Infinity"}"#),
        (
            r#"[NaN,-Infinity,"NaN"]"#,
            r#"[{"$numberDouble":"NaN"},{"$numberDouble":"-Infinity"},"NaN"]"#,
        ),
        (r#"{"$numberDouble":"1"}"#, r#"{"$numberDouble":"1.0"}"#),
        (r#"{"$numberDecimal":"1.10"}"#, r#"{"$numberDecimal":"1.10"}"#),
        (r#"{"$date":1690000000000}"#, r#"{"$date":{"$numberLong":"1690000000000"}}"#),
        (r#"{"$date":-1}"#, r#"{"$date":{"$numberLong":"-1"}}"#),
        (r#"{"$date":"1970-01-01T00:00:00.1-07:00"}"#, r#"{"$date":{"$numberLong":"25200100"}}"#),
        (r#"{"$date":{"$numberLong":"-9"}}"#, r#"{"$date":{"$numberLong":"-9"}}"#),
        (r#"{"$\u006fid":"687e00a48ddb706aa728A7F1"}"#, r#"{"$oid":"687e00a48ddb706aa728a7f1"}"#),
        (r#"{"$binary":"//8=","$type":"00"}"#, r#"{"$binary":{"base64":"//8=","subType":"00"}}"#),
        (r#"{"$type":"80","$binary":""}"#, r#"{"$binary":{"base64":"","subType":"80"}}"#),
        (r#"{"$binary":"","$type":"ffffff80"}"#, r#"{"$binary":{"base64":"","subType":"80"}}"#),
        (
            r#"{"$binary":{"subType":"2","base64":"//8="}}"#,
            r#"{"$binary":{"base64":"//8=","subType":"02"}}"#,
        ),
        (
            r#"{"$uuid":"c8edabc3-f738-4ca3-b68d-ab92a91478a3"}"#,
            r#"{"$binary":{"base64":"yO2rw/c4TKO2jauSqRR4ow==","subType":"04"}}"#,
        ),
        (
            r#"{"$options":"im","$regex":"a"}"#,
            r#"{"$regularExpression":{"pattern":"a","options":"im"}}"#,
        ),
        (
            r#"{"$regularExpression":{"options":"xi","pattern":"/"}}"#,
            r#"{"$regularExpression":{"pattern":"/","options":"xi"}}"#,
        ),
        (r#"{"$timestamp":{"i":4294967295,"t":1}}"#, r#"{"$timestamp":{"t":1,"i":4294967295}}"#),
        (r#"{"$code":"f()"}"#, r#"{"$code":"f()"}"#),
        (r#"{"$scope":{"a":null},"$code":"f"}"#, r#"{"$code":"f","$scope":{"a":null}}"#),
        (r#"{"$symbol":"s\u0000"}"#, r#"{"$symbol":"s\u0000"}"#),
        (r#"{"$undefined":true}"#, r#"{"$undefined":true}"#),
        (r#"{"$minKey":1}"#, r#"{"$minKey":1}"#),
        (r#"{"$maxKey":1}"#, r#"{"$maxKey":1}"#),
        (
            r#"{"$dbPointer":{"$id":{"$oid":"687e00a48ddb706aa728a7f1"},"$ref":"a.b"}}"#,
            r#"{"$dbPointer":{"$ref":"a.b","$id":{"$oid":"687e00a48ddb706aa728a7f1"}}}"#,
        ),
    ] {
        assert_eq!(read_as(value), canonical, "{value}");
    }
}

#[test]
fn documents_that_only_look_like_wrappers() {
    for value in [
        r#"{"$ref":"a","$id":{"$numberInt":"1"}}"#,
        r#"{"$type":"string"}"#,
        r#"{"$options":"i"}"#,
        r#"{"$scope":{}}"#,
        r#"{"$unknown":{"$other":[]}}"#,
        r#"{"a":{"$numberInt":"1"},"$oid":"x"}"#,
        r#"{"$regex":{"$regularExpression":{"pattern":"a","options":""}},"$options":"i"}"#,
        r#"{"":null,"":true,"a":false}"#,
    ] {
        assert_eq!(read_as(value), value);
    }
}

#[test]
fn what_is_not_well_formed() {
    for value in [
        r#"{"$oid":"x"}"#,
        r#"{"$oid":"687e00a48ddb706aa728a7f1","a":1}"#,
        r#"{"$oid":"687e00a48ddb706aa728a7f1","$oid":"687e00a48ddb706aa728a7f1"}"#,
        r#"{"$oid":5}"#,
        r#"{"$numberInt":"2147483648"}"#,
        r#"{"$numberInt":"1.0"}"#,
        r#"{"$numberInt":1}"#,
        r#"{"$numberLong":"9223372036854775808"}"#,
        r#"{"$numberLong":" 1"}"#,
        r#"{"$numberDouble":"1e999"}"#,
        r#"{"$numberDouble":"nan"}"#,
        r#"{"$numberDecimal":"12345678901234567890123456789012345"}"#,
        r#"{"$date":"yesterday"}"#,
        r#"{"$date":1.5}"#,
        r#"{"$date":{"$numberInt":"1"}}"#,
        r#"{"$date":{"$numberLong":"1","a":1}}"#,
        r#"{"$date":null}"#,
        r#"{"$binary":"//8="}"#,
        r#"{"$binary":{"base64":"//8="}}"#,
        r#"{"$binary":{"base64":"//8","subType":"00"}}"#,
        r#"{"$binary":{"base64":"//8=","subType":"100"}}"#,
        r#"{"$uuid":"c8edabc3"}"#,
        r#"{"$regularExpression":{"pattern":"a"}}"#,
        r#"{"$regex":"a","$options":"i","x":1}"#,
        r#"{"$regex":"a\u0000","$options":"i"}"#,
        r#"{"$timestamp":{"t":-1,"i":1}}"#,
        r#"{"$timestamp":{"t":1,"i":4294967296}}"#,
        r#"{"$code":"f","$scope":1}"#,
        r#"{"$code":1}"#,
        r#"{"$undefined":false}"#,
        r#"{"$minKey":2}"#,
        r#"{"$dbPointer":{"$ref":"a","$id":1}}"#,
        "01",
        "1.",
        "+1",
        "-NaN",
        "+NaN",
        "NaNs",
        "nan",
        "-Infinit",
        "--Infinity",
        "Infinity5",
        "{\"$date\":NaN}",
        "{\"$numberDouble\":NaN}",
        "1e999",
        "\"\\x\"",
        "\"\u{1}\"",
        "[1,]",
        "[,1]",
        "{\"a\":1,}",
        "{a:1}",
        "",
    ] {
        assert_eq!(read_as(value), "error", "{value}");
    }
    for text in
        ["", "[]", "1", "{}x", "{", "{\"a\"", "{\"a\":", "{\"$oid\":\"687e00a48ddb706aa728a7f1\"}"]
    {
        assert_eq!(parse(text.as_bytes()), None, "{text}");
    }
    assert_eq!(parse(b"{\"a\":\"\xFF\"}"), None);
}

#[test]
fn errors_tell_their_place() {
    let error = extjson::parse(br#"{"a":{"$oid":"x"}}"#, &mut Vec::new()).unwrap_err();
    assert_eq!((error.offset, error.reason), (13, "$oid is not 24 hex digits"));
    let error = extjson::parse(br#"{"a":1 "b":2}"#, &mut Vec::new()).unwrap_err();
    assert_eq!((error.offset, error.reason), (7, "expected , or } after a value"));
    for call in ["ObjectId(\"68c742c37a78e16545d97e01\")", "new Date(5)", "NumberLong (5)"] {
        let text = format!("{{\"a\":{call}}}");
        let error = extjson::parse(text.as_bytes(), &mut Vec::new()).unwrap_err();
        assert!(error.offset == 5 && error.reason.contains("mongo shell"), "{error}");
    }
    let error = extjson::parse(br#" {"a":{"$code":1}}"#, &mut Vec::new()).unwrap_err();
    assert_eq!((error.offset, error.reason), (6, "$code is not well formed"));
}

#[test]
fn depth_is_no_limit() {
    let depth = 100_000;
    for (open, close) in [("{\"a\":", "}"), ("[", "]")] {
        let text = format!("{{\"v\":{}1{}}}", open.repeat(depth), close.repeat(depth));
        let bytes = parse(text.as_bytes()).unwrap();
        assert_eq!(check(&bytes).unwrap().depth, depth + 1);
        let mut written = Vec::new();
        extjson::write_document(&mut written, Document::new(&bytes), Style::Relaxed);
        assert!(written == text.as_bytes());
        let (documents, damage) = read_bytes(text.as_bytes());
        assert!(damage.is_none() && documents == [Some(bytes)]);
        assert_eq!(parse(&text.as_bytes()[..text.len() / 2 + 2]), None);
    }
}
