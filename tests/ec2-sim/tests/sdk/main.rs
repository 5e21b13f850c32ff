//! The simulator as `aws-sdk-ec2` sees it, through both faces: as the SDK's own HTTP client, and over HTTP on loopback.

#[cfg(test)]
mod actions;
#[cfg(test)]
mod bed;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod failing;
#[cfg(test)]
mod lagging;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod metadata;
#[cfg(test)]
mod paging;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod retries;
#[cfg(test)]
mod show;
#[cfg(test)]
mod words;
#[cfg(test)]
mod world;
