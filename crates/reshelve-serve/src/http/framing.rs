//! Where the body of a request ends: told once, before hyper sees it, so that the two cannot
//! disagree about where the next request begins.

use super::head::{Head, Refusal};
use super::limits::HEAD_BYTES_MAX;

/// Hexadecimal digits of the length of a chunk, at most.
const DIGITS_MAX: usize = 15;

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is none.
    None,
    /// By its length in bytes.
    Length(u64),
    /// By an empty chunk.
    Chunked,
}

impl Framing {
    /// What the fields of a head say.
    pub(super) fn of(head: &Head) -> Result<Self, Refusal> {
        let mut lengths = head.all("content-length");
        let (length, further) = (lengths.next(), lengths.next());
        let coding = head.all("transfer-encoding").last();
        match (coding, length) {
            _ if further.is_some() => Err(Refusal::Malformed),
            (Some(_), Some(_)) => Err(Refusal::Malformed),
            (Some(codings), None) => {
                let last = codings.rsplit(|byte| *byte == b',').next().unwrap_or(codings);
                let is_chunked = last.trim_ascii().eq_ignore_ascii_case(b"chunked");
                if is_chunked { Ok(Framing::Chunked) } else { Err(Refusal::Malformed) }
            }
            (None, Some(digits)) => {
                let are_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
                let text = std::str::from_utf8(digits).ok().filter(|_| are_digits);
                let bytes = text.and_then(|text| text.parse().ok());
                bytes.map(Framing::Length).ok_or(Refusal::Malformed)
            }
            (None, None) => Ok(Framing::None),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Size,
    Extension,
    SizeEnd,
    Data,
    DataEnd,
    DataEndLine,
    TrailerStart,
    Trailer,
    TrailerEnd,
    LastEnd,
}

/// Reads a chunked body as it comes, and writes it anew without extensions and trailers.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    state: State,
    /// Of the chunk: how many bytes are still to come, and how many digits said so.
    left: u64,
    digits: usize,
    /// Bytes of extensions and trailers.
    extra: usize,
}

impl Chunks {
    /// Takes bytes up to the end of the body. Returns how many it took, and whether that is all.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(usize, bool), Refusal> {
        let mut at = 0;
        while at < bytes.len() {
            if self.state == State::Data {
                let rest = &bytes[at..];
                let fits = usize::try_from(self.left).unwrap_or(rest.len()).min(rest.len());
                out.extend_from_slice(&rest[..fits]);
                self.left -= fits as u64;
                at += fits;
                if self.left == 0 {
                    out.extend_from_slice(b"\r\n");
                    self.state = State::DataEnd;
                }
                continue;
            }
            at += 1;
            if self.step(bytes[at - 1], out)? {
                return Ok((at, true));
            }
        }
        Ok((at, false))
    }

    /// One byte further, outside of data. Whether the body is whole.
    fn step(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        self.state = match (self.state, byte) {
            (State::Size, b'\r' | b';') if self.digits > 0 => {
                if byte == b'\r' {
                    State::SizeEnd
                } else {
                    State::Extension
                }
            }
            (State::Size, _) => self.digit(byte)?,
            (State::Extension | State::Trailer, b'\r') => {
                if self.state == State::Extension {
                    State::SizeEnd
                } else {
                    State::TrailerEnd
                }
            }
            (State::Extension | State::Trailer, _) => self.count(byte)?,
            (State::SizeEnd, b'\n') => self.begin(out),
            (State::DataEnd, b'\r') => State::DataEndLine,
            (State::DataEndLine, b'\n') => State::Size,
            (State::TrailerStart, b'\r') => State::LastEnd,
            (State::TrailerStart, _) => {
                self.state = State::Trailer;
                self.count(byte)?
            }
            (State::TrailerEnd, b'\n') => State::TrailerStart,
            (State::LastEnd, b'\n') => {
                out.extend_from_slice(b"\r\n");
                return Ok(true);
            }
            _ => return Err(Refusal::Malformed),
        };
        Ok(false)
    }

    fn digit(&mut self, byte: u8) -> Result<State, Refusal> {
        let digit = char::from(byte).to_digit(16).ok_or(Refusal::Malformed)?;
        if self.digits == DIGITS_MAX {
            return Err(Refusal::Malformed);
        }
        self.digits += 1;
        self.left = self.left * 16 + u64::from(digit);
        Ok(State::Size)
    }

    fn count(&mut self, byte: u8) -> Result<State, Refusal> {
        self.extra += 1;
        match byte {
            _ if self.extra >= HEAD_BYTES_MAX => Err(Refusal::TooLong),
            b'\t' | b' '..=b'~' | 0x80.. => Ok(self.state),
            _ => Err(Refusal::Malformed),
        }
    }

    /// The line with the length of a chunk is read.
    fn begin(&mut self, out: &mut Vec<u8>) -> State {
        self.digits = 0;
        out.extend_from_slice(format!("{:x}\r\n", self.left).as_bytes());
        if self.left == 0 { State::TrailerStart } else { State::Data }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(fields: &[(&str, &str)]) -> Head {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        Head { fields: fields.iter().map(own).collect(), ..Head::default() }
    }

    #[test]
    fn lengths_and_codings_are_judged_as_node_judges_them() {
        const CODING: &str = "transfer-encoding";
        const LENGTH: &str = "content-length";
        let of = |fields: &[(&str, &str)]| Framing::of(&head(fields));
        assert_eq!(of(&[]), Ok(Framing::None));
        assert_eq!(of(&[(LENGTH, "12")]), Ok(Framing::Length(12)));
        for coding in ["chunked", "Chunked", "gzip, chunked"] {
            assert_eq!(of(&[(CODING, coding)]), Ok(Framing::Chunked), "{coding}");
        }
        assert_eq!(of(&[(CODING, "gzip"), (CODING, "chunked")]), Ok(Framing::Chunked));
        for coding in ["gzip", "chunked, gzip", "identity", ""] {
            assert_eq!(of(&[(CODING, coding)]), Err(Refusal::Malformed), "{coding}");
        }
        for length in ["x", "+1", "-1", "1 2", "", "1,1", "99999999999999999999999"] {
            assert_eq!(of(&[(LENGTH, length)]), Err(Refusal::Malformed), "{length}");
        }
        assert_eq!(of(&[(LENGTH, "1"), (LENGTH, "1")]), Err(Refusal::Malformed));
        assert_eq!(of(&[(LENGTH, "1"), (CODING, "chunked")]), Err(Refusal::Malformed));
    }

    #[test]
    fn chunks_come_out_without_extensions_and_trailers_however_they_are_cut() {
        let sent = b"3;x=y\r\nabc\r\n0a\r\n0123456789\r\n0\r\nT: v\r\n\r\nGET";
        for step in 1..sent.len() {
            let (mut chunks, mut out, mut taken, mut ended) =
                (Chunks::default(), Vec::new(), 0, false);
            for piece in sent.chunks(step) {
                let (took, whole) = chunks.take(piece, &mut out).unwrap();
                taken += took;
                ended = whole;
                if whole {
                    break;
                }
            }
            assert!(ended);
            assert_eq!(out, b"3\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n");
            assert_eq!(taken, sent.len() - 3);
        }
    }

    #[test]
    fn malformed_chunks_are_refused() {
        for sent in [
            "zz\r\n",
            "3 \r\n",
            "0x3\r\n",
            "3\nabc",
            "\r\n",
            "3\r\nabcd",
            "3\r\nabc\n",
            "1111111111111111\r\n",
            "0\r\nT\x01\r\n",
        ] {
            let taken = Chunks::default().take(sent.as_bytes(), &mut Vec::new());
            assert_eq!(taken, Err(Refusal::Malformed), "{sent:?}");
        }
        let long = format!("3;{}", "x".repeat(HEAD_BYTES_MAX));
        let taken = Chunks::default().take(long.as_bytes(), &mut Vec::new());
        assert_eq!(taken, Err(Refusal::TooLong));
    }
}
