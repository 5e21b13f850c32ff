//! Pods over a simulated API server and real agents: they are placed, run, wait, and go, and the book and the agents agree.

#[cfg(test)]
mod bed;
#[cfg(test)]
mod comings;
#[cfg(test)]
mod troubles;
