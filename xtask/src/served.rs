//! A server of the binary, for as long as a chore needs it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

/// A server. It ends with the value.
#[derive(Debug)]
pub(crate) struct Served {
    process: Child,
    /// `http://127.0.0.1:…`.
    pub(crate) address: String,
}

impl Served {
    /// Starts a program that prints `listening on ADDRESS` on standard error, and waits for it.
    pub(crate) fn start(mut program: Command) -> Result<Served> {
        let program = program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = program.spawn().with_context(|| format!("cannot start {program:?}"))?;
        let errors = process.stderr.take().context("it has no standard error")?;
        let (mut errors, mut told) = (BufReader::new(errors), String::new());
        let mut served = Served { process, address: String::new() };
        loop {
            let mut line = String::new();
            if errors.read_line(&mut line).context("cannot read what the server says")? == 0 {
                bail!("{program:?} ended: {}", told.trim());
            }
            if let Some(address) = line.trim().strip_prefix("listening on ") {
                address.clone_into(&mut served.address);
                // A pipe that nobody reads fills up.
                std::thread::spawn(move || errors.read_to_end(&mut Vec::new()));
                return Ok(served);
            }
            told.push_str(&line);
        }
    }

    /// The body that it answers `GET` of a target with.
    pub(crate) fn get(&self, target: &str) -> Result<String> {
        let host = self.address.strip_prefix("http://").unwrap_or(&self.address);
        let mut stream = TcpStream::connect(host).context("cannot connect to the server")?;
        write!(stream, "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
            .context("cannot ask the server")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).context("cannot read the answer")?;
        let (head, body) = answer.split_once("\r\n\r\n").context("there is no answer")?;
        anyhow::ensure!(head.starts_with("HTTP/1.1 200"), "{target} is answered: {head}");
        Ok(body.to_owned())
    }

    /// The most memory that it has had so far, in bytes.
    pub(crate) fn peak_bytes(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(Path::new(&path)).context("cannot read its memory")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kib: u64 = kib.context("the system tells no peak")?.parse().context("no number")?;
        Ok(kib * 1024)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        if self.process.kill().is_ok() {
            drop(self.process.wait());
        }
    }
}
