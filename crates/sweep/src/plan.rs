//! The plan: steps with their needs and outputs, and its validation.

use crate::PlanError;
use crate::Slurm;
use crate::marks::RESERVED;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Commands to run, with the needs and outputs of each.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The plan's name, for the user.
    pub name: String,
    /// Threads of each process. By default as many processes run in parallel as there are cores
    /// divided by this number.
    #[serde(default = "one")]
    pub threads: usize,
    /// Arguments with which the program runs as a fork server, that is, calls [`crate::serve`];
    /// empty if it has no such mode.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub server: Vec<String>,
    /// How often a step that failed is retried. No key depends on it.
    #[serde(default)]
    pub retries: Retries,
    /// The resources that the jobs of a cluster request. No key depends on it.
    #[serde(default, skip_serializing_if = "Slurm::is_default")]
    pub slurm: Slurm,
    /// Approximate nanoseconds per unit of [`Step::cost`] on the machine that made the plan. No key
    /// depends on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_ns: Option<u64>,
    /// The steps. Their order decides between ready steps whose critical paths cost the same.
    pub steps: Vec<Step>,
}

/// How often a step is retried in the same sweep before it counts as failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retries {
    /// After its process was killed by a signal, such as by the kernel when memory runs out.
    /// Default 2.
    pub killed: u32,
    /// After it exited with an error, which would mostly occur again. Default 0.
    pub failed: u32,
}

impl Default for Retries {
    fn default() -> Self {
        Retries {
            killed: 2,
            failed: 0,
        }
    }
}

/// One command.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its unique id, with parts separated by `/`; also its folder below `RUN/steps`.
    pub id: String,
    /// Hash of everything that its result depends on, including the keys of its needs.
    pub key: String,
    /// Arguments for the program.
    pub command: Vec<String>,
    /// Ids of the steps that must run before it.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Paths, relative to the run folder, that exist once the step is done.
    #[serde(default)]
    pub outputs: Vec<String>,
    /// A one-line description.
    #[serde(default)]
    pub about: String,
    /// Its kind, such as `prepare` or `cell`. Steps of one kind are counted together and take
    /// similar times.
    #[serde(default)]
    pub kind: String,
    /// Its approximate work, in any unit that is the same throughout the plan. Of the ready steps
    /// the one with the most expensive chain of steps ahead starts first.
    #[serde(default)]
    pub cost: u64,
    /// Whether the step collects the results that exist: it runs once all its needs have ended, if
    /// at least one succeeded.
    #[serde(default)]
    pub tolerant: bool,
    /// What the program that made the plan knows of the step; the engine stores it and never reads
    /// it.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub task: serde_json::Value,
}

fn one() -> usize {
    1
}

impl Plan {
    /// The index of each step by its id.
    pub(crate) fn index_by_id(&self) -> BTreeMap<&str, usize> {
        self.steps
            .iter()
            .enumerate()
            .map(|(i, s)| (s.id.as_str(), i))
            .collect()
    }

    /// Validates the plan: ids and outputs are unique and inside the run folder; all needs exist
    /// and form no cycle.
    ///
    /// # Errors
    /// The first problem, in plan order.
    pub fn check(&self) -> Result<(), PlanError> {
        let mut owner: BTreeMap<&str, &str> = BTreeMap::new();
        let index_of = self.index_by_id();
        for (i, step) in self.steps.iter().enumerate() {
            let id = step.id.clone();
            if let Some(problem) = unsafe_path(&step.id) {
                return Err(PlanError::UnsafeId { id, problem });
            }
            if step.id.split('/').any(|part| RESERVED.contains(&part)) {
                return Err(PlanError::UnsafeId {
                    id,
                    problem: "the name of a file that the engine writes",
                });
            }
            if index_of[step.id.as_str()] != i {
                return Err(PlanError::DuplicateId { id });
            }
            if step.key.is_empty() {
                return Err(PlanError::EmptyKey { id });
            }
            for output in &step.outputs {
                if let Some(problem) = unsafe_path(output) {
                    return Err(PlanError::UnsafeOutput {
                        id,
                        output: output.clone(),
                        problem,
                    });
                }
                if let Some(first) = owner.insert(output, &step.id) {
                    return Err(PlanError::SharedOutput {
                        output: output.clone(),
                        first: first.to_string(),
                        second: id,
                    });
                }
            }
            if let Some(need) = step
                .needs
                .iter()
                .find(|n| !index_of.contains_key(n.as_str()))
            {
                return Err(PlanError::UnknownNeed {
                    id,
                    need: need.clone(),
                });
            }
        }
        self.order().map(|_| ())
    }

    /// Indices of the steps in topological order, as close to plan order as possible.
    pub(crate) fn order(&self) -> Result<Vec<usize>, PlanError> {
        #[derive(Clone, Copy, PartialEq)]
        enum Mark {
            New,
            Open,
            Closed,
        }
        let index_of = self.index_by_id();
        let mut marks = vec![Mark::New; self.steps.len()];
        let mut order = Vec::with_capacity(self.steps.len());
        for start in 0..self.steps.len() {
            // (step, number of its needs visited). An explicit stack: recursion could overflow on a
            // long chain.
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
                let Some(&next) = index_of.get(need.as_str()) else {
                    continue;
                };
                match marks[next] {
                    Mark::Closed => {}
                    Mark::New => {
                        marks[next] = Mark::Open;
                        path.push((next, 0));
                    }
                    Mark::Open => {
                        let mut cycle: Vec<String> = path
                            .iter()
                            .skip_while(|&&(i, _)| i != next)
                            .map(|&(i, _)| self.steps[i].id.clone())
                            .collect();
                        cycle.push(self.steps[next].id.clone());
                        return Err(PlanError::Cycle { cycle });
                    }
                }
            }
        }
        Ok(order)
    }
}

/// Why a text is not a plain relative path, if it is not.
fn unsafe_path(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("an empty string");
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
        Plan {
            name: "p".into(),
            steps,
            ..Plan::default()
        }
        .check()
        .unwrap_err()
        .to_string()
    }

    #[test]
    fn errors_name_the_problem() {
        assert_eq!(
            error(vec![step("a", &[], &[]), step("a", &[], &[])]),
            "step 'a' appears twice in the plan"
        );
        assert_eq!(
            error(vec![step("a", &["b"], &[])]),
            "step 'a' needs 'b', which is not in the plan"
        );
        assert_eq!(
            error(vec![
                step("x", &["a"], &[]),
                step("a", &["b"], &[]),
                step("b", &["c"], &[]),
                step("c", &["a"], &[])
            ]),
            "the needs of these steps form a cycle: a needs b needs c needs a"
        );
        assert!(error(vec![step("a", &["a"], &[])]).ends_with("a needs a"));
        assert!(
            error(vec![step("a", &[], &["o"]), step("b", &[], &["o"])])
                .contains("by step 'a' and by step 'b'")
        );
        let keyless = Step {
            key: String::new(),
            ..step("a", &[], &[])
        };
        assert_eq!(error(vec![keyless]), "step 'a': its key is empty");
        for bad in [
            "", "/a", "a/../b", "..", "a//b", "a/", "./a", "a\0b", "a\\b", "a\nb",
        ] {
            assert!(
                error(vec![step(bad, &[], &[])]).contains("an id must be a plain relative path"),
                "{bad:?}"
            );
            assert!(
                error(vec![step("a", &[], &[bad])]).contains("must be a plain path relative"),
                "{bad:?}"
            );
        }
        assert!(error(vec![step("cells/step.json", &[], &[])]).contains("the engine writes"));
    }

    #[test]
    fn a_valid_plan_passes_and_is_sorted_topologically() {
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
                if i + 1 < n {
                    std::slice::from_ref(&need)
                } else {
                    &[]
                }
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .as_slice(),
                &[],
            )
        });
        Plan {
            name: "p".into(),
            steps: steps.collect(),
            ..Plan::default()
        }
        .check()
        .unwrap();
    }

    #[test]
    fn json_defaults_and_unknown_fields() {
        let plan: Plan =
            serde_json::from_str(r#"{"name":"p","steps":[{"id":"a","key":"k","command":["x"]}]}"#)
                .unwrap();
        assert_eq!((plan.threads, plan.steps[0].tolerant), (1, false));
        assert!(serde_json::from_str::<Plan>(r#"{"name":"p","steps":[],"stepz":[]}"#).is_err());
        assert!(
            !serde_json::to_string(&plan).unwrap().contains("task"),
            "a step without a task has no such key"
        );
        let task = serde_json::json!({"kind": "cell", "fold": 2});
        let step = Step {
            task: task.clone(),
            ..plan.steps[0].clone()
        };
        let read: Step = serde_json::from_str(&serde_json::to_string(&step).unwrap()).unwrap();
        assert_eq!(read.task, task);
    }
}
