//! `cargo run -p real` starts a real Kubernetes control plane for as long as this program runs.

use std::io::{self, Read, Write};

use real::{Kubernetes, Options};

fn main() -> anyhow::Result<()> {
    let kubernetes = Kubernetes::start(Options { controllers: true, scheduler: true })?;
    let mut out = io::stdout();
    writeln!(out, "export KUBECONFIG={}", kubernetes.kubeconfig().display())?;
    match kubernetes.process_id() {
        Some(kubeup) => writeln!(out, "# process {kubeup}, until ctrl-d")?,
        None => writeln!(out, "# BERTH_KUBECONFIG names it; nothing was started")?,
    }
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
