//! The role of each start: controls and ablations are marked wherever their names are shown.

use crate::study::Study;

/// `control` or `ablation`; `None` for a start that competes.
pub(crate) fn role(start: &str) -> Option<&'static str> {
    match start {
        "ssl-shuffled" | "pooled-logistic" => Some("control"),
        "ssl-transductive" => Some("ablation"),
        _ => None,
    }
}

/// The name of a start as figures and legends show it.
pub(crate) fn name_with_role(start: &str) -> String {
    role(start).map_or_else(|| start.to_string(), |role| format!("{start} ({role})"))
}

/// What each control and ablation of the study is for, a sentence or two each.
pub(crate) fn role_notes(study: &Study<'_>) -> Vec<String> {
    let note = |start: &String| match start.as_str() {
        "ssl-shuffled" => Some(
            "ssl-shuffled is a control: it is pre-trained like ssl, but on segments with shuffled frames. A gain of ssl over it \
             comes from the order of frames; a gain that both have over scratch does not.",
        ),
        "pooled-logistic" => Some(
            "pooled-logistic is a control without an encoder: regularised regressions on the mean and standard deviation of \
             each column of a segment. A start that does not beat it does not justify its encoder.",
        ),
        "ssl-transductive" => Some(
            "ssl-transductive is an ablation, not a result: its pre-training also saw the frames, but not the labels, of the \
             validation and test videos (leakage of inputs). Compare it with ssl only; it does not estimate performance on \
             videos that are unavailable before training.",
        ),
        _ => None,
    };
    study.starts.iter().filter_map(note).map(String::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReportInput;
    use crate::study::tests::row;

    #[test]
    fn controls_and_ablations_are_marked() {
        let of = |starts: &[&str]| {
            let results = starts.iter().map(|start| row(start, 10, 0.1, [0, 0, 0], Some(0.5))).collect();
            let input = ReportInput { results, ..ReportInput::default() };
            role_notes(&Study::new(&input).unwrap()).join(" ")
        };
        assert_eq!(of(&["ssl", "scratch", "frozen", "random-frozen"]), "");
        let text = of(&["ssl", "ssl-shuffled", "ssl-transductive"]);
        assert!(
            text.contains("ssl-shuffled is a control") && text.contains("ssl-transductive is an ablation"),
            "{text}"
        );
        assert_eq!(name_with_role("ssl-transductive"), "ssl-transductive (ablation)");
        assert_eq!((name_with_role("ssl"), role("scratch")), ("ssl".to_string(), None));
    }
}
