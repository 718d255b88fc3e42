//! The small numbers of a residue, and the reading of its two parts.

use super::error::RestoreError;

/// Reads a part of a residue from its start to its end.
pub(super) struct Stream<'r> {
    pub(super) bytes: &'r [u8],
    /// How many bytes were read.
    pub(super) at: usize,
}

impl<'r> Stream<'r> {
    pub(super) fn new(bytes: &'r [u8]) -> Self {
        Stream { bytes, at: 0 }
    }

    pub(super) fn byte(&mut self) -> Result<u8, RestoreError> {
        let byte = *self.bytes.get(self.at).ok_or(RestoreError::Damaged(self.at))?;
        self.at += 1;
        Ok(byte)
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'r [u8], RestoreError> {
        let end = self.at.checked_add(length).ok_or(RestoreError::Damaged(self.at))?;
        let bytes = self.bytes.get(self.at..end).ok_or(RestoreError::Damaged(self.at))?;
        self.at = end;
        Ok(bytes)
    }

    /// What [`push_varint`] wrote.
    fn varint(&mut self) -> Result<u64, RestoreError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(RestoreError::Damaged(self.at))
    }

    /// A varint that [`zigzag`] made.
    pub(super) fn signed(&mut self) -> Result<i64, RestoreError> {
        self.varint().map(unzigzag)
    }

    /// A varint that counts bytes.
    pub(super) fn length(&mut self) -> Result<usize, RestoreError> {
        usize::try_from(self.varint()?).map_err(|_| RestoreError::Damaged(self.at))
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }
}

/// How many bytes these are, as it is written.
pub(super) fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// Appends a number in groups of 7 bits, the lowest first.
pub(super) fn push_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(u8::try_from(number & 0x7F).unwrap_or(0) | 0x80);
        number >>= 7;
    }
    out.push(u8::try_from(number).unwrap_or(0));
}

/// A number whose size does not depend on its sign: 0, -1, 1, -2 … become 0, 1, 2, 3 ….
pub(super) fn zigzag(number: i64) -> u64 {
    #[expect(clippy::as_conversions, clippy::cast_sign_loss, reason = "bits, not a number")]
    let bits = ((number << 1) ^ (number >> 63)) as u64;
    bits
}

/// The inverse of [`zigzag`].
fn unzigzag(bits: u64) -> i64 {
    #[expect(clippy::as_conversions, clippy::cast_possible_wrap, reason = "bits, not a number")]
    let number = (bits >> 1) as i64 ^ -((bits & 1) as i64);
    number
}

/// The seconds and the counter of an ObjectId.
pub(super) fn object_id_parts(id: [u8; 12]) -> (i64, i64) {
    let seconds = u32::from_be_bytes([id[0], id[1], id[2], id[3]]);
    let counter = u32::from_be_bytes([0, id[9], id[10], id[11]]);
    (i64::from(seconds), i64::from(counter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zigzag_comes_back() {
        for number in [0, 1, -1, 63, -64, i64::MAX, i64::MIN] {
            assert_eq!(unzigzag(zigzag(number)), number);
        }
    }
}
