//! `reshelve serve`.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use reshelve::run::now_iso;
use reshelve_app::hints;
use reshelve_app::secret_file;
use reshelve_app::served_runs;
use reshelve_app::sides;
use reshelve_app::text::plain;
use reshelve_app::{ExitCode, Failure, Handle, Watcher};
use reshelve_serve::http::{Access, Server, Settings, Stop, host_name};
use reshelve_serve::realtime::ClientOrigin;
use reshelve_serve::shadow::Shadowing;
use reshelve_serve::sides::{Audit, By, Report, Side, Sides};

use crate::cli::ServeArgs;
use crate::printer::{self, note};
use crate::progress::View;
use crate::{interrupt, reread};

/// How long it takes to notice Ctrl-C, at most.
const NOTICE_EVERY: Duration = Duration::from_millis(100);

pub(crate) fn run(args: &ServeArgs) -> Result<ExitCode, Failure> {
    let listen = address(&args.listen)?;
    let access = access(args, listen)?;
    for name in &args.host {
        if host_name(name).is_none() {
            let message = format!("--host {}: not a name", plain(name));
            return Err(Failure::usage(message, hints::NAME_A_HOST));
        }
    }
    let client_origin = ClientOrigin::new(&args.client_origin)
        .ok_or_else(|| Failure::usage("--client-origin is no origin", hints::NAME_AN_ORIGIN))?;
    // From here on it asks for something, and must not end a server that is about to listen.
    let hangups = interrupt::hangups().map_err(|error| Failure::failed(error.to_string()))?;
    let view = Arc::new(View::default());
    let handle = args.password.handle(view.handle());
    let (asked, runs_folder) = (args.sides(), args.runs.runs_dir.clone());
    let opened = sides::open(&asked, &handle)?;
    let runs = Arc::new(served_runs::open(served_runs::Request {
        runs_folder,
        sides: &asked,
        opened: &opened,
        handle: args.password.handle(args.dry_run.handle(Handle::silent())),
        told: Arc::new(|what| printer::audit(&dated(what))),
    })?);
    let runs_at_work = Arc::clone(&runs);
    let served = served(&opened);
    let sides = both(args, opened)?;
    let audit = Audit::to(|what| printer::audit(&dated(what)));
    let switch = sides.clone();
    let report =
        Report::to(|failure| note(&format!("warning: {}: {}", failure.request, failure.why)));
    let settings = Settings {
        hosts: args.host.clone(),
        client_origin,
        validation: args.validation.into(),
        report,
        audit,
        shadow: args.shadow.map(|share| Shadowing { share, with_texts: args.with_texts }),
        runs,
        access,
        ..Settings::new(listen, sides)
    };
    let server = Server::bind(settings).map_err(|error| {
        Failure::failed(format!("{error}: {}", reason(&error))).hinting(hints::LISTEN_ELSEWHERE)
    })?;
    view.ready();
    served.iter().for_each(|line| note(line));
    note(&format!("listening on http://{}", server.local_address()));
    let stop = Stop::default();
    let stopper = stop.clone();
    thread::spawn(move || {
        while !handle.is_cancelled() {
            thread::sleep(NOTICE_EVERY);
            if hangups.swap(false, Ordering::Relaxed) {
                turn_again(&switch);
            }
        }
        stopper.stop();
    });
    server.run(&stop);
    // What this server does with a run stops where it can be continued.
    runs_at_work.close();
    Ok(ExitCode::Done)
}

/// What is served, a line for each side.
fn served(opened: &sides::Sides) -> Vec<String> {
    let normalized = opened.normalized.as_ref().map(|it| format!("the target {}", it.name()));
    let legacy = opened.legacy.as_ref();
    let legacy = legacy.map(|it| format!("the legacy documents of {}, mapped", it.name()));
    let served = legacy.into_iter().chain(normalized);
    served.map(|what| format!("serving {}", plain(&what))).collect()
}

/// Turns the switch as the settings file says, and leaves it where that cannot be used.
fn turn_again(sides: &Sides) {
    let told = match reread::turn() {
        Err(failure) => {
            note(&format!("warning: SIGHUP: {}; the switch stays as it is", failure.message));
            return;
        }
        Ok((turn, path)) if turn.is_empty() => format!(
            "{} names none of persistence, persistence-of, normalized-share; the switch stays",
            path.display()
        ),
        Ok((turn, path)) => match sides.turn(&turn, By::Signal) {
            Some(turned) => format!("persistence {turned}, by {}", path.display()),
            None => "one place is served: there is nothing to switch between".to_owned(),
        },
    };
    printer::audit(&dated(&format!("SIGHUP: {told}")));
}

/// A line that says when something happened, in UTC.
fn dated(what: &str) -> String {
    format!("{} {}", now_iso(), plain(what))
}

/// Who may ask for what. An address that others can reach is not served without a token.
fn access(args: &ServeArgs, listen: SocketAddr) -> Result<Access, Failure> {
    let Some(path) = &args.token_file else {
        if listen.ip().to_canonical().is_loopback() {
            return Ok(Access::default());
        }
        let message = format!("--listen {}: not without a token", args.listen);
        return Err(Failure::usage(message, hints::GUARD_IT));
    };
    let file = secret_file::token(path)?;
    if let Some(warning) = file.warning(path) {
        note(&warning);
    }
    let access = Access::with_token(&file.token);
    Ok(if args.open_api { access.opening_api() } else { access })
}

/// The sides with their switch, or the one that there is. A switch that stands on a side that is not
/// there is refused: nobody would notice.
fn both(args: &ServeArgs, opened: sides::Sides) -> Result<Sides, Failure> {
    match (opened.legacy, opened.normalized) {
        (Some(legacy), Some(normalized)) => {
            Ok(Sides::two(legacy, normalized, args.persistence(), args.fallback))
        }
        (legacy, normalized) => {
            let side = if legacy.is_some() { Side::Legacy } else { Side::Normalized };
            let asked = args.persistence.map(Side::from);
            if args.needs_two_sides() || asked.is_some_and(|asked| asked != side) {
                let message = format!("only a {side} side is given");
                return Err(Failure::usage(message, hints::NAME_BOTH_SIDES));
            }
            let place = legacy.or(normalized);
            Ok(Sides::one(place.ok_or_else(|| Failure::failed("there is nothing to serve"))?))
        }
    }
}

/// The address that a text names, which may have a host's name.
fn address(text: &str) -> Result<SocketAddr, Failure> {
    let found = text.to_socket_addrs().ok().and_then(|mut all| all.next());
    found.ok_or_else(|| {
        Failure::usage(format!("--listen {text}: no address with a port"), hints::NAME_AN_ADDRESS)
    })
}

fn reason(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(String::new, ToString::to_string)
}
