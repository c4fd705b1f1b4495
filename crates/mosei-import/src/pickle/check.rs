//! Checks that what a pickle has built is finite: no object holds itself, and none is nested deeper
//! than data are.

use super::Fault;
use super::machine::Built;
use super::node::Id;

/// Deepest nesting: a few levels of dicts, lists and tuples.
const MAX_DEPTH: usize = 64;

/// Checks all that the result of a pickle holds, without recursion.
///
/// # Errors
/// The place of the first object that holds itself, or is nested too deep.
pub(super) fn require_tree(built: &Built) -> Result<(), Fault> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        /// Levels below it.
        Done(u8),
    }
    let mut states = vec![State::New; built.nodes.len()];
    // Each object on the way down, with those of its children that are still to be looked at.
    let mut way: Vec<(Id, Vec<Id>, u8)> = Vec::new();
    let mut next = Some(built.root);
    loop {
        if let Some(id) = next.take() {
            if way.len() == MAX_DEPTH {
                return Err(too_deep(built, id));
            }
            states[id as usize] = State::Open;
            let mut children = Vec::new();
            built.nodes[id as usize].children(|child| children.push(child));
            way.push((id, children, 0));
        }
        let on_the_way = way.len();
        let Some((id, children, below)) = way.last_mut() else {
            return Ok(());
        };
        let Some(child) = children.pop() else {
            let (id, below) = (*id, *below);
            states[id as usize] = State::Done(below);
            way.pop();
            if let Some((_, _, levels)) = way.last_mut() {
                *levels = (*levels).max(below + 1);
            }
            continue;
        };
        match states[child as usize] {
            State::New => next = Some(child),
            State::Open => {
                let at = built.places[child as usize];
                let found = format!(
                    "one that does, through that of byte {}",
                    built.places[*id as usize]
                );
                return Err(Fault::content(
                    at,
                    "an object that does not hold itself",
                    found,
                ));
            }
            State::Done(levels) => {
                if on_the_way + usize::from(levels) >= MAX_DEPTH {
                    return Err(too_deep(built, child));
                }
                *below = (*below).max(levels + 1);
            }
        }
    }
}

fn too_deep(built: &Built, id: Id) -> Fault {
    let at = built.places[id as usize];
    Fault::content(
        at,
        format!("at most {MAX_DEPTH} levels of lists and dicts"),
        "more",
    )
}
