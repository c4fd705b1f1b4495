//! The role of each start: controls and ablations are marked wherever their names are shown.

use crate::study::Study;
use mosei_schema::{Role, Start};

/// `control` or `ablation`; `None` for other starts.
pub(crate) fn role(start: &str) -> Option<&'static str> {
    match start.parse::<Start>().ok()?.role() {
        role @ (Role::Control | Role::Ablation) => Some(role.into()),
        Role::Contender | Role::Probe => None,
    }
}

/// The name of a start as figures and legends show it.
pub(crate) fn name_with_role(start: &str) -> String {
    role(start).map_or_else(|| start.to_string(), |role| format!("{start} ({role})"))
}

/// What each control and ablation of the study is for, a sentence or two each.
pub(crate) fn role_notes(study: &Study<'_>) -> Vec<String> {
    let starts = study
        .starts
        .iter()
        .filter_map(|name| name.parse::<Start>().ok());
    starts
        .filter_map(Start::explanation)
        .map(String::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReportInput;
    use crate::study::tests::row;

    #[test]
    fn controls_and_ablations_are_marked() {
        let of = |starts: &[&str]| {
            let results = starts
                .iter()
                .map(|start| row(start, 10, 0.1, [0, 0, 0], Some(0.5)))
                .collect();
            let input = ReportInput {
                results,
                ..ReportInput::default()
            };
            role_notes(&Study::new(&input).unwrap()).join(" ")
        };
        assert_eq!(of(&["ssl", "scratch", "frozen", "random-frozen"]), "");
        let text = of(&["ssl", "ssl-shuffled", "ssl-transductive"]);
        assert!(
            text.contains("ssl-shuffled is a control")
                && text.contains("ssl-transductive is an ablation"),
            "{text}"
        );
        assert_eq!(
            name_with_role("ssl-transductive"),
            "ssl-transductive (ablation)"
        );
        assert_eq!(
            (name_with_role("ssl"), role("scratch")),
            ("ssl".to_string(), None)
        );
    }
}
