//! Text as words, for what reads and writes whole corpora of prose: an anonymised copy is made, and
//! scanned, word by word.
//!
//! A crate of its own because its level of optimisation is another one than that of the crates
//! around it: everything here runs once for every word of a corpus, four times over. What is called
//! for each word is not generic, so that it is compiled here and not where it is used.

mod letters;
mod lexicon;
mod runs;
mod words;

pub use lexicon::{LENGTH_MAX, Lexicon, Listed, Reading, WordHash, is_short};
pub use runs::Runs;
pub use words::{Script, Word, char_at, is_same, words};
