//! The scenarios that the playground brings along.

/// A scenario of the playground.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltIn {
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

impl BuiltIn {
    /// What its file is called.
    #[must_use]
    pub fn file(&self) -> String {
        format!("{}.yaml", self.name)
    }
}

/// What is played where no scenario is named.
pub const DEFAULT: BuiltIn = BuiltIn {
    name: "default",
    text: "description: Five nodes of different instance types in two availability zones, and pods that come and go.\n",
};

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        &[DEFAULT, $(BuiltIn { name: $name, text: include_str!(concat!("../../scenarios/", $name, ".yaml")) }),*]
    };
}

/// All of them: the default, set-ups from the field, and what makes addresses hard to come by.
pub const BUILT_IN: &[BuiltIn] = built_in![
    "cilium-eni",
    "overlay",
    "no-kube-proxy",
    "secondary-cidr",
    "chaining",
    "burst",
    "scale-down",
    "rolling-drain",
    "subnet-exhaustion",
    "fragmented-subnet",
    "throttled-account",
    "ec2-outage",
];

/// The scenario of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|scenario| scenario.name == name)
}
