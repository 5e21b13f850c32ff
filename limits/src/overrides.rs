//! Limits that the operator's user set: `TYPE=ENIS,IPV4,IPV6`, as arguments or as lines of a file.

use crate::{Hypervisor, Limits, bounds::Field, instance_type};
use alloc::{borrow::ToOwned, collections::BTreeMap, string::String, vec::Vec};
use core::{fmt, str::FromStr};

/// The limits of one instance type, as the operator's user set them.
///
/// Written `TYPE=ENIS,IPV4,IPV6` or `TYPE=ENIS,IPV4,IPV6,HYPERVISOR`, where the figures are those of
/// [`Limits`], in that order and within [`bounds`](crate::bounds), and `HYPERVISOR` is `nitro`, `xen`
/// or `metal`. Spaces around the parts do not matter. It is written back, by `Display`, without any.
///
/// ```
/// let entry: limits::Override = "m5.large = 3, 10, 10".parse()?;
/// assert_eq!(entry.to_string(), "m5.large=3,10,10");
///
/// let error = "m5.large=3,10".parse::<limits::Override>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "\"m5.large=3,10\": 2 parts after `=`, expected TYPE=ENIS,IPV4,IPV6 or \
///      TYPE=ENIS,IPV4,IPV6,HYPERVISOR, such as m5.large=3,10,10"
/// );
/// # Ok::<(), limits::OverrideError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    instance_type: String,
    enis: u16,
    ipv4_per_eni: u16,
    ipv6_per_eni: u16,
    hypervisor: Option<Hypervisor>,
}

impl Override {
    /// The limits this entry sets. An entry that does not name the hypervisor leaves it as `described`
    /// elsewhere.
    pub(crate) fn limits(&self, described: Hypervisor) -> Limits {
        Limits {
            enis: self.enis,
            ipv4_per_eni: self.ipv4_per_eni,
            ipv6_per_eni: self.ipv6_per_eni,
            hypervisor: self.hypervisor.unwrap_or(described),
        }
    }

    fn parse(entry: &str) -> Result<Self, Problem> {
        let (name, parts) = entry.split_once('=').ok_or(Problem::NoEqualsSign)?;
        let name = name.trim();
        if !instance_type::is_well_formed(name) {
            return Err(Problem::Name { text: name.to_owned() });
        }
        let parts: Vec<&str> = parts.split(',').map(str::trim).collect();
        let (enis, ipv4, ipv6, hypervisor) = match *parts.as_slice() {
            [enis, ipv4, ipv6] => (enis, ipv4, ipv6, None),
            [enis, ipv4, ipv6, hypervisor] => (enis, ipv4, ipv6, Some(hypervisor)),
            _ => return Err(Problem::Parts { count: parts.len() }),
        };
        Ok(Self {
            instance_type: name.to_owned(),
            enis: figure(Field::Enis, enis)?,
            ipv4_per_eni: figure(Field::Ipv4PerEni, ipv4)?,
            ipv6_per_eni: figure(Field::Ipv6PerEni, ipv6)?,
            hypervisor: hypervisor.map(hypervisor_named).transpose()?,
        })
    }
}

fn figure(field: Field, text: &str) -> Result<u16, Problem> {
    // `parse` alone would take "+3", which no tool writes.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()).then_some(text);
    digits
        .and_then(|digits| digits.parse().ok())
        .and_then(|value| field.checked(value))
        .ok_or_else(|| Problem::Figure { field, text: text.to_owned() })
}

fn hypervisor_named(text: &str) -> Result<Hypervisor, Problem> {
    match text {
        "nitro" => Ok(Hypervisor::Nitro),
        "xen" => Ok(Hypervisor::Xen),
        "metal" => Ok(Hypervisor::BareMetal),
        _ => Err(Problem::Hypervisor { text: text.to_owned() }),
    }
}

impl FromStr for Override {
    type Err = OverrideError;

    fn from_str(text: &str) -> Result<Self, OverrideError> {
        let entry = text.trim();
        let named = |problem| OverrideError { place: None, entry: entry.to_owned(), problem };
        Self::parse(entry).map_err(named)
    }
}

impl fmt::Display for Override {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { instance_type, enis, ipv4_per_eni, ipv6_per_eni, hypervisor } = self;
        write!(formatter, "{instance_type}={enis},{ipv4_per_eni},{ipv6_per_eni}")?;
        match hypervisor {
            Some(hypervisor) => write!(formatter, ",{hypervisor}"),
            None => Ok(()),
        }
    }
}

/// The overrides of one source, or of several laid over each other: at most one per instance type.
///
/// ```
/// use limits::Overrides;
///
/// let file = Overrides::from_text("# lab machines\nm5.large=3,10,10\nlab.small=2,4,0,xen  # old\n")?;
/// let arguments = Overrides::from_arguments(["m5.large=2,10,10"])?;
/// let overrides = arguments.over(file);
/// # Ok::<(), limits::RefusedOverrides>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    by_type: BTreeMap<String, Override>,
}

impl Overrides {
    /// Reads command-line arguments, one entry each.
    ///
    /// # Errors
    /// Every argument that is malformed or repeats an instance type, in the order given.
    pub fn from_arguments<'a>(
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, RefusedOverrides> {
        let numbered = arguments.into_iter().enumerate();
        Self::collect(numbered.map(|(index, entry)| (Place::Argument(index + 1), entry)))
    }

    /// Reads the text of a file: one entry per line, `#` begins a comment, blank lines do not count, and
    /// neither does a byte order mark, which some editors put first.
    ///
    /// # Errors
    /// Every line that is malformed or repeats an instance type, from the first to the last.
    pub fn from_text(text: &str) -> Result<Self, RefusedOverrides> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let numbered = text.lines().enumerate().map(|(index, line)| {
            let entry = line.split_once('#').map_or(line, |(entry, _comment)| entry);
            (Place::Line(index + 1), entry)
        });
        Self::collect(numbered.filter(|(_, entry)| !entry.trim().is_empty()))
    }

    /// These overrides laid over others: where both name an instance type, these win.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        let mut by_type = below.by_type;
        by_type.extend(self.by_type);
        Self { by_type }
    }

    /// The instance types that are set, in ascending order, so that the caller can warn of one that
    /// nobody else describes: it may be a slip.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.by_type.keys().map(String::as_str)
    }

    pub(crate) fn get(&self, instance_type: &str) -> Option<&Override> {
        self.by_type.get(instance_type)
    }

    fn collect<'a>(
        entries: impl Iterator<Item = (Place, &'a str)>,
    ) -> Result<Self, RefusedOverrides> {
        let mut accepted: BTreeMap<String, (Place, Override)> = BTreeMap::new();
        let mut errors = Vec::new();
        for (place, text) in entries {
            let entry = text.trim();
            let parsed = Override::parse(entry);
            if let Err(problem) = parsed.and_then(|parsed| add(&mut accepted, place, parsed)) {
                errors.push(OverrideError { place: Some(place), entry: entry.to_owned(), problem });
            }
        }
        if !errors.is_empty() {
            return Err(RefusedOverrides { errors });
        }
        let by_type = accepted.into_iter().map(|(name, (_, entry))| (name, entry)).collect();
        Ok(Self { by_type })
    }
}

fn add(
    accepted: &mut BTreeMap<String, (Place, Override)>,
    place: Place,
    entry: Override,
) -> Result<(), Problem> {
    if let Some((first_place, first)) = accepted.get(&entry.instance_type) {
        return Err(Problem::Repeated { first_place: *first_place, first: first.clone() });
    }
    accepted.insert(entry.instance_type.clone(), (place, entry));
    Ok(())
}

/// Where an entry was read. Counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The n-th entry on the command line.
    Argument(usize),
    /// The n-th line of the file.
    Line(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument(number) => write!(formatter, "override {number}"),
            Self::Line(number) => write!(formatter, "line {number}"),
        }
    }
}

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Nothing separates the type from its figures.
    #[error("no `=`, expected {SHAPE}")]
    NoEqualsSign,
    /// What stands before `=` cannot be an instance type.
    #[error("{:?} before `=` is not an instance type in lower case, such as m5.large", shown(text))]
    Name {
        /// What stands there.
        text: String,
    },
    /// Too few parts or too many.
    #[error("{count} {} after `=`, expected {SHAPE}", if *count == 1 { "part" } else { "parts" })]
    Parts {
        /// How many there are.
        count: usize,
    },
    /// A figure that is no number or that no instance type has.
    #[error(
        "{:?} {field}, expected a whole number from {} to {}",
        shown(text),
        field.range().start(),
        field.range().end()
    )]
    Figure {
        /// The figure.
        field: Field,
        /// What stands for it.
        text: String,
    },
    /// A fourth part that is no hypervisor.
    #[error("{:?} as the hypervisor, expected nitro, xen or metal", shown(text))]
    Hypervisor {
        /// What stands there.
        text: String,
    },
    /// Another entry of the same source sets the same instance type.
    #[error("{first_place} has already set this type, with \"{first}\"")]
    Repeated {
        /// Where the other entry is.
        first_place: Place,
        /// The other entry.
        first: Override,
    },
}

const SHAPE: &str =
    "TYPE=ENIS,IPV4,IPV6 or TYPE=ENIS,IPV4,IPV6,HYPERVISOR, such as m5.large=3,10,10";

/// An entry that was refused, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverrideError {
    /// Where the entry was read; `None` when it was parsed by itself.
    pub place: Option<Place>,
    /// The entry, without the spaces around it.
    pub entry: String,
    /// What is wrong with it.
    pub problem: Problem,
}

impl fmt::Display for OverrideError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, entry, problem } = self;
        if let Some(place) = place {
            write!(formatter, "{place}: ")?;
        }
        write!(formatter, "{:?}: {problem}", shown(entry))
    }
}

/// The most characters of a wrong text that an error repeats.
const SHOWN_MAX: usize = 80;

/// As much of `text` as an error repeats.
fn shown(text: &str) -> String {
    if text.chars().count() <= SHOWN_MAX {
        return text.to_owned();
    }
    let mut shown: String = text.chars().take(SHOWN_MAX).collect();
    shown.push('…');
    shown
}

impl core::error::Error for OverrideError {}

/// The entries of one source that were refused: all of them, so that one correction is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedOverrides {
    /// In the order of the source; never empty.
    pub errors: Vec<OverrideError>,
}

impl fmt::Display for RefusedOverrides {
    /// One line per entry.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl core::error::Error for RefusedOverrides {}
