//! Seeds for the fuzz targets, cut from `tests/samples` and `tests/cases`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::tools;

/// Larger seeds make every step of the fuzzer slow and teach it nothing new.
const SEED_BYTES_MAX: usize = 64 * 1024;

/// Writes the seeds of a target into a folder under the build output, and names the folder.
pub(crate) fn write(target: &str) -> Result<PathBuf> {
    let folder = tools::target_folder().join("fuzz-seeds").join(target);
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut written = 0;
    for seed in seeds(target)? {
        if seed.len() <= SEED_BYTES_MAX {
            let path = folder.join(format!("{written:04}"));
            fs::write(&path, seed).with_context(|| format!("cannot write {}", path.display()))?;
            written += 1;
        }
    }
    Ok(folder)
}

fn seeds(target: &str) -> Result<Vec<Vec<u8>>> {
    let samples = tools::root().join("tests/samples");
    match target {
        "check" | "map_restore" => {
            let dump = read(&samples.join("dump/letswriteabook/jobs.bson"))?;
            let mut seeds = documents(&dump);
            seeds.extend(documents(&read(&samples.join("dump/letswriteabook/sessions.bson"))?));
            Ok(seeds)
        }
        "extjson" => {
            let mut seeds = case_documents()?;
            for name in ["jobs.canonical.jsonl", "jobs.relaxed.jsonl", "jobs.v1.jsonl"] {
                let text = read(&samples.join(name))?;
                seeds.extend(text.split(|&byte| byte == b'\n').map(<[u8]>::to_vec));
            }
            Ok(seeds)
        }
        "bson_file" => Ok(vec![read(&samples.join("dump/letswriteabook/sessions.bson"))?]),
        // These targets put the magic number, or the first bracket, in front themselves.
        "archive" => Ok(small_archive(&samples)?.into_iter().collect()),
        "json_file" => {
            let text = read(&samples.join("jobs.relaxed.jsonl"))?;
            Ok(text
                .split(|&byte| byte == b'\n')
                .filter_map(|line| line.get(1..))
                .map(<[u8]>::to_vec)
                .collect())
        }
        "compressed" => {
            let gzip = read(&samples.join("dump-gzip/letswriteabook/sessions.bson.gz"))?;
            Ok(vec![gzip[3..].to_vec()])
        }
        // The target brings its own documents; its input is what to spoil in them.
        _ => Ok(vec![vec![0], vec![1, 5, 0, 1]]),
    }
}

/// The head of an archive, after its magic number.
fn small_archive(samples: &Path) -> Result<Option<Vec<u8>>> {
    let archive = read(&samples.join("all.archive"))?;
    Ok(archive.get(4..SEED_BYTES_MAX).map(<[u8]>::to_vec))
}

fn case_documents() -> Result<Vec<Vec<u8>>> {
    let folder = tools::root().join("tests/cases");
    let mut paths = Vec::new();
    for entry in fs::read_dir(&folder).context("cannot read tests/cases")? {
        let path = entry.context("cannot read tests/cases")?.path().join("legacy.json");
        if path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

/// The documents of a `.bson` file of ours, which is not damaged.
fn documents(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut documents = Vec::new();
    while let Some(prefix) = bytes.first_chunk::<4>() {
        let length = usize::try_from(u32::from_le_bytes(*prefix)).unwrap_or(usize::MAX);
        let Some((document, rest)) = bytes.split_at_checked(length.max(4)) else { break };
        documents.push(document.to_vec());
        bytes = rest;
    }
    documents
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
