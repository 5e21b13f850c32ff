//! What a container runtime says to a plugin: the environment, and the network configuration on the standard input.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::{Sandbox, Verb};

/// The interface in every sandbox.
const INTERFACE: &str = "eth0";

/// The whole environment of a plugin. `folder` is where plugins are, if they are programs.
pub(super) fn environment(
    verb: Verb,
    sandbox: &Sandbox,
    folder: Option<&Path>,
) -> Vec<(&'static str, String)> {
    let Sandbox { container, namespace, pod, uid, .. } = sandbox;
    let command = match verb {
        Verb::Add => "ADD",
        Verb::Del => "DEL",
    };
    let arguments = format!(
        "IgnoreUnknown=1;K8S_POD_NAMESPACE={namespace};K8S_POD_NAME={pod};K8S_POD_INFRA_CONTAINER_ID={container};K8S_POD_UID={uid}"
    );
    let folder = folder.unwrap_or(Path::new("/opt/cni/bin"));
    vec![
        ("CNI_COMMAND", command.to_owned()),
        ("CNI_CONTAINERID", container.clone()),
        ("CNI_NETNS", format!("/var/run/netns/{container}")),
        ("CNI_IFNAME", INTERFACE.to_owned()),
        ("CNI_PATH", folder.display().to_string()),
        ("CNI_ARGS", arguments),
    ]
}

/// The network configuration: `ptp` with the plugin as its IPAM, as the plugin's manual has it.
pub(super) fn configuration(sandbox: &Sandbox, wait: Duration, log_file: Option<&str>) -> Vec<u8> {
    let mut ipam = json!({
        "type": "berth-cni",
        "agent-socket": sandbox.socket,
        "queue-dir": sandbox.queue,
        "wait": format!("{}ms", wait.as_millis()),
    });
    if let Some(log_file) = log_file {
        ipam["log-file"] = log_file.into();
    }
    let conf = json!({"cniVersion": "1.0.0", "name": "berth", "type": "ptp", "ipam": ipam});
    conf.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use berth_cni::invocation::Invocation;
    use berth_cni::netconf;

    use super::*;

    fn sandbox() -> Sandbox {
        Sandbox {
            container: "0123456789abcdef".repeat(4),
            namespace: "playground".to_owned(),
            pod: "web-1".to_owned(),
            uid: "u-1".to_owned(),
            socket: "/run/a.sock".into(),
            queue: "/run/queue".into(),
        }
    }

    /// What the plugin reads out of the environment, in its own words.
    fn check(verb: Verb, expected: &str) {
        let variables = environment(verb, &sandbox(), Some(Path::new("/bin")));
        let get = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| value.clone())
        };
        let text = match Invocation::read(get).expect("an invocation") {
            Invocation::Add { sandbox, pod } => format!(
                "ADD {} {} {}/{} {}",
                sandbox.container_id.len(),
                sandbox.interface,
                pod.namespace,
                pod.name,
                pod.uid.expect("a uid")
            ),
            Invocation::Del { sandbox } => {
                format!("DEL {} {}", sandbox.container_id.len(), sandbox.interface)
            }
            other => format!("{other:?}"),
        };
        assert_eq!(text, expected);
    }

    #[test]
    fn the_plugin_understands_the_environment() {
        check(Verb::Add, "ADD 64 eth0 playground/web-1 u-1");
        check(Verb::Del, "DEL 64 eth0");
    }

    #[test]
    fn the_plugin_understands_the_configuration() {
        let conf = configuration(&sandbox(), Duration::from_millis(1500), Some("/dev/null"));
        let read = netconf::parse(&conf).expect("a configuration");
        assert_eq!((read.name.as_str(), read.version.name()), ("berth", "1.0.0"));
        let settings = read.settings;
        assert_eq!(settings.socket, Path::new("/run/a.sock"));
        assert_eq!(settings.queue, Path::new("/run/queue"));
        assert_eq!(settings.wait, Some(Duration::from_millis(1500)));
        assert_eq!(settings.log_file.as_deref(), Some(Path::new("/dev/null")));
    }
}
