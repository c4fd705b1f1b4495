//! The plan: steps, what each needs and leaves, and whether that makes sense.

use crate::PlanError;
use crate::Slurm;
use crate::marks::RESERVED;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Commands to run, with what each needs and leaves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What the user calls it.
    pub name: String,
    /// Threads each process uses; cores divided by it is how many run at a time where nobody says otherwise.
    #[serde(default = "one")]
    pub threads: usize,
    /// Arguments that make the program a server of processes, which calls [`crate::serve`]; none where it cannot be one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub server: Vec<String>,
    /// How often a step that ended badly is run again. No key knows of it.
    #[serde(default)]
    pub retries: Retries,
    /// What a cluster's jobs ask for. No key knows of it.
    #[serde(default, skip_serializing_if = "Slurm::is_default")]
    pub slurm: Slurm,
    /// About how long a unit of [`Step::cost`] takes on the machine that made the plan, nanoseconds. No key knows of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_ns: Option<u64>,
    /// In the order in which they run when they could run at once and are as long.
    pub steps: Vec<Step>,
}

/// How often a step is run again in the same sweep before it counts as failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retries {
    /// After its process was killed: by somebody, or by the system for want of memory. Default 2.
    pub killed: u32,
    /// After it ended by itself with an error, which it would mostly meet again. Default 0.
    pub failed: u32,
}

impl Default for Retries {
    fn default() -> Self {
        Retries { killed: 2, failed: 0 }
    }
}

/// One command.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name, parts divided by `/`; also its folder under `RUN/steps`.
    pub id: String,
    /// Hash of all that its outcome depends on, the keys of what it needs among it.
    pub key: String,
    /// Arguments to the program.
    pub command: Vec<String>,
    /// Ids of the steps that come before.
    #[serde(default)]
    pub needs: Vec<String>,
    /// What must exist, relative to the run folder, for the step to be done.
    #[serde(default)]
    pub outputs: Vec<String>,
    /// One line for people.
    #[serde(default)]
    pub about: String,
    /// Its sort, such as `prepare` or `cell`: steps of one kind are counted together and take about as long.
    #[serde(default)]
    pub kind: String,
    /// About how much work it is, in any unit that is the same throughout the plan: what has more work behind it
    /// begins earlier.
    #[serde(default)]
    pub cost: u64,
    /// Runs in every sweep.
    #[serde(default)]
    pub always: bool,
    /// Collects what there is: runs once all its needs have ended, well or not, if at least one ended well.
    #[serde(default)]
    pub tolerant: bool,
    /// What the program that made the plan knows of the step; the engine stores it and never reads it.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub task: serde_json::Value,
}

fn one() -> usize {
    1
}

impl Plan {
    /// The place of each step by its id.
    pub(crate) fn places(&self) -> BTreeMap<&str, usize> {
        self.steps.iter().enumerate().map(|(i, s)| (s.id.as_str(), i)).collect()
    }

    /// Whether the plan can run: unique ids and outputs that stay inside the run folder, needs that exist and form
    /// no circle.
    ///
    /// # Errors
    /// The first thing that is wrong, in plan order.
    pub fn check(&self) -> Result<(), PlanError> {
        let mut owner: BTreeMap<&str, &str> = BTreeMap::new();
        let places = self.places();
        for (i, step) in self.steps.iter().enumerate() {
            let id = step.id.clone();
            if let Some(problem) = unsafe_path(&step.id) {
                return Err(PlanError::UnsafeId { id, problem });
            }
            if step.id.split('/').any(|part| RESERVED.contains(&part)) {
                return Err(PlanError::UnsafeId { id, problem: "the name of a file the engine keeps" });
            }
            if places[step.id.as_str()] != i {
                return Err(PlanError::DuplicateId { id });
            }
            if step.key.is_empty() {
                return Err(PlanError::EmptyKey { id });
            }
            for output in &step.outputs {
                if let Some(problem) = unsafe_path(output) {
                    return Err(PlanError::UnsafeOutput { id, output: output.clone(), problem });
                }
                if let Some(first) = owner.insert(output, &step.id) {
                    return Err(PlanError::SharedOutput {
                        output: output.clone(),
                        first: first.to_string(),
                        second: id,
                    });
                }
            }
            if let Some(need) = step.needs.iter().find(|n| !places.contains_key(n.as_str())) {
                return Err(PlanError::UnknownNeed { id, need: need.clone() });
            }
        }
        self.order().map(|_| ())
    }

    /// Places of the steps, each after its needs; as close to plan order as that allows.
    pub(crate) fn order(&self) -> Result<Vec<usize>, PlanError> {
        #[derive(Clone, Copy, PartialEq)]
        enum Mark {
            New,
            Open,
            Closed,
        }
        let places = self.places();
        let mut marks = vec![Mark::New; self.steps.len()];
        let mut order = Vec::with_capacity(self.steps.len());
        for start in 0..self.steps.len() {
            // (step, how many of its needs have been looked at); a stack of our own, as a chain may be long.
            let mut path: Vec<(usize, usize)> = Vec::new();
            if marks[start] == Mark::New {
                marks[start] = Mark::Open;
                path.push((start, 0));
            }
            while let Some(top) = path.last_mut() {
                let (step, seen) = *top;
                let Some(need) = self.steps[step].needs.get(seen) else {
                    marks[step] = Mark::Closed;
                    order.push(step);
                    path.pop();
                    continue;
                };
                top.1 += 1;
                let Some(&next) = places.get(need.as_str()) else { continue };
                match marks[next] {
                    Mark::Closed => {}
                    Mark::New => {
                        marks[next] = Mark::Open;
                        path.push((next, 0));
                    }
                    Mark::Open => {
                        let mut circle: Vec<String> = path
                            .iter()
                            .skip_while(|&&(i, _)| i != next)
                            .map(|&(i, _)| self.steps[i].id.clone())
                            .collect();
                        circle.push(self.steps[next].id.clone());
                        return Err(PlanError::Cycle { circle });
                    }
                }
            }
        }
        Ok(order)
    }
}

/// What keeps a text from being a plain path below some folder.
fn unsafe_path(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("an empty text");
    }
    if path.starts_with('/') {
        return Some("an absolute path");
    }
    if path.contains('\\') {
        return Some("a backslash");
    }
    if path.chars().any(char::is_control) {
        return Some("a control character");
    }
    path.split('/').find_map(|part| match part {
        "" => Some("an empty part"),
        "." | ".." => Some("a part that is '.' or '..'"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(id: &str, needs: &[&str], outputs: &[&str]) -> Step {
        let own = |v: &[&str]| v.iter().map(|s| s.to_string()).collect();
        Step {
            id: id.into(),
            key: "k".into(),
            command: vec![],
            needs: own(needs),
            outputs: own(outputs),
            ..Step::default()
        }
    }

    fn error(steps: Vec<Step>) -> String {
        Plan { name: "p".into(), steps, ..Plan::default() }.check().unwrap_err().to_string()
    }

    #[test]
    fn errors_name_what_is_wrong() {
        assert_eq!(error(vec![step("a", &[], &[]), step("a", &[], &[])]), "step 'a' stands twice in the plan");
        assert_eq!(error(vec![step("a", &["b"], &[])]), "step 'a' needs 'b', which is not in the plan");
        assert_eq!(
            error(vec![step("x", &["a"], &[]), step("a", &["b"], &[]), step("b", &["c"], &[]), step("c", &["a"], &[])]),
            "steps need each other in a circle: a needs b needs c needs a"
        );
        assert!(error(vec![step("a", &["a"], &[])]).ends_with("a needs a"));
        assert!(error(vec![step("a", &[], &["o"]), step("b", &[], &["o"])]).contains("by step 'a' and by step 'b'"));
        let keyless = Step { key: String::new(), ..step("a", &[], &[]) };
        assert_eq!(error(vec![keyless]), "step 'a': its key is empty");
        for bad in ["", "/a", "a/../b", "..", "a//b", "a/", "./a", "a\0b", "a\\b", "a\nb"] {
            assert!(error(vec![step(bad, &[], &[])]).contains("an id must be a plain relative path"), "{bad:?}");
            assert!(error(vec![step("a", &[], &[bad])]).contains("must be a plain path relative"), "{bad:?}");
        }
        assert!(error(vec![step("cells/step.json", &[], &[])]).contains("the engine keeps"));
    }

    #[test]
    fn a_good_plan_passes_and_is_ordered() {
        let plan = Plan {
            name: "p".into(),
            threads: 1,
            steps: vec![
                step("report", &["cells/a", "cells/b"], &["r"]),
                step("cells/a", &[], &[]),
                step("cells/b", &["cells/a"], &[]),
            ],
            ..Plan::default()
        };
        plan.check().unwrap();
        assert_eq!(plan.order().unwrap(), [1, 2, 0]);
    }

    #[test]
    fn a_long_chain_does_not_exhaust_the_stack() {
        let n = 100_000;
        let steps = (0..n).map(|i| {
            let need = (i + 1).to_string();
            step(
                &i.to_string(),
                if i + 1 < n { std::slice::from_ref(&need) } else { &[] }
                    .iter()
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .as_slice(),
                &[],
            )
        });
        Plan { name: "p".into(), steps: steps.collect(), ..Plan::default() }.check().unwrap();
    }

    #[test]
    fn json_defaults_and_unknown_fields() {
        let plan: Plan =
            serde_json::from_str(r#"{"name":"p","steps":[{"id":"a","key":"k","command":["x"]}]}"#).unwrap();
        assert_eq!((plan.threads, plan.steps[0].tolerant), (1, false));
        assert!(serde_json::from_str::<Plan>(r#"{"name":"p","steps":[],"stepz":[]}"#).is_err());
        assert!(!serde_json::to_string(&plan).unwrap().contains("task"), "a step without a task has no such key");
        let task = serde_json::json!({"kind": "cell", "fold": 2});
        let step = Step { task: task.clone(), ..plan.steps[0].clone() };
        let read: Step = serde_json::from_str(&serde_json::to_string(&step).unwrap()).unwrap();
        assert_eq!(read.task, task);
    }
}
