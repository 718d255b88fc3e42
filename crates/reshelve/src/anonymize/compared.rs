//! Texts of one job that are compared with each other: equal ones stay equal, different ones stay
//! different, empty ones stay empty.

use std::collections::{HashMap, HashSet};

/// How often a text is drawn that another one has already.
const TRIES: u8 = 16;

/// Texts and what replaces them.
#[derive(Default)]
pub(super) struct Compared {
    drawn: HashMap<Vec<u8>, Vec<u8>>,
    taken: HashSet<Vec<u8>>,
}

impl Compared {
    /// What replaces a text. `draw` appends a replacement for an attempt, and says whether it can be
    /// taken.
    pub(super) fn of(
        &mut self,
        text: &[u8],
        mut draw: impl FnMut(u8, &mut Vec<u8>) -> bool,
    ) -> Vec<u8> {
        if let Some(drawn) = self.drawn.get(text) {
            return drawn.clone();
        }
        let mut drawn = Vec::new();
        for attempt in 0..TRIES {
            drawn.clear();
            let is_fit = draw(attempt, &mut drawn);
            if is_fit && !self.taken.contains(&drawn) {
                break;
            }
        }
        self.taken.insert(drawn.clone());
        self.drawn.insert(text.to_vec(), drawn.clone());
        drawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_texts_stay_different_and_equal_ones_equal() {
        let mut compared = Compared::default();
        let mut of = |text: &str| {
            // Draws the same for every text, at first.
            compared.of(text.as_bytes(), |attempt, out| {
                out.push(attempt.max(1));
                attempt != 1
            })
        };
        let one = of("one");
        assert_eq!(of("one"), one);
        assert_ne!(of("other"), one);
    }
}
