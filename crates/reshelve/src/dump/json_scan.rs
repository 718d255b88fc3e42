//! Finds where the documents of a JSON text begin and end, without parsing them.
//!
//! Brackets and strings tell where a document ends; line ends never do. A document with broken
//! content must not cost those after it, so three signs end it early, none of which occurs in a
//! well-formed document: a closing brace while brackets are open (it closes them too); a line that
//! begins with `{` inside a string; a line that begins with `{` where no value may begin.

/// The state of the search: it continues where the last bytes ended.
#[derive(Debug)]
pub(super) struct Scanner {
    /// Where the search is in the given bytes.
    pub(super) at: usize,
    /// The current document, if one has begun.
    pub(super) start: Option<Start>,
    /// From 1.
    line: u64,
    /// How far before `at` the current line begins.
    line_bytes: u64,
    open: Vec<u8>,
    /// How many of `open` are `[`.
    open_arrays: usize,
    in_string: bool,
    between: Between,
}

/// Where a document starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    pub(super) at: usize,
    pub(super) line: u64,
    pub(super) column: u64,
}

/// What the search found.
#[derive(Debug)]
pub(super) enum Found {
    /// A document; it ends where the search is now, or a little before.
    Document(Start, usize),
    /// Nothing more in these bytes.
    More,
    /// Something that cannot be there.
    Stray(&'static str),
}

/// What may come between documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Between {
    /// Before anything.
    Beginning,
    /// Documents one after the other.
    Lines,
    /// After the `[` of an array.
    First,
    /// After a document in an array.
    Comma,
    /// After a comma in an array.
    Next,
    /// After the `]` of an array.
    Closed,
}

impl Scanner {
    pub(super) fn new() -> Scanner {
        Scanner {
            at: 0,
            start: None,
            line: 1,
            line_bytes: 0,
            open: Vec::new(),
            open_arrays: 0,
            in_string: false,
            between: Between::Beginning,
        }
    }

    /// Skips a byte-order mark, which is in no column.
    pub(super) fn skip(&mut self, count: usize) {
        self.at += count;
    }

    /// Informs the search that the bytes up to `end` have been removed.
    pub(super) fn rebase(&mut self, end: usize) {
        self.at -= end;
        if let Some(start) = &mut self.start {
            start.at -= end;
        }
    }

    /// Line and column of the current place.
    pub(super) fn place(&self) -> (u64, u64) {
        (self.line, self.line_bytes + 1)
    }

    /// Whether the text may end here; if not, what is missing.
    pub(super) fn end(&self) -> Result<(), &'static str> {
        match self.between {
            _ if self.start.is_some() => Err("truncated: the document does not end"),
            Between::Beginning | Between::Lines | Between::Closed => Ok(()),
            _ => Err("truncated: the array does not end"),
        }
    }

    /// Continues the search. `last` says that nothing comes after these bytes.
    pub(super) fn find(&mut self, bytes: &[u8], last: bool) -> Found {
        if self.start.is_none() {
            match self.begin(bytes) {
                Ok(true) => {}
                Ok(false) => return Found::More,
                Err(stray) => return Found::Stray(stray),
            }
        }
        while self.at < bytes.len() {
            let ended = if self.in_string { self.string(bytes, last) } else { self.outside(bytes) };
            match ended {
                Step::Document(end) => {
                    self.open.clear();
                    self.open_arrays = 0;
                    self.in_string = false;
                    let Some(start) = self.start.take() else { return Found::More };
                    return Found::Document(start, end);
                }
                Step::Wait => return Found::More,
                Step::On => {}
            }
        }
        Found::More
    }

    /// Finds the start of the next document; returns `false` if it is not in these bytes.
    fn begin(&mut self, bytes: &[u8]) -> Result<bool, &'static str> {
        while let Some(&byte) = bytes.get(self.at) {
            match (byte, self.between) {
                (b' ' | b'\t' | b'\r' | b'\n', _) => {}
                (b'{', Between::Closed) => return Err("a document after the end of the array"),
                (b'{', Between::Comma) => return Err("no comma between two documents"),
                (b'{', between) => {
                    self.between = match between {
                        Between::Beginning | Between::Lines => Between::Lines,
                        _ => Between::Comma,
                    };
                    let (line, column) = self.place();
                    self.start = Some(Start { at: self.at, line, column });
                    self.open.push(b'{');
                    self.pass(1);
                    return Ok(true);
                }
                (b'[', Between::Beginning) => self.between = Between::First,
                (b']', Between::First | Between::Comma) => self.between = Between::Closed,
                (b',', Between::Comma) => self.between = Between::Next,
                (b']', Between::Next) => return Err("a comma before the end of the array"),
                (b'}' | b']', _) => return Err("a bracket that closes nothing"),
                (b',', _) => return Err("a comma where a document must be"),
                _ => return Err("neither a document nor white space"),
            }
            self.pass(1);
            if byte == b'\n' {
                self.new_line();
            }
        }
        Ok(false)
    }

    fn pass(&mut self, count: usize) {
        self.at += count;
        self.line_bytes += u64::try_from(count).unwrap_or(0);
    }

    fn new_line(&mut self) {
        self.line += 1;
        self.line_bytes = 0;
    }

    /// Continues inside a string.
    fn string(&mut self, bytes: &[u8], last: bool) -> Step {
        let rest = &bytes[self.at..];
        let Some(step) = memchr::memchr3(b'"', b'\\', b'\n', rest) else {
            self.pass(rest.len());
            return Step::On;
        };
        self.pass(step);
        match rest[step] {
            b'"' => {
                self.in_string = false;
                self.pass(1);
            }
            b'\\' => match rest.get(step + 1) {
                // A line end cannot be escaped, so it is checked separately.
                Some(b'\n') => self.pass(1),
                Some(_) => self.pass(2),
                None => return Step::Wait,
            },
            _ => match rest.get(step + 1) {
                None if !last => return Step::Wait,
                next => {
                    self.pass(1);
                    self.new_line();
                    if next == Some(&b'{') {
                        return self.cut(self.at - 1);
                    }
                }
            },
        }
        Step::On
    }

    /// Continues outside of strings, to the next byte that matters.
    fn outside(&mut self, bytes: &[u8]) -> Step {
        let rest = &bytes[self.at..];
        let Some(step) = rest.iter().position(|&byte| SPEAKS[usize::from(byte)]) else {
            self.pass(rest.len());
            return Step::On;
        };
        self.pass(step);
        let column = self.line_bytes;
        self.pass(1);
        match rest[step] {
            b'"' => self.in_string = true,
            b'\n' => self.new_line(),
            b'[' => {
                self.open.push(b'[');
                self.open_arrays += 1;
            }
            b']' => self.close_array(),
            b'{' => {
                if column == 0 && !self.value_may_begin(&bytes[..self.at - 1]) {
                    self.at -= 1;
                    self.line_bytes = 0;
                    return self.cut(self.at);
                }
                self.open.push(b'{');
            }
            _ => {
                while let Some(b'[') = self.open.pop() {
                    self.open_arrays -= 1;
                }
                if self.open.is_empty() {
                    return Step::Document(self.at);
                }
            }
        }
        Step::On
    }

    /// Closes the innermost array, and everything open inside it; does nothing if no array is open.
    fn close_array(&mut self) {
        if self.open_arrays == 0 {
            return;
        }
        self.open_arrays -= 1;
        while let Some(b'{') = self.open.pop() {}
    }

    /// Ends a broken document before the line that begins the next one. In an array, the comma
    /// between them is lost with it.
    /// them has gone with it.
    fn cut(&mut self, end: usize) -> Step {
        if self.between == Between::Comma {
            self.between = Between::Next;
        }
        Step::Document(end)
    }

    /// Whether a value may begin after these bytes of the document.
    fn value_may_begin(&self, before: &[u8]) -> bool {
        let before = before.trim_ascii_end();
        matches!(
            (before.last(), self.open.last()),
            (Some(b':'), Some(b'{')) | (Some(b'[' | b','), Some(b'['))
        )
    }
}

enum Step {
    /// A document ends there.
    Document(usize),
    /// The next byte is needed to continue.
    Wait,
    On,
}

/// The bytes that matter outside of strings.
static SPEAKS: [bool; 256] = {
    let mut table = [false; 256];
    table[0x22] = true;
    table[0x0A] = true;
    table[0x5B] = true;
    table[0x5D] = true;
    table[0x7B] = true;
    table[0x7D] = true;
    table
};
