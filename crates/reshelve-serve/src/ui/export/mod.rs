//! A novel as a file to keep: Markdown, HTML or an EPUB book, with every completed chapter. Texts
//! stay texts: nothing of them is a link, a heading or a tag.

mod epub;

use maud::{DOCTYPE, Markup, html};

use super::novel::Novel;
use super::read::Part;
use super::words::{decimal, name, plain, shown, shown_or};

/// A form of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Markdown,
    Html,
    Epub,
}

impl Form {
    /// All of them.
    pub(super) const ALL: [Form; 3] = [Form::Markdown, Form::Html, Form::Epub];

    pub(super) fn of(word: &str) -> Option<Self> {
        Form::ALL.into_iter().find(|form| form.word() == word)
    }

    /// Its word in an address.
    pub(super) fn word(self) -> &'static str {
        match self {
            Form::Markdown => "markdown",
            Form::Html => "html",
            Form::Epub => "epub",
        }
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Form::Markdown => "Markdown",
            Form::Html => "HTML",
            Form::Epub => "EPUB",
        }
    }

    /// The end of the name of its files.
    fn end(self) -> &'static str {
        match self {
            Form::Markdown => "md",
            Form::Html => "html",
            Form::Epub => "epub",
        }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Form::Markdown => "text/markdown; charset=utf-8",
            Form::Html => "text/html; charset=utf-8",
            Form::Epub => "application/epub+zip",
        }
    }
}

/// How long the name of a file is, without its end.
const NAME_CHARS_MAX: usize = 60;

/// The name of the file, of letters that every system takes.
pub(super) fn file_name(novel: &Novel, form: Form) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let title: String = novel.title().chars().map(letter).take(NAME_CHARS_MAX).collect();
    let words: Vec<&str> = title.split('-').filter(|word| !word.is_empty()).collect();
    let stem = if words.is_empty() { "novel".to_owned() } else { words.join("-") };
    format!("{stem}.{}", form.end())
}

/// The bytes of the file. What fails, fails as a sentence.
pub(super) fn render(novel: &Novel, form: Form) -> Result<Vec<u8>, String> {
    match form {
        Form::Markdown => Ok(markdown(novel).into_bytes()),
        Form::Html => Ok(as_html(novel).into_string().into_bytes()),
        Form::Epub => epub::render(novel),
    }
}

/// A chapter whose text there is.
struct Chapter {
    number: String,
    title: String,
    text: String,
}

fn chapters(novel: &Novel) -> Vec<Chapter> {
    let chapters = novel.job().parts("chapters");
    let completed = chapters.iter().enumerate().filter(|(_, it)| it.text("status") == "completed");
    completed
        .map(|(index, chapter)| Chapter {
            number: chapter
                .number("chapterNumber")
                .map_or_else(|| (index + 1).to_string(), decimal),
            title: chapter.text("title"),
            text: chapter.text("content").replace("\r\n", "\n"),
        })
        .collect()
}

fn about(payload: Part<'_>, words: f64) -> String {
    let genre = [name(&payload.text("genre")), name(&payload.text("subgenre"))];
    let genre: Vec<String> = genre.into_iter().filter(|it| !it.is_empty()).collect();
    let words = format!("{} words", decimal(words));
    genre.into_iter().chain([words]).collect::<Vec<_>>().join(" · ")
}

fn words_of(novel: &Novel) -> f64 {
    novel.job().part("summary").number("totalWordCount").unwrap_or(0.0)
}

fn markdown(novel: &Novel) -> String {
    let payload = novel.job().part("payload");
    let mut out = format!("# {}\n\n", line(&novel.title()));
    out.push_str(&format!("{}\n\n", line(&about(payload, words_of(novel)))));
    let premise = payload.text("premise");
    if !premise.trim().is_empty() {
        out.push_str(&paragraphs(&premise, "> "));
    }
    for chapter in chapters(novel) {
        out.push_str(&format!("## {}. {}\n\n", line(&chapter.number), line(&chapter.title)));
        out.push_str(&paragraphs(&chapter.text, ""));
    }
    out
}

/// A text as one line in which nothing is a sign of Markdown.
fn line(text: &str) -> String {
    escaped(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Paragraphs of a text; line ends within them stay.
fn paragraphs(text: &str, before: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let mut out = String::new();
    for paragraph in text.split("\n\n").filter(|it| !it.trim().is_empty()) {
        let lines: Vec<String> = paragraph
            .lines()
            .filter(|it| !it.trim().is_empty())
            .map(|it| format!("{before}{}", escaped(it.trim())))
            .collect();
        out.push_str(&lines.join("  \n"));
        out.push_str("\n\n");
    }
    out
}

/// A line in which nothing is a sign of Markdown, or of what its readers add to it: tags, links,
/// bare addresses, lists.
fn escaped(text: &str) -> String {
    const SIGNS: &str = "\\`*_{}[]<>#|~&$@^";
    let text = plain(text);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let mut out = String::new();
    for (at, c) in text.char_indices() {
        let (before, rest) = (&text[..at], &text[at..]);
        let begins = at == 0 && matches!(c, '+' | '-' | '=')
            || at == digits && digits > 0 && matches!(c, '.' | ')');
        let is_address =
            rest.starts_with("://") || c == '.' && before.to_ascii_lowercase().ends_with("www");
        if begins || is_address || SIGNS.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn as_html(novel: &Novel) -> Markup {
    let payload = novel.job().part("payload");
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (plain(&novel.title())) }
            }
            body {
                h1 { (shown(&novel.title())) }
                p { (about(payload, words_of(novel))) }
                blockquote { p { (shown(&payload.text("premise"))) } }
                @for chapter in chapters(novel) {
                    h2 { (chapter.number) ". " (shown_or(&chapter.title, "Without a title")) }
                    @for paragraph in chapter.text.split("\n\n").filter(|it| !it.trim().is_empty()) {
                        p dir="auto" { @for (index, line) in paragraph.lines().enumerate() { @if index > 0 { br; } (shown(line)) } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_markdown() {
        for (text, expected) in [
            ("It ended. Or not - who knows (not me)?", "It ended. Or not - who knows (not me)?"),
            ("[x](javascript:alert(1))", "\\[x\\](javascript:alert(1))"),
            ("<b onclick=x>&amp;", "\\<b onclick=x\\>\\&amp;"),
            ("12. May", "12\\. May"),
            ("- one", "\\- one"),
            (
                "see https://a.example or WWW.a.example",
                "see https\\://a.example or WWW\\.a.example",
            ),
        ] {
            assert_eq!(escaped(text), expected);
        }
        assert_eq!(line("a\n# b"), "a \\# b");
        assert_eq!(paragraphs("a\n===\n\n\n    b", "> "), "> a  \n> \\===\n\n> b\n\n");
    }
}
