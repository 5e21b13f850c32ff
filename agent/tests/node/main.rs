//! What the agent sees of its instance and of the API server, and what it writes there: over a simulated metadata service on
//! loopback, and over a simulated API server in process, with time paused.

#[cfg(test)]
mod bed;
#[cfg(test)]
mod found;
#[cfg(test)]
mod metadata;
#[cfg(test)]
mod own;
#[cfg(test)]
mod publishing;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod service;
#[cfg(test)]
mod taint;
#[cfg(test)]
mod words;
