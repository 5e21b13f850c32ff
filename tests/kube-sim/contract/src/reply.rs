//! What a server answered, as text to compare.

use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// What a server answered.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    /// JSON, or a text that is no JSON.
    pub(crate) body: Value,
    /// The texts of the `Warning` headers.
    pub(crate) warnings: Vec<String>,
    /// What to write in place of the names that are of this run alone.
    pub(crate) own: String,
}

impl Reply {
    /// The body of a reply that is a success.
    pub(crate) fn ok(&self) -> Result<&Value> {
        ensure!((200..300).contains(&self.code), "refused:\n{}", self.text());
        Ok(&self.body)
    }

    /// A member of the body, by its JSON pointer.
    pub(crate) fn at(&self, pointer: &str) -> Result<&Value> {
        at(self.ok()?, pointer)
    }

    /// A text member of the body, by its JSON pointer.
    pub(crate) fn text_at(&self, pointer: &str) -> Result<String> {
        let value = self.at(pointer)?;
        Ok(value.as_str().with_context(|| format!("{pointer} is no text: {value}"))?.to_owned())
    }

    pub(crate) fn resource_version(&self) -> Result<String> {
        self.text_at("/metadata/resourceVersion")
    }

    /// The names of the items of a list, in its order.
    pub(crate) fn names(&self) -> Result<String> {
        let items = self.at("/items")?.as_array().context("`items` is no list")?;
        let name = |item: &Value| item["metadata"]["name"].as_str().unwrap_or("?").to_owned();
        Ok(self.anonymous(&items.iter().map(name).collect::<Vec<_>>().join(" ")))
    }

    /// Compares the answer with its expected text, line by line without indentation:
    ///
    /// ```text
    /// 404 NotFound
    /// pods "a" not found
    /// details: pods/a
    /// cause REASON FIELD: MESSAGE
    /// ```
    ///
    /// The name of the namespace of the case is `NS`.
    pub(crate) fn check(&self, expected: &str) -> Result<()> {
        same_text(&self.text(), expected)
    }

    /// Compares the first line only: code and reason. For answers whose message is about the insides of the server.
    pub(crate) fn check_first(&self, expected: &str) -> Result<()> {
        same_text(self.text().lines().next().unwrap_or_default(), expected)
    }

    fn text(&self) -> String {
        if self.body["kind"] == "Status" {
            return self.anonymous(&status_text(self.code, &self.body));
        }
        let text = self.body.as_str().map(|text| format!("\n{text}"));
        format!("{}{}", self.code, text.unwrap_or_default())
    }

    fn anonymous(&self, text: &str) -> String {
        text.replace(&self.own, "NS")
    }
}

/// A `Status` as text. The code is said twice by a server; the two must agree.
fn status_text(http: u16, status: &Value) -> String {
    let reason = status["reason"].as_str().or(status["status"].as_str()).unwrap_or("no reason");
    let mut text = format!("{http} {reason}");
    if status.get("code").is_some_and(|code| *code != http) {
        let _ = write!(text, " (but the body says {})", status["code"]);
    }
    let mut line = |line: &str| {
        let _ = write!(text, "\n{line}");
    };
    if let Some(message) = status["message"].as_str() {
        line(message);
    }
    let details = &status["details"];
    let mut about: Vec<_> =
        ["group", "kind", "name"].iter().filter_map(|key| details[key].as_str()).collect();
    if let Some(seconds) = details.get("retryAfterSeconds") {
        about.push(if seconds.is_u64() { "(retry)" } else { "(odd retry)" });
    }
    if !about.is_empty() {
        line(&format!("details: {}", about.join("/")));
    }
    for cause in details["causes"].as_array().into_iter().flatten() {
        let member = |key: &str| cause[key].as_str().unwrap_or("-").to_owned();
        line(&format!("cause {} {}: {}", member("reason"), member("field"), member("message")));
    }
    text
}

/// Compares two texts line by line, without indentation and empty lines at the ends.
pub(crate) fn same_text(actual: &str, expected: &str) -> Result<()> {
    let lines = |text: &str| {
        let lines: Vec<_> = text.trim().lines().map(|line| line.trim().to_owned()).collect();
        lines.join("\n")
    };
    let (actual, expected) = (lines(actual), lines(expected));
    ensure!(actual == expected, "expected:\n{expected}\n\nbut it is:\n{actual}");
    Ok(())
}

/// Compares a part of an answer, named by `what`.
pub(crate) fn same(what: &str, actual: &Value, expected: &Value) -> Result<()> {
    ensure!(actual == expected, "{what}: expected\n{expected:#}\n\nbut it is\n{actual:#}");
    Ok(())
}

/// A member of `value`, by its JSON pointer.
pub(crate) fn at<'a>(value: &'a Value, pointer: &str) -> Result<&'a Value> {
    value.pointer(pointer).with_context(|| format!("nothing at {pointer} in {value:#}"))
}
