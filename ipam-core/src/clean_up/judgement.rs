//! What is to become of an interface, and why.

use core::fmt;

/// What is to become of one interface, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Judgement {
    /// It does not carry the tags of this cluster.
    NotOurs,
    /// A tag says that it belongs to somebody else.
    Foreign,
    /// It is a trunk, branch or EFA interface.
    Special,
    /// It is attached.
    Attached,
    /// Its description does not name the instance that it was made for.
    NotMadeForInstance,
    /// It was made for the instance of a node, which sees to it.
    Claimed,
    /// It was made too short a time ago.
    Young,
    /// Nothing says how old it is, and it was not watched for long enough.
    AgeUnknown,
    /// It was left behind, as far as one look tells.
    SeenOnce,
    /// It was left behind, and the looks that show that are too close together.
    SeenBriefly,
    /// It is deleted.
    Due,
    /// It is deleted after a later look: as many as one allows are older.
    Later,
}

impl Judgement {
    /// Whether it was left behind for all that is known, and goes when enough looks have shown that.
    #[must_use]
    pub const fn may_go(self) -> bool {
        matches!(self, Self::SeenOnce | Self::SeenBriefly | Self::Due | Self::Later)
    }

    /// Whether nobody claims it, be it old enough or not.
    #[must_use]
    pub const fn is_unclaimed(self) -> bool {
        self.may_go() || matches!(self, Self::Young | Self::AgeUnknown)
    }

    /// A short fixed name.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotOurs => "NotOurs",
            Self::Foreign => "Foreign",
            Self::Special => "Special",
            Self::Attached => "Attached",
            Self::NotMadeForInstance => "NotMadeForInstance",
            Self::Claimed => "Claimed",
            Self::Young => "Young",
            Self::AgeUnknown => "AgeUnknown",
            Self::SeenOnce => "SeenOnce",
            Self::SeenBriefly => "SeenBriefly",
            Self::Due => "Due",
            Self::Later => "Later",
        }
    }
}

/// A few words for people.
impl fmt::Display for Judgement {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NotOurs => "stays: not of this cluster",
            Self::Foreign => "stays: a tag says that it is somebody else's",
            Self::Special => "stays: not an ordinary interface",
            Self::Attached => "stays: it is attached",
            Self::NotMadeForInstance => "stays: its description names no instance",
            Self::Claimed => "stays: its instance is a node's",
            Self::Young => "stays: too young",
            Self::AgeUnknown => {
                "stays: no readable tag berth/created-at says how old it is, and it was not watched for the grace period"
            }
            Self::SeenOnce => "left behind: a second look has to confirm it",
            Self::SeenBriefly => "left behind: a later look has to confirm it",
            Self::Due => "left behind: deleted now",
            Self::Later => "left behind: deleted after a later look",
        })
    }
}
