//! The words of a label selector.
//!
//! Source: Kubernetes API reference, label selectors; k8s.io/apimachinery v0.36, package `labels`.

use std::iter::Peekable;
use std::str::Chars;

/// One word. What it was written as is kept, because messages show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Close,
    Comma,
    DoesNotExist,
    DoubleEquals,
    End,
    Equals,
    GreaterThan,
    Identifier,
    In,
    LessThan,
    NotEquals,
    NotIn,
    Open,
    Unreadable,
}

/// A word and how it was written.
pub(super) type Scanned = (Token, String);

/// The words that are written with operator characters.
const SYMBOLS: [(&str, Token); 9] = [
    (")", Token::Close),
    (",", Token::Comma),
    ("!", Token::DoesNotExist),
    ("==", Token::DoubleEquals),
    ("=", Token::Equals),
    (">", Token::GreaterThan),
    ("<", Token::LessThan),
    ("!=", Token::NotEquals),
    ("(", Token::Open),
];

const fn is_symbol(character: char) -> bool {
    matches!(character, '=' | '!' | '(' | ')' | ',' | '>' | '<')
}

const fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// All words of the text; the last one is [`Token::End`].
pub(super) fn scan(text: &str) -> Vec<Scanned> {
    let mut characters = text.chars().peekable();
    let mut words = Vec::new();
    loop {
        while characters.next_if(|character| is_space(*character)).is_some() {}
        let word = match characters.peek() {
            None => break,
            Some(character) if is_symbol(*character) => symbol(&mut characters),
            Some(_) => identifier(&mut characters),
        };
        words.push(word);
    }
    words.push((Token::End, String::new()));
    words
}

/// The longest operator at the start of what is left.
fn symbol(characters: &mut Peekable<Chars<'_>>) -> Scanned {
    let mut literal = String::new();
    let mut found = Token::Unreadable;
    while let Some(character) = characters.peek().copied().filter(|next| is_symbol(*next)) {
        let longer = format!("{literal}{character}");
        let Some((_, token)) = SYMBOLS.iter().find(|(symbol, _)| *symbol == longer) else {
            break;
        };
        found = *token;
        literal = longer;
        characters.next();
    }
    (found, literal)
}

fn identifier(characters: &mut Peekable<Chars<'_>>) -> Scanned {
    let mut literal = String::new();
    let more = |character: &char| !is_symbol(*character) && !is_space(*character);
    while let Some(character) = characters.next_if(more) {
        literal.push(character);
    }
    match literal.as_str() {
        "in" => (Token::In, literal),
        "notin" => (Token::NotIn, literal),
        _ => (Token::Identifier, literal),
    }
}
