//! The few parts of Markdown that rules read.

/// A line with its number, counted from 1.
pub(crate) type Line<'t> = (usize, &'t str);

/// The lines of `text` with their numbers.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    (1..).zip(text.lines())
}

/// The lines of the section under the heading `## title`, up to the next heading of the same or a higher level. The number is
/// that of the heading.
pub(crate) fn section<'t>(text: &'t str, title: &str) -> Option<(usize, Vec<Line<'t>>)> {
    let mut rest = lines(text);
    let (number, _) =
        rest.find(|(_, line)| line.strip_prefix("## ").map(str::trim) == Some(title))?;
    let mut fenced = false;
    let inside = rest.take_while(|(_, line)| {
        fenced ^= line.starts_with("```");
        // A comment of a shell looks like a heading.
        fenced || !line.starts_with("## ") && !line.starts_with("# ")
    });
    Some((number, inside.collect()))
}

/// What stands between "```" and "```".
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Block<'t> {
    /// The line that opens it, counted from 1.
    pub(crate) number: usize,
    /// The first word behind the opening, such as `sh`; empty where there is none.
    pub(crate) language: &'t str,
    /// The other words behind it, such as `step=test`.
    pub(crate) mark: &'t str,
    /// What is inside.
    pub(crate) lines: Vec<Line<'t>>,
}

/// The blocks of `text`, in order.
pub(crate) fn blocks<'t>(text: impl IntoIterator<Item = Line<'t>>) -> Vec<Block<'t>> {
    let mut blocks = Vec::new();
    let mut rest = text.into_iter();
    while let Some((number, opening)) = rest.find(|(_, line)| is_fence(line)) {
        let words = opening.trim().trim_start_matches('`').trim();
        let (language, mark) = words.split_once(' ').unwrap_or((words, ""));
        let lines = rest.by_ref().take_while(|(_, line)| !is_fence(line)).collect();
        blocks.push(Block { number, language, mark: mark.trim(), lines });
    }
    blocks
}

fn is_fence(line: &str) -> bool {
    line.trim_start().starts_with("```")
}

/// The commands of `text`: the blocks marked `sh`, with or without more words.
pub(crate) fn shell_blocks<'t>(text: impl IntoIterator<Item = Line<'t>>) -> Vec<Block<'t>> {
    blocks(text).into_iter().filter(|block| block.language == "sh").collect()
}

/// What stands between two backticks of one line, outside of blocks.
pub(crate) fn inline_code<'t>(text: &'t str) -> Vec<Line<'t>> {
    let code = |(number, line): Line<'t>| {
        line.split('`').skip(1).step_by(2).map(move |code| (number, code)).collect::<Vec<_>>()
    };
    outside_blocks(text).into_iter().flat_map(code).collect()
}

/// The lines that are not between "```" and "```".
pub(crate) fn outside_blocks(text: &str) -> Vec<Line<'_>> {
    let mut fenced = false;
    let outside = lines(text).filter(|(_, line)| {
        fenced ^= is_fence(line);
        !fenced && !is_fence(line)
    });
    outside.collect()
}

/// The items of numbered lists. The lines of an item end at a blank line or at the next item; the number is that of the first.
pub(crate) fn numbered_items(section: &[Line<'_>]) -> Vec<(usize, String)> {
    let mut items: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (number, line) in section {
        if let Some(text) = item(line) {
            items.push((*number, text.to_owned()));
            open = true;
        } else if line.trim().is_empty() {
            open = false;
        } else if let (true, Some((_, text))) = (open, items.last_mut()) {
            *text = format!("{text} {}", line.trim());
        }
    }
    items
}

/// The text of a line `1. text`.
fn item(line: &str) -> Option<&str> {
    let (number, text) = line.trim_start().split_once(". ")?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_ends_at_the_next_heading_that_is_no_comment_in_a_block() {
        let text = "# A\n## B\nb\n```sh\n# comment\n```\n### C\nc\n## D\nd";
        let (number, lines) = section(text, "B").unwrap();
        assert_eq!(number, 2);
        assert_eq!(lines.first(), Some(&(3, "b")));
        assert_eq!(lines.last(), Some(&(8, "c")));
        assert_eq!(section(text, "C"), None);
    }

    #[test]
    fn shell_blocks_are_those_marked_so() {
        let text = "```sh\na\nb\n```\nc\n```json\nd\n```\n```sh step=x\ne\n```";
        let expected = [
            Block { number: 1, language: "sh", mark: "", lines: vec![(2, "a"), (3, "b")] },
            Block { number: 9, language: "sh", mark: "step=x", lines: vec![(10, "e")] },
        ];
        assert_eq!(shell_blocks(lines(text)), expected);
    }

    #[test]
    fn inline_code_is_outside_of_blocks() {
        let text = "a `b c` d `e`\n```sh\n`f`\n```\n`g`";
        assert_eq!(inline_code(text), [(1, "b c"), (1, "e"), (5, "g")]);
    }

    #[test]
    fn items_may_have_several_lines() {
        let section: Vec<Line> =
            lines("Words.\n1. a\n   b\n2. c\n\nMore words. And more\n10. d").collect();
        let expected = [(2, "a b"), (4, "c"), (7, "d")].map(|(n, text)| (n, text.to_owned()));
        assert_eq!(numbered_items(&section), expected);
    }
}
