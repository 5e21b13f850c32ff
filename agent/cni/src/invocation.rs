//! What the container runtime says in the environment: which verb, for which sandbox, of which pod.

use thiserror::Error;

use crate::protocol::{Pod, Problem, Sandbox, code};

/// The namespace of a pod that `CNI_ARGS` does not name, as with `cnitool`; its name is the container's id.
pub const NAMESPACE_DEFAULT: &str = "cni";
/// Bytes in the name of a network interface at most (Linux, `IFNAMSIZ`).
const INTERFACE_MAX: usize = 15;
/// Bytes in a container's id at most. Those of containerd and CRI-O have 64.
const CONTAINER_MAX: usize = 128;
/// Bytes in a value of `CNI_ARGS` at most; Kubernetes allows names of 253.
const ARGUMENT_MAX: usize = 256;

/// What is asked, with what the verb needs from the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invocation {
    /// Addresses for an interface.
    Add {
        /// The interface.
        sandbox: Sandbox,
        /// Whose.
        pod: Pod,
    },
    /// Back with what an interface holds.
    Del {
        /// The interface.
        sandbox: Sandbox,
    },
    /// Whether an interface holds its addresses.
    Check {
        /// The interface.
        sandbox: Sandbox,
    },
    /// Back with what no sandbox holds.
    Gc,
    /// Whether ADD can be served.
    Status,
    /// Which versions are spoken.
    Version,
}

/// Why the environment is not understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EnvironmentError {
    /// Variables that the verb needs are unset or empty.
    #[error("{verb} needs {}", variables.join(", "))]
    Missing {
        /// Which verb.
        verb: String,
        /// Which variables.
        variables: Vec<&'static str>,
    },
    /// No verb is asked for, or none that exists.
    #[error("CNI_COMMAND {command:?} is not one of ADD, DEL, CHECK, GC, STATUS and VERSION")]
    Command {
        /// As it was given.
        command: String,
    },
    /// A variable has a value that it cannot have.
    #[error("{variable} {value:?}: {expected}")]
    Value {
        /// Which.
        variable: &'static str,
        /// What it has.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// `CNI_ARGS` is not understood.
    #[error("CNI_ARGS: {argument:?} {expected}")]
    Argument {
        /// The part that is wrong.
        argument: String,
        /// What it should be.
        expected: &'static str,
    },
}

impl EnvironmentError {
    /// How it is reported.
    #[must_use]
    pub fn problem(&self) -> Problem {
        Problem::of(code::ENVIRONMENT, self)
    }
}

impl Invocation {
    /// Reads the environment through `get`.
    ///
    /// # Errors
    /// The first thing that is wrong. For DEL `CNI_ARGS` is not looked at: an address is given back whoever it was for.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, EnvironmentError> {
        let command = get("CNI_COMMAND").unwrap_or_default();
        let needs = |variables: &[&'static str]| needs(&get, &command, variables);
        Ok(match command.as_str() {
            "ADD" => {
                needs(&["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"])?;
                let sandbox = sandbox(&get)?;
                let pod = pod(&get("CNI_ARGS").unwrap_or_default(), &sandbox.container_id)?;
                Self::Add { sandbox, pod }
            }
            "CHECK" => {
                needs(&["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"])?;
                Self::Check { sandbox: sandbox(&get)? }
            }
            "DEL" => {
                needs(&["CNI_CONTAINERID", "CNI_IFNAME"])?;
                Self::Del { sandbox: sandbox(&get)? }
            }
            "GC" => {
                needs(&["CNI_PATH"])?;
                Self::Gc
            }
            "STATUS" => Self::Status,
            "VERSION" => Self::Version,
            _ => return Err(EnvironmentError::Command { command: shortened(&command) }),
        })
    }
}

fn needs(
    get: &impl Fn(&str) -> Option<String>,
    verb: &str,
    variables: &[&'static str],
) -> Result<(), EnvironmentError> {
    let is_missing = |variable: &&&str| get(variable).is_none_or(|value| value.is_empty());
    let variables: Vec<&'static str> = variables.iter().filter(is_missing).copied().collect();
    if variables.is_empty() {
        return Ok(());
    }
    Err(EnvironmentError::Missing { verb: verb.to_owned(), variables })
}

/// The container and the interface, as the CNI specification (section "Parameters") and Linux allow them.
fn sandbox(get: &impl Fn(&str) -> Option<String>) -> Result<Sandbox, EnvironmentError> {
    let container_id = get("CNI_CONTAINERID").unwrap_or_default();
    if !is_identifier(&container_id) || container_id.len() > CONTAINER_MAX {
        return Err(EnvironmentError::Value {
            variable: "CNI_CONTAINERID",
            value: shortened(&container_id),
            expected: "a letter or digit, then letters, digits, '_', '.' and '-', 128 at most",
        });
    }
    let interface = get("CNI_IFNAME").unwrap_or_default();
    if !is_interface(&interface) {
        return Err(EnvironmentError::Value {
            variable: "CNI_IFNAME",
            value: shortened(&interface),
            expected: "1 to 15 bytes without '/', ':' and white space, and not '.' or '..'",
        });
    }
    Ok(Sandbox { container_id, interface })
}

/// Whether a text is a name of a network or a container as the CNI specification has them.
#[must_use]
pub fn is_identifier(text: &str) -> bool {
    let may_follow = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
        && text.bytes().all(may_follow)
}

fn is_interface(text: &str) -> bool {
    let is_forbidden = |it: char| it == '/' || it == ':' || it.is_whitespace() || it.is_control();
    !text.is_empty()
        && text.len() <= INTERFACE_MAX
        && text != "."
        && text != ".."
        && !text.contains(is_forbidden)
}

/// The pod of `CNI_ARGS`: `KEY=VALUE` pairs with `;` between them.
fn pod(arguments: &str, container: &str) -> Result<Pod, EnvironmentError> {
    let (mut name, mut namespace, mut uid) = (None, None, None);
    let (mut ignores_unknown, mut unknown) = (false, None);
    for pair in arguments.split(';').filter(|pair| !pair.is_empty()) {
        let (key, value) =
            pair.split_once('=').ok_or_else(|| argument(pair, "is not KEY=VALUE"))?;
        if value.len() > ARGUMENT_MAX || value.contains(char::is_control) {
            return Err(argument(key, "has more than 256 bytes, or control characters"));
        }
        let text = || Some(value.to_owned()).filter(|value| !value.is_empty());
        match key {
            "K8S_POD_NAME" => name = text(),
            "K8S_POD_NAMESPACE" => namespace = text(),
            "K8S_POD_UID" => uid = text(),
            "K8S_POD_INFRA_CONTAINER_ID" => {}
            "IgnoreUnknown" => ignores_unknown = switch(pair, value)?,
            _ => unknown = unknown.or(Some(key)),
        }
    }
    if let Some(key) = unknown.filter(|_| !ignores_unknown) {
        return Err(argument(key, "is not known, and IgnoreUnknown is not set"));
    }
    Ok(Pod {
        namespace: namespace.unwrap_or_else(|| NAMESPACE_DEFAULT.to_owned()),
        name: name.unwrap_or_else(|| container.to_owned()),
        uid,
    })
}

fn switch(pair: &str, value: &str) -> Result<bool, EnvironmentError> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(argument(pair, "is not 1, true, 0 or false")),
    }
}

fn argument(argument: &str, expected: &'static str) -> EnvironmentError {
    EnvironmentError::Argument { argument: shortened(argument), expected }
}

/// Enough of a text to recognise it.
fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}
