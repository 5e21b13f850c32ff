//! Which node a pod is placed on. It is the same for all pods: nothing of a pod is looked at.

use std::fmt;

/// A node, as far as placing pods goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) name: String,
    /// Whether somebody gives pods addresses there.
    pub(super) serves: bool,
    /// Whether its Node lets pods in.
    pub(super) is_open: bool,
    /// Whether it is about to go.
    pub(super) is_draining: bool,
    /// How many pods it has.
    pub(super) pods: u32,
    /// How many it takes.
    pub(super) at_most: u32,
}

/// Why a pod is placed nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unplaceable {
    /// There is no node that serves pods.
    NoNode,
    /// There are, and none of them is ready.
    NoneReady,
    /// Those that are ready are about to go.
    AllDraining,
    /// All that are ready have so many pods as they take: so many each, if it is the same number.
    AllFull {
        /// So many each.
        each: Option<u32>,
    },
}

impl fmt::Display for Unplaceable {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNode => to.write_str("there is no node"),
            Self::NoneReady => to.write_str("no node is ready"),
            Self::AllDraining => to.write_str("every node that is ready is being drained"),
            Self::AllFull { each: Some(each) } => write!(to, "every node has its {each} pods"),
            Self::AllFull { each: None } => to.write_str("every node has as many pods as it takes"),
        }
    }
}

/// The node with the fewest pods of those that take one more; the first by name of several.
pub(super) fn choose(candidates: &mut [Candidate]) -> Result<&mut Candidate, Unplaceable> {
    let why = obstacle(candidates);
    let free = candidates.iter_mut().filter(|one| one.is_ready() && !one.is_draining);
    let free = free.filter(|one| one.pods < one.at_most);
    free.min_by(|one, other| (one.pods, &one.name).cmp(&(other.pods, &other.name))).ok_or(why)
}

impl Candidate {
    /// Whether pods can be served there.
    pub(super) const fn is_ready(&self) -> bool {
        self.serves && self.is_open
    }
}

/// Why nothing is free, if nothing is.
fn obstacle(candidates: &[Candidate]) -> Unplaceable {
    if candidates.iter().all(|one| !one.serves) {
        return Unplaceable::NoNode;
    }
    let ready: Vec<&Candidate> = candidates.iter().filter(|one| one.is_ready()).collect();
    if ready.is_empty() {
        return Unplaceable::NoneReady;
    }
    let mut staying = ready.iter().filter(|one| !one.is_draining);
    let Some(first) = staying.next() else { return Unplaceable::AllDraining };
    let is_same = staying.all(|one| one.at_most == first.at_most);
    Unplaceable::AllFull { each: is_same.then_some(first.at_most) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A node a line: name, pods/at most, then any of `closed`, `draining` and `foreign`.
    fn check(text: &str, expected: &str) {
        let mut candidates: Vec<Candidate> = text.lines().map(candidate).collect();
        let found = match choose(&mut candidates) {
            Ok(one) => one.name.clone(),
            Err(why) => why.to_string(),
        };
        assert_eq!(found, expected, "{text}");
    }

    fn candidate(line: &str) -> Candidate {
        let mut words = line.split_whitespace();
        let name = words.next().expect("a name").to_owned();
        let (pods, at_most) = words.next().and_then(|word| word.split_once('/')).expect("pods");
        let (pods, at_most) = (pods.parse().expect("pods"), at_most.parse().expect("at most"));
        let (mut serves, mut is_open, mut is_draining) = (true, true, false);
        for word in words {
            match word {
                "closed" => is_open = false,
                "draining" => is_draining = true,
                "foreign" => serves = false,
                other => panic!("{other}"),
            }
        }
        Candidate { name, serves, is_open, is_draining, pods, at_most }
    }

    #[test]
    fn the_fewest_pods_win_and_ties_go_by_name() {
        check("a 3/110\nb 2/110\nc 5/110", "b");
        check("b 2/110\na 2/110", "a");
        check("a 0/0\nb 109/110", "b");
        check("a 8/10\nb 9/110", "a");
    }

    #[test]
    fn only_nodes_that_take_pods_get_them() {
        check("a 0/110 closed\nb 7/110", "b");
        check("a 0/110 draining\nb 7/110", "b");
        check("a 0/110 foreign\nb 7/110", "b");
        check("a 4/4\nb 7/110", "b");
    }

    #[test]
    fn what_fits_nowhere_says_why() {
        check("", "there is no node");
        check("a 0/110 foreign", "there is no node");
        check("a 0/110 closed\nb 0/110 foreign", "no node is ready");
        check("a 0/110 draining\nb 0/110 closed", "every node that is ready is being drained");
        check("a 110/110\nb 110/110\nc 3/20 draining", "every node has its 110 pods");
        check("a 110/110\nb 29/29", "every node has as many pods as it takes");
    }
}
