//! The page that asks for the token.

use maud::{Markup, html};

use super::layout;

/// The form; `to` is where its reader wanted to go, and `is_wrong` says that a token was given that
/// is not the one.
pub(super) fn page(to: &str, is_wrong: bool) -> Markup {
    let content = html! {
        h1 { "Log in" }
        p { "This server asks for its token: the text in the file that it was started with." }
        @if is_wrong { div.error role="alert" { p { "This is not the token of this server." } } }
        form.change method="post" action="/login" {
            input type="hidden" name="to" value=(to);
            label { "Token of this server" input type="password" name="token" required autocomplete="current-password"; }
            button type="submit" { "Log in" }
        }
    };
    layout::page("Log in", None, &content)
}
