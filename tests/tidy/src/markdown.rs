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

/// The blocks between "```sh" and "```".
pub(crate) fn shell_blocks<'t>(text: impl IntoIterator<Item = Line<'t>>) -> Vec<Vec<Line<'t>>> {
    let mut blocks = Vec::new();
    let mut rest = text.into_iter();
    while rest.by_ref().any(|(_, line)| line.trim() == "```sh") {
        blocks.push(rest.by_ref().take_while(|(_, line)| line.trim() != "```").collect());
    }
    blocks
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
        let text = "```sh\na\nb\n```\nc\n```json\nd\n```\n```sh\ne\n```";
        assert_eq!(shell_blocks(lines(text)), [vec![(2, "a"), (3, "b")], vec![(10, "e")]]);
    }

    #[test]
    fn items_may_have_several_lines() {
        let section: Vec<Line> =
            lines("Words.\n1. a\n   b\n2. c\n\nMore words. And more\n10. d").collect();
        let expected = [(2, "a b"), (4, "c"), (7, "d")].map(|(n, text)| (n, text.to_owned()));
        assert_eq!(numbered_items(&section), expected);
    }
}
