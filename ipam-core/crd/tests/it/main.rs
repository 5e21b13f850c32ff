//! Tests of the `CiliumNode` types, their schema and their translation, against recorded objects.

#[cfg(test)]
mod contract;
#[cfg(test)]
mod convert;
#[cfg(test)]
mod corrupted;
#[cfg(test)]
mod crdgen;
#[cfg(test)]
mod enis;
#[cfg(test)]
mod misfits;
#[cfg(test)]
mod planned;
#[cfg(test)]
mod publish;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod word;
