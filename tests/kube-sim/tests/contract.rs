//! The contract suite against both faces.

use std::process::ExitCode;

use anyhow::Result;
use kube::Client;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube_sim::{KubeSim, Server};
use kube_sim_contract::World;

fn main() -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let worlds = runtime.block_on(async {
        let (near, far) = (KubeSim::default(), KubeSim::default());
        let server = Server::start(far.clone(), ([127, 0, 0, 1], 0).into()).await?;
        let kubeconfig = Kubeconfig::from_yaml(&server.kubeconfig("contract"))?;
        let options = KubeConfigOptions::default();
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await?;
        let worlds = vec![
            world("kube-sim in process", near.client("contract"), near),
            world("kube-sim over HTTP", Client::try_from(config)?, far),
        ];
        anyhow::Ok((worlds, server))
    });
    let (worlds, server) = worlds?;
    let done = kube_sim_contract::run(runtime.handle(), worlds);
    runtime.block_on(server.stop());
    done
}

fn world(name: &str, client: Client, sim: KubeSim) -> World {
    World::new(name, client).with_compaction(Box::new(move || {
        sim.compact();
        Box::pin(async { Ok(()) })
    }))
}
