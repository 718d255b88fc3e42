//! The server's clock, which a lease goes by.

use mongodb::bson::{DateTime, doc};
use mongodb::error::Error;

use crate::connection::Connection;

/// What the primary's clock says. Every server tells it when it is greeted; `serverStatus`, which
/// needs a privilege, is for one that does not.
pub(super) async fn server_now(connection: &Connection) -> Result<DateTime, Error> {
    let mut failed = None;
    for command in ["hello", "isMaster", "serverStatus"] {
        match connection.admin(doc! { command: 1 }).await {
            Ok(reply) => {
                if let Ok(now) = reply.get_datetime("localTime") {
                    return Ok(*now);
                }
            }
            // A server that does not know the command.
            Err(error) if crate::error::code(&error) == Some(59) => failed = Some(error),
            Err(error) => return Err(error),
        }
    }
    let silent = || Error::custom("the server does not tell its time".to_owned());
    Err(failed.unwrap_or_else(silent))
}
