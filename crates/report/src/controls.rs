//! Starts that are no contender: what each is there for, said wherever its name stands.

use crate::study::Study;

/// What kind of start it is, in a word; `None` for a contender.
pub(crate) fn remark(start: &str) -> Option<&'static str> {
    match start {
        "ssl-shuffled" | "pooled-logistic" => Some("control"),
        "ssl-transductive" => Some("ablation"),
        _ => None,
    }
}

/// The name of a start as figures and legends show it.
pub(crate) fn shown(start: &str) -> String {
    remark(start).map_or_else(|| start.to_string(), |remark| format!("{start} ({remark})"))
}

/// Sentences on what the controls and ablations of a study mean.
pub(crate) fn sentences(study: &Study<'_>) -> Vec<String> {
    let say = |start: &String| match start.as_str() {
        "ssl-shuffled" => Some(
            "ssl-shuffled is a control: pre-trained as ssl, but on segments whose frames stood in random order. What ssl has \
             over it comes from the order of frames; what both have over scratch does not.",
        ),
        "pooled-logistic" => Some(
            "pooled-logistic is a control without a deep model: regularised regressions on the mean and deviation of a \
             segment's columns. A start below it has not earned its encoder.",
        ),
        "ssl-transductive" => Some(
            "ssl-transductive is an ablation and no result: its pre-training also saw the frames, never the labels, of the \
             validation and test videos. Compare it with ssl alone; it says nothing of videos that are not at hand before \
             training.",
        ),
        _ => None,
    };
    study.starts.iter().filter_map(say).map(String::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReportInput;
    use crate::study::tests::row;

    #[test]
    fn an_ablation_is_called_one() {
        let of = |starts: &[&str]| {
            let results = starts.iter().map(|start| row(start, 10, 0.1, [0, 0, 0], Some(0.5))).collect();
            let input = ReportInput { results, ..ReportInput::default() };
            sentences(&Study::new(&input).unwrap()).join(" ")
        };
        assert_eq!(of(&["ssl", "scratch", "frozen", "random-frozen"]), "");
        let text = of(&["ssl", "ssl-shuffled", "ssl-transductive"]);
        assert!(
            text.contains("ssl-shuffled is a control") && text.contains("ssl-transductive is an ablation"),
            "{text}"
        );
        assert_eq!(shown("ssl-transductive"), "ssl-transductive (ablation)");
        assert_eq!((shown("ssl"), remark("scratch")), ("ssl".to_string(), None));
    }
}
