//! Keys in a file that can tell whether they are all there, and as they were written.
//!
//! Keys of 16 bytes, one after the other, then the seal: a name, how many keys there are, and a hash
//! over all of that. A file without its seal was cut off.

use std::path::Path;

use super::appender::Appender;
use super::error::DiskError;
use super::files::{Files, Open};
use super::records::Records;
use super::sorted::Key;
use super::state_file::StateError;

/// How the seal begins.
const NAME: &[u8; 8] = b"\0sealed\n";
/// The length of a key.
const KEY_LENGTH: u64 = 16;
/// The length of the seal: its name, a number, a hash.
const SEAL_LENGTH: u64 = 32;

/// Writes keys to a file, and seals it.
#[derive(Debug)]
pub(crate) struct SealedKeys {
    out: Appender,
    hash: blake3::Hasher,
    keys: u64,
}

impl SealedKeys {
    /// Begins the file anew, whatever is there.
    pub(crate) fn begin(files: &dyn Files, path: &Path) -> Result<Self, DiskError> {
        let out = Appender::open(files, path, 0)?;
        Ok(SealedKeys { out, hash: blake3::Hasher::new(), keys: 0 })
    }

    /// Adds a key.
    pub(crate) fn add(&mut self, key: &Key) -> Result<(), DiskError> {
        self.hash.update(key);
        self.keys += 1;
        self.out.append(key)
    }

    /// Seals the file; its content is durable then, and its name after a sync of the folder.
    pub(crate) fn seal(mut self) -> Result<(), DiskError> {
        self.out.append(&seal_of(self.hash, self.keys))?;
        self.out.sync()
    }
}

fn seal_of(mut hash: blake3::Hasher, keys: u64) -> [u8; 32] {
    let mut seal = [0; 32];
    seal[..8].copy_from_slice(NAME);
    seal[8..16].copy_from_slice(&keys.to_le_bytes());
    hash.update(&seal[..16]);
    seal[16..].copy_from_slice(&hash.finalize().as_bytes()[..16]);
    seal
}

/// Reads the keys of a file, in the order in which they were added, after one pass that checks the
/// seal.
///
/// # Errors
/// If the file is not there, was cut off or changed, or cannot be read.
pub(crate) fn read_sealed(files: &dyn Files, path: &Path) -> Result<Records<16>, StateError> {
    let file = files.open(path, Open::Read)?;
    let damaged = || StateError::unusable(path, "it is not as it was written: it was damaged");
    let length = file.length()?.checked_sub(SEAL_LENGTH).ok_or_else(damaged)?;
    let keys = length / KEY_LENGTH;
    let mut hash = blake3::Hasher::new();
    for key in Records::<16>::open(files, path, keys)? {
        hash.update(&key?);
    }
    let mut seal = [0; 32];
    file.read_exact_at(&mut seal, length)?;
    if length % KEY_LENGTH != 0 || seal != seal_of(hash, keys) {
        return Err(damaged());
    }
    Ok(Records::of(file, keys)?)
}

#[cfg(test)]
mod tests {
    use super::super::Memory;
    use super::*;

    const PATH: &str = "/keys";

    fn read(bytes: &[u8]) -> Option<Vec<Key>> {
        let memory = Memory::new();
        memory.open(Path::new(PATH), Open::New).unwrap().put(bytes).unwrap();
        let keys = read_sealed(&memory, Path::new(PATH)).ok()?;
        Some(keys.map(Result::unwrap).collect())
    }

    fn written(keys: &[Key]) -> Vec<u8> {
        let memory = Memory::new();
        let mut out = SealedKeys::begin(&memory, Path::new(PATH)).unwrap();
        keys.iter().for_each(|key| out.add(key).unwrap());
        out.seal().unwrap();
        memory.read(Path::new(PATH), 1 << 20).unwrap()
    }

    #[test]
    fn keys_come_back_unless_a_bit_or_a_part_of_the_file_is_wrong() {
        let keys = [[1; 16], [7; 16], [7; 16]];
        for keys in [&keys[..], &[]] {
            let bytes = written(keys);
            assert_eq!(read(&bytes).as_deref(), Some(keys));
            for at in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[at] ^= 0x10;
                assert_eq!(read(&changed), None, "byte {at}");
                assert_eq!(read(&bytes[..at]), None, "{at} bytes");
                let without: Vec<u8> = [&bytes[..at], &bytes[at + 1..]].concat();
                assert_eq!(read(&without), None, "without byte {at}");
            }
            assert_eq!(read(&[&bytes[..], b"x"].concat()), None);
        }
        let [one, two] = [written(&keys[..1]), written(&keys[1..])];
        assert_eq!(read(&[one, two].concat()), None, "two files");
    }
}
