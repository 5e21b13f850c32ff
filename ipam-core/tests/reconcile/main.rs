//! The operator's machine over a model of EC2 without any transport.

#[cfg(test)]
mod agents;
#[cfg(test)]
mod attach;
#[cfg(test)]
mod clean_up;
#[cfg(test)]
mod cloud;
#[cfg(test)]
mod coming_and_going;
#[cfg(test)]
mod door;
#[cfg(test)]
mod exhaustion;
#[cfg(test)]
mod flows;
#[cfg(test)]
mod giving;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod guards;
#[cfg(test)]
mod idle;
#[cfg(test)]
mod isolation;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod loose;
#[cfg(test)]
mod model;
#[cfg(test)]
mod modes;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod races;
#[cfg(test)]
mod random;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod release;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod scale;
#[cfg(test)]
mod selection;
#[cfg(test)]
mod spare;
#[cfg(test)]
mod steady;
#[cfg(test)]
mod stranded;
#[cfg(test)]
mod text;
#[cfg(test)]
mod throttling;
#[cfg(test)]
mod truth;
#[cfg(test)]
mod unanswered;
