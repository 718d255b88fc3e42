//! The server: connections, and each request to its answer, as Node and Express give it.
//!
//! A connection is read by the guard (`stream.rs`, `guard.rs`), which judges every request as Node's
//! parser does and passes it on in one form that hyper reads. `service.rs` gives it to the
//! application's routes, to ours, or to Socket.IO.

mod access;
mod admin;
mod answer;
mod application;
mod body;
mod content_type;
mod files;
mod frames;
mod framing;
mod guard;
mod head;
mod hosts;
mod json_text;
mod limits;
mod login;
mod measured_runs;
mod measured_sides;
mod measures;
mod openapi;
mod own;
mod parameters;
mod query;
mod route;
mod server;
mod service;
mod stream;

pub use access::Access;
pub use hosts::host_name;
pub use limits::Limits;
pub use parameters::Validation;
pub use server::{ServeError, Server, Settings, Stop};
