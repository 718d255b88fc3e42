//! What the application answers to bodies.

use std::io::Write as _;

use axum::http::{HeaderName, HeaderValue};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::*;

fn judged(fields: &[(&'static str, &str)], body: impl Into<Vec<u8>>) -> Result<Given, Unsound> {
    let body = body.into();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    for (name, value) in fields {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(read(&headers, Body::from(body), &AtomicBool::new(false)))
}

fn json(body: impl Into<Vec<u8>>) -> Result<Given, Unsound> {
    judged(&[("content-type", "application/json")], body)
}

fn status(judged: Result<Given, Unsound>) -> (u16, String) {
    match judged {
        Err(Unsound::Answered(status, body)) => (status.as_u16(), String::from_utf8(body).unwrap()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn sound_bodies_are_taken() {
    for body in ["{}", " [1]", "", "{\"a\":{\"b\":[true,null,1.5e3]}}"] {
        assert_eq!(json(body), Ok(Given::Value), "{body}");
    }
    for body in ["nonsense", "{"] {
        let kinds = ["text/plain", "application/vnd.api+json", "application/json;", ""];
        for kind in kinds {
            assert_eq!(judged(&[("content-type", kind)], body), Ok(Given::Nothing), "{kind}");
        }
        assert_eq!(judged(&[], body), Ok(Given::Nothing));
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(judged(&form, "a=b"), Ok(Given::Value));
}

#[test]
fn unsound_bodies_are_answered_as_the_application_answers_them() {
    let (code, body) = status(json("{"));
    assert_eq!(code, 400);
    assert!(body.contains("\"error\":\"Bad Request\",\"statusCode\":400}"), "{body}");
    let whole = format!("[\"{}\"]", "x".repeat(BODY_BYTES_MAX - 4));
    assert_eq!(json(whole.clone()), Ok(Given::Value));
    let expected = (413, r#"{"statusCode":413,"message":"request entity too large"}"#.to_owned());
    assert_eq!(status(json(format!("{whole} "))), expected);
    assert_eq!(status(json(vec![b' '; 3 * DRAINED_BYTES_MAX])), expected);
    let many = "a=b&".repeat(PARAMETERS_MAX);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(status(judged(&form, many)).0, 413);
    let deep = r#"{"statusCode":400,"message":"The input exceeded the depth"}"#;
    assert_eq!(status(judged(&form, format!("a{}=b", "[a]".repeat(33)))), (400, deep.to_owned()));
    assert_eq!(judged(&form, format!("a{}=[[[", "[a]".repeat(32))), Ok(Given::Value));
}

#[test]
fn charsets_and_encodings_are_judged() {
    for (charset, expected) in [
        ("nope", Err("NOPE")),
        ("latin1", Err("LATIN1")),
        ("utf-9", Err("UTF-9")),
        ("UTF-8", Ok(())),
        ("utf-16le", Err("")),
    ] {
        let kind = format!("application/json; charset={charset}");
        let found = judged(&[("content-type", &kind)], "{}");
        match expected {
            Ok(()) => assert_eq!(found, Ok(Given::Value)),
            Err("") => assert_eq!(status(found).0, 400),
            Err(name) => {
                let body =
                    format!(r#"{{"statusCode":415,"message":"unsupported charset \"{name}\""}}"#);
                assert_eq!(status(found), (415, body));
            }
        }
    }
    let utf16: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let kind = [("content-type", "application/json; charset=utf-16")];
    assert_eq!(judged(&kind, utf16), Ok(Given::Value));
    let coded = |coding: &str, body: Vec<u8>| {
        judged(&[("content-type", "application/json"), ("content-encoding", coding)], body)
    };
    let unknown = r#"{"statusCode":415,"message":"unsupported content encoding \"x\""}"#;
    assert_eq!(status(coded("X", b"{}".to_vec())), (415, unknown.to_owned()));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(b"{}").unwrap();
    let gzip = gzip.finish().unwrap();
    let cut = r#"{"statusCode":400,"message":"unexpected end of file"}"#;
    assert_eq!(status(coded("gzip", gzip[..gzip.len() - 3].to_vec())), (400, cut.to_owned()));
    assert_eq!(coded("gzip", gzip), Ok(Given::Value));
    let mut bomb = ZlibEncoder::new(Vec::new(), Compression::default());
    bomb.write_all(&vec![b' '; 10_000_000]).unwrap();
    assert_eq!(status(coded("deflate", bomb.finish().unwrap())).0, 413);
    assert_eq!(status(coded("gzip", b"{}".to_vec())).0, 400);
}
