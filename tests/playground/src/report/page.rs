//! Markup. What is no part of this program can only come in escaped: the doors for markup take what was written here.

use std::fmt::Write as _;
use std::time::Duration;

use super::ink;
use crate::summary::span;

/// A document that is being written. It is well-formed XML too.
#[derive(Debug)]
pub(super) struct Page(String);

/// A plot, as the library wrote it.
#[derive(Debug, Clone)]
pub(super) struct Svg(String);

impl Svg {
    /// What a drawing left behind.
    pub(super) const fn of_library(text: String) -> Self {
        Self(text)
    }
}

/// A cell of a table.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    text: String,
    class: &'static str,
}

impl Cell {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), class: "" }
    }

    /// A number, on the right.
    pub(super) fn number(number: impl ToString + Copy) -> Self {
        Self { text: number.to_string(), class: "number" }
    }

    /// A time since the start.
    pub(super) fn when(at: Duration) -> Self {
        Self { text: span(at), class: "number" }
    }

    /// Something that is as it should be.
    pub(super) fn good(text: impl Into<String>) -> Self {
        Self { text: text.into(), class: "good" }
    }

    /// Something that is not as it should be.
    pub(super) fn trouble(text: impl Into<String>) -> Self {
        Self { text: text.into(), class: "trouble" }
    }
}

impl Page {
    /// An empty document with that title.
    pub(super) fn new(title: &str) -> Self {
        let mut page = Self("<!DOCTYPE html>\n".to_owned());
        page.open("html", &[("lang", "en")]);
        page.open("head", &[]);
        page.0.push_str("<meta charset=\"utf-8\"/>\n");
        page.0.push_str(
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n",
        );
        page.0.push_str("<meta name=\"color-scheme\" content=\"light dark\"/>\n");
        page.tag("title", title);
        page.0.push_str("<style>\n");
        page.0.push_str(&ink::style_sheet());
        page.0.push_str(include_str!("style.css"));
        page.0.push_str("</style>\n");
        page.close("head");
        page.open("body", &[]);
        page
    }

    pub(super) fn finish(mut self) -> String {
        self.close("body");
        self.close("html");
        self.0
    }

    pub(super) fn open(&mut self, name: &'static str, attributes: &[(&'static str, &str)]) {
        self.0.push('<');
        self.0.push_str(name);
        for (attribute, value) in attributes {
            // Writing to a `String` cannot fail.
            let _ = write!(self.0, " {attribute}=\"");
            self.text(value);
            self.0.push('"');
        }
        self.0.push('>');
    }

    pub(super) fn close(&mut self, name: &'static str) {
        let _ = writeln!(self.0, "</{name}>");
    }

    /// A text, escaped for content and for quoted attributes. Control characters that no document may have become a sign of their own.
    pub(super) fn text(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '&' => self.0.push_str("&amp;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '\n' | '\t' => self.0.push(character),
                _ if character.is_control() => self.0.push(char::REPLACEMENT_CHARACTER),
                _ => self.0.push(character),
            }
        }
    }

    /// An element with nothing but a text in it.
    pub(super) fn tag(&mut self, name: &'static str, text: &str) {
        self.classed(name, "", text);
    }

    /// An element of a class with nothing but a text in it.
    pub(super) fn classed(&mut self, name: &'static str, class: &'static str, text: &str) {
        let attributes: &[_] = if class.is_empty() { &[] } else { &[("class", class)] };
        self.open(name, attributes);
        self.text(text);
        self.close(name);
    }

    pub(super) fn svg(&mut self, svg: &Svg) {
        self.0.push_str(&svg.0);
    }

    /// A table. The heads of columns of numbers are aligned as the cells of the first row.
    pub(super) fn table(&mut self, heads: &[&str], rows: &[Vec<Cell>]) {
        self.open("div", &[("class", "wide")]);
        self.open("table", &[]);
        if !heads.is_empty() {
            self.open("thead", &[]);
            self.open("tr", &[]);
            for (index, head) in heads.iter().enumerate() {
                let below = rows.first().and_then(|row| row.get(index));
                let class = below.map_or("", |cell| cell.class).trim_start_matches("trouble");
                self.open("th", &[("scope", "col"), ("class", class)]);
                self.text(head);
                self.close("th");
            }
            self.close("tr");
            self.close("thead");
        }
        self.open("tbody", &[]);
        for row in rows {
            self.open("tr", &[]);
            for cell in row {
                self.classed("td", cell.class, &cell.text);
            }
            self.close("tr");
        }
        self.close("tbody");
        self.close("table");
        self.close("div");
    }
}
