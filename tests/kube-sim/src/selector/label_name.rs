//! What a label key and a label value may look like.
//!
//! Source: Kubernetes concepts, labels and selectors, syntax and character set.

const NAME_MAX_BYTES: usize = 63;
const PREFIX_MAX_BYTES: usize = 253;

const NAME_PATTERN: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
/// What follows "must " for a key and "or " for a value.
const NAME_RULE: &str = "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
                         alphanumeric character";
const PREFIX_PATTERN: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";

/// What is wrong with a key; empty when nothing is.
pub(crate) fn key_faults(key: &str) -> Vec<String> {
    let parts: Vec<&str> = key.split('/').collect();
    let mut faults = Vec::new();
    let name = match parts.as_slice() {
        [name] => name,
        [prefix, name] => {
            faults = prefix_faults(prefix);
            name
        }
        _ => {
            let rule = name_rule();
            return vec![format!(
                "a valid label key {rule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        faults.push("name part must be non-empty".into());
    } else if name.len() > NAME_MAX_BYTES {
        faults.push(format!("name part must be no more than {NAME_MAX_BYTES} bytes"));
    }
    if !is_name(name) {
        faults.push(format!("name part {}", name_rule()));
    }
    faults
}

/// What is wrong with a value; empty when nothing is.
pub(crate) fn value_faults(value: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if value.len() > NAME_MAX_BYTES {
        faults.push(format!("must be no more than {NAME_MAX_BYTES} bytes"));
    }
    if !value.is_empty() && !is_name(value) {
        faults.push(format!(
            "a valid label must be an empty string or {NAME_RULE} (e.g. 'MyValue',  or 'my_value',  or '12345', regex \
             used for validation is '({NAME_PATTERN})?')"
        ));
    }
    faults
}

fn name_rule() -> String {
    format!(
        "must {NAME_RULE} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{NAME_PATTERN}')"
    )
}

fn prefix_faults(prefix: &str) -> Vec<String> {
    if prefix.is_empty() {
        return vec!["prefix part must be non-empty".into()];
    }
    let mut faults = Vec::new();
    if prefix.len() > PREFIX_MAX_BYTES {
        faults.push(format!("prefix part must be no more than {PREFIX_MAX_BYTES} bytes"));
    }
    if !prefix.split('.').all(is_dns_label) {
        faults.push(format!(
            "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or \
             '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for \
             validation is '{PREFIX_PATTERN}')"
        ));
    }
    faults
}

fn is_name(name: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    name.bytes().all(inside) && bounded_by(name, |byte| byte.is_ascii_alphanumeric())
}

fn is_dns_label(label: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    label.bytes().all(|byte| alphanumeric(byte) || byte == b'-') && bounded_by(label, alphanumeric)
}

/// Whether the first and the last byte are as asked; an empty text has neither.
fn bounded_by(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    let (first, last) = (text.bytes().next(), text.bytes().last());
    first.is_some_and(&allowed) && last.is_some_and(&allowed)
}
