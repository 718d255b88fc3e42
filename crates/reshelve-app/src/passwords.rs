//! Passwords that are given beside a connection string, so that none stands in a list of processes:
//! in a file, or asked for.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use reshelve_mongo::Place;

use crate::failure::Failure;
use crate::hints;
use crate::secret_file;

/// Asks for a password, with these words; the answer is not shown.
pub type Ask = Arc<dyn Fn(&str) -> std::io::Result<String> + Send + Sync>;

/// Where the passwords of connection strings come from that name a user and no password.
#[derive(Clone, Default)]
pub struct Passwords {
    /// A file that holds that of the source.
    pub source_file: Option<PathBuf>,
    /// A file that holds that of the target.
    pub target_file: Option<PathBuf>,
    /// Asks for what no file holds.
    pub ask: Option<Ask>,
}

/// An end of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Source,
    Target,
}

impl Side {
    fn word(self) -> &'static str {
        match self {
            Side::Source => "source",
            Side::Target => "target",
        }
    }
}

impl Passwords {
    /// Parses a connection string, and adds the password that was given beside it.
    pub(crate) fn place(&self, uri: &str, side: Side) -> Result<Place, Failure> {
        let place = Place::parse(uri)?;
        let file = match side {
            Side::Source => &self.source_file,
            Side::Target => &self.target_file,
        };
        let Some(user) = place.user_without_password() else {
            return match file {
                None => Ok(place),
                Some(_) => Err(Failure::usage(
                    format!(
                        "a file with the password of the {0} was given, and its connection string \
                         does not name a user without a password",
                        side.word()
                    ),
                    hints::USER_ALONE,
                )),
            };
        };
        let password = match (file, &self.ask) {
            (Some(file), _) => in_file(file)?,
            (None, Some(ask)) => asked(ask, &user, &place, side)?,
            (None, None) => return Ok(place),
        };
        Ok(place.with_password(password))
    }
}

/// The password in a file.
fn in_file(path: &Path) -> Result<String, Failure> {
    secret_file::read(path, &PASSWORD)
}

const PASSWORD: secret_file::Kind =
    secret_file::Kind { file: "a password file", holds: "password", hint: hints::PASSWORD_FILE };

fn asked(ask: &Ask, user: &str, place: &Place, side: Side) -> Result<String, Failure> {
    let words = format!("Password of {user} for the {} {}: ", side.word(), place.name());
    ask(&words).map_err(|error| {
        let message = format!("the password cannot be asked for: {error}");
        Failure::usage(message, hints::PASSWORD_WITHOUT_TERMINAL)
    })
}
