//! Many pods at once.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::thread;

use crate::node::Node;
use crate::pod::Pod;

/// As many sandboxes as a kubelet makes at once on a node that starts.
const AT_ONCE: usize = 20;
/// For each of them, one after the other.
const IN_A_ROW: usize = 10;

/// Which pod has which address, as the pods see it.
#[derive(Default)]
pub(crate) struct Live(Mutex<BTreeMap<Ipv4Addr, String>>);

impl Live {
    /// To be told after ADD has answered.
    #[track_caller]
    pub(crate) fn came(&self, address: Ipv4Addr, pod: &str) {
        let other = self.0.lock().unwrap().insert(address, pod.to_owned());
        assert_eq!(other, None, "{pod} got {address}, which another has");
    }

    /// To be told before DEL is called.
    #[track_caller]
    pub(crate) fn goes(&self, address: Ipv4Addr, pod: &str) {
        let gone = self.0.lock().unwrap().remove(&address);
        assert_eq!(gone.as_deref(), Some(pod), "who had {address}");
    }

    pub(crate) fn pods(&self) -> BTreeMap<Ipv4Addr, String> {
        self.0.lock().unwrap().clone()
    }
}

/// 200 pods come and go, on a node with far fewer addresses.
pub(crate) fn comes_and_goes(node: &Node) {
    node.serve(&[]);
    let (network, live) = (node.network(), Live::default());
    thread::scope(|scope| {
        for worker in 0..AT_ONCE {
            let (network, live) = (&network, &live);
            scope.spawn(move || {
                for number in 0..IN_A_ROW {
                    let name = format!("pod-{worker}-{number}");
                    let pod = Pod::new(&name);
                    let address = pod.add(network).unwrap();
                    live.came(address, &name);
                    pod.check(network).unwrap();
                    live.goes(address, &name);
                    pod.delete(network).unwrap();
                }
            });
        }
    });
    let report = node.await_pods(&BTreeMap::new());
    let counts = ["used", "free", "attached"].map(|state| report.count(state));
    assert_eq!(counts, [0, 32, 32], "{report:?}");
    assert_eq!(report.0["counts"]["granted"], AT_ONCE * IN_A_ROW, "{report:?}");
    assert_eq!(report.0["attachments"], 0, "{report:?}");
}
