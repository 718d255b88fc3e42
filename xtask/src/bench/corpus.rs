//! What is measured on: generated legacy data, and the programs that take part.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::tools;

/// The version of `bson` for JavaScript that the comparison is with.
const NODE_BSON: &str = "7.3.4";

/// The place of the benchmarks and the optimised binary.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) folder: PathBuf,
    pub(super) reshelve: PathBuf,
}

/// A generated source.
#[derive(Clone, Debug)]
pub(super) struct Corpus {
    pub(super) path: PathBuf,
    pub(super) documents: u64,
    /// Bytes of the file.
    pub(super) bytes: u64,
}

impl Place {
    /// Makes the folder, and builds the binary unless one is named.
    pub(super) fn make(folder: Option<PathBuf>, program: Option<PathBuf>) -> Result<Place> {
        let reshelve = match program {
            Some(program) => program.canonicalize().context("there is no such program")?,
            None => tools::build_reshelve(true)?,
        };
        let folder = folder.unwrap_or_else(|| tools::target_folder().join("bench"));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let folder = folder.canonicalize().context("the folder is gone")?;
        Ok(Place { folder, reshelve })
    }

    /// The official driver's plain insert, built.
    pub(super) fn plain(&self, program: &str) -> Result<PathBuf> {
        let mut build = tools::cargo(&["build", "--release", "--locked", "--quiet"]);
        build.args(["--package", "reshelve-mongo", "--example", program]);
        if !build.status().context("cannot start cargo build")?.success() {
            bail!("{program} does not build");
        }
        Ok(tools::target_folder().join("release/examples").join(program))
    }

    /// The binary with a command.
    pub(super) fn reshelve(&self, arguments: &[&str]) -> Command {
        let mut program = Command::new(&self.reshelve);
        program.args(arguments);
        program
    }

    /// A source of that many documents with nothing in them but an id and a status, made once.
    pub(super) fn tiny(&self, name: &str, documents: u64, status: &str) -> Result<Corpus> {
        let corpora = self.folder.join("corpora");
        fs::create_dir_all(&corpora).context("cannot make the folder of the corpora")?;
        let path = corpora.join(format!("{name}-{documents}.bson"));
        if !path.exists() {
            let half = corpora.join("making.bson");
            let file = fs::File::create(&half).context("cannot write the corpus")?;
            let mut out = std::io::BufWriter::new(file);
            for number in 0..documents {
                let mut body = b"\x07_id\0\x65\0\0\0".to_vec();
                body.extend_from_slice(&number.to_be_bytes());
                body.extend_from_slice(b"\x02status\0");
                body.extend_from_slice(&(u32::try_from(status.len())? + 1).to_le_bytes());
                body.extend_from_slice(status.as_bytes());
                // The ends of the text and of the document.
                body.extend_from_slice(&[0, 0]);
                out.write_all(&(u32::try_from(body.len())? + 4).to_le_bytes())?;
                out.write_all(&body)?;
            }
            out.flush().context("cannot write the corpus")?;
            fs::rename(&half, &path).context("cannot name the corpus")?;
        }
        let bytes = fs::metadata(&path).context("cannot look at the corpus")?.len();
        Ok(Corpus { path, documents, bytes })
    }

    /// A source of that many documents, made once: the same arguments give the same bytes.
    pub(super) fn corpus(&self, name: &str, documents: u64, arguments: &[&str]) -> Result<Corpus> {
        let corpora = self.folder.join("corpora");
        fs::create_dir_all(&corpora).context("cannot make the folder of the corpora")?;
        let (stem, ending) = name.split_once('.').unwrap_or((name, "bson"));
        let path = corpora.join(format!("{stem}-{documents}.{ending}"));
        if !path.exists() {
            let half = corpora.join(format!("making.{ending}"));
            let mut generate = self.reshelve(&["generate", "--overwrite"]);
            generate.arg(&half).args(["--documents", &documents.to_string()]).args(arguments);
            let status = generate.stdout(Stdio::null()).status().context("cannot generate")?;
            if !status.success() {
                bail!("{generate:?} ended with {status}");
            }
            fs::rename(&half, &path).context("cannot name the corpus")?;
        }
        let bytes = fs::metadata(&path).context("the corpus is gone")?.len();
        Ok(Corpus { path, documents, bytes })
    }

    /// The file with the key for copies, made once.
    pub(super) fn key(&self) -> Result<PathBuf> {
        let key = self.folder.join("copy.key");
        if !key.exists() {
            tools::expect(self.reshelve(&["anonymize", "--new-key"]).arg(&key), &[0])?;
        }
        Ok(key)
    }

    /// The script that the mapping is compared with, its one dependency installed; else why not.
    pub(super) fn node_script(&self) -> Result<Result<PathBuf, &'static str>> {
        if !tools::succeeds("node", &["--version"]) {
            return Ok(Err("Node is not installed"));
        }
        let folder = self.folder.join("node");
        fs::create_dir_all(&folder).context("cannot make the folder of the script")?;
        for file in ["package.json", "map.mjs"] {
            let from = tools::root().join("bench/node").join(file);
            fs::copy(&from, folder.join(file))
                .with_context(|| format!("cannot copy {}", from.display()))?;
        }
        let installed = folder.join("node_modules/bson/package.json");
        let is_there = || {
            let text = fs::read_to_string(&installed).unwrap_or_default();
            text.contains(&format!("\"version\": \"{NODE_BSON}\""))
        };
        if !is_there() {
            let flags = ["install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"];
            let mut npm = Command::new("npm");
            npm.args(flags).current_dir(&folder).stdout(Stdio::null());
            // Checked by what it leaves behind.
            drop(npm.status());
        }
        let script = folder.join("map.mjs");
        Ok(if is_there() { Ok(script) } else { Err("npm could not install js bson") })
    }
}

/// Removes a file or folder, where it is there.
pub(super) fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
