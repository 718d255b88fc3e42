//! A connection with the guard in front of it: what hyper reads and writes.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};

use super::guard::{Guard, Phase};
use super::head::Refusal;
use super::limits::{
    DRAINED_BYTES_MAX, IDLE_GRACE, LINGER_TIME_MAX, Limits, READ_BYTES, WRITE_TIME_MAX,
};

/// How far the end of a connection has come.
#[derive(Clone, Copy, Debug)]
enum Ending {
    /// So many bytes of the refusal are written.
    Refusing(usize),
    /// No more is written; so many bytes that still came were thrown away.
    Lingering(usize),
}

/// A connection of a client.
pub(super) struct Guarded {
    socket: TcpStream,
    guard: Guard,
    limits: Limits,
    /// What was read and not given to the guard, and what the guard passes on: from the position on.
    read: (Vec<u8>, usize),
    passed: (Vec<u8>, usize),
    /// Runs out when the client takes too long, and what for.
    reading: Pin<Box<Sleep>>,
    timed: Option<Phase>,
    /// Whether a request has come.
    has_asked: bool,
    /// Whether a body came too slowly: its answer is the application's.
    is_body_late: Arc<AtomicBool>,
    writing: Option<Pin<Box<Sleep>>>,
    ending: Ending,
    /// Whether the refusal is written when the connection ends.
    refuses: bool,
    /// Held until the connection ends, also where it becomes a websocket.
    _place: OwnedSemaphorePermit,
}

impl Guarded {
    pub(super) fn new(socket: TcpStream, limits: Limits, place: OwnedSemaphorePermit) -> Self {
        Guarded {
            socket,
            guard: Guard::new(),
            limits,
            read: (Vec::new(), 0),
            passed: (Vec::new(), 0),
            reading: Box::pin(tokio::time::sleep(limits.head_time)),
            timed: None,
            has_asked: false,
            is_body_late: Arc::default(),
            writing: None,
            ending: Ending::Refusing(0),
            refuses: false,
            _place: place,
        }
    }

    /// Becomes true where a body came too slowly.
    pub(super) fn is_body_late(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_body_late)
    }

    /// Hands on what the guard lets pass. Whether it was anything.
    fn hand_on(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let (passed, at) = &mut self.passed;
        let rest = &passed[*at..];
        let fits = rest.len().min(buffer.remaining());
        buffer.put_slice(&rest[..fits]);
        *at += fits;
        if *at == passed.len() {
            self.passed = (Vec::new(), 0);
        }
        if fits > 0 && self.guard.phase() != Phase::Body {
            (self.timed, self.has_asked) = (None, true);
        }
        fits > 0
    }

    /// Gives the guard what was read. Whether there was anything.
    fn look(&mut self) -> bool {
        let (read, at) = &mut self.read;
        if *at == read.len() {
            return false;
        }
        let in_body = self.guard.phase() == Phase::Body;
        *at += self.guard.take(&read[*at..], &mut self.passed.0);
        self.refuses |= self.guard.refusal().is_some() && !in_body;
        true
    }

    /// Reads from the socket. Returns how many bytes: none at the end.
    fn poll_socket(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut bytes = [0; READ_BYTES];
        let mut buffer = ReadBuf::new(&mut bytes);
        ready!(Pin::new(&mut self.socket).poll_read(context, &mut buffer))?;
        self.read = (buffer.filled().to_vec(), 0);
        Poll::Ready(Ok(self.read.0.len()))
    }

    /// Whether the client takes too long over what it is at.
    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        let phase = self.guard.phase();
        if self.timed != Some(phase) {
            let time = match phase {
                Phase::Free => return false,
                Phase::Body => self.limits.request_time,
                Phase::Idle if self.has_asked => self.limits.idle_time + IDLE_GRACE,
                Phase::Idle | Phase::Head => self.limits.head_time,
            };
            self.reading.as_mut().reset(Instant::now() + time);
            self.timed = Some(phase);
        }
        self.reading.as_mut().poll(context).is_ready()
    }

    /// Nothing more is read, because of the clock or because the client sends no more.
    fn stop_reading(&mut self, is_late: bool) {
        let phase = self.guard.phase();
        let refusal = match (phase, is_late) {
            (Phase::Head, true) => Refusal::Late,
            (Phase::Head, false) => Refusal::Malformed,
            _ => Refusal::Silent,
        };
        if phase == Phase::Body && is_late {
            self.is_body_late.store(true, Ordering::Relaxed);
        }
        self.guard.refuse(refusal);
        self.refuses = true;
    }

    /// What came of writing; an error where the client has not read for too long.
    fn timed_write(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.writing = None;
            return written;
        }
        let sleep = || Box::pin(tokio::time::sleep(WRITE_TIME_MAX));
        ready!(self.writing.get_or_insert_with(sleep).as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Throws away what still comes, for a while: a connection that is closed before it is read
    /// to its end takes the answer with it.
    fn poll_rest(&mut self, context: &mut Context<'_>, from: usize) -> Poll<()> {
        let mut thrown = from;
        while thrown < DRAINED_BYTES_MAX {
            let Poll::Ready(read) = self.poll_socket(context) else {
                self.ending = Ending::Lingering(thrown);
                return self.reading.as_mut().poll(context);
            };
            match read {
                Ok(bytes) if bytes > 0 => thrown += bytes,
                _ => break,
            }
        }
        Poll::Ready(())
    }

    /// Whether there may be more to come that nobody reads.
    fn lingers(&self) -> bool {
        match self.guard.refusal() {
            Some(refusal) => !matches!(refusal, Refusal::Silent | Refusal::Late),
            None => self.guard.phase() != Phase::Idle || self.read.1 < self.read.0.len(),
        }
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let own = self.get_mut();
        loop {
            if own.hand_on(buffer) || own.guard.is_over() {
                return Poll::Ready(Ok(()));
            }
            if own.look() {
                continue;
            }
            match own.poll_socket(context) {
                Poll::Ready(Ok(0)) => own.stop_reading(false),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if own.is_late(context) => own.stop_reading(true),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let own = self.get_mut();
        let written = Pin::new(&mut own.socket).poll_write(context, bytes);
        own.timed_write(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let own = self.get_mut();
        let written = Pin::new(&mut own.socket).poll_write_vectored(context, pieces);
        own.timed_write(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let own = self.get_mut();
        loop {
            match own.ending {
                Ending::Refusing(written) => {
                    let refusal = own.guard.refusal().filter(|_| own.refuses);
                    let rest = &refusal.map_or(&b""[..], Refusal::answer)[written..];
                    if !rest.is_empty() {
                        let more = ready!(Pin::new(&mut own.socket).poll_write(context, rest))?;
                        own.ending = Ending::Refusing(written + more);
                        continue;
                    }
                    ready!(Pin::new(&mut own.socket).poll_shutdown(context))?;
                    if !own.lingers() {
                        return Poll::Ready(Ok(()));
                    }
                    own.reading.as_mut().reset(Instant::now() + LINGER_TIME_MAX);
                    own.ending = Ending::Lingering(0);
                }
                Ending::Lingering(thrown) => {
                    ready!(own.poll_rest(context, thrown));
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}
