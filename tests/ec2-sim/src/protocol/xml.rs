//! Writes XML: elements, text, nothing else.

use std::borrow::Cow;

use quick_xml::escape::escape;

use crate::protocol::plain::Plain;

/// A document that grows.
#[derive(Debug, Default)]
pub(super) struct Xml {
    text: String,
}

impl Xml {
    /// A document with room for `bytes`.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        let mut text = String::with_capacity(bytes);
        text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        Self { text }
    }

    /// The document as it is.
    pub(super) fn finish(self) -> String {
        self.text
    }

    #[inline]
    fn tag(&mut self, before: &str, name: &str) {
        self.text.push_str(before);
        self.text.push_str(name);
        self.text.push('>');
    }

    /// The outermost element, in its namespace.
    pub(super) fn root(&mut self, name: &str, namespace: &str, inner: impl FnOnce(&mut Self)) {
        for part in ["<", name, " xmlns=\"", namespace, "\">"] {
            self.text.push_str(part);
        }
        inner(self);
        self.tag("</", name);
    }

    /// An element with others inside.
    #[inline]
    pub(super) fn element(&mut self, name: &str, inner: impl FnOnce(&mut Self)) {
        self.tag("<", name);
        inner(self);
        self.tag("</", name);
    }

    /// A list: one `item` for each.
    #[inline]
    pub(super) fn list<Item>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = Item>,
        mut inner: impl FnMut(&mut Self, Item),
    ) {
        self.element(name, |xml| {
            for item in items {
                xml.element("item", |xml| inner(xml, item));
            }
        });
    }

    /// Such a list where there is something to list, and nothing at all where there is not.
    #[inline]
    pub(super) fn list_some<Item>(
        &mut self,
        name: &str,
        items: &[Item],
        inner: impl FnMut(&mut Self, &Item),
    ) {
        if !items.is_empty() {
            self.list(name, items, inner);
        }
    }

    /// An element with a text that people or clients chose.
    #[inline]
    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.tag("<", name);
        if value.bytes().all(is_harmless) {
            self.text.push_str(value);
        } else {
            self.text.push_str(&escape(printable(value)));
        }
        self.tag("</", name);
    }

    /// An element with what the program itself says: numbers, addresses, words. Nothing in it needs to be escaped.
    #[inline]
    pub(super) fn plain(&mut self, name: &str, value: impl Plain) {
        self.tag("<", name);
        value.write(&mut self.text);
        self.tag("</", name);
    }

    /// Such a value without an element of its own, or markup as it is.
    #[inline]
    pub(super) fn raw(&mut self, value: impl Plain) {
        value.write(&mut self.text);
    }
}

/// Whether a byte means nothing in XML and is part of no character that a document cannot hold.
const fn is_harmless(byte: u8) -> bool {
    // 0xef begins U+FFFE and U+FFFF, and much that is allowed.
    byte >= b' ' && !matches!(byte, b'<' | b'>' | b'&' | b'\'' | b'"' | 0xef)
}

/// `text` with the characters replaced that no XML document can hold (XML 1.0, production 2).
fn printable(text: &str) -> Cow<'_, str> {
    let forbidden = |character: char| matches!(character, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    if text.contains(forbidden) { text.replace(forbidden, "\u{fffd}").into() } else { text.into() }
}
