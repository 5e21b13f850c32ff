//! A real `kube::Client` against both faces.

#[cfg(test)]
mod cluster;

use cilium_node::CiliumNode;
use futures::{StreamExt, TryStreamExt};
use kube::api::{
    Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams,
};
use kube::runtime::watcher;
use serde_json::json;

use crate::cluster::{Cluster, Face, node, within};

#[tokio::test]
async fn writes_and_reads() {
    for face in Face::ALL {
        let cluster = Cluster::start(face).await;
        let nodes: Api<CiliumNode> = Api::all(cluster.client.clone());
        let created = nodes.create(&PostParams::default(), &node("a")).await.unwrap();
        assert!(created.metadata.uid.is_some());
        let patch = json!({"spec": {"ipam": {"pre-allocate": 4}}});
        let patched =
            nodes.patch("a", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
        assert_eq!(patched.metadata.generation, Some(2));
        let listed = nodes.list(&ListParams::default()).await.unwrap();
        assert_eq!(listed.items.len(), 1);
        nodes.delete("a", &DeleteParams::default()).await.unwrap();
        let gone = nodes.get("a").await.unwrap_err();
        assert!(matches!(gone, kube::Error::Api(status) if status.code == 404));
        assert_eq!(cluster.sim.object("ciliumnodes.cilium.io", "", "a"), None);
        cluster.stop().await;
    }
}

#[tokio::test]
async fn a_watch_tells_what_happens() {
    for face in Face::ALL {
        let cluster = Cluster::start(face).await;
        let nodes: Api<CiliumNode> = Api::all(cluster.client.clone());
        let mut events = nodes.watch(&WatchParams::default(), "0").await.unwrap().boxed();
        nodes.create(&PostParams::default(), &node("a")).await.unwrap();
        nodes.delete("a", &DeleteParams::default()).await.unwrap();
        let mut told = Vec::new();
        for _ in 0..2 {
            told.push(match within(events.try_next()).await.unwrap().unwrap() {
                WatchEvent::Added(_) => "added",
                WatchEvent::Deleted(_) => "deleted",
                _ => "other",
            });
        }
        assert_eq!(told, ["added", "deleted"]);
        drop(events);
        cluster.stop().await;
    }
}

#[tokio::test]
async fn a_streaming_list_ends_with_a_bookmark() {
    for face in Face::ALL {
        let cluster = Cluster::start(face).await;
        let nodes: Api<CiliumNode> = Api::all(cluster.client.clone());
        for name in ["a", "b"] {
            nodes.create(&PostParams::default(), &node(name)).await.unwrap();
        }
        let events = watcher(nodes, watcher::Config::default().streaming_lists());
        let mut events = events.boxed();
        let mut told = String::new();
        while !told.ends_with("done ") {
            told += match within(events.try_next()).await.unwrap().unwrap() {
                watcher::Event::Init => "init ",
                watcher::Event::InitApply(_) => "object ",
                watcher::Event::InitDone => "done ",
                watcher::Event::Apply(_) | watcher::Event::Delete(_) => "change ",
            };
        }
        assert_eq!(told, "init object object done ");
        drop(events);
        cluster.stop().await;
    }
}
