//! The pages of a command to a run.

use maud::{Markup, html};

use super::change::{LIMITS, REASON_CHARS_MAX};
use crate::runs::{Command, Forecast, InFlight, Refused, RunPage};
use crate::ui::layout;
use crate::ui::words::{counted, encoded, plain, shown};

/// A command that is looked at.
pub(super) struct Asked<'a> {
    /// What is served.
    pub(super) place: &'a str,
    pub(super) run: &'a str,
    pub(super) command: Command,
    /// The limits that were given, as texts.
    pub(super) limits: &'a [String; 4],
    /// The reason that was given.
    pub(super) reason: &'a str,
    /// What is wrong with the form that came.
    pub(super) wrong: Option<&'a str>,
    /// Whether anything can be changed through this server.
    pub(super) can_change: bool,
}

/// What a button says.
pub(super) fn name(command: Command) -> &'static str {
    match command {
        Command::Pause => "Pause",
        Command::Resume => "Resume",
        Command::Cancel => "Cancel",
        Command::Throttle => "Throttle",
        Command::Rollback => "Roll back",
        Command::Stop => "Stop this server's work",
    }
}

/// What the button says that has it done.
fn does(command: Command) -> &'static str {
    match command {
        Command::Pause => "Pause the run",
        Command::Resume => "Resume the run",
        Command::Cancel => "Cancel the run for good",
        Command::Throttle => "Change its limits",
        Command::Rollback => "Roll back the run",
        Command::Stop => "Stop it",
    }
}

impl Asked<'_> {
    fn address(&self) -> String {
        format!("/ui/runs/{}", encoded(self.run))
    }

    fn page(&self, again_after_s: Option<u32>, content: &Markup) -> Markup {
        let content = html! {
            p.small { a href=(self.address()) { "← Run " (plain(self.run)) } }
            h1 { (name(self.command)) ": run " code { (plain(self.run)) } }
            (content)
        };
        let title = format!("{}: {}", name(self.command), self.run);
        layout::page_with(&title, Some(self.place), again_after_s, &content)
    }
}

/// The command lines that do the same, where nothing is changed through the server.
pub(super) fn by_command_line(asked: &Asked<'_>, page: &RunPage) -> Markup {
    let offer = page.offers.iter().find(|offer| offer.command == asked.command);
    let content = html! {
        div.notice {
            p { "Nothing can be changed through this server: it was started without " code { "--token-file" } "." }
        }
        @match offer {
            Some(offer) if !offer.lines.is_empty() => {
                p { "On the command line:" }
                @for line in &offer.lines { pre { code { (shown(line)) } } }
                @if asked.command == Command::Rollback { p.soft { "The first one says what would be taken back, and changes nothing." } }
            }
            _ => { p { "In its state, " (plain(page.run.state)) ", this command is not offered." } }
        }
    };
    asked.page(None, &content)
}

/// The first step of a throttle: which limits.
pub(super) fn limits(asked: &Asked<'_>, page: &RunPage, wrong: Option<&str>) -> Markup {
    let content = html! {
        p { "It keeps now: " (page.limits.as_deref().unwrap_or("no throttle")) "." }
        @if let Some(wrong) = wrong { div.error role="alert" { p { (shown(wrong)) } } }
        form.change method="get" action={ (asked.address()) "/throttle" } {
            @for ((word, label), value) in LIMITS.iter().zip(asked.limits) {
                label { (label) input type="text" name=(word) value=(plain(value)) inputmode="numeric" autocomplete="off"; }
            }
            p.soft { "At most so much. An empty field stays as it is; " code { "off" } " takes a limit away." }
            button type="submit" { "Show what would change" }
        }
    };
    asked.page(None, &content)
}

/// What would be done is not known yet.
pub(super) fn working(asked: &Asked<'_>, so_far: &str) -> Markup {
    let content = html! {
        div.notice #look data-live data-follow {
            p role="status" { "This server looks at what the run wrote, and changes nothing." @if !so_far.is_empty() { " So far: " (so_far) "." } }
        }
        p { a href={ (asked.address()) "/" (asked.command.as_str()) } { "Look again" } }
    };
    asked.page(Some(2), &content)
}

/// Why it was not done.
pub(super) fn refused(asked: &Asked<'_>, refused: &Refused) -> Markup {
    let content = html! {
        div.error role="alert" {
            p { strong { "Not done: " } (shown(&refused.message)) "." }
            @if let Some(hint) = &refused.hint { p { "What to do: " (shown(hint)) "." } }
        }
        p { a.button href=(asked.address()) { "Back to the run" } }
    };
    asked.page(None, &content)
}

/// What would be done, and the form that has it done.
pub(super) fn confirm(asked: &Asked<'_>, forecast: &Forecast, mark: &str) -> Markup {
    let content = html! {
        @if let Some(wrong) = asked.wrong { div.error role="alert" { p { (shown(wrong)) } } }
        h2 { "What it would do" }
        p { (shown(&forecast.words)) }
        @if !forecast.rows.is_empty() {
            dl.facts { @for (name, value) in &forecast.rows { div { dt { (name) } dd { (shown(value)) } } } }
        }
        @if !forecast.listed.is_empty() {
            p { "Changed since by somebody else:" }
            ul { @for line in &forecast.listed { li { code { (shown(line)) } } } }
        }
        @if forecast.is_done { div.notice { p { "There is nothing left to do." } } } @else {
            h2 { "Do it" }
            (form(asked, forecast, mark))
        }
    };
    asked.page(None, &content)
}

fn form(asked: &Asked<'_>, forecast: &Forecast, mark: &str) -> Markup {
    html! {
        form.change method="post" action={ (asked.address()) "/" (asked.command.as_str()) } {
            input type="hidden" name="mark" value=(mark);
            @for ((word, _), value) in LIMITS.iter().zip(asked.limits) {
                @if !value.is_empty() { input type="hidden" name=(word) value=(value); }
            }
            @if forecast.edited > 0 { (edited(forecast.edited)) }
            @if forecast.asks_in_flight {
                label {
                    "Jobs in flight"
                    select name="in-flight" {
                        option value="" { "Nobody decides: stop before the first one" }
                        @for choice in InFlight::ALL { option value=(choice.as_str()) { (choice.as_str()) } }
                    }
                }
            }
            label {
                "Reason, kept in the audit line"
                input type="text" name="reason" required maxlength=(REASON_CHARS_MAX) value=(plain(asked.reason)) autocomplete="off";
            }
            div.acts {
                button type="submit" class=[matches!(asked.command, Command::Cancel | Command::Rollback).then_some("grave")] { (does(asked.command)) }
                a.button href=(asked.address()) { "Leave it" }
            }
        }
    }
}

fn edited(jobs: u64) -> Markup {
    html! {
        fieldset {
            legend { (counted(jobs, "job was", "jobs were")) " changed since by somebody else" }
            label.choice { input type="radio" name="edited" value="keep" required; "Leave them as they are, and take back the others" }
            label.choice { input type="radio" name="edited" value="discard" required; "Take them back too; a copy goes to discarded.bson in the run folder" }
            label { "To discard, their exact number" input type="text" name="number" inputmode="numeric" autocomplete="off"; }
        }
    }
}
