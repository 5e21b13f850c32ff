//! A node that is deleted.

use crate::bed::{Bed, until};
use crate::crowd;
use crate::truth::Truth;

const PODS: usize = 12;

/// The instance is terminated and the Node deleted: its `CiliumNode` goes, and so do the interfaces that were made for it.
pub(crate) fn takes_its_interfaces_along(bed: &mut Bed) {
    crowd::of(bed, PODS);
    let removed = bed.cluster.nodes().len() - 1;
    let name = bed.cluster.node(removed).name().to_owned();
    let of_it = |bed: &Bed| -> Vec<String> {
        let enis = Truth::of(&bed.cluster).enis.into_iter();
        let of_it = enis.filter(|eni| eni.is_of(bed.cluster.node(removed)));
        of_it.map(|eni| eni.id).collect()
    };
    let had = of_it(bed);
    assert!(!had.is_empty());
    bed.cluster.remove_node(removed).unwrap();
    bed.cluster.kubectl(&["delete", "node", &name]).unwrap();
    until("the CiliumNode stays", || {
        let listed =
            bed.cluster.json(&["get", "ciliumnodes"]).map_err(|error| error.to_string())?;
        let mut items = listed["items"].as_array().unwrap().iter();
        let stays = items.any(|item| item["metadata"]["name"] == name.as_str());
        if stays { Err(format!("{name} is listed")) } else { Ok(()) }
    });
    until("interfaces are left", || {
        let enis = Truth::of(&bed.cluster).enis;
        // Those of the node, and any that the operator made and attached to nothing.
        let left = enis.iter().filter(|eni| had.contains(&eni.id) || eni.is_loose());
        let left: Vec<&str> = left.map(|eni| eni.id.as_str()).collect();
        if left.is_empty() { Ok(()) } else { Err(left.join(", ")) }
    });
    bed.say(&format!("{name} is deleted, and so are its {} interfaces", had.len()));
}
