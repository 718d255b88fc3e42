//! Words whatever the case of their letters.

use super::letters::{char_at, has_lower};

/// A word in lower case.
pub(crate) fn folded(word: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(word) {
        Ok(text) if !word.is_ascii() => {
            text.chars().flat_map(char::to_lowercase).collect::<String>().into_bytes()
        }
        _ => word.to_ascii_lowercase(),
    }
}

/// Puts a word in lower case, if that keeps the length of each of its characters.
pub(crate) fn fold(word: &mut [u8]) -> bool {
    let mut at = 0;
    while let Some(letter) = char_at(word, at) {
        let length = letter.len_utf8();
        if has_lower(letter) {
            let mut lower = letter.to_lowercase();
            match (lower.next(), lower.next()) {
                (Some(lower), None) if lower.len_utf8() == length => {
                    lower.encode_utf8(&mut word[at..at + length]);
                }
                _ => return false,
            }
        }
        at += length;
    }
    at == word.len()
}

/// Words that are folded without memory of their own.
const SHORT: usize = 64;

/// Whether two words are the same but for the case of their letters.
pub fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.is_ascii() && other.is_ascii() {
        return one.eq_ignore_ascii_case(other);
    }
    let (mut one_lower, mut other_lower) = ([0; SHORT], [0; SHORT]);
    let lower = match (one_lower.get_mut(..one.len()), other_lower.get_mut(..other.len())) {
        (Some(one_lower), Some(other_lower)) => {
            one_lower.copy_from_slice(one);
            other_lower.copy_from_slice(other);
            (fold(one_lower) && fold(other_lower)).then_some((one_lower, other_lower))
        }
        _ => None,
    };
    match lower {
        Some((one, other)) => one == other,
        None => folded(one) == folded(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_folded_in_place_as_they_are_elsewhere() {
        let mut folded_in_place = 0;
        for letter in (0..0x1_1000).filter_map(char::from_u32) {
            let text = format!("aB{letter}C");
            let mut lower = text.clone().into_bytes();
            if fold(&mut lower) {
                assert_eq!(lower, folded(text.as_bytes()), "{letter:?}");
                folded_in_place += 1;
            } else {
                assert!(!('\0'..='ÿ').contains(&letter), "{letter:?}");
            }
        }
        assert!(folded_in_place > 0xF000, "{folded_in_place}");
        assert!(!fold(&mut b"a\xFFb".to_vec()), "what is not text is left to `folded`");
    }

    #[test]
    fn case_is_folded_in_every_script() {
        assert!(is_same("ÉCLAIR".as_bytes(), "éclair".as_bytes()));
        assert!(is_same(b"Mara", b"mARA"));
        assert!(!is_same("Σοφία".as_bytes(), b"Sofia"));
    }
}
