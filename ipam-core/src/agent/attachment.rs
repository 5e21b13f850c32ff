//! Which sandbox an address is for.

use alloc::string::String;
use core::fmt;

/// What the container runtime calls an interface of a sandbox by: the key of all that a plugin keeps (CNI specification, section
/// "Lifecycle & ordering").
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attachment {
    /// The id of the sandbox. First, since attachments differ by it: comparing two mostly ends here.
    pub container: String,
    /// The name of the network configuration.
    pub network: String,
    /// The interface inside of it, such as `eth0`.
    pub interface: String,
}

impl fmt::Display for Attachment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { network, container, interface } = self;
        write!(out, "{network}/{container}/{interface}")
    }
}

/// A sandbox's interface in one network: an [`Attachment`] without the network.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sandbox {
    /// The id of the sandbox.
    pub container: String,
    /// The interface inside of it.
    pub interface: String,
}
