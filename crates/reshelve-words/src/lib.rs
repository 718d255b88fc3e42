//! Text as words, found, hashed, looked up, drawn and retold, for what reads and writes whole
//! corpora of prose: an anonymised copy is made, and scanned, word by word.
//!
//! A crate of its own because its level of optimisation is another one than that of the crates
//! around it: everything here runs for every word of a corpus, four times. What is called for each
//! text is not generic, and not inlined, so that it is compiled here and not where it is used.

mod beginnings;
mod draw;
mod folding;
mod hashing;
mod letters;
mod lexicon;
mod retelling;
mod runs;
mod syllables;
mod words;

pub use beginnings::Beginnings;
pub use draw::Draw;
pub use folding::is_same;
pub use hashing::WordHash;
pub use letters::{char_at, is_of_one_kind};
pub use lexicon::{LENGTH_MAX, Lexicon, Listed, Reading, is_short};
pub use retelling::{Others, Retelling, Settled, drawn_length, take_case};
pub use runs::{RUN, run};
pub use words::{Script, Word, words};
