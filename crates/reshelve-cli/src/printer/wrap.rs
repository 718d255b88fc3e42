//! Long lines on a narrow terminal: broken between words, below what they belong to. A terminal by
//! itself breaks anywhere, and a path or a number that is broken is not read.

/// A text whose lines have at most so many columns, but for words that are longer.
pub(super) fn wrapped(text: &str, columns: usize) -> String {
    let lines: Vec<String> = text.split('\n').map(|line| wrapped_line(line, columns)).collect();
    lines.join("\n")
}

fn wrapped_line(line: &str, columns: usize) -> String {
    if length(line) <= columns {
        return line.to_owned();
    }
    let indent = indent(line).min(columns / 2);
    let mut out = String::new();
    let mut column = 0;
    for (gap, word) in words(line) {
        let after = column + gap + length(word);
        if after > columns && column > indent {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent + length(word);
        } else {
            out.push_str(&" ".repeat(gap));
            column = after;
        }
        out.push_str(word);
    }
    out
}

/// Where the rest of a line goes: below the text after a name, such as `  took         12.3 s`, or
/// a little to the right of where the line begins.
fn indent(line: &str) -> usize {
    let begin = line.len() - line.trim_start_matches(' ').len();
    let after_name = line[begin..].find("  ").map(|gap| begin + gap);
    let value = after_name.map(|gap| line.len() - line[gap..].trim_start_matches(' ').len());
    value.unwrap_or(begin + 2)
}

/// The words of a line, each with the number of spaces before it. A space between two digits is
/// part of a number.
fn words(line: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let text = rest.trim_start_matches(' ');
        let gap = rest.len() - text.len();
        let bytes = text.as_bytes();
        let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        let mut ends = text.match_indices(' ').map(|(at, _)| at);
        let end = ends.find(|&at| at == 0 || !(is_digit(at - 1) && is_digit(at + 1)));
        let (word, after) = text.split_at(end.unwrap_or(text.len()));
        words.push((gap, word));
        rest = after;
    }
    words
}

/// How many columns a text takes, without the codes of its colours.
fn length(text: &str) -> usize {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().map_or(0, |part| part.chars().count());
    first
        + parts
            .map(|part| part.split_once('m').map_or(0, |(_, rest)| rest.chars().count()))
            .sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_below_their_value() {
        assert_eq!(
            wrapped("  took         446 ms (23.2 MiB/s, 111 ms per 1 000 documents)", 40),
            "  took         446 ms (23.2 MiB/s, 111\n               ms per 1 000 documents)"
        );
        assert_eq!(
            wrapped("The run is done, with rejects that matter.", 30),
            "The run is done, with rejects\n  that matter."
        );
        assert_eq!(wrapped("abcd 1 234 567 b", 11), "abcd\n  1 234 567\n  b");
        assert_eq!(wrapped("short\n\n  lines", 40), "short\n\n  lines");
    }

    #[test]
    fn codes_take_no_room_and_long_words_stay_whole() {
        let coloured = "\u{1b}[1;32mThe run is done.\u{1b}[0m";
        assert_eq!(wrapped(coloured, 16), coloured);
        assert_eq!(
            wrapped("  run folder   a/very/long/path", 12),
            "  run folder\n      a/very/long/path"
        );
    }

    #[test]
    fn no_width_is_too_small_and_no_text_too_strange() {
        for columns in 0..60 {
            for text in
                ["", " ", "   ", "\u{1b}", "1 2 3", "   a  b  ", "größer  als  ½ ", "Straße 1 000"]
            {
                let words = |text: &str| text.split_whitespace().collect::<String>();
                assert_eq!(words(&wrapped(text, columns)), words(text));
            }
        }
    }
}
