//! Characters that may stand for others: of the same script, case and length.

use reshelve_words::{Draw, is_of_one_kind};

/// Letters of one script and one case, or of a script without cases; in the order of their code
/// points, so that what begins with other letters stays in its place.
const RANGES: [(char, char); 24] = [
    ('0', '9'),
    ('A', 'Z'),
    ('a', 'z'),
    ('À', 'Ö'),
    ('Ø', 'Þ'),
    ('ß', 'ö'),
    ('ø', 'ÿ'),
    ('Α', 'Ω'),
    ('α', 'ω'),
    ('А', 'Я'),
    ('а', 'я'),
    ('א', 'ת'),
    ('ء', 'ي'),
    ('अ', 'ह'),
    ('ก', 'ฮ'),
    ('ა', 'ჰ'),
    ('ぁ', 'ゖ'),
    ('ァ', 'ヺ'),
    ('㐀', '䶿'),
    ('一', '鿿'),
    ('가', '힣'),
    ('Ａ', 'Ｚ'),
    ('ａ', 'ｚ'),
    ('𠀀', '𪛟'),
];

/// Where there is no such range: so many code points, which differ in their last byte only.
const BLOCK: u32 = 64;
/// How often a character is drawn that turns out not to be alike.
const TRIES: usize = 32;

/// The code points among which a character is replaced.
fn bounds(letter: char) -> (u32, u32) {
    let code = u32::from(letter);
    match RANGES.iter().find(|(from, to)| (*from..=*to).contains(&letter)) {
        Some((from, to)) => (u32::from(*from), u32::from(*to)),
        None => (code - code % BLOCK, code - code % BLOCK + BLOCK - 1),
    }
}

fn is_alike(one: char, other: char) -> bool {
    is_of_one_kind(one, other) && one.len_utf8() == other.len_utf8()
}

/// A letter or digit like that one, and another one if there are several.
pub(super) fn alike(letter: char, draw: &mut Draw) -> char {
    let (from, to) = bounds(letter);
    let count = usize::try_from(to - from + 1).unwrap_or(1);
    for _ in 0..TRIES {
        let step = u32::try_from(draw.below(count)).unwrap_or(0);
        match char::from_u32(from + step) {
            Some(drawn) if drawn != letter && is_alike(letter, drawn) => return drawn,
            _ => {}
        }
    }
    letter
}

/// All characters that may stand for one in an identifier: the same ones for each of them, few
/// enough to be numbered.
pub(super) fn alphabet(letter: char) -> Vec<char> {
    if !letter.is_alphanumeric() {
        return vec![letter];
    }
    let (mut from, mut to) = bounds(letter);
    if to - from >= BLOCK {
        let code = u32::from(letter);
        (from, to) = (code - code % BLOCK, code - code % BLOCK + BLOCK - 1);
    }
    (from..=to).filter_map(char::from_u32).filter(|other| is_alike(letter, *other)).collect()
}

/// Letters for these, which are sorted and all different: sorted too, and each like its own.
pub(super) fn sorted_alike(letters: &[char], draw: &mut Draw) -> Vec<char> {
    let mut drawn = Vec::with_capacity(letters.len());
    for group in letters.chunk_by(|one, other| bounds(*one) == bounds(*other)) {
        drawn.extend(group_alike(group, draw));
    }
    drawn
}

/// The same for letters of one range.
fn group_alike(group: &[char], draw: &mut Draw) -> Vec<char> {
    for _ in 0..TRIES {
        let mut drawn: Vec<char> = group.iter().map(|letter| alike(*letter, draw)).collect();
        drawn.sort_unstable();
        drawn.dedup();
        let fits = drawn.len() == group.len()
            && group.iter().zip(&drawn).all(|(letter, drawn)| is_alike(*letter, *drawn));
        if fits {
            return drawn;
        }
    }
    group.to_vec()
}

/// A vowel or a consonant, in the place of a letter of ASCII: whichever follows the one before.
pub(super) fn pronounceable(letter: char, before: Option<char>, draw: &mut Draw) -> char {
    const VOWELS: &[u8] = b"aeiou";
    const CONSONANTS: &[u8] = b"bdfgklmnprstvz";
    if !letter.is_ascii_alphabetic() {
        return alike(letter, draw);
    }
    let is_vowel =
        |letter: char| VOWELS.iter().any(|vowel| letter.eq_ignore_ascii_case(&char::from(*vowel)));
    let letters = if before.is_some_and(|before| !is_vowel(before)) { VOWELS } else { CONSONANTS };
    let drawn = draw.pick(letters).map_or(letter, char::from);
    if letter.is_ascii_uppercase() { drawn.to_ascii_uppercase() } else { drawn }
}

/// What may stay between words: punctuation, white space, and what forms letters.
fn is_neutral(symbol: char) -> bool {
    symbol.is_ascii()
        || symbol.is_whitespace()
        || symbol.is_control()
        || matches!(symbol,
            '\u{A1}'..='\u{BF}' | '×' | '÷' | '\u{300}'..='\u{36F}' | '\u{2000}'..='\u{206F}'
            | '\u{3000}'..='\u{303F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FE30}'..='\u{FE6F}'
            | '\u{FEFF}' | '\u{FF00}'..='\u{FF0F}' | '\u{FF1A}'..='\u{FF20}' | '\u{FFFD}')
}

/// What replaces a character between words: itself, unless it is a symbol or a picture.
pub(super) fn symbol_for(symbol: char, draw: &mut Draw) -> char {
    if is_neutral(symbol) {
        return symbol;
    }
    let drawn = match symbol.len_utf8() {
        2 => draw.pick(&['§', '¶', '±', '¤']),
        3 => draw.pick(&['☆', '☼', '♢', '◇', '○', '△']),
        _ => draw.pick(&['🌲', '🌊', '🍂', '🌙', '🔶', '🔷']),
    };
    drawn.unwrap_or(symbol)
}

#[cfg(test)]
mod tests {
    use super::super::key::Key;
    use super::*;

    fn draw() -> Draw {
        Key::parse(&"7".repeat(64)).unwrap().draw("test", &[])
    }

    #[test]
    fn the_ranges_are_sorted_and_of_one_length() {
        for (from, to) in RANGES {
            assert!(from < to && from.len_utf8() == to.len_utf8(), "{from}");
        }
        assert!(RANGES.windows(2).all(|pair| pair[0].1 < pair[1].0));
    }

    #[test]
    fn letters_are_replaced_by_letters_alike() {
        let mut draw = draw();
        for letter in "aZ5éÉšŽжЖλШ美가ก½𠮷ﬁ".chars() {
            for _ in 0..50 {
                let drawn = alike(letter, &mut draw);
                assert!(is_alike(letter, drawn), "{letter} {drawn}");
                assert!(alphabet(letter).contains(&letter));
            }
        }
        assert_eq!(alphabet('-'), ['-']);
        assert_eq!(alphabet('7').len(), 10);
    }

    #[test]
    fn sorted_letters_stay_sorted() {
        let mut draw = draw();
        let letters: Vec<char> = "059ACXabzéøжя美".chars().collect();
        for _ in 0..50 {
            let drawn = sorted_alike(&letters, &mut draw);
            assert_eq!(drawn.len(), letters.len());
            assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]), "{drawn:?}");
        }
        let all: Vec<char> = ('a'..='z').collect();
        assert_eq!(sorted_alike(&all, &mut draw), all, "there is only one way");
    }

    #[test]
    fn punctuation_stays_and_pictures_do_not() {
        let mut draw = draw();
        for neutral in "—…’“\u{301}\u{200D}．。 \n".chars() {
            assert_eq!(symbol_for(neutral, &mut draw), neutral);
        }
        for symbol in "🕯☎€".chars() {
            let drawn = symbol_for(symbol, &mut draw);
            assert_ne!(drawn, symbol);
            assert_eq!(drawn.len_utf8(), symbol.len_utf8());
        }
    }
}
