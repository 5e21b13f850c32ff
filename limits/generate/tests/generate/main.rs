//! Everything that needs no EC2 client: descriptions, snapshots, pages, the table and the commands.

// Clippy allows `unwrap` in the helpers of modules that are marked as tests.
#[cfg(test)]
mod commands;
#[cfg(test)]
mod committed;
mod described;
mod pages;
mod regions;
mod render;
mod snapshot;

/// The description of a virtual machine on Nitro with these network cards, as JSON.
fn nitro(name: &str, cards: &str) -> String {
    format!(
        r#"{{"InstanceType":"{name}","Hypervisor":"nitro","BareMetal":false,"EnaSupport":"required","MaximumNetworkInterfaces":7,"NetworkCards":{cards},"Ipv4AddressesPerInterface":10,"Ipv6AddressesPerInterface":11}}"#
    )
}

/// An error and what caused it, as the program prints them.
fn chain(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}
