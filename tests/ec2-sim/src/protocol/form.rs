//! A form as the protocol flattens it: `Filter.1.Value.2=available`.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::ApiError;

/// How many digits the number of a list's element may have.
const INDEX_DIGITS: usize = 6;

/// The number that `segment` is, when it can number a list's element: 1 or more, as written without leading zeros.
pub(super) fn index(segment: &str) -> Option<u32> {
    let plain = segment.bytes().all(|byte| byte.is_ascii_digit()) && !segment.starts_with('0');
    if plain && segment.len() <= INDEX_DIGITS { segment.parse().ok() } else { None }
}

/// Parameters by name.
#[derive(Debug)]
pub(super) struct Form {
    values: BTreeMap<String, String>,
}

impl Form {
    /// Reads a form or a query string. What a signature adds to a query string is left out.
    ///
    /// # Errors
    ///
    /// `MalformedQueryString` when a parameter is said twice.
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let mut values = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            if name.starts_with("X-Amz-") {
                continue;
            }
            if values.contains_key(name.as_ref()) {
                return Err(ApiError::repeated_parameter(&name));
            }
            values.insert(name.into_owned(), value.into_owned());
        }
        Ok(Self { values })
    }

    /// Takes a parameter out of the form.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.values.remove(name)
    }

    /// Everything there is, ordered by name.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The parameters of the request itself.
    pub(super) const fn root(&self) -> Fields<'_> {
        Fields { form: self, prefix: String::new() }
    }
}

/// The parameters of one structure: of the request, or of an element of a list.
#[derive(Debug)]
pub(super) struct Fields<'form> {
    form: &'form Form,
    prefix: String,
}

impl<'form> Fields<'form> {
    /// The full name of a parameter.
    pub(super) fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// What was said; none also when nothing stands behind the equals sign.
    pub(super) fn value(&self, name: &str) -> Option<&'form str> {
        self.text(name).filter(|value| !value.is_empty())
    }

    /// What was said, where an empty text is one.
    pub(super) fn text(&self, name: &str) -> Option<&'form str> {
        self.form.values.get(&self.name(name)).map(String::as_str)
    }

    /// The value of a parameter, read by `parse`.
    pub(super) fn parsed<Value>(
        &self,
        name: &str,
        parse: impl FnOnce(&str, &str) -> Result<Value, ApiError>,
    ) -> Result<Option<Value>, ApiError> {
        self.value(name).map(|value| parse(&self.name(name), value)).transpose()
    }

    /// The value of a parameter that must be there, read by `parse`.
    pub(super) fn required<Value>(
        &self,
        name: &str,
        parse: impl FnOnce(&str, &str) -> Result<Value, ApiError>,
    ) -> Result<Value, ApiError> {
        self.parsed(name, parse)?.ok_or_else(|| ApiError::missing_parameter(&self.name(name)))
    }

    /// The structures of a list, by the order of their numbers. Numbers that are left out do no harm.
    pub(super) fn elements(&self, name: &str) -> Vec<Self> {
        let prefix = self.name(name) + ".";
        let numbers: BTreeSet<u32> = self
            .form
            .values
            .range(prefix.clone()..)
            .map_while(|(name, _)| name.strip_prefix(&prefix))
            .filter_map(|rest| index(rest.split('.').next().unwrap_or_default()))
            .collect();
        let element = |number| Self { form: self.form, prefix: format!("{prefix}{number}.") };
        numbers.into_iter().map(element).collect()
    }

    /// The values of a list, each read by `parse`, by the order of their numbers.
    pub(super) fn list<Value>(
        &self,
        name: &str,
        parse: impl Fn(&str, &str) -> Result<Value, ApiError>,
    ) -> Result<Vec<Value>, ApiError> {
        let named = |element: &Self| {
            let full = element.prefix.trim_end_matches('.').to_owned();
            let value = self.form.values.get(&full)?;
            Some(parse(&full, value))
        };
        self.elements(name).iter().filter_map(named).collect()
    }

    /// Such a list that must not be empty.
    pub(super) fn required_list<Value>(
        &self,
        name: &str,
        parse: impl Fn(&str, &str) -> Result<Value, ApiError>,
    ) -> Result<Vec<Value>, ApiError> {
        let values = self.list(name, parse)?;
        if values.is_empty() {
            Err(ApiError::missing_parameter(&self.name(name)))
        } else {
            Ok(values)
        }
    }
}
