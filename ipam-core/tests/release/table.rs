//! Every state and every fact.

use std::fmt::Write;

use ipam_core::release::{Facts, Held, Said, State, step};

/// One way in which facts may be.
type Case = (Held, bool, bool);

fn cases() -> Vec<Case> {
    let flags =
        |held| [(held, true, true), (held, true, false), (held, false, true), (held, false, false)];
    Held::ALL.into_iter().flat_map(flags).collect()
}

fn after(state: State, said: Said, (held, wanted, due): Case) -> Option<State> {
    step(state, Facts { wanted, due, said, held })
}

fn name(state: Option<State>) -> String {
    state.map_or_else(|| "ended".into(), |state| format!("{state:?}").to_lowercase())
}

/// The outcomes of a state, by the facts that make a difference.
fn row(state: State, said: Said) -> String {
    let differs = |other: &dyn Fn(Case) -> Vec<Case>| {
        cases().iter().any(|case| {
            other(*case)
                .into_iter()
                .any(|other| after(state, said, *case) != after(state, said, other))
        })
    };
    let by_held = differs(&|(_, wanted, due)| Held::ALL.map(|held| (held, wanted, due)).to_vec());
    let by_wanted = differs(&|(held, wanted, due)| vec![(held, !wanted, due)]);
    let by_due = differs(&|(held, wanted, due)| vec![(held, wanted, !due)]);
    let mut parts: Vec<String> = Vec::new();
    for (held, wanted, due) in cases() {
        let mut facts: Vec<&str> = Vec::new();
        match held {
            Held::No if by_held => facts.push("gone"),
            Held::Unsure if by_held => facts.push("unsure"),
            Held::Yes if by_held => facts.push("held"),
            _ => {}
        }
        if by_wanted {
            facts.push(if wanted { "wanted" } else { "unwanted" });
        }
        if by_due {
            facts.push(if due { "due" } else { "early" });
        }
        let facts = facts.join(" ");
        let to = name(after(state, said, (held, wanted, due)));
        let part = if facts.is_empty() { to } else { format!("{facts}: {to}") };
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts.join(", ")
}

#[test]
fn every_state_and_every_fact() {
    let mut table = String::new();
    for state in State::ALL {
        for said in Said::ALL {
            let (from, said_so) = (name(Some(state)), format!("{said:?}").to_lowercase());
            writeln!(table, "{from}, {said_so} -> {}", row(state, said)).unwrap();
        }
    }
    let expected: Vec<&str> =
        TABLE.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(table.lines().collect::<Vec<_>>(), expected, "\n{table}");
}

const TABLE: &str = "
    waiting, nothing -> wanted due: asked, wanted early: waiting, unwanted due: ended, unwanted early: ended
    waiting, asked -> wanted due: asked, wanted early: waiting, unwanted due: ended, unwanted early: ended
    waiting, agreed -> wanted due: asked, wanted early: waiting, unwanted due: ended, unwanted early: ended
    waiting, refused -> wanted: cancelled, unwanted: ended
    waiting, released -> wanted: cancelled, unwanted: ended
    asked, nothing -> wanted: asked, unwanted: cancelled
    asked, asked -> wanted: asked, unwanted: cancelled
    asked, agreed -> wanted: agreed, unwanted: cancelled
    asked, refused -> cancelled
    asked, released -> cancelled
    agreed, nothing -> wanted: asked, unwanted: cancelled
    agreed, asked -> wanted: asked, unwanted: cancelled
    agreed, agreed -> wanted: agreed, unwanted: cancelled
    agreed, refused -> cancelled
    agreed, released -> cancelled
    leaving, nothing -> leaving
    leaving, asked -> leaving
    leaving, agreed -> leaving
    leaving, refused -> leaving
    leaving, released -> leaving
    doubtful, nothing -> gone: gone, unsure: doubtful, held: agreed
    doubtful, asked -> gone: gone, unsure: doubtful, held: agreed
    doubtful, agreed -> gone: gone, unsure: doubtful, held: agreed
    doubtful, refused -> gone: gone, unsure: doubtful, held: agreed
    doubtful, released -> gone: gone, unsure: doubtful, held: agreed
    gone, nothing -> gone due: ended, gone early: told, unsure due: told, unsure early: told, held due: ended, held early: ended
    gone, asked -> gone: gone, unsure: gone, held: returned
    gone, agreed -> gone: gone, unsure: gone, held: returned
    gone, refused -> gone: gone, unsure: gone, held: returned
    gone, released -> gone: told, unsure: told, held: returned
    told, nothing -> gone due: ended, gone early: told, unsure due: told, unsure early: told, held due: ended, held early: ended
    told, asked -> gone: gone, unsure: gone, held: returned
    told, agreed -> gone: gone, unsure: gone, held: returned
    told, refused -> gone: gone, unsure: gone, held: returned
    told, released -> gone: told, unsure: told, held: returned
    returned, nothing -> ended
    returned, asked -> returned
    returned, agreed -> returned
    returned, refused -> returned
    returned, released -> returned
    cancelled, nothing -> due: ended, early: cancelled
    cancelled, asked -> cancelled
    cancelled, agreed -> cancelled
    cancelled, refused -> cancelled
    cancelled, released -> cancelled
";

/// What must never be, whatever the table says.
#[test]
fn nothing_leaves_without_a_promise_and_nothing_comes_back_before_it_is_forgotten() {
    for (state, said, case) in State::ALL.into_iter().flat_map(|state| {
        Said::ALL
            .into_iter()
            .flat_map(move |said| cases().into_iter().map(move |case| (state, said, case)))
    }) {
        let to = after(state, said, case);
        let context = format!("{state:?} {said:?} {case:?} -> {to:?}");
        let (held, wanted, _) = case;
        if to == Some(State::Agreed) && state != State::Doubtful {
            assert!(said == Said::Agreed && wanted, "{context}");
        }
        if to == Some(State::Gone) && state == State::Doubtful {
            assert_eq!(held, Held::No, "{context}");
        }
        let is_out_of_use = matches!(state, State::Gone | State::Told | State::Returned);
        if is_out_of_use && to.is_none() {
            assert_eq!(said, Said::Nothing, "{context}");
        }
        let is_asked = matches!(state, State::Asked | State::Agreed | State::Cancelled);
        if is_asked && to.is_none() {
            assert_eq!(said, Said::Nothing, "{context}");
        }
        if state == State::Leaving {
            assert_eq!(to, Some(State::Leaving), "only an answer ends it");
        }
    }
}
