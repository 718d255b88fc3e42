//! How each type of BSON becomes JSON, as part of a document that is copied.

use super::common::{NOW_MS, bson, text};
use reshelve_core::raw::{Document, Writer, kind};
use reshelve_serve::present::{self, Cause};

/// What the application serves of a `summary` document.
fn served(summary: &str) -> String {
    served_of(&bson(&format!("{{\"summary\":{summary}}}")))
}

fn served_of(job: &[u8]) -> String {
    let list = text(present::list(&[job.to_vec()], NOW_MS).unwrap());
    let (_, rest) = list.split_once("\"summary\":").unwrap();
    rest.strip_suffix(",\"engine\":null}],\"count\":1}").unwrap().to_string()
}

/// A job whose summary holds one element of this type and these bytes.
fn job_with(kind_of: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = Writer::default();
    let job = out.begin();
    let summary = out.begin_document("summary");
    out.header(kind_of, b"x");
    out.extend(bytes);
    out.end(summary);
    out.end(job);
    out.into_bytes()
}

#[test]
fn numbers_are_those_of_javascript() {
    for (stored, json) in [
        (r#"{"$numberInt":"-7"}"#, "-7"),
        (r#"{"$numberDouble":"1.0"}"#, "1"),
        (r#"{"$numberDouble":"-0.0"}"#, "0"),
        (r#"{"$numberDouble":"1e20"}"#, "100000000000000000000"),
        (r#"{"$numberDouble":"1e21"}"#, "1e+21"),
        (r#"{"$numberDouble":"0.000001"}"#, "0.000001"),
        (r#"{"$numberDouble":"1e-7"}"#, "1e-7"),
        (r#"{"$numberDouble":"NaN"}"#, "null"),
        (r#"{"$numberDouble":"Infinity"}"#, "null"),
        (r#"{"$numberDouble":"-Infinity"}"#, "null"),
        (r#"{"$numberLong":"9007199254740992"}"#, "9007199254740992"),
        (r#"{"$numberLong":"-9007199254740992"}"#, "-9007199254740992"),
        (r#"{"$numberLong":"9007199254740993"}"#, r#"{"low":1,"high":2097152,"unsigned":false}"#),
        (
            r#"{"$numberLong":"-9007199254740993"}"#,
            r#"{"low":-1,"high":-2097153,"unsigned":false}"#,
        ),
        (r#"{"$numberDecimal":"1.50"}"#, r#"{"$numberDecimal":"1.50"}"#),
        (r#"{"$numberDecimal":"-1E+7"}"#, r#"{"$numberDecimal":"-1E+7"}"#),
        (r#"{"$numberDecimal":"NaN"}"#, r#"{"$numberDecimal":"NaN"}"#),
    ] {
        assert_eq!(served(&format!("{{\"x\":{stored}}}")), format!("{{\"x\":{json}}}"));
    }
}

#[test]
fn other_types_have_the_forms_of_the_driver() {
    for (stored, json) in [
        (r#"{"$oid":"0123456789abcdef01234567"}"#, r#""0123456789abcdef01234567""#),
        (r#"{"$binary":{"base64":"+/8A","subType":"00"}}"#, r#""+/8A""#),
        (
            r#"{"$binary":{"base64":"AAECAwQFBgcICQoLDA0ODw==","subType":"04"}}"#,
            r#""00010203-0405-0607-0809-0a0b0c0d0e0f""#,
        ),
        (r#"{"$binary":{"base64":"AAEC","subType":"04"}}"#, r#""AAEC""#),
        (
            r#"{"$binary":{"base64":"AAECAwQFBgcICQoLDA0ODw==","subType":"03"}}"#,
            r#""AAECAwQFBgcICQoLDA0ODw==""#,
        ),
        (r#"{"$timestamp":{"t":1,"i":2}}"#, r#"{"$timestamp":"4294967298"}"#),
        (
            r#"{"$timestamp":{"t":4294967295,"i":4294967295}}"#,
            r#"{"$timestamp":"18446744073709551615"}"#,
        ),
        (r#"{"$minKey":1}"#, "{}"),
        (r#"{"$maxKey":1}"#, "{}"),
        (r#"{"$regularExpression":{"pattern":"a","options":"i"}}"#, "{}"),
        (r#"{"$symbol":"s\""}"#, r#""s\"""#),
        (r#"{"$code":"f()"}"#, r#"{"code":"f()"}"#),
        (
            r#"{"$code":"f()","$scope":{"1":2,"a":3,"0":1}}"#,
            r#"{"code":"f()","scope":{"0":1,"1":2,"a":3}}"#,
        ),
        (
            r#"{"$dbPointer":{"$ref":"d.c","$id":{"$oid":"0123456789abcdef01234567"}}}"#,
            r#"{"$ref":"c","$id":"0123456789abcdef01234567","$db":"d"}"#,
        ),
        ("true", "true"),
        ("false", "false"),
        ("null", "null"),
        (r#""é\u0000\u001f\"\\/\u2028""#, "\"é\\u0000\\u001f\\\"\\\\/\u{2028}\""),
    ] {
        assert_eq!(served(&format!("{{\"x\":{stored}}}")), format!("{{\"x\":{json}}}"));
    }
}

#[test]
fn the_old_binary_repeats_its_length_inside() {
    let job = job_with(kind::BINARY, &[7, 0, 0, 0, 2, 3, 0, 0, 0, b'f', b'o', b'o']);
    assert_eq!(served_of(&job), r#"{"x":"Zm9v"}"#);
}

#[test]
fn dates_are_iso_with_a_sign_beyond_four_digits() {
    for (date_ms, json) in [
        (0, r#""1970-01-01T00:00:00.000Z""#),
        (-62_167_219_200_001, r#""-000001-12-31T23:59:59.999Z""#),
        (253_402_300_800_000, r#""+010000-01-01T00:00:00.000Z""#),
        (8_640_000_000_000_000, r#""+275760-09-13T00:00:00.000Z""#),
        (8_640_000_000_000_001, "null"),
        (i64::MIN, "null"),
    ] {
        let job = job_with(kind::DATE, &i64::to_le_bytes(date_ms));
        assert_eq!(served_of(&job), format!("{{\"x\":{json}}}"));
    }
}

#[test]
fn undefined_is_left_out_and_null_in_an_array() {
    let undefined = r#"{"$undefined":true}"#;
    assert_eq!(
        served(&format!("{{\"a\":{undefined},\"b\":[{undefined},1],\"c\":{{\"d\":{undefined}}}}}")),
        r#"{"b":[null,1],"c":{}}"#
    );
}

#[test]
fn a_repeated_name_has_its_last_value_at_its_first_place() {
    assert_eq!(
        served(r#"{"a":1,"b":{"c":1,"d":2,"c":3},"a":[{"e":1,"e":2}]}"#),
        r#"{"a":[{"e":2}],"b":{"c":3,"d":2}}"#
    );
    assert_eq!(served(r#"{"a":1,"b":2,"a":{"$undefined":true}}"#), r#"{"b":2}"#);
    // A field of the job itself, too.
    assert_eq!(
        served_of(&bson(r#"{"summary":{"a":1},"queue":"q","summary":{"b":2}}"#)),
        r#"{"b":2}"#
    );
}

#[test]
fn names_that_are_array_indexes_come_first() {
    assert_eq!(
        served(
            r#"{"b":1,"10":2,"2":3,"a":4,"0":5,"4294967294":6,"4294967295":7,"01":8,"-1":9,"1.5":10,"2":11}"#
        ),
        r#"{"0":5,"2":11,"10":2,"4294967294":6,"b":1,"a":4,"4294967295":7,"01":8,"-1":9,"1.5":10}"#
    );
}

#[test]
fn names_of_prototypes_are_ordinary() {
    let summary = r#"{"__proto__":{"a":1},"constructor":1,"toJSON":2,"_bsontype":"Long","length":3,"":4,"a.b":5,"$x":6,"hasOwnProperty":7}"#;
    assert_eq!(served(summary), summary);
}

#[test]
fn the_keys_of_an_array_are_ignored() {
    let mut out = Writer::default();
    let job = out.begin();
    let summary = out.begin_document("summary");
    let array = out.begin_array("x");
    for (name, number) in [("7", 1), ("7", 2), ("b", 3), ("0", 4)] {
        out.int32(name, number);
    }
    out.end(array);
    out.end(summary);
    out.end(job);
    assert_eq!(served_of(out.bytes()), r#"{"x":[1,2,3,4]}"#);
}

#[test]
fn what_the_driver_takes_for_a_reference_is_written_as_one() {
    for (stored, json) in [
        (r#"{"a":1,"$ref":"c","$id":5,"7":2}"#, r#"{"7":2,"$ref":"c","$id":5,"a":1}"#),
        (r#"{"$db":"e","$id":5,"$ref":"c"}"#, r#"{"$ref":"c","$id":5,"$db":"e"}"#),
        (r#"{"$ref":"d.c","$id":5,"$db":"e"}"#, r#"{"$ref":"c","$id":5,"$db":"d"}"#),
        // Not one of these is a reference.
        (r#"{"$ref":"c","$id":null}"#, r#"{"$ref":"c","$id":null}"#),
        (r#"{"$ref":1,"$id":5}"#, r#"{"$ref":1,"$id":5}"#),
        (r#"{"$id":5,"$ref":"c","$x":1}"#, r#"{"$id":5,"$ref":"c","$x":1}"#),
        (r#"{"$id":5,"$ref":"c","$db":1}"#, r#"{"$id":5,"$ref":"c","$db":1}"#),
    ] {
        let mut bytes = Writer::default();
        let job = bytes.begin();
        // Extended JSON reads some of these as wrappers: their elements are taken from a document
        // with other names.
        let stored = bson(&stored.replace('$', "%"));
        let summary = bytes.begin_document("summary");
        for element in Document::new(&stored).elements() {
            let name = element.name_text().replace('%', "$");
            bytes.value(&name, element.value);
        }
        bytes.end(summary);
        bytes.end(job);
        assert_eq!(served_of(bytes.bytes()), json);
    }
}

#[test]
fn many_names_are_told_apart() {
    // More names than the look at them can tell apart without a doubt.
    let names: Vec<String> =
        (0..500).map(|at| format!("a rather long name {at}{}", "x".repeat(at % 20))).collect();
    let fields: Vec<String> = names.iter().map(|name| format!("\"{name}\":\"{name}\"")).collect();
    let summary = format!("{{{}}}", fields.join(","));
    assert_eq!(served(&summary), summary);
    let repeated = format!("{{{},\"{}\":1}}", fields.join(","), names[250]);
    let expected =
        summary.replace(&format!("\"{0}\":\"{0}\"", names[250]), &format!("\"{}\":1", names[250]));
    assert_eq!(served(&repeated), expected);
}

#[test]
fn depth_is_bounded_and_100_levels_are_served() {
    let nested = |levels: usize| {
        let mut document = Document::EMPTY.bytes().to_vec();
        for level in 0..levels {
            let mut out = Writer::default();
            let mark = out.begin();
            out.header(if level % 2 == 0 { kind::DOCUMENT } else { kind::ARRAY }, b"a");
            out.extend(&document);
            out.end(mark);
            document = out.into_bytes();
        }
        let mut out = Writer::default();
        let job = out.begin();
        out.document("payload", Document::new(&document));
        out.end(job);
        out.into_bytes()
    };
    let served = text(present::detail(&nested(200), NOW_MS).unwrap());
    assert_eq!(served.matches("{\"a\":").count() + served.matches("[").count() - 5, 200);
    for levels in [300, 3_000] {
        let error = present::detail(&nested(levels), NOW_MS).unwrap_err();
        assert_eq!((error.path.as_str(), error.cause), ("payload", Cause::TooDeep));
    }
}
