//! What stands between a connection and hyper: reads requests as Node does, refuses what Node
//! refuses, and passes the rest on in one canonical form.
//!
//! Pure: bytes in, bytes out. hyper reads the method, the framing and the fields; the target
//! travels in a field, because hyper's type for targets cannot hold all that Node takes.

use super::frames::Frames;
use super::framing::{Chunks, Framing};
use super::head::{Head, HeadReader, Refusal};
use super::limits::FIELDS_MAX;

/// The field in which the target travels, as it was sent.
pub(super) const TARGET: &str = "reshelve-target";

/// Where Socket.IO is. Compared letter by letter, at the beginning of the target.
pub(super) const SOCKETS: &str = "/ws/";

/// Fields that concern the connection, and are written anew or left out.
const OF_THE_CONNECTION: [&str; 8] = [
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Fields that this server reads.
const READ: [&str; 16] = [
    "accept",
    "access-control-request-headers",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-type",
    "cookie",
    "host",
    "if-modified-since",
    "if-none-match",
    "origin",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "user-agent",
];

/// Where in a request a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Before a request: nothing of it has come.
    Idle,
    /// Within a head.
    Head,
    /// Within a body.
    Body,
    /// It is a websocket, or over.
    Free,
}

#[derive(Debug)]
enum State {
    Head(HeadReader),
    Length(u64),
    Chunked(Chunks),
    /// A websocket, if the request that asks for it is granted.
    Frames(Frames),
    /// Nothing more is passed on.
    Over,
}

/// Reads what a client sends.
#[derive(Debug)]
pub(super) struct Guard {
    state: State,
    refusal: Option<Refusal>,
}

impl Guard {
    pub(super) fn new() -> Self {
        Guard { state: State::Head(HeadReader::default()), refusal: None }
    }

    pub(super) fn phase(&self) -> Phase {
        match &self.state {
            State::Head(reader) if reader.is_empty() => Phase::Idle,
            State::Head(_) => Phase::Head,
            State::Length(_) | State::Chunked(_) => Phase::Body,
            State::Frames(_) | State::Over => Phase::Free,
        }
    }

    /// Whether nothing more is passed on.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Why the last request was refused.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }

    /// Ends it, because of the clock or the end of what is sent.
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.refusal = Some(refusal);
        self.state = State::Over;
    }

    /// Takes bytes of one request or less, and writes what hyper shall read. Returns how many it
    /// took: less than all where a request ends.
    pub(super) fn take(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> usize {
        match self.advance(bytes, out) {
            Ok(took) => took,
            Err(refusal) => {
                self.refuse(refusal);
                bytes.len()
            }
        }
    }

    fn advance(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<usize, Refusal> {
        match &mut self.state {
            State::Head(reader) => {
                let (took, head) = reader.take(bytes)?;
                if let Some(head) = head {
                    self.state = pass_on(&head, out)?;
                }
                Ok(took)
            }
            State::Length(left) => {
                let took = usize::try_from(*left).unwrap_or(bytes.len()).min(bytes.len());
                out.extend_from_slice(&bytes[..took]);
                *left -= took as u64;
                if *left == 0 {
                    self.state = State::Head(HeadReader::default());
                }
                Ok(took)
            }
            State::Chunked(chunks) => {
                let (took, ended) = chunks.take(bytes, out)?;
                if ended {
                    self.state = State::Head(HeadReader::default());
                }
                Ok(took)
            }
            State::Frames(frames) => {
                frames.look(bytes).map_err(|_| Refusal::Silent)?;
                out.extend_from_slice(bytes);
                Ok(bytes.len())
            }
            State::Over => Ok(bytes.len()),
        }
    }
}

/// Writes a head in the form that hyper reads. Returns what follows it.
fn pass_on(head: &Head, out: &mut Vec<u8>) -> Result<State, Refusal> {
    let framing = Framing::of(head)?;
    let upgrades = head.first("upgrade").is_some() && head.lists("connection", "upgrade");
    let is_socket = upgrades && head.target.starts_with(SOCKETS);
    if head.method == "CONNECT" || (upgrades && !is_socket) {
        return Err(Refusal::Silent);
    }
    if head.is_1_1 && head.first("host").is_none() {
        return Err(Refusal::Malformed);
    }
    let expects = head.is_1_1 && head.first("expect").is_some();
    if expects && !head.all("expect").any(is_continue) {
        return Err(Refusal::Expectation);
    }
    write_field(
        out,
        format!("{} / HTTP/1.1\r\n{TARGET}", head.method).as_bytes(),
        head.target.as_bytes(),
    );
    let closes = head.lists("connection", "close");
    let persists = if head.is_1_1 { !closes } else { head.lists("connection", "keep-alive") };
    match (is_socket, persists) {
        (true, _) => {
            write_field(out, b"connection", b"upgrade");
            write_field(out, b"upgrade", head.first("upgrade").unwrap_or_default());
        }
        (false, true) => write_field(out, b"connection", b"keep-alive"),
        (false, false) => write_field(out, b"connection", b"close"),
    }
    match framing {
        Framing::None => {}
        Framing::Length(bytes) => {
            write_field(out, b"content-length", bytes.to_string().as_bytes());
        }
        Framing::Chunked => write_field(out, b"transfer-encoding", b"chunked"),
    }
    if expects {
        write_field(out, b"expect", b"100-continue");
    }
    write_fields(head, out);
    out.extend_from_slice(b"\r\n");
    Ok(match framing {
        _ if is_socket => State::Frames(Frames::default()),
        Framing::None | Framing::Length(0) => State::Head(HeadReader::default()),
        Framing::Length(bytes) => State::Length(bytes),
        Framing::Chunked => State::Chunked(Chunks::default()),
    })
}

/// The fields that are not of the connection, those that are read before the others.
fn write_fields(head: &Head, out: &mut Vec<u8>) {
    let is_read = |name: &str| READ.contains(&name);
    let is_other = |name: &str| {
        !is_read(name) && !OF_THE_CONNECTION.contains(&name) && !name.starts_with("reshelve-")
    };
    let read = head.fields.iter().filter(|(name, _)| is_read(name));
    let others = head.fields.iter().filter(|(name, _)| is_other(name));
    for (name, value) in read.chain(others).take(FIELDS_MAX) {
        write_field(out, name.as_bytes(), value);
    }
}

fn write_field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Whether a value of `Expect` holds `100-continue` as a word of its own.
fn is_continue(value: &[u8]) -> bool {
    const WORD: &[u8] = b"100-continue";
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    (0..=value.len().saturating_sub(WORD.len())).any(|at| {
        let end = at + WORD.len();
        value.get(at..end).is_some_and(|part| part.eq_ignore_ascii_case(WORD))
            && !value[..at].last().is_some_and(is_word)
            && !value[end..].first().is_some_and(is_word)
    })
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
