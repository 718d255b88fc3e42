//! Listening, connections, and the end of a server.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::access::Access;
use super::application::Application;
use super::files;
use super::hosts::Hosts;
use super::limits::{ACCEPT_PAUSE, BACKLOG, Limits};
use super::measures::Measures;
use super::own::{self, Ours};
use super::parameters::Validation;
use super::service::Service;
use super::stream::Guarded;
use crate::realtime::{ClientOrigin, Realtime};
use crate::runs::{NoRuns, Runs};
use crate::shadow::{Shadow, Shadowing};
use crate::sides::{Asking, Audit, Report, Sides};

/// What a server is started with.
#[derive(Clone)]
pub struct Settings {
    /// Where it listens. Port 0 takes one that is free.
    pub listen: SocketAddr,
    /// Names by which it may be called, beside those of this machine's loopback and the address.
    pub hosts: Vec<String>,
    /// The origin of the web pages that use it.
    pub client_origin: ClientOrigin,
    /// How parameters are judged.
    pub validation: Validation,
    /// What it serves.
    pub sides: Sides,
    /// Who is told about requests that fail.
    pub report: Report,
    /// Who is told about what is changed through the server.
    pub audit: Audit,
    /// Whether answers are compared with those of the other side.
    pub shadow: Option<Shadowing>,
    /// The runs that are shown.
    pub runs: Arc<dyn Runs>,
    /// Who may ask for what.
    pub access: Access,
    /// How much it takes on.
    pub limits: Limits,
}

impl Settings {
    /// A server of this place at this address; everything else by default.
    pub fn new(listen: SocketAddr, sides: Sides) -> Self {
        Settings {
            listen,
            hosts: Vec::new(),
            client_origin: ClientOrigin::default(),
            validation: Validation::default(),
            sides,
            report: Report::default(),
            audit: Audit::default(),
            shadow: None,
            runs: Arc::new(NoRuns),
            access: Access::default(),
            limits: Limits::default(),
        }
    }
}

/// A server cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address cannot be listened at.
    #[error("cannot listen at {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// There are no threads for it.
    #[error("cannot start the threads of the server")]
    Threads(#[source] io::Error),
}

/// Ends a server, from any thread.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Stop {
    /// Nothing new is accepted; requests that have begun are answered.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Default for Stop {
    fn default() -> Self {
        Stop(Arc::new(watch::channel(false).0))
    }
}

/// A server that listens.
pub struct Server {
    runtime: Runtime,
    listener: TcpListener,
    address: SocketAddr,
    service: Arc<Service>,
    limits: Limits,
    report: Report,
}

impl Server {
    /// Listens. Clients that connect wait until the server runs.
    ///
    /// # Errors
    /// Where the address is in use or not of this machine.
    pub fn bind(settings: Settings) -> Result<Self, ServeError> {
        let Settings { listen, hosts, client_origin: origin, .. } = settings;
        let Settings { validation, sides, report, audit, shadow, runs, access, .. } = settings;
        let mut limits = settings.limits;
        limits.connections = files::connections(limits.connections);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .max_blocking_threads(limits.lookups)
            .thread_name("serve")
            .enable_all()
            .build()
            .map_err(ServeError::Threads)?;
        let at = |source| ServeError::Listen { address: listen, source };
        let listener = runtime.block_on(async { listening(listen) }).map_err(at)?;
        let address = listener.local_addr().map_err(at)?;
        let shadow = shadow.and_then(|how| Shadow::start(how, sides.clone(), report.clone()));
        let shadow = shadow.map(Arc::new);
        let asking = Arc::new(Asking::new(sides, limits.lookups));
        let realtime = Realtime::new(Arc::clone(&asking), origin.clone(), report.clone());
        let measures = Measures::new(asking.sides(), shadow.as_ref(), &runs);
        let ours =
            Ours { asking: Arc::clone(&asking), measures: measures.clone(), access, audit, runs };
        let own = own::router(ours, shadow.clone());
        let began = Instant::now();
        let application = Application {
            asking,
            realtime,
            origin,
            validation,
            began,
            report: report.clone(),
            shadow,
        };
        let (hosts, idle_time) = (Hosts::new(address, &hosts), limits.idle_time);
        let service = Arc::new(Service { application, own, access, hosts, measures, idle_time });
        Ok(Server { runtime, listener, address, service, limits, report })
    }

    /// Where it listens: with the port that it took.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until it is stopped. What is not answered within the time limit is cut off.
    pub fn run(self, until: &Stop) {
        let Server { runtime, listener, service, limits, report, .. } = self;
        let stopping = until.0.subscribe();
        runtime.block_on(serve(listener, service, limits, report, stopping));
        runtime.shutdown_background();
    }
}

fn listening(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Resolves when the server is stopped.
async fn stopped(mut stopping: watch::Receiver<bool>) {
    // The sender lives as long as the handle that stops it: without one, nobody can.
    if stopping.wait_for(|is_stopped| *is_stopped).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn serve(
    listener: TcpListener,
    service: Arc<Service>,
    limits: Limits,
    report: Report,
    stopping: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut end = pin!(stopped(stopping.clone()));
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await.ok()?;
            Some((listener.accept().await, place))
        };
        let accepted = tokio::select! {
            next = next => next,
            () = &mut end => break,
        };
        match accepted {
            Some((Ok((socket, _)), place)) => {
                let service = Arc::clone(&service);
                tokio::spawn(connection(socket, place, service, limits, stopping.clone()));
            }
            Some((Err(error), _)) => {
                report.failed("accept a connection", &error.to_string());
                sleep(ACCEPT_PAUSE).await;
            }
            None => break,
        }
    }
    drop(listener);
    service.application.realtime.close();
    let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
    let _ = timeout(limits.stop_time, places.acquire_many(all)).await;
}

/// Serves a connection to its end.
async fn connection(
    socket: TcpStream,
    place: OwnedSemaphorePermit,
    service: Arc<Service>,
    limits: Limits,
    stopping: watch::Receiver<bool>,
) {
    let Ok(at) = socket.local_addr().map(|address| address.ip()) else { return };
    // Answers are written whole: waiting to send more at a time gains nothing.
    let _ = socket.set_nodelay(true);
    let guarded = Guarded::new(socket, limits, place);
    let is_late = guarded.is_body_late();
    let respond = service_fn(move |request: Request<Incoming>| {
        Arc::clone(&service).respond(request, at, Arc::clone(&is_late))
    });
    let served = http1::Builder::new()
        .half_close(true)
        .serve_connection(TokioIo::new(guarded), respond)
        .with_upgrades();
    let mut served = pin!(served);
    // How a connection ends concerns its client alone.
    tokio::select! {
        _ = served.as_mut() => {}
        () = stopped(stopping) => {
            served.as_mut().graceful_shutdown();
            let _ = served.await;
        }
    }
}
