//! Random plans: the engine is compared with a simple model.
#![allow(clippy::unwrap_used, reason = "these are tests")]

mod plans;

use plans::{lines, plan, run, step};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use sweep::{Plan, Step};

/// For each step: which earlier ones it needs, whether it is tolerant, whether it fails.
type Drawn = Vec<(BTreeSet<usize>, bool, bool)>;

fn drawn() -> impl Strategy<Value = (Drawn, Vec<usize>, usize)> {
    (1usize..9).prop_flat_map(|n| {
        let one = |i: usize| {
            (
                proptest::collection::btree_set(0..i.max(1), 0..=i.min(3)),
                any::<bool>(),
                proptest::bool::weighted(0.25),
            )
        };
        let steps: Vec<_> = (0..n).map(one).collect();
        // Any plan order: a step may appear before its needs.
        (
            steps,
            Just((0..n).collect::<Vec<_>>()).prop_shuffle(),
            1usize..4,
        )
    })
}

fn plan_of(d: &Path, drawn: &Drawn, order: &[usize], failing: bool) -> Plan {
    let name = |i: usize| format!("s{i}");
    let steps = order.iter().map(|&i| {
        let (needs, tolerant, fails) = &drawn[i];
        let needs: Vec<String> = needs.iter().filter(|&&n| n < i).map(|&n| name(n)).collect();
        let needs: Vec<&str> = needs.iter().map(String::as_str).collect();
        let last = if failing && *fails {
            "exit 1"
        } else {
            "echo end >> $f"
        };
        let script = format!(
            "f={{RUN}}/order.txt; echo begin-s{i} >> $f; {}",
            last.replace("end ", &format!("end-s{i} "))
        );
        Step {
            tolerant: *tolerant,
            ..step(d, &name(i), &needs, &[], &script)
        }
    });
    plan(steps.collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn each_step_runs_once_after_its_needs_and_failures_block_only_dependents((drawn, order, jobs) in drawn()) {
        let dir = tempfile::tempdir().unwrap();
        let d = dir.path();
        let p = plan_of(d, &drawn, &order, true);
        let outcome = run(&p, d, jobs);

        // The model: drawn steps need only earlier ones, so one pass is enough.
        let mut succeeded: BTreeMap<String, bool> = BTreeMap::new();
        let (mut done, mut failed, mut blocked) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for (i, (_, _, fails)) in drawn.iter().enumerate() {
            let s = p.steps.iter().find(|s| s.id == format!("s{i}")).unwrap();
            let all = s.needs.iter().all(|n| succeeded[n]);
            let any = s.needs.is_empty() || s.needs.iter().any(|n| succeeded[n]);
            let runs = if s.tolerant { any } else { all };
            succeeded.insert(s.id.clone(), runs && !fails);
            (if !runs { &mut blocked } else if *fails { &mut failed } else { &mut done }).insert(s.id.clone());
        }
        prop_assert_eq!(outcome.done.iter().cloned().collect::<BTreeSet<_>>(), done.clone());
        prop_assert_eq!(outcome.failed.iter().map(|f| f.0.clone()).collect::<BTreeSet<_>>(), failed.clone());
        prop_assert_eq!(outcome.blocked.iter().map(|f| f.0.clone()).collect::<BTreeSet<_>>(), blocked);

        let log = lines(d, "order.txt");
        let position = |line: String| log.iter().position(|l| *l == line);
        for s in p.steps.iter().filter(|s| done.contains(&s.id) || failed.contains(&s.id)) {
            prop_assert_eq!(log.iter().filter(|l| **l == format!("begin-{}", s.id)).count(), 1);
            for need in s.needs.iter().filter(|n| succeeded[*n]) {
                let (ended, begun) = (position(format!("end-{need}")), position(format!("begin-{}", s.id)));
                prop_assert!(ended < begun, "{} began before {} ended", s.id, need);
            }
        }

        // Without failures, the remaining steps run, and they are the predicted ones; then all
        // steps are skipped.
        let p = plan_of(d, &drawn, &order, false);
        let predicted: BTreeSet<String> =
            sweep::explain(&p, d).unwrap().into_iter().filter(|e| e.reason.runs()).map(|e| e.step.id.clone()).collect();
        let fixed = run(&p, d, jobs);
        prop_assert!(fixed.is_complete());
        prop_assert_eq!(fixed.done.into_iter().collect::<BTreeSet<_>>(), predicted);
        prop_assert_eq!(run(&p, d, jobs).skipped.len(), drawn.len());
    }
}
