//! Whether a text is JSON, and what the application says where it is not: the messages of V8.
//!
//! Without recursion and without values: a body may nest as deep as it is long.

/// Characters on each side of a place that a message quotes.
const QUOTED: usize = 10;

/// Judges the text of a body that is not empty: an object or an array.
///
/// # Errors
/// What is wrong with it, in the words of V8 of Node 20.
pub(super) fn check(text: &str) -> Result<(), String> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let first = units.iter().position(|unit| !is_blank(*unit));
    let reader = Reader { units: &units, at: first.unwrap_or(units.len()) };
    match first.map(|at| units[at]) {
        Some(unit) if unit == u16::from(b'{') || unit == u16::from(b'[') => reader.check(),
        Some(_) => Err(reader.unexpected_token()),
        None => Err(reader.unexpected()),
    }
}

fn is_blank(unit: u16) -> bool {
    [b' ', b'\t', b'\n', b'\r'].map(u16::from).contains(&unit)
}

/// What the reader is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Object,
    Array,
}

struct Reader<'a> {
    /// UTF-16, by which JavaScript counts.
    units: &'a [u16],
    at: usize,
}

impl Reader<'_> {
    fn check(mut self) -> Result<(), String> {
        let mut inside: Vec<Inside> = Vec::new();
        loop {
            // Before a value.
            match self.peek() {
                Some(b'{') => {
                    self.at += 1;
                    self.skip_blanks();
                    inside.push(Inside::Object);
                    if self.peek() != Some(b'}') {
                        self.name("Expected property name or '}'")?;
                        continue;
                    }
                }
                Some(b'[') => {
                    self.at += 1;
                    self.skip_blanks();
                    inside.push(Inside::Array);
                    if self.peek() != Some(b']') {
                        continue;
                    }
                }
                _ => {
                    self.scalar()?;
                    self.skip_blanks();
                }
            }
            // After a value, or before the end of an empty container.
            loop {
                match (inside.last().copied(), self.peek()) {
                    (None, _) if self.at == self.units.len() => return Ok(()),
                    (None, _) => {
                        return Err(self.at_here("Unexpected non-whitespace character after JSON"));
                    }
                    (Some(Inside::Object), Some(b'}')) | (Some(Inside::Array), Some(b']')) => {
                        inside.pop();
                        self.at += 1;
                        self.skip_blanks();
                    }
                    (Some(Inside::Object), Some(b',')) => {
                        self.at += 1;
                        self.skip_blanks();
                        self.name("Expected double-quoted property name")?;
                        break;
                    }
                    (Some(Inside::Array), Some(b',')) => {
                        self.at += 1;
                        self.skip_blanks();
                        break;
                    }
                    (Some(Inside::Object), _) => {
                        return Err(self.in_json("Expected ',' or '}' after property value"));
                    }
                    (Some(Inside::Array), _) => {
                        return Err(self.in_json("Expected ',' or ']' after array element"));
                    }
                }
            }
        }
    }

    /// The next unit, if it is ASCII; `Some(0x80)` stands for any other.
    fn peek(&self) -> Option<u8> {
        self.units.get(self.at).map(|unit| u8::try_from(*unit).map_or(0x80, |byte| byte.min(0x80)))
    }

    fn skip_blanks(&mut self) {
        while self.units.get(self.at).is_some_and(|unit| is_blank(*unit)) {
            self.at += 1;
        }
    }

    /// A name and its colon.
    fn name(&mut self, otherwise: &str) -> Result<(), String> {
        if self.peek() != Some(b'"') {
            return Err(self.in_json(otherwise));
        }
        self.string()?;
        self.skip_blanks();
        if self.peek() != Some(b':') {
            return Err(self.in_json("Expected ':' after property name"));
        }
        self.at += 1;
        self.skip_blanks();
        Ok(())
    }

    fn scalar(&mut self) -> Result<(), String> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => Err(self.unexpected()),
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), String> {
        for byte in word {
            if self.peek() != Some(*byte) {
                return Err(self.unexpected());
            }
            self.at += 1;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<(), String> {
        self.at += 1;
        loop {
            match self.peek() {
                None => return Err(self.in_json("Unterminated string")),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(..0x20) => {
                    return Err(self.in_json("Bad control character in string literal"));
                }
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<(), String> {
        self.at += 1;
        match self.peek() {
            None => Err(self.unexpected()),
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                        return Err(self.in_json("Bad Unicode escape"));
                    }
                    self.at += 1;
                }
                Ok(())
            }
            Some(_) => Err(self.in_json("Bad escaped character")),
        }
    }

    fn number(&mut self) -> Result<(), String> {
        if self.peek() == Some(b'-') {
            self.at += 1;
            if !self.is_digit() {
                return Err(self.in_json("No number after minus sign"));
            }
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if self.is_digit() {
                return Err(self.in_json("Unexpected number"));
            }
        }
        self.digits();
        if self.peek() == Some(b'.') {
            self.at += 1;
            if !self.is_digit() {
                return Err(self.in_json("Unterminated fractional number"));
            }
            self.digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if !self.is_digit() {
                return Err(self.in_json("Exponent part is missing a number"));
            }
            self.digits();
        }
        Ok(())
    }

    fn is_digit(&self) -> bool {
        self.peek().is_some_and(|byte| byte.is_ascii_digit())
    }

    fn digits(&mut self) {
        while self.is_digit() {
            self.at += 1;
        }
    }

    fn in_json(&self, what: &str) -> String {
        self.at_here(&format!("{what} in JSON"))
    }

    fn at_here(&self, what: &str) -> String {
        format!("{what} at position {}", self.at)
    }

    /// Nothing can begin here.
    fn unexpected(&self) -> String {
        const OBJECT: &str = "[object Object]";
        if self.units.iter().copied().eq(OBJECT.encode_utf16()) {
            return format!("\"{OBJECT}\" is not valid JSON");
        }
        match self.peek() {
            None => "Unexpected end of JSON input".to_owned(),
            Some(b'"') => self.in_json("Unexpected string"),
            Some(b'-' | b'0'..=b'9') => self.in_json("Unexpected number"),
            Some(_) => self.unexpected_token(),
        }
    }

    fn unexpected_token(&self) -> String {
        let length = self.units.len();
        let (from, before) = match self.at.checked_sub(QUOTED) {
            Some(from) if length > 2 * QUOTED => (from, "..."),
            _ => (0, ""),
        };
        let (to, after) = match self.at + QUOTED {
            to if length > 2 * QUOTED && to < length => (to, "..."),
            _ => (length, ""),
        };
        let token = String::from_utf16_lossy(&self.units[self.at..self.at + 1]);
        let quoted = String::from_utf16_lossy(&self.units[from..to]);
        format!("Unexpected token '{token}', {before}\"{quoted}\"{after} is not valid JSON")
    }
}

#[cfg(test)]
#[path = "json_text_tests.rs"]
mod tests;
