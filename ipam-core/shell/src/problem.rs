//! Errors as one line.

use std::error::Error;

/// An error and what caused it, without saying anything twice: many errors repeat their cause in their own text.
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Failure {
        text: &'static str,
        source: Option<Box<Failure>>,
    }

    #[test]
    fn causes_are_named_once() {
        let cause = |text| Some(Box::new(Failure { text, source: None }));
        let repeated =
            Failure { text: "no list: connection reset", source: cause("connection reset") };
        assert_eq!(chain(&repeated), "no list: connection reset");
        let plain = Failure { text: "no list", source: cause("connection reset") };
        assert_eq!(chain(&plain), "no list: connection reset");
    }
}
