//! What a user may do, and which privileges are needed.

mod held;
mod needs;

pub(crate) use held::held;
pub use needs::{Need, create_role, needs_of_source, needs_of_target};
