//! The table of states.

/// How far a unit is on its way off a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The node has it to spare, not for long enough yet.
    Waiting,
    /// The agent is asked for it.
    Asked,
    /// The agent has agreed.
    Agreed,
    /// It is being unassigned.
    Leaving,
    /// It may have been unassigned.
    Doubtful,
    /// It is unassigned, and the agent is to be told.
    Gone,
    /// The agent is told.
    Told,
    /// It is on an interface again, before the agent has forgotten it.
    Returned,
    /// The agent is not asked any more.
    Cancelled,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Waiting,
        Self::Asked,
        Self::Agreed,
        Self::Leaving,
        Self::Doubtful,
        Self::Gone,
        Self::Told,
        Self::Returned,
        Self::Cancelled,
    ];

    /// Those in which the agent has agreed, and EC2 has not said that it is gone.
    pub const LEAVING: [Self; 3] = [Self::Agreed, Self::Leaving, Self::Doubtful];
}

/// What the agent, and what was published for it, say of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// There is no entry; or `status.eni` shows the CIDR.
    Nothing,
    /// Some of the addresses are marked, or promised away.
    Asked,
    /// All of the addresses are promised away; or `status.eni` does not show the CIDR, and the agent does not name it.
    Agreed,
    /// An address is in use, or refused; or the agent names the CIDR.
    Refused,
    /// An address is said to be released.
    Released,
}

impl Said {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Nothing, Self::Asked, Self::Agreed, Self::Refused, Self::Released];
}

/// Whether an interface has a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// None has.
    No,
    /// One was seen to have it, by no reading that is late enough to count.
    Unsure,
    /// One has.
    Yes,
}

impl Held {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::No, Self::Unsure, Self::Yes];
}

/// What a step depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Whether the node has the unit to spare and may give it up.
    pub wanted: bool,
    /// Whether the time of the state is over: the delay, the age of readings, the rest after a refusal.
    pub due: bool,
    /// What is said of it.
    pub said: Said,
    /// Whether it is there.
    pub held: Held,
}

/// The next state; `None` when nothing is left to be done. What calls do to a state is not here: they are sent in
/// [`State::Agreed`] and end in [`State::Gone`], [`State::Doubtful`] or [`State::Agreed`].
#[must_use]
pub const fn step(state: State, facts: Facts) -> Option<State> {
    let Facts { wanted, due, said, held } = facts;
    match (state, said) {
        (State::Waiting, _) if !wanted => None,
        (State::Waiting | State::Asked | State::Agreed, Said::Refused | Said::Released) => {
            Some(State::Cancelled)
        }
        (State::Waiting, _) => Some(if due { State::Asked } else { State::Waiting }),
        (State::Asked | State::Agreed, _) if !wanted => Some(State::Cancelled),
        (State::Asked | State::Agreed, Said::Agreed) => Some(State::Agreed),
        (State::Asked | State::Agreed, Said::Nothing | Said::Asked) => Some(State::Asked),
        (State::Leaving, _) => Some(State::Leaving),
        (State::Doubtful, _) => Some(match held {
            Held::No => State::Gone,
            Held::Unsure => State::Doubtful,
            Held::Yes => State::Agreed,
        }),
        (State::Gone | State::Told, Said::Nothing) => match held {
            Held::Yes => None,
            Held::No if due => None,
            Held::No | Held::Unsure => Some(State::Told),
        },
        (State::Gone | State::Told, _) if matches!(held, Held::Yes) => Some(State::Returned),
        (State::Gone | State::Told, Said::Released) => Some(State::Told),
        (State::Gone | State::Told, _) => Some(State::Gone),
        (State::Returned, Said::Nothing) => None,
        (State::Returned, _) => Some(State::Returned),
        (State::Cancelled, Said::Nothing) if due => None,
        (State::Cancelled, _) => Some(State::Cancelled),
    }
}
