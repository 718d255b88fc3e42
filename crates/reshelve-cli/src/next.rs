//! The command that a person probably wants next, with the names just used: it can be copied as it
//! is. None that can lose data, and none that would need a password in it.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use reshelve::ends::{PlannedSource, PlannedTarget, TargetFolder};
use reshelve::plan::SavedPlan;
use reshelve::run::{Plan, State};
use reshelve_app::outside::Outside;
use reshelve_app::places::{SourcePlace, TARGET_DB_DEFAULT};
use reshelve_app::reported_with;
use reshelve_app::served_runs::RUNS_FOLDER_USUAL;
use reshelve_app::status::RunStatus;
use reshelve_app::text::shell_word;

/// The variables that may name the two places.
const PLACES: [&str; 2] = ["LEGACY_MONGODB_URI", "TARGET_MONGODB_URI"];
/// Flags that replace what is there, or who works on it: these are for people to repeat.
const FLAGS_TO_THINK_ABOUT: [&str; 3] = ["--replace", "--take-over", "--overwrite"];

/// A command line that is being written; nothing, once a word of it cannot be shown.
#[derive(Clone, Debug)]
pub(crate) struct Next(Option<Vec<String>>);

impl Next {
    /// Begins with a command, such as `indexes up`.
    pub(crate) fn new(command: &str) -> Next {
        Next(Some(vec!["reshelve".to_owned(), command.to_owned()]))
    }

    /// Begins with another program.
    pub(crate) fn of(words: &[&str]) -> Next {
        Next(Some(words.iter().map(|word| (*word).to_owned()).collect()))
    }

    /// No command at all.
    pub(crate) fn nothing() -> Next {
        Next(None)
    }

    /// The command line of this process with another flag: what it was asked to do, for good.
    pub(crate) fn same_with(flag: &str) -> Next {
        Next::repeated(std::env::args_os().skip(1).collect(), flag)
    }

    /// With the id of the run that `latest` was: the next `latest` may be another one.
    pub(crate) fn for_latest(self, run: &str) -> Next {
        let named = |word: String| match word.strip_suffix("latest") {
            Some(flag) if flag.is_empty() || flag.ends_with('=') => format!("{flag}{run}"),
            _ => word,
        };
        Next(self.0.map(|words| words.into_iter().map(named).collect()))
    }

    fn repeated(words: Vec<OsString>, flag: &str) -> Next {
        let is_risky = |word: &OsString| {
            let word = word.to_string_lossy();
            word == "--" || FLAGS_TO_THINK_ABOUT.iter().any(|flag| word.starts_with(flag))
        };
        if words.iter().any(is_risky) {
            return Next::nothing();
        }
        let shown: Option<Vec<String>> = words.iter().map(|word| quoted(word)).collect();
        let program = ["reshelve".to_owned()].into_iter();
        Next(shown.map(|shown| program.chain(shown).chain([flag.to_owned()]).collect()))
    }

    /// A path, or a connection string without a password. What begins with a dash would be taken
    /// for a flag; standard input cannot be read again.
    pub(crate) fn place(self, place: &Path) -> Next {
        let text = place.as_os_str();
        if text == "-" {
            return Next::nothing();
        }
        match text.to_str() {
            Some(name) if name.starts_with('-') => self.word(format!("./{name}").as_ref()),
            _ => self.word(text),
        }
    }

    /// A flag.
    pub(crate) fn flag(self, flag: &str) -> Next {
        self.word(flag.as_ref())
    }

    /// A flag with its value, if it has one.
    pub(crate) fn with(self, flag: &str, value: Option<&(impl AsRef<OsStr> + ?Sized)>) -> Next {
        match value {
            Some(value) => self.flag(flag).word(value.as_ref()),
            None => self,
        }
    }

    /// The folder of runs, if it is not the usual one.
    pub(crate) fn runs(self, folder: &Path) -> Next {
        self.with(
            "--runs-dir",
            Some(folder).filter(|folder| *folder != Path::new(RUNS_FOLDER_USUAL)),
        )
    }

    fn word(self, word: &OsStr) -> Next {
        let Next(Some(mut words)) = self else { return self };
        let Some(word) = quoted(word) else { return Next::nothing() };
        words.push(word);
        Next(Some(words))
    }

    /// The command line.
    pub(crate) fn line(&self) -> Option<String> {
        self.0.as_ref().map(|words| words.join(" "))
    }
}

/// Another look at the same source.
pub(crate) fn of_source(command: &str, source: &SourcePlace) -> Next {
    let is_variable = std::env::var_os(PLACES[0]).is_some_and(|set| set == source.name);
    let next = Next::new(command);
    let next = if is_variable { next } else { next.place(&source.name) };
    next.with("--db", source.db.as_ref()).with("--collection", source.collection.as_ref())
}

/// What comes after looking at a source: a dry run, which writes nothing but its run folder.
pub(crate) fn dry_run(source: &SourcePlace) -> Next {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|set| !set.is_empty());
    if is_set(PLACES[1]) && is_set(PLACES[0]) {
        return of_source("run", source);
    }
    Next::new("run")
        .place(&source.name)
        .place(Path::new("target"))
        .with("--db", source.db.as_ref())
        .with("--collection", source.collection.as_ref())
}

/// What comes after a look at a plan: carrying it out. The decisions are those of the plan.
pub(crate) fn carry_out(plan: &SavedPlan, file: &Path) -> Next {
    let source = &plan.source.place;
    let target = &plan.target.place;
    let next = match (&source.live, target) {
        (None, PlannedTarget::Folder(target)) => of_files("run", source, target),
        // Connection strings are not in a plan with their passwords; those of the variables count.
        _ if PLACES.iter().all(|name| std::env::var_os(name).is_some()) => Next::new("run")
            .with("--db", source.db.as_ref())
            .with("--collection", source.collection.as_ref()),
        _ => return Next::nothing(),
    };
    let next = next.flag("--apply");
    let decided = plan.options.decisions.in_flight.unwrap_or_default();
    let asks = plan.forecast.in_flight > 0 && plan.options.decisions.in_flight.is_none();
    let next = next.with("--in-flight", Some(decided.as_str()).filter(|_| asks));
    next.flag("--plan").place(file)
}

/// What comes after a run that wrote its target: the comparison with its source, with its options.
pub(crate) fn verify(plan: &Plan, runs: &Path) -> Next {
    // What a retry took again belongs to what the first run took, whose source is another one; of
    // another target, such as a copy, what it carried over stands alone there.
    let family = reported_with(plan, runs);
    if plan.parent().is_some() || family.len() > 1 {
        return report(&family, runs);
    }
    let is_pipe = plan.source.path == Path::new("-");
    let target = match plan.target.folder() {
        Some(target) if plan.source.live.is_none() && !is_pipe => target,
        // The report takes the places from the run, and strings with a password from variables.
        _ => return report(&[&plan.run], runs),
    };
    of_files("verify", &plan.source, target).with("--run", Some(&plan.run)).runs(runs)
}

/// A command with a source of files and a target folder.
fn of_files(command: &str, source: &PlannedSource, target: &TargetFolder) -> Next {
    Next::new(command)
        .place(&source.path)
        .place(&target.root)
        .with("--db", source.db.as_ref())
        .with("--collection", source.collection.as_ref())
        .with("--target-db", Some(&target.db).filter(|db| *db != TARGET_DB_DEFAULT))
}

/// A command that is given to a run.
pub(crate) fn to_run(command: &'static str, run: &str, runs: &Path) -> Next {
    Next::new(command).word(run.as_ref()).runs(runs)
}

/// What a run can be asked to do in its state.
pub(crate) fn of_run(status: &RunStatus, runs: &Path) -> Next {
    let run = |command: &str| Next::new(command).word(status.run.as_ref());
    match status {
        status if status.is_at_work() => run("status").flag("--watch").runs(runs),
        status if status.can_be_resumed => run("resume").runs(runs),
        status if let Some(by) = &status.taken_over_by => {
            Next::new("status").word(by.as_ref()).runs(runs)
        }
        status if status.state == State::RollingBack.as_str() => {
            run("rollback").flag("--apply").runs(runs)
        }
        status if status.state == State::Cancelled.as_str() => match status.applied {
            true => run("rollback").flag("--apply").runs(runs),
            false => Next::nothing(),
        },
        status if status.applied && status.state != State::RolledBack.as_str() => {
            report(&status.reported_with(), runs)
        }
        _ => Next::nothing(),
    }
}

/// What comes after parity: the evidence for the change record, of a run or of a run with its
/// retries.
pub(crate) fn report(family: &[impl AsRef<OsStr>], runs: &Path) -> Next {
    let named = family.iter().fold(Next::new("report"), |next, run| next.word(run.as_ref()));
    named.flag("--bundle").runs(runs)
}

/// Whether a connection string has a password, or an option that may hold one.
fn may_be_secret(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let words = ["@", "password", "passphrase", "properties", "token", "secret", "%"];
    words.iter().any(|word| lower.contains(word))
}

/// A word for a shell of the Bourne family; none if it cannot be shown as it is.
fn quoted(word: &OsStr) -> Option<String> {
    match Outside::of(word) {
        Outside::Plain => {}
        Outside::ConnectionString if !may_be_secret(&word.to_string_lossy()) => {}
        _ => return None,
    }
    shell_word(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeated(words: &[&str]) -> Option<String> {
        Next::repeated(words.iter().map(OsString::from).collect(), "--apply").line()
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        for (word, expected) in [
            ("a/b-c_1.bson", Some("a/b-c_1.bson")),
            ("my dump", Some("'my dump'")),
            ("it's", Some(r"'it'\''s'")),
            ("$HOME `x` \"y\" *", Some("'$HOME `x` \"y\" *'")),
            ("", Some("''")),
            ("~", Some("'~'")),
            ("a\nb", None),
            ("mongodb://h/db?a=b", Some("'mongodb://h/db?a=b'")),
            ("mongodb://h/db?authMechanismProperties=AWS_SESSION_TOKEN:x", None),
            ("mongodb://h/db?tlsCertificateKeyFilePassword=x", None),
            ("mongodb://user:secret@h/db", None),
            ("mongodb:/user:secret@h", None),
        ] {
            assert_eq!(quoted(OsStr::new(word)).as_deref(), expected, "{word}");
        }
    }

    #[test]
    fn a_command_line_is_repeated_unless_it_can_lose_something() {
        assert_eq!(
            repeated(&["run", "my dump", "out", "--gzip"]).as_deref(),
            Some("reshelve run 'my dump' out --gzip --apply")
        );
        assert_eq!(repeated(&["run", "a", "b", "--replace"]), None);
        assert_eq!(repeated(&["run", "a", "b", "--take-over"]), None);
        assert_eq!(repeated(&["run", "--", "a", "b"]), None);
        assert_eq!(repeated(&["run", "mongodb://u:p@h/d", "b"]), None);
    }

    #[test]
    fn a_place_is_no_flag_and_no_pipe() {
        let place = |name: &str| Next::new("verify").place(Path::new(name)).line();
        assert_eq!(place("-x").as_deref(), Some("reshelve verify ./-x"));
        assert_eq!(place("-"), None);
    }
}
