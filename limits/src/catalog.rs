//! What is known of instance types at run time: overrides over the EC2 API over the table.

use crate::{Hypervisor, Limits, Overrides, bounds::Field, find, instance_type};
use alloc::{borrow::ToOwned, collections::BTreeMap, string::String};

/// Every source of limits, by order of trust.
///
/// An override wins over what the EC2 API said, which wins over the embedded table. EC2 knows types
/// that are newer than the table; the user knows what EC2 gets wrong.
///
/// ```
/// use limits::{Catalog, Hypervisor, Overrides, Reported, Source};
///
/// let mut catalog = Catalog::new(Overrides::from_arguments(["m5.large=2,10,10"])?);
/// let known = catalog.lookup("m5.large").unwrap();
/// assert_eq!((known.limits.enis, known.source), (2, Source::Override));
///
/// assert_eq!(catalog.lookup("z9.large"), None);
/// let reported = Reported {
///     enis: 4,
///     ipv4_per_eni: 15,
///     ipv6_per_eni: 15,
///     hypervisor: Hypervisor::Nitro,
/// };
/// catalog.learn("z9.large", reported)?;
/// assert_eq!(catalog.lookup("z9.large").unwrap().source, Source::Ec2Api);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    overrides: Overrides,
    learned: BTreeMap<String, Limits>,
}

impl Catalog {
    /// A catalog that knows the table and these overrides.
    #[must_use]
    pub const fn new(overrides: Overrides) -> Self {
        Self { overrides, learned: BTreeMap::new() }
    }

    /// What the most trusted source says of an instance type; `None` when no source names it.
    ///
    /// An override without a hypervisor takes it from the next source that names the type. When none
    /// does it is [`Hypervisor::Unknown`], and the type gets no prefixes.
    #[must_use]
    pub fn lookup(&self, instance_type: &str) -> Option<Known> {
        let described = self.described(instance_type);
        let Some(entry) = self.overrides.get(instance_type) else {
            return described;
        };
        let hypervisor = described.map_or(Hypervisor::Unknown, |known| known.limits.hypervisor);
        Some(Known { limits: entry.limits(hypervisor), source: Source::Override })
    }

    /// Adds what the EC2 API said of an instance type, over what it said before. Where it did not say
    /// the hypervisor, the table's stays.
    ///
    /// # Errors
    /// A name that is none, or the first figure that no instance type has. What was known of the type
    /// stays as it was.
    pub fn learn(&mut self, instance_type: &str, reported: Reported) -> Result<(), RefusedReport> {
        if !instance_type::is_well_formed(instance_type) {
            return Err(RefusedReport::Name { instance_type: instance_type.to_owned() });
        }
        let checked = |field: Field, value: i64| {
            field.checked(value).ok_or_else(|| RefusedReport::Figure {
                instance_type: instance_type.to_owned(),
                field,
                value,
            })
        };
        let in_table = || find(instance_type).map(|limits| limits.hypervisor);
        let limits = Limits {
            enis: checked(Field::Enis, reported.enis)?,
            ipv4_per_eni: checked(Field::Ipv4PerEni, reported.ipv4_per_eni)?,
            ipv6_per_eni: checked(Field::Ipv6PerEni, reported.ipv6_per_eni)?,
            hypervisor: match reported.hypervisor {
                Hypervisor::Unknown => in_table().unwrap_or(Hypervisor::Unknown),
                said => said,
            },
        };
        self.learned.insert(instance_type.to_owned(), limits);
        Ok(())
    }

    fn described(&self, instance_type: &str) -> Option<Known> {
        let learned = self.learned.get(instance_type).copied();
        learned
            .map(|limits| Known { limits, source: Source::Ec2Api })
            .or_else(|| find(instance_type).map(|limits| Known { limits, source: Source::Table }))
    }
}

/// The limits of an instance type, and who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The limits.
    pub limits: Limits,
    /// Who says so.
    pub source: Source,
}

/// Who described an instance type, from the most trusted to the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The operator's user, by an [`Override`](crate::Override).
    Override,
    /// The EC2 API, by [`Catalog::learn`].
    Ec2Api,
    /// The table that is part of the program.
    Table,
}

/// What the EC2 API said of an instance type: the figures of [`Limits`], not yet checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reported {
    /// The maximum of network card 0, not the total of all cards.
    pub enis: i64,
    /// As in [`Limits::ipv4_per_eni`].
    pub ipv4_per_eni: i64,
    /// As in [`Limits::ipv6_per_eni`].
    pub ipv6_per_eni: i64,
    /// How the type is virtualised.
    pub hypervisor: Hypervisor,
}

/// An answer of the EC2 API that cannot be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefusedReport {
    /// The name is not that of an instance type.
    #[error(
        "{instance_type:?}: EC2 reported this name, expected an instance type, such as m5.large"
    )]
    Name {
        /// What stands for the name.
        instance_type: String,
    },
    /// A figure that no instance type has.
    #[error(
        "{instance_type:?}: EC2 reported {value} {field}, expected {} to {}",
        field.range().start(),
        field.range().end()
    )]
    Figure {
        /// The instance type.
        instance_type: String,
        /// The figure.
        field: Field,
        /// What EC2 reported for it.
        value: i64,
    },
}
