//! Socket.IO 4 at `/ws/`: subscribers are sent the events of a job. Engine.IO, which carries it
//! by polling or over a websocket, is `engineioxide`; the packets of Socket.IO are ours, because
//! their payloads are JSON already.

mod gate;
mod handler;
mod limits;
mod origin;
mod packet;
mod registry;
mod session;

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CONNECTION, HeaderValue, UPGRADE};
use axum::http::request::Parts;
use axum::http::{Method, Request, Response, StatusCode};
use engineioxide::DisconnectReason;
use engineioxide::config::EngineIoConfig;
use engineioxide::service::EngineIoService;
use tower_service::Service as _;

pub use origin::ClientOrigin;

use crate::sides::{Asking, Report};
use handler::Handler;
use registry::Registry;

/// The realtime part of a server.
#[derive(Clone)]
pub(crate) struct Realtime {
    engine: EngineIoService<Handler>,
    handler: Arc<Handler>,
}

impl Realtime {
    pub(crate) fn new(asking: Arc<Asking>, origin: ClientOrigin, report: Report) -> Self {
        let handler = Arc::new(Handler { asking, origin, report, registry: Registry::default() });
        let config = EngineIoConfig::builder()
            .req_path(gate::PATH)
            .max_buffer_size(limits::PACKETS_MAX)
            .max_payload(limits::PAYLOAD_BYTES_MAX)
            .build();
        let engine = EngineIoService::with_config(Arc::clone(&handler), config);
        Realtime { engine, handler }
    }

    /// Answers a request for a target that begins with the path of Socket.IO; `query` is what
    /// follows its question mark.
    pub(crate) async fn answer(
        &self,
        mut parts: Parts,
        query: &[(String, String)],
        body: Body,
    ) -> Response<Body> {
        let asked = parts.headers.clone();
        let upgrades = asked.contains_key(UPGRADE);
        let response = match gate::pass(&parts, query, &self.handler.registry) {
            Err(response) => *response,
            Ok(target) => {
                let is_post = parts.method == Method::POST;
                parts.uri = target;
                let mut engine = self.engine.clone();
                match engine.call(Request::from_parts(parts, body)).await {
                    Ok(response) => gate::completed(response.map(Body::new), is_post),
                    Err(never) => match never {},
                }
            }
        };
        if !upgrades {
            return gate::allowed(response, &asked);
        }
        let mut response = response;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            // What follows such a request is not read as requests.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    /// The answer of `/internal/realtime/metrics`.
    pub(crate) fn metrics(&self) -> Vec<u8> {
        self.handler.registry.metrics().to_string().into_bytes()
    }

    /// Ends every session.
    pub(crate) fn close(&self) {
        for socket in self.handler.registry.all() {
            socket.close(DisconnectReason::ClosingServer);
        }
    }
}
