//! Wrappers with one name, such as `{"$oid":"…"}`, parsed as they come.

use super::parse::{NOT_A_DOCUMENT, Parser, Step};
use super::{date, decimal, scalar, text, wrapper};
use crate::raw::kind;

impl<'t> Parser<'t, '_> {
    /// A wrapper with one name, after its name and colon: removes the document that was opened for
    /// it.
    pub(super) fn single(&mut self, single: wrapper::Single) -> Step {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let value_at = self.at;
        let Some(kind_at) = frame.kind_at else {
            return Err(self.fail(frame.text_at, NOT_A_DOCUMENT));
        };
        self.out.truncate(frame.start);
        let kind = match single {
            wrapper::Single::Date => self.date()?,
            wrapper::Single::Text(kind) => {
                self.expect(b'"', "type wrapper does not hold a string")?;
                self.wrapped_text(kind).map_err(|reason| self.fail(value_at, reason))?;
                if kind == wrapper::UUID { kind::BINARY } else { kind }
            }
            wrapper::Single::Constant(kind, literal) => {
                self.literal(literal)
                    .map_err(|_| "type wrapper does not hold the expected value")?;
                kind
            }
        };
        self.skip_space();
        self.expect(b'}', "unexpected text in a type wrapper")?;
        self.out[kind_at] = kind;
        Ok(())
    }

    /// The string of a wrapper, after its quote, as the value that it stands for.
    fn wrapped_text(&mut self, kind: u8) -> Step {
        if kind == kind::SYMBOL {
            return self.string();
        }
        let text = self.short_string()?;
        let text = text.as_ref();
        match kind {
            kind::OBJECT_ID => {
                let id: [u8; 12] = scalar::parse_hex(text).ok_or("$oid is not 24 hex digits")?;
                self.out.extend_from_slice(&id);
            }
            kind::INT32 => {
                let number = scalar::parse_integer(text).and_then(|n| i32::try_from(n).ok());
                let number = number.ok_or("$numberInt does not hold an Int32")?;
                self.out.extend_from_slice(&number.to_le_bytes());
            }
            kind::INT64 => {
                let number =
                    scalar::parse_integer(text).ok_or("$numberLong does not hold an Int64")?;
                self.out.extend_from_slice(&number.to_le_bytes());
            }
            kind::DOUBLE => {
                let number =
                    text::wrapped_double(text).ok_or("$numberDouble does not hold a Double")?;
                self.out.extend_from_slice(&number.to_le_bytes());
            }
            kind::DECIMAL128 => {
                let bits =
                    decimal::parse(text).ok_or("$numberDecimal does not hold a Decimal128")?;
                self.out.extend_from_slice(&bits.to_le_bytes());
            }
            _ => {
                let uuid = scalar::parse_uuid(text).ok_or("$uuid is not a UUID")?;
                self.out.extend_from_slice(&[16, 0, 0, 0, 4]);
                self.out.extend_from_slice(&uuid);
            }
        }
        Ok(())
    }

    /// A string, after its quote, that is examined and not kept.
    fn short_string(&mut self) -> Step<std::borrow::Cow<'t, [u8]>> {
        let rest = &self.text[self.at..];
        let end = text::plain_length(rest);
        if rest.get(end) == Some(&b'"') {
            self.at += end + 1;
            return Ok(rest[..end].into());
        }
        let mut unescaped = Vec::new();
        self.at = text::push_string(self.text, self.at, &mut unescaped)
            .map_err(|(at, reason)| self.fail(at, reason))?;
        Ok(unescaped.into())
    }

    /// What `$date` holds: an ISO string, a number (version 1), or a `$numberLong`.
    fn date(&mut self) -> Step<u8> {
        let value_at = self.at;
        let date_ms = match self.peek() {
            Some(b'"') => {
                self.at += 1;
                date::parse_iso(&self.short_string()?)
            }
            Some(b'{') => {
                self.at += 1;
                self.skip_space();
                self.expect(b'"', "$date does not hold a date")?;
                let name = self.short_string()?;
                self.skip_space();
                self.expect(b':', "expected : after a name")?;
                self.skip_space();
                self.expect(b'"', "$date does not hold a date")?;
                let text = self.short_string()?;
                self.skip_space();
                self.expect(b'}', "unexpected text in $date")?;
                if &*name == b"$numberLong" { scalar::parse_integer(&text) } else { None }
            }
            Some(b'-' | b'0'..=b'9') => match self.number()? {
                text::Number::Int32(number) => Some(i64::from(number)),
                text::Number::Int64(number) => Some(number),
                text::Number::Double(_) => None,
            },
            _ => None,
        };
        let date_ms = date_ms.ok_or_else(|| self.fail(value_at, "$date does not hold a date"))?;
        self.out.extend_from_slice(&date_ms.to_le_bytes());
        Ok(kind::DATE)
    }
}
