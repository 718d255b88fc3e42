//! Requests to a server: so many connections, each with one request at a time.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// Connections at once.
const CONNECTIONS: usize = 10;

/// How fast a server answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub(super) requests_per_s: f64,
    pub(super) p99_ms: f64,
    pub(super) bytes_per_s: f64,
}

/// Asks for the targets in turn, for so long. Each answer has to be 200.
pub(super) fn put_on(address: &str, targets: &[String], time: Duration) -> Result<Rate> {
    let host = address.strip_prefix("http://").unwrap_or(address);
    let start = Instant::now();
    let asked: Result<Vec<(Vec<Duration>, u64)>> = std::thread::scope(|scope| {
        let connection = |number: usize| {
            // Each begins elsewhere, so that they do not ask for the same at the same time.
            let first = number * targets.len() / CONNECTIONS;
            scope.spawn(move || ask(host, targets, first, start + time))
        };
        let all: Vec<_> = (0..CONNECTIONS).map(connection).collect();
        all.into_iter().map(|one| one.join().unwrap_or_else(|_| panicked())).collect()
    });
    let asked = asked.with_context(|| format!("{address}{}", targets[0]))?;
    let elapsed_s = start.elapsed().as_secs_f64();
    let bytes: u64 = asked.iter().map(|(_, bytes)| bytes).sum();
    let mut times: Vec<f64> =
        asked.iter().flat_map(|(times, _)| times).map(Duration::as_secs_f64).collect();
    times.sort_by(f64::total_cmp);
    ensure!(!times.is_empty(), "nothing was answered");
    // The smallest that 99 of 100 are not above.
    let p99 = times[(times.len() * 99).div_ceil(100).max(1) - 1];
    Ok(Rate {
        requests_per_s: number(times.len() as u64) / elapsed_s,
        p99_ms: p99 * 1e3,
        bytes_per_s: number(bytes) / elapsed_s,
    })
}

fn panicked() -> Result<(Vec<Duration>, u64)> {
    anyhow::bail!("a connection panicked")
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "far below 2^53")]
fn number(count: u64) -> f64 {
    count as f64
}

/// One connection: the time that each request took, and the bytes of the bodies.
fn ask(
    host: &str,
    targets: &[String],
    first: usize,
    until: Instant,
) -> Result<(Vec<Duration>, u64)> {
    let stream = TcpStream::connect(host).context("cannot connect")?;
    stream.set_nodelay(true).context("cannot set up the connection")?;
    let mut write = stream.try_clone().context("cannot share the connection")?;
    let mut read = BufReader::with_capacity(256 * 1024, stream);
    let (mut times, mut bytes) = (Vec::new(), 0);
    for target in targets.iter().cycle().skip(first) {
        let begun = Instant::now();
        if begun >= until {
            break;
        }
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        write.write_all(request.as_bytes()).context("cannot send")?;
        let length = head(&mut read)?;
        std::io::copy(&mut (&mut read).take(length), &mut std::io::sink())?;
        times.push(begun.elapsed());
        bytes += length;
    }
    Ok((times, bytes))
}

/// Reads a head, and gives the length of the body after it.
fn head(read: &mut impl BufRead) -> Result<u64> {
    let (mut length, mut line) = (None, String::new());
    read.read_line(&mut line).context("cannot receive")?;
    ensure!(line.starts_with("HTTP/1.1 200"), "it answered {:?}", line.trim());
    loop {
        line.clear();
        read.read_line(&mut line).context("cannot receive")?;
        let Some((name, value)) = line.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.trim().parse().context("a length that is no number")?);
        }
    }
    length.context("an answer without a length")
}
