//! The plugin: its words by tables, the program against a scripted agent.

#[cfg(test)]
mod agent;
#[cfg(test)]
mod answers;
#[cfg(test)]
mod away;
#[cfg(test)]
mod by_hand;
#[cfg(test)]
mod environment;
#[cfg(test)]
mod http;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod netconf;
#[cfg(test)]
mod program;
#[cfg(test)]
mod queue;
#[cfg(test)]
mod random;
#[cfg(test)]
mod results;
#[cfg(test)]
mod verbs;
