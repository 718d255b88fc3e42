//! Serves migrated novels: the read API of the new stack, answered from target documents or from
//! legacy documents that are mapped on the way.

pub mod application;
pub mod comparison;
pub mod http;
pub mod present;
pub mod questions;
pub mod realtime;
pub mod runs;
pub mod shadow;
pub mod sides;
mod ui;
pub mod validation;

pub use http::{Access, Limits, ServeError, Server, Settings, Stop, Validation};
pub use realtime::ClientOrigin;
pub use shadow::Shadowing;
pub use sides::{
    Audit, By, Failure, Persistence, Report, RouteName, Side, Sides, Turn, Turned, UnknownSide,
};
