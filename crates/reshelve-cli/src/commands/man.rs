//! `reshelve man`: manual pages, made from the definition of the command line.

use std::io;
use std::path::Path;

use clap::Command;
use clap::builder::Resettable;
use clap_mangen::Man;
use reshelve_app::{ExitCode, Failure};

use crate::cli::{self, ManArgs};
use crate::next::Next;
use crate::printer::Printer;

pub(crate) fn run(args: &ManArgs) -> Result<ExitCode, Failure> {
    let mut command = cli::command().disable_help_subcommand(true);
    command.build();
    std::fs::create_dir_all(&args.dir).and_then(|()| write_pages(&command, &args.dir)).map_err(
        |error| Failure::failed(format!("writing man pages to {}: {error}", args.dir.display())),
    )?;
    let page = args.dir.join("reshelve.1");
    Printer::new(false).next(&Next::of(&["man"]).place(&page));
    Ok(ExitCode::Done)
}

/// The page of a command, and those of the commands below it.
fn write_pages(command: &Command, folder: &Path) -> io::Result<()> {
    for below in command.get_subcommands() {
        write_pages(below, folder)?;
    }
    let more = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let man = Man::new(command.clone().after_long_help(Resettable::Reset));
    let mut page = Vec::new();
    man.render(&mut page)?;
    page.extend_from_slice(sections(&more).as_bytes());
    std::fs::write(folder.join(man.get_filename()), page)
}

/// The end of the help as sections of a page: each paragraph that begins with a title is one, and
/// its lines stay as they are.
fn sections(text: &str) -> String {
    let mut out = String::new();
    for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
        let (title, lines) = match paragraph.split_once(':') {
            Some((title, lines)) if !title.contains(['\n', '.']) => (Some(title), lines),
            _ => (None, paragraph),
        };
        match title {
            Some(title) => out.push_str(&format!(".SH \"{}\"\n", title.to_uppercase())),
            None => out.push_str(".PP\n"),
        }
        out.push_str(".nf\n");
        for line in lines.trim_start_matches(['\n', ' ']).lines() {
            // A line that begins with a dot would be a command of the formatter.
            let line = line.trim_start().replace('\\', "\\e").replace('-', "\\-");
            out.push_str(&format!("\\&{line}\n"));
        }
        out.push_str(".fi\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_become_sections_whose_lines_stay_as_they_are() {
        assert_eq!(
            sections("Exit codes:\n  0  done\n  .x  a-b\n\nMake it first."),
            ".SH \"EXIT CODES\"\n.nf\n\\&0  done\n\\&.x  a\\-b\n.fi\n\
             .PP\n.nf\n\\&Make it first.\n.fi\n"
        );
        assert_eq!(sections("Exit codes: none."), ".SH \"EXIT CODES\"\n.nf\n\\&none.\n.fi\n");
        assert_eq!(sections(""), "");
    }
}
