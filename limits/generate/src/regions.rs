//! Puts together what several regions offer: no region offers every instance type.

use crate::described::InstanceType;
use std::collections::{BTreeMap, btree_map::Entry};

/// The types of the regions read so far, each with the region that described it first.
#[derive(Debug, Default)]
pub struct Regions {
    types: BTreeMap<String, (String, InstanceType)>,
}

impl Regions {
    /// Adds what one region described.
    ///
    /// # Errors
    /// A type that an earlier region described in another way: nobody but a human can say which is true.
    pub fn add(
        &mut self,
        region: &str,
        described: BTreeMap<String, InstanceType>,
    ) -> Result<(), RegionsError> {
        for (name, instance_type) in described {
            match self.types.entry(name) {
                Entry::Vacant(vacant) => {
                    vacant.insert((region.to_owned(), instance_type));
                }
                Entry::Occupied(known) if known.get().1 == instance_type => {}
                Entry::Occupied(known) => {
                    return Err(RegionsError::Disagreement {
                        name: known.key().clone(),
                        first: known.get().0.clone(),
                        second: region.to_owned(),
                    });
                }
            }
        }
        Ok(())
    }

    /// Every type of every region, after the last one.
    ///
    /// # Errors
    /// Fewer types than `at_least`.
    pub fn finish(self, at_least: usize) -> Result<Vec<InstanceType>, RegionsError> {
        let found = self.types.len();
        if found < at_least {
            return Err(RegionsError::TooFew { found, at_least });
        }
        Ok(self.types.into_values().map(|(_region, instance_type)| instance_type).collect())
    }
}

/// Why the regions together are not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegionsError {
    /// Two regions describe one type in different ways.
    #[error("{second} describes {name} otherwise than {first}")]
    Disagreement {
        /// The type.
        name: String,
        /// The region that came first.
        first: String,
        /// The region that came second.
        second: String,
    },
    /// The table would lose types.
    #[error(
        "{found} instance types, expected at least {at_least}: name more regions, or say --at-least"
    )]
    TooFew {
        /// How many there are.
        found: usize,
        /// How many there should be.
        at_least: usize,
    },
}
