//! The ids of all jobs of a place that cannot be asked for them while something else is asked of it:
//! in a file without a name.

use std::io::{BufWriter, Write};
use std::ops::ControlFlow;

use crate::ends::EndError;
use crate::store::{At, OpenFile, Scratch};

/// Bytes that are written at a time.
const BUFFER_BYTES: usize = 1 << 16;
/// The length of an id, in front of it.
const LENGTH_BYTES: usize = 4;

/// Ids that are being collected.
#[derive(Debug)]
pub struct IdList {
    out: BufWriter<Box<dyn OpenFile>>,
    bytes: u64,
}

impl IdList {
    /// An empty list, in a file without a name.
    ///
    /// # Errors
    /// Where there is none to be had.
    pub fn new(scratch: &Scratch) -> Result<Self, EndError> {
        Ok(IdList { out: BufWriter::with_capacity(BUFFER_BYTES, scratch.file()?), bytes: 0 })
    }

    /// Adds an id.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn add(&mut self, id: &[u8]) -> Result<(), EndError> {
        let length = u32::try_from(id.len()).unwrap_or(u32::MAX);
        let IdList { out, bytes } = self;
        let written = out.write_all(&length.to_le_bytes()).and_then(|()| out.write_all(id));
        written.at("writing", out.get_ref().path())?;
        *bytes += u64::try_from(LENGTH_BYTES + id.len()).unwrap_or(0);
        Ok(())
    }

    /// Gives each id, in the order in which they were added, until `give` breaks off.
    ///
    /// # Errors
    /// Where they cannot be read again.
    pub fn each(mut self, give: &mut dyn FnMut(&str) -> ControlFlow<()>) -> Result<(), EndError> {
        self.out.flush().at("writing", self.out.get_ref().path())?;
        let file = self.out.get_ref();
        let mut at = 0;
        while at < self.bytes {
            let mut length = [0; LENGTH_BYTES];
            file.read_exact_at(&mut length, at)?;
            let length = u32::from_le_bytes(length);
            let mut id = vec![0; usize::try_from(length).unwrap_or(0)];
            at += 4;
            file.read_exact_at(&mut id, at)?;
            at += u64::from(length);
            if give(&String::from_utf8_lossy(&id)).is_break() {
                break;
            }
        }
        Ok(())
    }
}
