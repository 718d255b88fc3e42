//! Pseudonyms of ids: of the same type and length, another one for each id, and the same one
//! wherever the id occurs.

use super::alphabet::alphabet;
use super::corpus::Corpus;
use super::dates::Shift;
use super::key::Key;
use reshelve_core::raw;
use reshelve_words::Lexicon;

/// Rounds of the network that permutes strings of one form.
const ROUNDS: u8 = 8;
/// Bytes of an ObjectId as hexadecimal digits.
const HEX_DIGITS: usize = 24;
/// What the mapping puts before the id of an alert that has none.
const LEGACY: &[u8] = b"legacy-";

/// Ids as they are replaced within one job.
pub(super) struct Ids<'a> {
    key: &'a Key,
    lexicon: &'a Lexicon,
    corpus: &'a Corpus,
    /// How the times of this job are shifted.
    shift: Shift,
    /// Whether all jobs are shifted alike.
    keep_order: bool,
    /// The `_id` of this job, if it is an ObjectId.
    own: Option<[u8; 12]>,
}

impl<'a> Ids<'a> {
    pub(super) fn new(
        key: &'a Key,
        (lexicon, corpus): (&'a Lexicon, &'a Corpus),
        (shift, keep_order): (Shift, bool),
        own: Option<[u8; 12]>,
    ) -> Ids<'a> {
        Ids { key, lexicon, corpus, shift, keep_order, own }
    }

    /// The pseudonym of an ObjectId: its time is shifted with the dates of the job that it is the
    /// `_id` of, or of this job; its process is another one, and its counter as far from those of
    /// the same process as it was.
    pub(super) fn object_id(&self, id: [u8; 12]) -> [u8; 12] {
        let shift = match self.is_of_another_job(&id) {
            true => Shift::of_job(self.key, raw::hex(&id).as_bytes(), false),
            false => self.shift,
        };
        self.shifted(id, shift)
    }

    /// The same for the `_id` of the job, or of a part of it, which is nobody else's.
    pub(super) fn own_object_id(&self, id: [u8; 12]) -> [u8; 12] {
        self.shifted(id, self.shift)
    }

    fn shifted(&self, id: [u8; 12], shift: Shift) -> [u8; 12] {
        let [t0, t1, t2, t3, process @ .., c0, c1, c2] = id;
        let process: [u8; 5] = process;
        let seconds = shift.seconds(u32::from_be_bytes([t0, t1, t2, t3]));
        let offset: [u8; 4] = self.key.draw("counter", &[&process]).bytes();
        let counter = u32::from_be_bytes([0, c0, c1, c2]).wrapping_add(u32::from_be_bytes(offset));
        let mut digits = process.map(usize::from);
        permute(self.key, "process", &[], &mut digits, &[256; 5]);
        let mut pseudonym = [0; 12];
        pseudonym[..4].copy_from_slice(&seconds.to_be_bytes());
        for (byte, digit) in pseudonym[4..9].iter_mut().zip(digits) {
            *byte = u8::try_from(digit).unwrap_or(0);
        }
        pseudonym[9..].copy_from_slice(&counter.to_be_bytes()[1..]);
        pseudonym
    }

    fn is_of_another_job(&self, id: &[u8; 12]) -> bool {
        if self.keep_order || self.own == Some(*id) {
            return false;
        }
        let hash = self.lexicon.hash_folded(raw::hex(id).as_bytes());
        // Without an answer it is taken for one of this job's own: the ids still differ.
        self.corpus.has_job(hash).unwrap_or(false)
    }

    /// The pseudonym of a word that is an ObjectId in hexadecimal digits.
    pub(super) fn of_hex(&self, word: &[u8]) -> Option<Vec<u8>> {
        let id = object_id_of_hex(word)?;
        let is_upper = word.iter().any(u8::is_ascii_uppercase);
        let mut hex = raw::hex(&self.object_id(id)).into_bytes();
        if is_upper {
            hex.make_ascii_uppercase();
        }
        Some(hex)
    }

    /// The pseudonym of a string id, which is the same in every job.
    pub(super) fn string(&self, id: &[u8]) -> Vec<u8> {
        self.of_hex(id).unwrap_or_else(|| permuted(self.key, b"", id))
    }

    /// The pseudonym of the id of an alert, a decision or an enhancement within a job. What the
    /// mapping makes of such ids has a form of its own: `legacy-` before an ObjectId, and `id#2` for
    /// the second one with an id.
    pub(super) fn entry(&self, job: &[u8], id: &[u8]) -> Vec<u8> {
        if let Some(at) = suffix(id) {
            let mut pseudonym = self.entry(job, &id[..at]);
            pseudonym.extend_from_slice(&id[at..]);
            return pseudonym;
        }
        if let Some(hex) = id.strip_prefix(LEGACY).and_then(|rest| self.of_hex(rest)) {
            return [LEGACY, &hex].concat();
        }
        self.of_hex(id).unwrap_or_else(|| permuted(self.key, job, id))
    }
}

/// Where the suffix `#2`, `#3` … begins that tells an id from an earlier one.
fn suffix(id: &[u8]) -> Option<usize> {
    let at = memchr::memrchr(b'#', id).filter(|at| *at > 0)?;
    let digits = std::str::from_utf8(&id[at + 1..]).ok()?;
    let number: u64 = digits.parse().ok()?;
    (number >= 2 && number.to_string() == digits).then_some(at)
}

/// The ObjectId that 24 hexadecimal digits are, all of one case.
pub(super) fn object_id_of_hex(word: &[u8]) -> Option<[u8; 12]> {
    if word.len() != HEX_DIGITS {
        return None;
    }
    let is_lower = word.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_upper = word.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
    if !is_lower && !is_upper {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
    let mut id = [0; 12];
    for (byte, pair) in id.iter_mut().zip(word.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(id)
}

/// A string of the same form: letters for letters, digits for digits, all else as it is. It is a
/// permutation of the strings of that form, so that different ids stay different.
fn permuted(key: &Key, tweak: &[u8], id: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(id);
    let is_hex = text.len() >= 16
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'));
    let mut alphabets: Vec<Vec<char>> = Vec::new();
    let mut digits = Vec::new();
    for letter in text.chars() {
        let alphabet = match is_hex && letter != '-' {
            true => "0123456789abcdef".chars().collect(),
            false => alphabet(letter),
        };
        digits.push(alphabet.iter().position(|other| *other == letter).unwrap_or(0));
        alphabets.push(alphabet);
    }
    let radices: Vec<usize> = alphabets.iter().map(Vec::len).collect();
    permute(key, "id", tweak, &mut digits, &radices);
    let letters = alphabets.iter().zip(&digits).filter_map(|(all, digit)| all.get(*digit));
    letters.collect::<String>().into_bytes()
}

/// A permutation of the numbers with these digits: in each round, one half of the digits moves by
/// what the key makes of the other half, which can be undone.
fn permute(key: &Key, purpose: &str, tweak: &[u8], digits: &mut [usize], radices: &[usize]) {
    let middle = digits.len() / 2;
    for round in 0..ROUNDS {
        let (left, right) = digits.split_at_mut(middle);
        let (left_radices, right_radices) = radices.split_at(middle);
        let (moved, radices, other) = match round % 2 {
            0 => (right, right_radices, &*left),
            _ => (left, left_radices, &*right),
        };
        let seen: Vec<u8> = other
            .iter()
            .flat_map(|digit| u32::try_from(*digit).unwrap_or(0).to_le_bytes())
            .collect();
        let mut draw = key.draw(purpose, &[tweak, &[round], &seen]);
        for (digit, radix) in moved.iter_mut().zip(radices) {
            *digit = (*digit + draw.below(*radix)) % (*radix).max(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn key() -> Key {
        Key::parse(&"5".repeat(64)).unwrap()
    }

    #[test]
    fn strings_of_a_form_are_permuted() {
        let all: BTreeSet<Vec<u8>> =
            (0..10_000).map(|id| permuted(&key(), b"", format!("{id:04}").as_bytes())).collect();
        assert_eq!(all.len(), 10_000);
        assert!(all.iter().all(|id| id.len() == 4 && id.iter().all(u8::is_ascii_digit)));
        assert_ne!(permuted(&key(), b"", b"novel-17"), permuted(&key(), b"a", b"novel-17"));
    }

    #[test]
    fn the_form_of_a_string_stays() {
        for id in ["novel-0a1B", " x ", "小説/№ 12ab", "", "0f-ab0123456789abcd", "\u{FEFF}é"]
        {
            let pseudonym = String::from_utf8(permuted(&key(), b"", id.as_bytes())).unwrap();
            assert_eq!(pseudonym.len(), id.len(), "{id}");
            for (letter, drawn) in id.chars().zip(pseudonym.chars()) {
                assert_eq!(letter.is_alphanumeric(), drawn.is_alphanumeric());
                assert!(letter.is_alphanumeric() || letter == drawn);
            }
        }
        let hex = permuted(&key(), b"", b"0f-ab0123456789abcd");
        assert!(hex.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-'));
    }

    #[test]
    fn suffixes_are_those_that_the_mapping_gives() {
        for (id, at) in [
            ("a#2", Some(1)),
            ("a#2#3", Some(3)),
            ("a#1", None),
            ("a#02", None),
            ("#2", None),
            ("a#", None),
            ("a", None),
        ] {
            assert_eq!(suffix(id.as_bytes()), at, "{id}");
        }
    }

    #[test]
    fn hexadecimal_digits_are_an_object_id() {
        let id = [0x64, 0xb7, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0xff];
        assert_eq!(object_id_of_hex(raw::hex(&id).as_bytes()), Some(id));
        assert_eq!(object_id_of_hex(raw::hex(&id).to_uppercase().as_bytes()), Some(id));
        assert_eq!(object_id_of_hex(b"64b70001020304050607ffFf"), None);
        assert_eq!(object_id_of_hex(b"64b7"), None);
    }
}
