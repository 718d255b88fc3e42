//! Files that hold a secret on one line: a password, or a token.

use std::path::Path;

use reshelve::store::Disk;

use crate::failure::Failure;
use crate::hints;

/// The longest file that is taken for a secret.
const BYTES_MAX: u64 = 4096;

/// What is in such a file.
pub(crate) struct Kind {
    /// The file, where it is named as an argument.
    pub(crate) file: &'static str,
    /// What it holds.
    pub(crate) holds: &'static str,
    /// What to do where it does not.
    pub(crate) hint: &'static str,
}

/// The secret in a file: all of it, without the end of a last line.
///
/// # Errors
/// If the file cannot be read, or does not hold one line of text.
pub(crate) fn read(path: &Path, kind: &Kind) -> Result<String, Failure> {
    crate::outside::check(kind.file, path)?;
    let bytes = Disk
        .read_handed_over(path, BYTES_MAX)
        .map_err(|error| Failure::from(error).hinting(kind.hint))?;
    let refused = |what: &str| Failure::usage(format!("{} {what}", path.display()), kind.hint);
    let text = String::from_utf8(bytes).map_err(|_| refused("is not text"))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    match text {
        "" => Err(refused(&format!("holds no {}", kind.holds))),
        text if text.contains('\n') => Err(refused("has several lines")),
        text => Ok(text.to_owned()),
    }
}

/// The token of a server, as a file holds it.
pub struct TokenFile {
    /// The token.
    pub token: String,
    /// Whether users other than its owner may read the file.
    pub may_others_read: bool,
}

impl TokenFile {
    /// What should be known of the file, if others may read it.
    pub fn warning(&self, path: &Path) -> Option<String> {
        let path = path.display();
        self.may_others_read
            .then(|| format!("warning: {path}: other users may read this token: chmod 600 {path}"))
    }
}

const TOKEN: Kind = Kind { file: "--token-file", holds: "token", hint: hints::TOKEN_FILE };

/// Reads the file with the token of a server.
///
/// # Errors
/// If the file cannot be read, or does not hold one line that can be sent in a header.
pub fn token(path: &Path) -> Result<TokenFile, Failure> {
    let token = read(path, &TOKEN)?;
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = format!("{} holds a token that no header can carry", path.display());
        return Err(Failure::usage(message, hints::TOKEN_FILE));
    }
    Ok(TokenFile { token, may_others_read: Disk.may_others_read(path)? })
}
