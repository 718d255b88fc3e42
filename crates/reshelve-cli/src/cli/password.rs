//! Passwords that are not in a connection string.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use reshelve_app::{Ask, Handle, Passwords};

#[derive(Debug, Args)]
pub(crate) struct SourcePassword {
    /// File with the password of the user whom the source's connection string names
    #[arg(
        long,
        value_name = "FILE",
        env = "RESHELVE_SOURCE_PASSWORD_FILE",
        help_heading = "Passwords"
    )]
    source_password_file: Option<PathBuf>,
    #[command(flatten)]
    prompt: Prompt,
}

#[derive(Debug, Args)]
pub(crate) struct TargetPassword {
    /// File with the password of the user whom the target's connection string names
    #[arg(
        long,
        value_name = "FILE",
        env = "RESHELVE_TARGET_PASSWORD_FILE",
        help_heading = "Passwords"
    )]
    target_password_file: Option<PathBuf>,
    #[command(flatten)]
    prompt: Prompt,
}

#[derive(Debug, Args)]
pub(crate) struct BothPasswords {
    /// File with the password of the user whom the source's connection string names
    #[arg(
        long,
        value_name = "FILE",
        env = "RESHELVE_SOURCE_PASSWORD_FILE",
        help_heading = "Passwords"
    )]
    source_password_file: Option<PathBuf>,
    /// File with the password of the user whom the target's connection string names
    #[arg(
        long,
        value_name = "FILE",
        env = "RESHELVE_TARGET_PASSWORD_FILE",
        help_heading = "Passwords"
    )]
    target_password_file: Option<PathBuf>,
    #[command(flatten)]
    prompt: Prompt,
}

#[derive(Debug, Args)]
struct Prompt {
    /// Ask for the password of a connection string that names a user without one
    #[arg(long, env = "RESHELVE_PASSWORD_PROMPT", help_heading = "Passwords")]
    password_prompt: bool,
}

impl SourcePassword {
    pub(crate) fn handle(&self, handle: Handle) -> Handle {
        let source_file = self.source_password_file.clone();
        let ask = self.prompt.ask();
        handle.with_passwords(Passwords { source_file, ask, ..Passwords::default() })
    }
}

impl TargetPassword {
    pub(crate) fn handle(&self, handle: Handle) -> Handle {
        let target_file = self.target_password_file.clone();
        let ask = self.prompt.ask();
        handle.with_passwords(Passwords { target_file, ask, ..Passwords::default() })
    }
}

impl BothPasswords {
    pub(crate) fn handle(&self, handle: Handle) -> Handle {
        handle.with_passwords(Passwords {
            source_file: self.source_password_file.clone(),
            target_file: self.target_password_file.clone(),
            ask: self.prompt.ask(),
        })
    }
}

impl Prompt {
    /// Asks on the terminal, once for each password: a command may connect more than once.
    fn ask(&self) -> Option<Ask> {
        let known: Mutex<Vec<(String, String)>> = Mutex::default();
        let ask = move |words: &str| {
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, password)) = known.iter().find(|(asked, _)| asked == words) {
                return Ok(password.clone());
            }
            let password = rpassword::prompt_password(words)?;
            known.push((words.to_owned(), password.clone()));
            Ok(password)
        };
        self.password_prompt.then(|| -> Ask { Arc::new(ask) })
    }
}
