//! The exhaustive companion of `tests/sim`: giving back by both contracts, with the real machines of operator and agent, through every
//! order in which things can happen. `cargo test -p model -- --nocapture` says how many states there are.

#[cfg(test)]
mod address;
#[cfg(test)]
mod prefix;
