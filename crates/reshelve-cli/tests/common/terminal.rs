//! A terminal that the binary is run on: what it shows there, and how it looks afterwards.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::common::Call;

/// A terminal of some width, and what was written to it so far.
pub(crate) struct Terminal {
    columns: u16,
    /// Keeps the terminal open until the child has ended.
    user: Option<OwnedFd>,
    shown: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Terminal {
    pub(crate) fn new(columns: u16) -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY;
        let user = rustix::fs::open(name, flags, Mode::empty()).unwrap();
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&user, size).unwrap();
        let shown: Arc<Mutex<Vec<u8>>> = Arc::default();
        let into = Arc::clone(&shown);
        let mut master = File::from(master);
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Reading ends with an error when nobody has the other end open.
            while let Ok(count @ 1..) = master.read(&mut bytes) {
                into.lock().unwrap().extend_from_slice(&bytes[..count]);
            }
        });
        Terminal { columns, user: Some(user), shown, reader: Some(reader) }
    }

    /// Runs a call with both outputs on this terminal.
    pub(crate) fn spawn(&self, call: Call) -> Child {
        self.spawn_as("xterm", call)
    }

    /// The same, with another kind of terminal in the environment.
    pub(crate) fn spawn_as(&self, term: &str, call: Call) -> Child {
        let end = || Stdio::from(self.user.as_ref().unwrap().try_clone().unwrap());
        call.env("TERM", term).stdout(end()).stderr(end()).spawn(true)
    }

    /// Everything that was written so far, with all control codes.
    pub(crate) fn written(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    /// Everything that was written, once nobody writes any more.
    pub(crate) fn end(mut self) -> Shown {
        self.user = None;
        self.reader.take().unwrap().join().unwrap();
        Shown::of(&self.written(), usize::from(self.columns))
    }
}

/// What a terminal showed.
pub(crate) struct Shown {
    /// Everything, with all control codes.
    pub(crate) written: String,
    /// The rows that are there at the end.
    pub(crate) rows: Vec<String>,
    /// Whether a row was filled beyond its last column at any time.
    pub(crate) wrapped: bool,
}

impl Shown {
    /// Follows the few codes that are used here: carriage return, line feed, up, clear.
    fn of(written: &str, columns: usize) -> Shown {
        let mut rows = vec![Vec::new()];
        let (mut row, mut column, mut wrapped) = (0_usize, 0_usize, false);
        let mut chars = written.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\r' => column = 0,
                '\n' => {
                    row += 1;
                    if row == rows.len() {
                        rows.push(Vec::new());
                    }
                }
                '\u{1b}' if chars.peek() == Some(&'[') => {
                    chars.next();
                    let mut digits = String::new();
                    while let Some(c) = chars.next_if(|c| !c.is_ascii_alphabetic()) {
                        digits.push(c);
                    }
                    let count = digits.parse().unwrap_or(1);
                    match chars.next() {
                        Some('A') => row = row.saturating_sub(count),
                        Some('J') => {
                            rows.truncate(row + 1);
                            rows[row].truncate(column);
                        }
                        Some('K') if digits == "2" => rows[row].clear(),
                        Some('K') => rows[row].truncate(column),
                        _ => {}
                    }
                }
                c => {
                    wrapped |= column >= columns;
                    if rows[row].len() <= column {
                        rows[row].resize(column + 1, ' ');
                    }
                    rows[row][column] = c;
                    column += 1;
                }
            }
        }
        let rows: Vec<String> = rows.into_iter().map(String::from_iter).collect();
        let rows = rows.into_iter().map(|row| row.trim_end().to_owned()).collect();
        Shown { written: written.to_owned(), rows, wrapped }
    }
}
