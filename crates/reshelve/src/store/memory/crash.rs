//! What a crash leaves.

use std::collections::BTreeSet;

use super::image::{Change, FileNode, Image, Node};

/// What a crash leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Keep {
    /// A power loss: only what was synced is there.
    Durable,
    /// A killed process: everything it did is there, but no more of it is durable than before.
    Everything,
    /// A power loss after some of what was not synced had become durable by itself. The number
    /// determines how much of each file and folder.
    Mixed(u64),
}

impl Keep {
    /// One of each kind, with that many mixtures, for tests that try them all.
    pub fn each(mixtures: u64) -> impl Iterator<Item = Keep> {
        [Keep::Durable, Keep::Everything].into_iter().chain((0..mixtures).map(Keep::Mixed))
    }
}

impl Image {
    pub(super) fn after_crash(&self, keep: Keep) -> Image {
        let mut image = self.clone();
        match keep {
            Keep::Everything => return image,
            Keep::Durable => {}
            Keep::Mixed(seed) => {
                image.keep_some_names(&mut Chance::new(seed, u64::MAX));
                for (id, node) in &mut image.nodes {
                    if let Node::File(file) = node {
                        file.keep_some(&mut Chance::new(seed, *id));
                    }
                }
            }
        }
        image.renamings.clear();
        for node in image.nodes.values_mut() {
            match node {
                Node::File(file) => {
                    file.unsynced.clear();
                    file.content.clone_from(&file.durable);
                }
                Node::Folder(folder) => folder.names.clone_from(&folder.durable),
            }
        }
        image
    }

    /// The same image with everything durable.
    pub(super) fn settled(&self) -> Image {
        let mut image = self.clone();
        image.renamings.clear();
        for node in image.nodes.values_mut() {
            match node {
                Node::File(file) => {
                    file.unsynced.clear();
                    file.durable.clone_from(&file.content);
                }
                Node::Folder(folder) => folder.durable.clone_from(&folder.names),
            }
        }
        image
    }

    /// Makes the first few changes of each folder durable. A change of two folders becomes durable
    /// in both or in neither.
    fn keep_some_names(&mut self, chance: &mut Chance) {
        let mut lost = BTreeSet::new();
        for renaming in std::mem::take(&mut self.renamings) {
            if renaming.is_in(&lost) || chance.below(3) == 0 {
                lost.extend(renaming.folders());
            } else {
                self.make_durable(&renaming);
            }
        }
    }
}

impl FileNode {
    /// Makes the first few changes durable, and perhaps the beginning of the next write; or the
    /// length of the whole file, with zeros in place of the bytes that did not arrive.
    fn keep_some(&mut self, chance: &mut Chance) {
        let count = chance.below(self.unsynced.len() + 1);
        for change in &self.unsynced[..count] {
            change.apply(&mut self.durable);
        }
        let Some(Change::Write { offset, bytes }) = self.unsynced.get(count) else { return };
        match chance.below(3) {
            0 => {}
            1 => {
                let bytes = bytes[..chance.below(bytes.len() + 1)].to_vec();
                Change::Write { offset: *offset, bytes }.apply(&mut self.durable);
            }
            _ => self.durable.resize(self.content.len().max(self.durable.len()), 0),
        }
    }
}

/// A reproducible sequence of random numbers: splitmix64.
struct Chance(u64);

impl Chance {
    fn new(seed: u64, stream: u64) -> Self {
        let mut chance = Chance(seed);
        Chance(chance.next() ^ stream.wrapping_mul(0xD1B5_4A32_D192_ED03))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which must not be 0.
    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        usize::try_from(self.next() % end).unwrap_or(0)
    }
}
