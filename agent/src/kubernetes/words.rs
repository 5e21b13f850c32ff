//! The own object as the words of the machine.

use std::collections::HashSet;

use cilium_node::CiliumNode;
use cilium_node::convert::word;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::watch;
use tracing::warn;

use ipam_core::agent::Word;

use super::Machine;
use super::board::{Board, Sight};

/// Tells the machine what the own object says, whenever that is something else, for ever.
pub(super) async fn tell(board: Board, machine: impl Machine, heard: watch::Sender<bool>) {
    let mut sights = board.subscribe();
    let mut told = None;
    let mut said = HashSet::new();
    while sights.changed().await.is_ok() {
        let Sight::There(object) = sights.borrow_and_update().clone() else { continue };
        let (word, problems) = read(&object);
        for problem in problems.iter().filter(|problem| !said.contains(*problem)) {
            warn!("the CiliumNode: {problem}");
        }
        // Whoever writes the object decides how many there are, and pods wait while they are compared.
        said = problems.into_iter().collect();
        let Some(word) = word else { continue };
        heard.send_if_modified(|heard| !std::mem::replace(heard, true));
        if told.as_ref() != Some(&word) {
            machine.on_word(word.clone());
            told = Some(word);
        }
    }
}

/// What an object says, and what of it makes no sense.
fn read(object: &Value) -> (Option<Word>, Vec<String>) {
    match CiliumNode::deserialize(object) {
        Ok(node) => {
            let heard = word(&node);
            (heard.word, heard.problems.iter().map(ToString::to_string).collect())
        }
        Err(error) => (None, vec![error.to_string()]),
    }
}
