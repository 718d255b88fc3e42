//! Novels as EPUB books: a whole archive, every page of which is XML, with all text as text.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod serving;

use std::io::{Cursor, Read as _};
use std::sync::Arc;

use serving::{MemoryPlace, Running};
use zip::{CompressionMethod, ZipArchive};

const HOSTILE: &str = r#"{"_id":"hostile","title":"<script>alert(1)</script> & \"x\" ]]>\u202etxt\u0000\ufffe",
"premise":"\"><img src=x onerror=alert(1)> &nbsp; <!-- \u0007","genre":"<b>&","status":"completed",
"createdAt":{"$date":"2025-07-24T10:00:00Z"},"updatedAt":{"$date":"2025-07-25T11:12:13Z"},
"chapters":[{"chapterNumber":1,"title":"</title><h1>x & y","status":"completed","wordCount":3,
"content":"One <b>two</b> & three\r\n\r\n]]> <?xml?> <![CDATA[ \uffff\u000b\nA second line"},
{"chapterNumber":2,"title":"Failed","status":"failed","attempts":3,"content":""},
{"chapterNumber":3,"title":"","status":"completed","wordCount":1,"content":"Last"}]}"#;

struct Book(ZipArchive<Cursor<Vec<u8>>>);

impl Book {
    fn of(server: &Running, job: &str) -> Book {
        let answer = server.get(&format!("/ui/novels/{job}/export/epub"));
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "application/epub+zip");
        let disposition = answer.header("content-disposition");
        assert!(
            disposition.starts_with("attachment; filename=\"") && disposition.ends_with(".epub\"")
        );
        Book(ZipArchive::new(Cursor::new(answer.body)).unwrap())
    }

    fn names(&self) -> Vec<String> {
        self.0.file_names().map(str::to_owned).collect()
    }

    fn text(&mut self, name: &str) -> String {
        let mut text = String::new();
        self.0.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    }
}

fn parsed(text: &str) -> roxmltree::Document<'_> {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    roxmltree::Document::parse_with_options(text, options).unwrap()
}

/// The text of all elements with a name.
fn texts(document: &roxmltree::Document<'_>, name: &str) -> Vec<String> {
    let text = |node: roxmltree::Node<'_, '_>| {
        node.descendants().filter(roxmltree::Node::is_text).filter_map(|it| it.text()).collect()
    };
    document.descendants().filter(|it| it.tag_name().name() == name).map(text).collect()
}

#[test]
fn a_book_is_whole_and_every_page_of_it_is_xml() {
    let server = Running::of(Arc::new(MemoryPlace::mapped(&HOSTILE.replace('\n', ""))));
    let mut book = Book::of(&server, "hostile");
    // The first file says what it is, and is not compressed.
    let mimetype = book.0.by_index(0).unwrap();
    assert_eq!((mimetype.name(), mimetype.compression()), ("mimetype", CompressionMethod::Stored));
    drop(mimetype);
    assert_eq!(book.text("mimetype"), "application/epub+zip");
    let mut pages = 0;
    for name in book.names() {
        if ["xhtml", "xml", "opf", "ncx"].iter().any(|end| name.ends_with(end)) {
            let text = book.text(&name);
            let page = parsed(&text);
            let strange = page
                .descendants()
                .find(|it| ["script", "img", "b"].contains(&it.tag_name().name()));
            assert_eq!(strange, None, "{name}");
            pages += usize::from(name.ends_with("xhtml"));
        }
    }
    assert_eq!(pages, 4);
    let container = book.text("META-INF/container.xml");
    assert!(container.contains("full-path=\"OEBPS/content.opf\""), "{container}");
}

#[test]
fn a_book_names_its_parts_in_their_order() {
    let server = Running::of(Arc::new(MemoryPlace::mapped(&HOSTILE.replace('\n', ""))));
    let mut book = Book::of(&server, "hostile");
    let text = book.text("OEBPS/content.opf");
    let package = parsed(&text);
    let title = "<script>alert(1)</script> & \"x\" ]]>\u{fffd}txt␀\u{fffd}";
    assert_eq!(package.root_element().attribute("version"), Some("3.0"));
    assert_eq!(texts(&package, "title"), [title]);
    assert_eq!(texts(&package, "language"), ["en"]);
    assert_eq!(texts(&package, "subject"), ["<b>&"]);
    assert!(texts(&package, "meta").contains(&"2025-07-25T11:12:13Z".to_owned()));
    let named = |name: &str, attribute: &str| -> Vec<String> {
        let nodes = package.descendants().filter(|it| it.tag_name().name() == name);
        nodes.filter_map(|it| it.attribute(attribute)).map(str::to_owned).collect()
    };
    // What the spine names is in the list of files, and each of those is in the archive.
    let (items, files) = (named("item", "id"), named("item", "href"));
    assert!(named("itemref", "idref").iter().all(|id| items.contains(id)));
    assert_eq!(named("itemref", "idref").len(), 3);
    let all = book.names();
    for file in files {
        assert!(all.contains(&format!("OEBPS/{file}")), "{file}");
    }
    let text = book.text("OEBPS/nav.xhtml");
    let contents = parsed(&text);
    let chapters: Vec<String> = texts(&contents, "a");
    assert_eq!(chapters[..3], [title, "1. </title><h1>x & y", "3. Without a title"]);
    let text = book.text("OEBPS/chapter-001.xhtml");
    let chapter = parsed(&text);
    assert_eq!(
        texts(&chapter, "p"),
        ["One <b>two</b> & three", "]]> <?xml?> <![CDATA[ \u{fffd}␋\nA second line"]
    );
    assert_eq!(texts(&chapter, "h2"), ["1. </title><h1>x & y"]);
}

#[test]
fn the_same_novel_is_the_same_book_and_one_without_chapters_has_a_title_page() {
    let lines = [&HOSTILE.replace('\n', ""), r#"{"_id":"empty","title":"","status":"planning"}"#];
    let server = Running::of(Arc::new(MemoryPlace::mapped(&lines.join("\n"))));
    let bytes = |job: &str| server.get(&format!("/ui/novels/{job}/export/epub")).body;
    assert_eq!(bytes("hostile"), bytes("hostile"));
    let mut empty = Book::of(&server, "empty");
    let text = empty.text("OEBPS/nav.xhtml");
    assert_eq!(texts(&parsed(&text), "a")[0], "Without a title");
    assert_eq!(server.get("/ui/novels/nope/export/epub").status, 404);
}
