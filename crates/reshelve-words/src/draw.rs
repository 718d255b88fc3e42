//! Drawing: numbers from a stream of bytes that depends on a key.

use blake3::OutputReader;

/// Bytes that are drawn first: one block of BLAKE3. Most streams need no more.
const FIRST_BYTES: usize = 64;
/// Bytes that are drawn at a time after that: blocks that are made side by side.
const MORE_BYTES: usize = 8 * FIRST_BYTES;

/// A stream of drawn bytes.
pub struct Draw {
    reader: OutputReader,
    drawn: [u8; MORE_BYTES],
    /// How many of them were drawn last.
    end: usize,
    at: usize,
}

impl From<OutputReader> for Draw {
    fn from(reader: OutputReader) -> Draw {
        Draw { reader, drawn: [0; MORE_BYTES], end: 0, at: 0 }
    }
}

impl Draw {
    #[cold]
    fn draw(&mut self) {
        self.end = if self.end == 0 { FIRST_BYTES } else { MORE_BYTES };
        self.reader.fill(&mut self.drawn[..self.end]);
        self.at = 0;
    }

    /// As many bytes as that.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    /// One byte.
    #[inline]
    pub fn byte(&mut self) -> u8 {
        if self.at == self.end {
            self.draw();
        }
        self.at += 1;
        self.drawn[self.at - 1]
    }

    /// A number below `bound`, or 0 where that is 0. Bounds are far below 2³²: the bias of the
    /// multiplication is nothing that could be measured.
    #[inline(always)]
    pub fn below(&mut self, bound: usize) -> usize {
        let bits = match self.drawn.get(self.at..self.end).and_then(<[u8]>::first_chunk) {
            Some(bytes) => {
                self.at += 4;
                *bytes
            }
            None => self.bytes(),
        };
        let bits = u64::from(u32::from_le_bytes(bits));
        let scaled = (bits * u64::try_from(bound).unwrap_or(u64::MAX)) >> 32;
        usize::try_from(scaled).unwrap_or(0)
    }

    /// One of them; the first where there is only one.
    pub fn pick<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        all.get(self.below(all.len())).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_the_stream_however_many_are_drawn() {
        let reader = || blake3::Hasher::new().update(b"stream").finalize_xof();
        let mut all = [0; 4 * MORE_BYTES];
        reader().fill(&mut all);
        let mut draw = Draw::from(reader());
        assert!(all.iter().all(|byte| *byte == draw.byte()));
    }

    #[test]
    fn numbers_are_below_their_bound_and_reach_it() {
        let mut draw = Draw::from(blake3::Hasher::new().finalize_xof());
        let seen: std::collections::BTreeSet<usize> = (0..1_000).map(|_| draw.below(10)).collect();
        assert!(seen.into_iter().eq(0..10));
        assert_eq!(draw.below(0), 0);
        assert_eq!(draw.pick::<u8>(&[]), None);
    }
}
