//! How amounts are written.

/// A count as a coordinate. Counts beyond `u32` do not occur, and would be drawn at its end.
pub(super) fn amount(count: impl TryInto<u32>) -> f64 {
    f64::from(count.try_into().unwrap_or(u32::MAX))
}

/// A coordinate as a label: as few digits as say it.
pub(super) fn number(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `1 pod`, `2 pods`.
pub(super) fn counted(count: impl ToString + Copy, thing: &str) -> String {
    let count = count.to_string();
    let ending = match (count.as_str(), thing) {
        ("1", _) => "",
        (_, "prefix") => "es",
        _ => "s",
    };
    format!("{count} {thing}{ending}")
}

/// Texts longer than `most` characters end with an ellipsis.
pub(super) fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let begin: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{begin}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_with_as_few_digits_as_say_them() {
        assert_eq!([0.0, 2.5, 0.126, 100.0].map(number).join(" "), "0 2.5 0.13 100");
        let counted = [counted(0, "pod"), counted(1, "prefix"), counted(2, "prefix")];
        assert_eq!(counted.join(", "), "0 pods, 1 prefix, 2 prefixes");
        assert_eq!([short("web-1", 5), short("größer", 5)].join(" "), "web-1 größ…");
    }
}
