//! The bodies of requests, read as Express reads them: JSON and forms, and what is wrong with
//! them. No answer depends on what a sound body holds.

use std::io::{ErrorKind, Read as _};
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, TRANSFER_ENCODING,
};
use flate2::read::{GzDecoder, ZlibDecoder};
use http_body_util::BodyExt as _;

use super::content_type::ContentType;
use super::json_text;
use super::limits::{BODY_BYTES_MAX, DRAINED_BYTES_MAX};
use crate::present::error;

/// Parameters of a form, at most.
const PARAMETERS_MAX: usize = 1000;

/// Levels of a parameter such as `a[b][c]`, at most.
const LEVELS_MAX: usize = 32;

/// What a request brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// Nothing that the application reads.
    Nothing,
    /// An object or an array.
    Value,
}

/// A body that is answered with an error.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unsound {
    /// An error with its body.
    Answered(StatusCode, Vec<u8>),
    /// What came of it was no body: the status has no answer of the application.
    Broken(StatusCode),
}

impl Unsound {
    fn plain(status: StatusCode, message: &str) -> Self {
        Unsound::Answered(status, error::plain(status.as_u16(), message))
    }

    fn too_large() -> Self {
        Unsound::plain(StatusCode::PAYLOAD_TOO_LARGE, "request entity too large")
    }

    fn unsupported(what: &str, name: &str) -> Self {
        let message = format!("unsupported {what} \"{name}\"");
        Unsound::plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, &message)
    }
}

/// What the application parses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Parameters,
}

/// Reads and judges a body.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    is_late: &AtomicBool,
) -> Result<Given, Unsound> {
    let has_body = headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING);
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| ContentType::parse(kind.as_bytes()));
    let Some(kind) = kind.filter(|_| has_body) else { return Ok(Given::Nothing) };
    let form = match &kind.media[..] {
        "application/json" => Form::Json,
        "application/x-www-form-urlencoded" => Form::Parameters,
        _ => return Ok(Given::Nothing),
    };
    let charset = kind.charset.unwrap_or_else(|| "utf-8".to_owned());
    let is_taken = match form {
        Form::Json => charset.starts_with("utf-"),
        Form::Parameters => ["utf-8", "iso-8859-1"].contains(&&charset[..]),
    };
    if !is_taken {
        return Err(Unsound::unsupported("charset", &charset.to_uppercase()));
    }
    let coding = headers.get(CONTENT_ENCODING).map(|coding| coding.as_bytes().to_ascii_lowercase());
    let coding = coding.filter(|coding| !coding.is_empty()).unwrap_or_else(|| b"identity".to_vec());
    let coding = String::from_utf8_lossy(&coding).into_owned();
    if !["identity", "gzip", "deflate"].contains(&&coding[..]) {
        return Err(Unsound::unsupported("content encoding", &coding));
    }
    let sent = collected(body, is_late).await?;
    let bytes = decompressed(sent, &coding)?;
    let text = decoded(&bytes, &charset)
        .ok_or_else(|| Unsound::unsupported("charset", &charset.to_uppercase()))?;
    judge(form, &text)
}

/// The whole of a body. Of one that is too long, more is read, so that its sender gets an answer.
async fn collected(mut body: Body, is_late: &AtomicBool) -> Result<Vec<u8>, Unsound> {
    let (mut bytes, mut length) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            let late = is_late.load(Ordering::Relaxed);
            let status = if late { StatusCode::REQUEST_TIMEOUT } else { StatusCode::BAD_REQUEST };
            return Err(Unsound::Broken(status));
        };
        let Ok(data) = frame.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length > DRAINED_BYTES_MAX {
            break;
        }
        if length <= BODY_BYTES_MAX {
            bytes.extend_from_slice(&data);
        }
    }
    if length > BODY_BYTES_MAX { Err(Unsound::too_large()) } else { Ok(bytes) }
}

fn decompressed(sent: Vec<u8>, coding: &str) -> Result<Vec<u8>, Unsound> {
    let most = BODY_BYTES_MAX as u64 + 1;
    let mut bytes = Vec::new();
    let read = match coding {
        "gzip" => GzDecoder::new(&sent[..]).take(most).read_to_end(&mut bytes),
        "deflate" => ZlibDecoder::new(&sent[..]).take(most).read_to_end(&mut bytes),
        _ => return Ok(sent),
    };
    match read {
        Ok(_) if bytes.len() > BODY_BYTES_MAX => Err(Unsound::too_large()),
        Ok(_) => Ok(bytes),
        Err(error) => {
            let is_cut = error.kind() == ErrorKind::UnexpectedEof;
            let why = if is_cut { "unexpected end of file" } else { "incorrect header check" };
            Err(Unsound::plain(StatusCode::BAD_REQUEST, why))
        }
    }
}

/// The text of a body in one of the encodings whose names begin with `utf-`, or Latin-1.
fn decoded(bytes: &[u8], charset: &str) -> Option<String> {
    let name: String = charset.chars().filter(char::is_ascii_alphanumeric).collect();
    let pairs = |make: fn([u8; 2]) -> u16| -> Vec<u16> {
        bytes.chunks_exact(2).map(|pair| make([pair[0], pair[1]])).collect()
    };
    let fours = |make: fn([u8; 4]) -> u32| -> String {
        let four = |four: &[u8]| make([four[0], four[1], four[2], four[3]]);
        bytes
            .chunks_exact(4)
            .map(four)
            .map(|code| char::from_u32(code).unwrap_or('\u{fffd}'))
            .collect()
    };
    let text = match &name[..] {
        "utf8" | "utf7" | "utf7imap" => String::from_utf8_lossy(bytes).into_owned(),
        "utf16" if bytes.starts_with(b"\xfe\xff") => {
            String::from_utf16_lossy(&pairs(u16::from_be_bytes))
        }
        "utf16" | "utf16le" => String::from_utf16_lossy(&pairs(u16::from_le_bytes)),
        "utf16be" => String::from_utf16_lossy(&pairs(u16::from_be_bytes)),
        "utf32" | "utf32le" => fours(u32::from_le_bytes),
        "utf32be" => fours(u32::from_be_bytes),
        "iso88591" => bytes.iter().map(|byte| char::from(*byte)).collect(),
        _ => return None,
    };
    Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

fn judge(form: Form, text: &str) -> Result<Given, Unsound> {
    if form == Form::Parameters {
        if text.split('&').count() > PARAMETERS_MAX {
            return Err(Unsound::plain(StatusCode::PAYLOAD_TOO_LARGE, "too many parameters"));
        }
        let is_deep = |pair: &str| pair.split('=').next().is_some_and(is_deep);
        if text.split('&').any(is_deep) {
            let message = "The input exceeded the depth";
            return Err(Unsound::plain(StatusCode::BAD_REQUEST, message));
        }
        return Ok(Given::Value);
    }
    if text.is_empty() {
        return Ok(Given::Value);
    }
    match json_text::check(text) {
        Ok(()) => Ok(Given::Value),
        Err(message) => {
            Err(Unsound::Answered(StatusCode::BAD_REQUEST, error::bad_request(&message)))
        }
    }
}

/// Whether a name of a form has too many levels.
fn is_deep(name: &str) -> bool {
    name.replace("%5B", "[").replace("%5b", "[").matches('[').count() > LEVELS_MAX
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
