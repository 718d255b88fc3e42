//! Documents that are stored back to back, as in a `.bson` file.

use std::ops::Range;

/// The range of each document in bytes that hold documents back to back. Where a length is
/// impossible, the last range takes the rest of the bytes: [`check`](super::check) refuses it.
pub fn documents(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(start..).filter(|rest| !rest.is_empty())?;
        let length = rest.first_chunk().map(|length| u32::from_le_bytes(*length));
        let length = length.and_then(|length| usize::try_from(length).ok());
        let end = match length {
            Some(length) if (5..=rest.len()).contains(&length) => start + length,
            _ => bytes.len(),
        };
        let place = start..end;
        start = end;
        Some(place)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_begins_with_its_length() {
        let two = [&[5, 0, 0, 0, 0][..], &[7, 0, 0, 0, 10, 0, 0]].concat();
        assert_eq!(documents(&two).collect::<Vec<_>>(), [0..5, 5..12]);
        assert_eq!(documents(&[]).count(), 0);
        for bad in [&[5, 0, 0][..], &[0, 0, 0, 0, 0], &[9, 0, 0, 0, 0], &[255; 8]] {
            let whole = 0..bad.len();
            assert!(documents(bad).eq([whole]), "{bad:?}");
        }
    }
}
