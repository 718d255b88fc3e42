//! How long the messages of a websocket are, looked at as they pass: a client cannot fill the
//! memory with one message.

/// A message that a client sends, over all its frames, in bytes: as many as Socket.IO allows.
pub(super) const MESSAGE_BYTES_MAX: u64 = 1_000_000;

/// A message is longer than [`MESSAGE_BYTES_MAX`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// Follows the frames of one direction.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// The beginning of a frame while it is not whole.
    begun: Vec<u8>,
    /// Bytes of the frame that are still to come: its mask and its data.
    left: u64,
    /// Bytes of the message so far.
    message: u64,
}

impl Frames {
    /// Looks at bytes that are passed on.
    pub(super) fn look(&mut self, mut bytes: &[u8]) -> Result<(), TooLong> {
        loop {
            let passed = usize::try_from(self.left).unwrap_or(bytes.len()).min(bytes.len());
            self.left -= passed as u64;
            bytes = &bytes[passed..];
            let Some((byte, rest)) = bytes.split_first() else { return Ok(()) };
            self.begun.push(*byte);
            bytes = rest;
            if let Some(length) = length(&self.begun) {
                self.begin(length)?;
            }
        }
    }

    /// The length of a frame is known.
    fn begin(&mut self, length: u64) -> Result<(), TooLong> {
        const CONTROL: u8 = 0b1000;
        const FINAL: u8 = 0b1000_0000;
        const MASKED: u8 = 0b1000_0000;
        let (first, second) = (self.begun[0], self.begun[1]);
        self.begun.clear();
        let of_message = if first & CONTROL == 0 { self.message } else { 0 };
        let message = of_message.saturating_add(length);
        if message > MESSAGE_BYTES_MAX {
            return Err(TooLong);
        }
        self.left = length + if second & MASKED == 0 { 0 } else { 4 };
        if first & CONTROL == 0 {
            self.message = if first & FINAL == 0 { message } else { 0 };
        }
        Ok(())
    }
}

/// The length that the beginning of a frame names, if it is whole.
fn length(begun: &[u8]) -> Option<u64> {
    let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    match begun.get(1)? & 0b0111_1111 {
        126 => begun.get(2..4).map(number),
        127 => begun.get(2..10).map(number),
        short => Some(u64::from(short)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A masked frame.
    fn frame(first: u8, data: usize) -> Vec<u8> {
        let mut frame = vec![first];
        match data {
            0..126 => frame.push(0x80 | data as u8),
            126..65_536 => {
                frame.push(0x80 | 126);
                frame.extend((data as u16).to_be_bytes());
            }
            _ => {
                frame.push(0x80 | 127);
                frame.extend((data as u64).to_be_bytes());
            }
        }
        frame.extend([1, 2, 3, 4]);
        frame.extend(std::iter::repeat_n(0xff, data));
        frame
    }

    #[test]
    fn messages_up_to_the_limit_pass_however_they_are_cut() {
        let mut sent = Vec::new();
        for (first, data) in [
            (0x81, 0),
            (0x81, 125),
            (0x81, 126),
            (0x01, 70_000),
            (0x89, 3),
            (0x80, 70_000),
            (0x82, 1_000_000),
        ] {
            sent.extend(frame(first, data));
        }
        for step in [1, 3, 1000, sent.len()] {
            let mut frames = Frames::default();
            assert!(sent.chunks(step).all(|piece| frames.look(piece) == Ok(())), "{step}");
            assert_eq!((frames.left, frames.message, frames.begun.len()), (0, 0, 0));
        }
    }

    #[test]
    fn longer_messages_are_told_before_they_come() {
        assert_eq!(Frames::default().look(&frame(0x81, 1_000_001)[..10]), Err(TooLong));
        let mut frames = Frames::default();
        assert_eq!(frames.look(&frame(0x01, 600_000)), Ok(()));
        assert_eq!(frames.look(&frame(0x80, 600_000)), Err(TooLong));
        let endless = [0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(Frames::default().look(&endless), Err(TooLong));
    }
}
