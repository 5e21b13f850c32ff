//! Short names for ids.

use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::str::FromStr;

#[derive(Default)]
pub(super) struct Names {
    ids: BTreeMap<String, String>,
    attachments: BTreeMap<String, String>,
}

impl Names {
    pub(super) fn add(&mut self, name: &str, id: &dyn Display) {
        self.ids.insert(name.to_owned(), id.to_string());
    }

    pub(super) fn add_attachment(&mut self, name: &str, id: &dyn Display) {
        self.attachments.insert(name.to_owned(), id.to_string());
    }

    /// Lets a name such as `n1` be an id that nothing has, until something gets it.
    pub(super) fn add_unknown(&mut self, name: &str) {
        let Some(number) = name.strip_prefix('n').filter(|number| number.len() == 1) else {
            return;
        };
        let ids = self.ids.entry(name.to_owned());
        ids.or_insert_with(|| format!("eni-0000000{number}"));
        let attachments = self.attachments.entry(name.to_owned());
        attachments.or_insert_with(|| format!("eni-attach-0000000{number}"));
    }

    /// The id of a name, or the id that is written out.
    pub(super) fn id<Id: FromStr<Err: Debug>>(&self, name: &str) -> Id {
        self.ids.get(name).map_or(name, String::as_str).parse().expect("a name or an id")
    }

    /// The latest attachment of an interface.
    pub(super) fn attachment<Id: FromStr<Err: Debug>>(&self, name: &str) -> Id {
        self.attachments.get(name).map_or(name, String::as_str).parse().expect("a name or an id")
    }

    /// `text` with names in the place of ids.
    pub(super) fn shorten(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, id) in &self.ids {
            text = text.replace(id.as_str(), name);
        }
        for (name, id) in &self.attachments {
            text = text.replace(id.as_str(), &format!("attachment-of-{name}"));
        }
        if let Some(at) = text.find("eipassoc-") {
            text.replace_range(at..at + "eipassoc-".len() + 17, "ASSOCIATION");
        }
        text
    }
}

impl Names {
    /// The id of a name, as text.
    pub(super) fn shown(&self, name: &str) -> String {
        self.ids.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }
}
