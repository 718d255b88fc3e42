//! Who takes part, and the rounds: every contender once a round, so that whatever else the machine
//! does meets all of them.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use super::corpus::{Corpus, Place, remove};
use super::meter::{self, Measured};
use crate::printer;

/// A process to be measured.
#[derive(Debug)]
pub(super) struct Contender {
    /// Unique, for ratios and the JSON.
    pub(super) key: String,
    /// For people.
    pub(super) title: String,
    command: Command,
    /// What it makes; removed before each round.
    makes: Vec<PathBuf>,
    /// What is run before each round, and not measured.
    before: Vec<Command>,
    pub(super) documents: u64,
    pub(super) source_bytes: u64,
    /// The exit code of a measurement that counts.
    ends_with: i32,
}

/// A contender's median.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) key: String,
    pub(super) title: String,
    pub(super) documents: u64,
    pub(super) source_bytes: u64,
    pub(super) median: Measured,
    /// The fastest and the slowest round, in seconds.
    pub(super) wall_range_s: (f64, f64),
}

impl Contender {
    pub(super) fn new(key: &str, title: &str, source: &Corpus, command: Command) -> Contender {
        Contender {
            key: key.to_owned(),
            title: title.to_owned(),
            command,
            makes: Vec::new(),
            before: Vec::new(),
            documents: source.documents,
            source_bytes: source.bytes,
            ends_with: 0,
        }
    }

    /// Expects another exit code than 0.
    pub(super) fn ends_with(mut self, code: i32) -> Contender {
        self.ends_with = code;
        self
    }

    pub(super) fn makes(mut self, paths: impl IntoIterator<Item = PathBuf>) -> Contender {
        self.makes.extend(paths);
        self
    }

    pub(super) fn after(mut self, commands: impl IntoIterator<Item = Command>) -> Contender {
        self.before.extend(commands);
        self
    }

    /// Counts the source by other bytes than those of its file: a compressed one by its content.
    pub(super) fn counted_as(mut self, bytes: u64) -> Contender {
        self.source_bytes = bytes;
        self
    }
}

/// Runs every contender once unmeasured, then `runs` rounds.
pub(super) fn hold(
    place: &Place,
    name: &str,
    contenders: &[Contender],
    runs: usize,
) -> Result<Vec<Outcome>> {
    printer::heading(&format!("bench: {name}"));
    let start = Instant::now();
    let mut measured = vec![Vec::new(); contenders.len()];
    for round in 0..=runs {
        for (contender, measured) in contenders.iter().zip(&mut measured) {
            for path in &contender.makes {
                remove(path)?;
            }
            for command in &contender.before {
                meter::measure(command, 0, &place.folder.join("contender.log"))?;
            }
            // What an earlier process left to be written is not this one's burden.
            nix::unistd::sync();
            warm_memory(place)?;
            let log = place.folder.join("contender.log");
            let taken = meter::measure(&contender.command, contender.ends_with, &log)?;
            // The first round warms the caches.
            if round > 0 {
                measured.push(taken);
            }
        }
    }
    for path in contenders.iter().flat_map(|contender| &contender.makes) {
        remove(path)?;
    }
    printer::line(&format!("{runs} rounds in {:.0} s", start.elapsed().as_secs_f64()));
    Ok(contenders.iter().zip(&measured).map(|(contender, all)| outcome(contender, all)).collect())
}

/// What is written and dropped again before each contender.
const WARM_BYTES: usize = 1_500_000_000;

/// Makes the system have free memory at hand. A virtual machine gives memory that was free for a
/// second or two back to its host, and getting it again costs several times as much as filling it:
/// the first would pay for the others.
fn warm_memory(place: &Place) -> Result<()> {
    let path = place.folder.join("warm.tmp");
    let context = || format!("cannot write {}", path.display());
    let mut file = std::fs::File::create(&path).with_context(context)?;
    // In the size of the writes that are measured: memory is handed out in pieces of that size.
    let zeros = vec![0; 1 << 20];
    for _ in 0..WARM_BYTES / zeros.len() {
        file.write_all(&zeros).with_context(context)?;
    }
    drop(file);
    remove(&path)
}

fn outcome(contender: &Contender, all: &[Measured]) -> Outcome {
    let walls = sorted(all.iter().map(|one| one.wall_s));
    let median = Measured {
        wall_s: median(&walls),
        cpu_s: median(&sorted(all.iter().map(|one| one.cpu_s))),
        // A peak that one round reached is a peak.
        peak_bytes: all.iter().map(|one| one.peak_bytes).fold(0.0, f64::max),
    };
    Outcome {
        key: contender.key.clone(),
        title: contender.title.clone(),
        documents: contender.documents,
        source_bytes: contender.source_bytes,
        median,
        wall_range_s: (walls[0], walls[walls.len() - 1]),
    }
}

fn sorted(numbers: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers
}

fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(&sorted([3.0, 1.0, 2.0].into_iter())), 2.0);
        assert_eq!(median(&sorted([4.0, 1.0, 2.0, 3.0].into_iter())), 2.5);
    }
}
