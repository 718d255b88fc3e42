//! A novel as an EPUB 3 book: a title page, and a page for each chapter. Its pages are XML: all
//! text is escaped, and characters that XML does not have are replaced.

use epub_builder::{EpubBuilder, EpubContent, EpubVersion, ReferenceType, ZipLibrary};
use maud::{Markup, PreEscaped, html};

use super::{Chapter, about, chapters, words_of};
use crate::ui::novel::Novel;
use crate::ui::words::{plain, shown, shown_or};

/// The language of the novels: the legacy application wrote in no other.
const LANGUAGE: &str = "en";
const STYLE: &str = "body { margin: 5%; line-height: 1.5; }\n\
    h1, h2 { line-height: 1.2; text-align: center; }\n\
    p { margin: 0 0 1em; white-space: pre-line; }\n\
    .about { text-align: center; }\n\
    .none { font-style: italic; }\n";

/// The bytes of the book: the same novel gives the same ones. What fails, fails as a sentence.
pub(super) fn render(novel: &Novel) -> Result<Vec<u8>, String> {
    book(novel).map_err(|error| format!("the book cannot be made: {error}"))
}

fn book(novel: &Novel) -> Result<Vec<u8>, epub_builder::Error> {
    let mut book = EpubBuilder::new(ZipLibrary::new()?)?;
    let title = plain(&novel.title());
    book.epub_version(EpubVersion::V30);
    book.set_title(&title);
    book.set_languages(vec![LANGUAGE.to_owned()]);
    book.set_generator("reshelve");
    book.set_toc_name("Contents");
    let payload = novel.job().part("payload");
    for (text, is_subject) in [(payload.text("premise"), false), (payload.text("genre"), true)] {
        match text.trim() {
            "" => {}
            text if is_subject => book.add_subject(plain(text)),
            text => book.add_description(plain(text)),
        }
    }
    book.set_uuid(uuid(&novel.id()));
    let changed_ms = novel.job().time_ms("updatedAt").unwrap_or(0);
    book.set_modified_date(chrono::DateTime::from_timestamp_millis(changed_ms).unwrap_or_default());
    book.stylesheet(STYLE.as_bytes())?;
    let first = page(&title, &title_page(novel));
    let first = EpubContent::new("title.xhtml", first.as_bytes()).title(&title);
    book.add_content(first.reftype(ReferenceType::TitlePage))?;
    for (index, chapter) in chapters(novel).iter().enumerate() {
        let title =
            if chapter.title.trim().is_empty() { "Without a title" } else { &chapter.title };
        let title = format!("{}. {}", chapter.number, plain(title));
        let text = page(&title, &chapter_page(chapter));
        let name = format!("chapter-{:03}.xhtml", index + 1);
        book.add_content(EpubContent::new(name, text.as_bytes()).title(title))?;
    }
    let mut bytes = Vec::new();
    book.generate(&mut bytes)?;
    Ok(bytes)
}

/// What the book is known by: always the same for a job.
fn uuid(job_id: &str) -> uuid::Uuid {
    let hash = reshelve::store::key_of(job_id.as_bytes());
    uuid::Builder::from_custom_bytes(hash).into_uuid()
}

fn title_page(novel: &Novel) -> Markup {
    let payload = novel.job().part("payload");
    html! {
        h1 { (shown(&novel.title())) }
        p.about { (about(payload, words_of(novel))) }
        @for paragraph in paragraphs(&payload.text("premise")) { p dir="auto" { (shown(paragraph)) } }
    }
}

fn chapter_page(chapter: &Chapter) -> Markup {
    html! {
        h2 { (chapter.number) ". " (shown_or(&chapter.title, "Without a title")) }
        @for paragraph in paragraphs(&chapter.text) { p dir="auto" { (shown(paragraph)) } }
    }
}

/// Paragraphs of a text; line ends within them stay.
fn paragraphs(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty())
}

/// A page as XML. Elements without content are written out: HTML's own are none in XML.
fn page(title: &str, content: &Markup) -> String {
    let page = html! {
        (PreEscaped("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE html>\n"))
        html xmlns="http://www.w3.org/1999/xhtml" lang=(LANGUAGE) xml:lang=(LANGUAGE) {
            head {
                title { (title) }
                (PreEscaped("<link rel=\"stylesheet\" type=\"text/css\" href=\"stylesheet.css\"/>"))
            }
            body { (content) }
        }
    };
    page.into_string()
}
