//! Label selectors: `app=web,tier in (a, b),!legacy`.
//!
//! Source: Kubernetes concepts, labels and selectors; k8s.io/apimachinery v0.36, package `labels`, for the messages.

use std::collections::BTreeSet;

use serde_json::Value;

use super::SelectorError;
use super::label_name::{key_faults, value_faults};
use super::lexer::{Scanned, Token, scan};
use crate::status::{FieldError, FieldErrorKind};

/// Requirements that an object's labels all meet. Without any, every object is selected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Exists,
    DoesNotExist,
    In(BTreeSet<String>),
    NotIn(BTreeSet<String>),
    GreaterThan(i64),
    LessThan(i64),
}

impl LabelSelector {
    /// Reads the parameter `labelSelector`. An empty text selects everything.
    ///
    /// # Errors
    ///
    /// The text is no selector.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let mut parser = Parser { words: scan(text), position: 0 };
        parser.selector()
    }

    /// Whether the object has labels as required.
    #[must_use]
    pub fn matches(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        self.requirements.iter().all(|requirement| requirement.matches(labels))
    }

    /// Whether every object is selected.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }
}

impl Requirement {
    fn matches(&self, labels: &Value) -> bool {
        let value = labels.get(&self.key).and_then(Value::as_str);
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match &self.test {
            Test::Exists => value.is_some(),
            Test::DoesNotExist => value.is_none(),
            Test::In(values) => value.is_some_and(|value| values.contains(value)),
            Test::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
            Test::GreaterThan(bound) => number().is_some_and(|number| number > *bound),
            Test::LessThan(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

/// A place among the words of a selector. There is always a word to look at: the last one is the end.
struct Parser {
    words: Vec<Scanned>,
    position: usize,
}

impl Parser {
    /// The next word, as an operator where it can be one.
    fn look(&self) -> (Token, &str) {
        let (token, literal) = &self.words[self.position.min(self.words.len() - 1)];
        (*token, literal)
    }

    /// The next word where no operator can stand: `in` and `notin` are names there.
    fn look_for_name(&self) -> (Token, &str) {
        match self.look() {
            (Token::In | Token::NotIn, literal) => (Token::Identifier, literal),
            word => word,
        }
    }

    fn advance(&mut self) {
        self.position += 1;
    }

    fn selector(&mut self) -> Result<LabelSelector, SelectorError> {
        let mut requirements = Vec::new();
        loop {
            match self.look_for_name() {
                (Token::Identifier | Token::DoesNotExist, _) => {}
                (Token::End, _) => return Ok(LabelSelector { requirements }),
                (_, found) => {
                    return Err(unexpected(found, ", expected: !, identifier, or 'end of string'"));
                }
            }
            let requirement = self.requirement().map_err(|SelectorError(why)| {
                SelectorError(format!("unable to parse requirement: {why}"))
            })?;
            requirements.push(requirement);
            self.separator()?;
        }
    }

    /// Goes past the comma between two requirements, or stays at the end.
    fn separator(&mut self) -> Result<(), SelectorError> {
        match self.look_for_name() {
            (Token::End, _) => return Ok(()),
            (Token::Comma, _) => self.advance(),
            (_, found) => return Err(unexpected(found, ", expected: ',' or 'end of string'")),
        }
        match self.look_for_name() {
            (Token::Identifier | Token::DoesNotExist, _) => Ok(()),
            (_, found) => Err(unexpected(found, ", expected: identifier after ','")),
        }
    }

    fn requirement(&mut self) -> Result<Requirement, SelectorError> {
        let negated = self.look().0 == Token::DoesNotExist;
        if negated {
            self.advance();
        }
        let key = self.key()?;
        if negated {
            return Ok(Requirement { key, test: Test::DoesNotExist });
        }
        let (operator, found) = self.look();
        let test = match operator {
            Token::End | Token::Comma => Test::Exists,
            Token::In | Token::NotIn => {
                self.advance();
                self.membership(operator, &key)?
            }
            Token::Equals
            | Token::DoubleEquals
            | Token::NotEquals
            | Token::GreaterThan
            | Token::LessThan => {
                self.advance();
                self.comparison(operator, &key)?
            }
            _ => return Err(unexpected(found, ", expected: in, notin, =, ==, !=, gt, lt")),
        };
        Ok(Requirement { key, test })
    }

    fn key(&mut self) -> Result<String, SelectorError> {
        let (token, literal) = self.look_for_name();
        let key = literal.to_owned();
        if token != Token::Identifier {
            return Err(unexpected(&key, ", expected: identifier"));
        }
        self.advance();
        match key_faults(&key).join("; ") {
            faults if faults.is_empty() => Ok(key),
            // The server has no path to put before the key.
            faults => Err(invalid("<nil>", &key, faults)),
        }
    }

    fn comparison(&mut self, operator: Token, key: &str) -> Result<Test, SelectorError> {
        let value = match self.look_for_name() {
            (Token::End | Token::Comma, _) => String::new(),
            (Token::Identifier, value) => {
                let value = value.to_owned();
                self.advance();
                value
            }
            (_, found) => return Err(unexpected(found, ", expected: identifier")),
        };
        let values = BTreeSet::from([value.clone()]);
        let number = || {
            let why = "for 'Gt', 'Lt' operators, the value must be an integer";
            value.parse().map_err(|_| invalid("values[0]", &value, why.into()))
        };
        let test = match operator {
            Token::NotEquals => Test::NotIn(values.clone()),
            Token::GreaterThan => Test::GreaterThan(number()?),
            Token::LessThan => Test::LessThan(number()?),
            _ => Test::In(values.clone()),
        };
        check_values(key, &values)?;
        Ok(test)
    }

    fn membership(&mut self, operator: Token, key: &str) -> Result<Test, SelectorError> {
        match self.look() {
            (Token::Open, _) => self.advance(),
            (_, found) => return Err(unexpected(found, " expected: '('")),
        }
        let values = self.values()?;
        check_values(key, &values)?;
        Ok(if operator == Token::In { Test::In(values) } else { Test::NotIn(values) })
    }

    /// The values up to the closing bracket. Between commas there may be nothing, which is the empty value.
    fn values(&mut self) -> Result<BTreeSet<String>, SelectorError> {
        let mut values = BTreeSet::new();
        let mut after_value = false;
        let mut expected = ", expected: ',', ')' or identifier";
        loop {
            match self.look_for_name() {
                (Token::Identifier, value) if !after_value => {
                    values.insert(value.to_owned());
                }
                (Token::Comma, _) if after_value => {}
                (Token::Comma, _) => {
                    values.insert(String::new());
                }
                (Token::Close, _) => {
                    if !after_value {
                        values.insert(String::new());
                    }
                    self.advance();
                    return Ok(values);
                }
                (_, found) => return Err(unexpected(found, expected)),
            }
            after_value = self.look_for_name().0 == Token::Identifier;
            expected = if after_value {
                ", expected: ',' or ')'"
            } else {
                ", expected: ',', or identifier"
            };
            self.advance();
        }
    }
}

fn check_values(key: &str, values: &BTreeSet<String>) -> Result<(), SelectorError> {
    for (index, value) in values.iter().enumerate() {
        let faults = value_faults(value).join("; ");
        if !faults.is_empty() {
            return Err(invalid(&format!("values[{index}][{key}]"), value, faults));
        }
    }
    Ok(())
}

/// The server's words for a broken rule of names.
fn invalid(field: &str, value: &str, faults: String) -> SelectorError {
    let error = FieldError::new(FieldErrorKind::Invalid, field, value, faults);
    SelectorError(format!("{field}: {}", error.body()))
}

fn unexpected(found: &str, expected: &str) -> SelectorError {
    SelectorError(format!("found '{found}'{expected}"))
}
