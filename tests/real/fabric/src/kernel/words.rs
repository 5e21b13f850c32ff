//! Steps in the words of `ip -batch`.

use std::path::Path;

use crate::vpc::{Host, MTU, Route, Step};

/// The line of a step that is one, and nothing for others.
pub(crate) fn line(step: &Step, namespaces: &Path) -> String {
    match step {
        Step::Unplug { device } => format!("link delete dev {device}\n"),
        Step::Withdraw(Route { to, device, .. }) => format!("route delete {to} dev {device}\n"),
        Step::Router(address) => format!("address replace {address}/32 dev lo\n"),
        Step::Plug { device, instance, name, mac } => {
            let namespace = namespaces.join(instance);
            let namespace = namespace.display();
            format!(
                "link add name {device} mtu {MTU} type veth peer name {name} address {mac} netns \"{namespace}\"\n"
            )
        }
        Step::Up { device } => format!("link set dev {device} up\n"),
        Step::Introduce { device, address, mac } => {
            format!("neighbour replace {address} lladdr {mac} dev {device} nud permanent\n")
        }
        Step::Deliver(Route { to, via: Some(via), device }) => {
            format!("route replace {to} via {via} dev {device} onlink\n")
        }
        Step::Deliver(Route { to, via: None, device }) => {
            format!("route replace {to} dev {device}\n")
        }
        Step::Guard { .. } | Step::Boot { .. } => String::new(),
    }
}

/// What a host does with its primary interface when it boots.
pub(super) fn boot_lines(name: &str, host: Host) -> String {
    let Host { address, gateway } = host;
    format!(
        "link set dev {name} mtu {MTU} up\naddress replace {address} dev {name}\nroute replace default via {gateway} dev {name}\n"
    )
}
