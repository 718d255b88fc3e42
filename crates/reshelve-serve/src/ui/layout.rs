//! What all pages have: head, landmarks, the way to the other pages.

use maud::{DOCTYPE, Markup, html};

use super::assets;
use super::words::{plain, shown};

/// The pages that every page leads to: where they are, and their titles.
const PAGES: [(&str, &str); 4] = [
    ("/ui/novels", "Library"),
    ("/ui/monitoring", "Monitoring"),
    ("/ui/runs", "Runs"),
    ("/ui/parity", "Parity"),
];

/// A page. `place` is what is served, where that is known.
pub(super) fn page(title: &str, place: Option<&str>, content: &Markup) -> Markup {
    page_with(title, place, None, content)
}

/// The same; without a script, it is loaded again after so many seconds.
pub(super) fn page_with(
    title: &str,
    place: Option<&str>,
    again_after_s: Option<u32>,
    content: &Markup,
) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (plain(title)) " · reshelve" }
                link rel="icon" type="image/svg+xml" href=(assets::address(".svg"));
                link rel="stylesheet" href=(assets::address(".css"));
                script src=(assets::address(".js")) defer {}
                @if let Some(seconds) = again_after_s {
                    noscript { meta http-equiv="refresh" content=(seconds); }
                }
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                header.top {
                    div {
                        a.brand href="/ui/novels" { "reshelve" }
                        nav aria-label="Pages" {
                            @for (path, words) in PAGES {
                                a href=(path) aria-current=[(words == title).then_some("page")] { (words) }
                            }
                        }
                        @if let Some(place) = place { span.place { (shown(place)) } }
                    }
                }
                main #content tabindex="-1" { (content) }
                footer.foot { "All times are in UTC." }
            }
        }
    }
}

/// The page where there is nothing.
pub(super) fn not_found(why: &str) -> Markup {
    let content = html! {
        h1 { "Not found" }
        p { (why) }
        p { a href="/ui/novels" { "To the library" } }
    };
    page("Not found", None, &content)
}

/// The page where something failed.
pub(super) fn failed(why: &str) -> Markup {
    let content = html! {
        h1 { "This page cannot be shown" }
        div.error role="alert" { p { (shown(why)) } }
        p { "Nothing was changed. Load the page again; if it fails again, look at the place that is served." }
    };
    page("This page cannot be shown", None, &content)
}
