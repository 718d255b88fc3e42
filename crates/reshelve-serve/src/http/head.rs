//! The head of a request, read byte by byte and judged as Node's parser judges it.
//!
//! Pure: bytes in, a head or a refusal out. What Node and hyper read differently is settled here,
//! before hyper sees it.

use super::limits::{HEAD_BYTES_MAX, HEAD_RAW_BYTES_MAX};

/// The methods that Node knows. Any other word is a malformed request.
const METHODS: [&str; 35] = [
    "ACL",
    "BIND",
    "CHECKOUT",
    "CONNECT",
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LINK",
    "LOCK",
    "M-SEARCH",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MOVE",
    "NOTIFY",
    "OPTIONS",
    "PATCH",
    "POST",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "PUT",
    "QUERY",
    "REBIND",
    "REPORT",
    "SEARCH",
    "SOURCE",
    "SUBSCRIBE",
    "TRACE",
    "UNBIND",
    "UNLINK",
    "UNLOCK",
    "UNSUBSCRIBE",
];

/// The longest of them, in bytes.
const METHOD_BYTES_MAX: usize = 11;

/// Why a request is not passed on. Each but `Silent` has an answer without a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// 400.
    Malformed,
    /// 408: it did not arrive in time.
    Late,
    /// 417: an `Expect` other than `100-continue`.
    Expectation,
    /// 431: the head is too long.
    TooLong,
    /// The connection ends without an answer.
    Silent,
}

impl Refusal {
    /// The answer, as Node sends it.
    pub(super) fn answer(self) -> &'static [u8] {
        match self {
            Refusal::Malformed => b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
            Refusal::Late => b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n",
            Refusal::Expectation => b"HTTP/1.1 417 Expectation Failed\r\nConnection: close\r\n\r\n",
            Refusal::TooLong => {
                b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n"
            }
            Refusal::Silent => b"",
        }
    }
}

/// A whole head, as it was sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) method: String,
    /// ASCII without blanks and control characters.
    pub(super) target: String,
    /// Whether it is HTTP/1.1: other versions need no `Host`, and close.
    pub(super) is_1_1: bool,
    /// Names in lower case, values without blanks around them, in the order in which they came.
    pub(super) fields: Vec<(String, Vec<u8>)>,
}

impl Head {
    /// The first value of a field.
    pub(super) fn first(&self, name: &str) -> Option<&[u8]> {
        self.fields.iter().find(|(other, _)| other == name).map(|(_, value)| &value[..])
    }

    /// All values of a field.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.fields.iter().filter(move |(other, _)| other == name).map(|(_, value)| &value[..])
    }

    /// Whether a list in a field holds a word, in any letter case.
    pub(super) fn lists(&self, name: &str, word: &str) -> bool {
        self.all(name)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|item| item.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Empty lines before a request are passed over.
    #[default]
    Start,
    Method,
    BeforeTarget,
    Target,
    BeforeVersion,
    Version,
    LineEnd,
    LineStart,
    Name,
    BeforeValue,
    Value,
    HeadEnd,
}

/// Reads a head as it comes.
#[derive(Debug, Default)]
pub(super) struct HeadReader {
    state: State,
    head: Head,
    /// The method or the version while it is read.
    word: Vec<u8>,
    target: Vec<u8>,
    /// What Node counts of the head so far, and all of it.
    counted: usize,
    raw: usize,
}

impl HeadReader {
    /// Whether nothing of a request has come yet.
    pub(super) fn is_empty(&self) -> bool {
        self.state == State::Start
    }

    /// Takes bytes up to the end of the head. Returns how many it took, and the head if it is
    /// whole; the reader then begins again.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(usize, Option<Head>), Refusal> {
        for (at, byte) in bytes.iter().enumerate() {
            self.raw += 1;
            if self.raw > HEAD_RAW_BYTES_MAX {
                return Err(Refusal::TooLong);
            }
            if self.step(*byte)? {
                let read = std::mem::take(self);
                return Ok((at + 1, Some(read.head)));
            }
            if self.counted >= HEAD_BYTES_MAX {
                return Err(Refusal::TooLong);
            }
        }
        Ok((bytes.len(), None))
    }

    /// One byte further. Whether the head is whole.
    fn step(&mut self, byte: u8) -> Result<bool, Refusal> {
        self.state = match (self.state, byte) {
            (State::Start, b'\r' | b'\n') => State::Start,
            (State::Start | State::Method, _) => self.step_method(byte)?,
            (State::BeforeTarget | State::BeforeVersion, b' ') => self.state,
            (State::BeforeTarget | State::Target, _) => self.step_target(byte)?,
            (State::BeforeVersion | State::Version, _) => self.step_version(byte)?,
            (State::LineEnd, b'\n') => State::LineStart,
            (State::LineStart, b'\r') => State::HeadEnd,
            (State::HeadEnd, b'\n') => return Ok(true),
            (State::LineStart | State::Name, _) => self.step_name(byte)?,
            (State::BeforeValue, b' ' | b'\t') => State::BeforeValue,
            (State::BeforeValue | State::Value, _) => self.step_value(byte)?,
            (State::LineEnd | State::HeadEnd, _) => return Err(Refusal::Malformed),
        };
        Ok(false)
    }

    fn step_method(&mut self, byte: u8) -> Result<State, Refusal> {
        if byte == b' ' {
            let word = std::mem::take(&mut self.word);
            let known = METHODS.iter().find(|method| method.as_bytes() == word);
            self.head.method = (*known.ok_or(Refusal::Malformed)?).to_owned();
            return Ok(State::BeforeTarget);
        }
        if self.word.len() == METHOD_BYTES_MAX || !(byte.is_ascii_uppercase() || byte == b'-') {
            return Err(Refusal::Malformed);
        }
        self.word.push(byte);
        Ok(State::Method)
    }

    fn step_target(&mut self, byte: u8) -> Result<State, Refusal> {
        match byte {
            b'!'..=b'~' => {
                self.target.push(byte);
                self.counted += 1;
                return Ok(State::Target);
            }
            b' ' | b'\r' => {}
            _ => return Err(Refusal::Malformed),
        }
        let target = std::mem::take(&mut self.target);
        let connects = self.head.method == "CONNECT";
        if !connects && !is_target(&target) {
            return Err(Refusal::Malformed);
        }
        self.head.target = String::from_utf8(target).map_err(|_| Refusal::Malformed)?;
        // A line without a version is one of HTTP/0.9.
        Ok(if byte == b' ' { State::BeforeVersion } else { State::LineEnd })
    }

    fn step_version(&mut self, byte: u8) -> Result<State, Refusal> {
        if byte != b'\r' {
            if self.word.len() == b"HTTP/1.1".len() {
                return Err(Refusal::Malformed);
            }
            self.word.push(byte);
            return Ok(State::Version);
        }
        match &self.word[..] {
            b"HTTP/1.1" => self.head.is_1_1 = true,
            b"HTTP/1.0" | b"HTTP/0.9" | b"HTTP/2.0" => {}
            _ => return Err(Refusal::Malformed),
        }
        Ok(State::LineEnd)
    }

    fn step_name(&mut self, byte: u8) -> Result<State, Refusal> {
        let begins = self.state == State::LineStart;
        if begins {
            self.head.fields.push((String::new(), Vec::new()));
        }
        let Some((name, _)) = self.head.fields.last_mut() else { return Err(Refusal::Malformed) };
        if byte == b':' && !begins {
            return Ok(State::BeforeValue);
        }
        if !is_token(byte) {
            return Err(Refusal::Malformed);
        }
        name.push(char::from(byte.to_ascii_lowercase()));
        self.counted += 1;
        Ok(State::Name)
    }

    fn step_value(&mut self, byte: u8) -> Result<State, Refusal> {
        let Some((_, value)) = self.head.fields.last_mut() else { return Err(Refusal::Malformed) };
        match byte {
            b'\r' => {
                value.truncate(value.trim_ascii_end().len());
                Ok(State::LineEnd)
            }
            b'\t' | b' '..=b'~' | 0x80.. => {
                value.push(byte);
                self.counted += 1;
                Ok(State::Value)
            }
            _ => Err(Refusal::Malformed),
        }
    }
}

/// Whether a byte may stand in the name of a field.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Whether a target has one of the forms that Node takes: a path, `*`, or scheme and authority.
fn is_target(target: &[u8]) -> bool {
    if matches!(target.first(), Some(b'/' | b'*')) {
        return true;
    }
    let letters = target.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let Some(rest) = target[letters..].strip_prefix(b"://") else { return false };
    let authority = rest.split(|byte| matches!(byte, b'/' | b'?')).next().unwrap_or(rest);
    let may_stand =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~!$%&'()*+,;=:@[]".contains(byte);
    letters > 0 && authority.iter().all(may_stand) && !authority.windows(2).any(|two| two == b"@@")
}

#[cfg(test)]
#[path = "head_tests.rs"]
mod tests;
