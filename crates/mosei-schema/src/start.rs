use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// What a cell begins with: an encoder, and how much of it learns.
///
/// This is the one list of starts. Its name in files and tables is the variant in kebab case.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Start {
    /// The pre-trained encoder, all of it fine-tuned.
    Ssl,
    /// The same encoder with random weights, all of it trained on the labels.
    Scratch,
    /// The pre-trained encoder, frozen; only the heads learn (a linear probe).
    Frozen,
    /// An encoder with random weights, frozen; only the heads learn.
    RandomFrozen,
    /// No encoder: regularised regressions on the mean and standard deviation of a segment's
    /// columns.
    PooledLogistic,
    /// A control: as `ssl`, after pre-training on segments whose frames were in random order.
    SslShuffled,
    /// An ablation: as `ssl`, after pre-training that also saw the frames of validation and test
    /// videos.
    SslTransductive,
}

/// Why a start is part of a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Role {
    /// A method that is compared with the others.
    Contender,
    /// A frozen encoder under trained heads: how much its representation holds by itself.
    Probe,
    /// It separates one explanation of an effect from another.
    Control,
    /// It breaks a rule of the study on purpose, to measure what the rule is worth. No result.
    Ablation,
}

/// Which frames a pre-training sees, and in which order.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum PretrainKind {
    /// Frames of training videos, in the order in which they were recorded.
    Ordinary,
    /// A control: frames of training videos, those of each segment in random order, another order
    /// in each epoch. What is left is what frames say without time.
    Shuffled,
    /// An ablation: the frames of validation and test videos too, never their labels.
    Transductive,
}

impl Start {
    /// All starts, in the order of tables.
    pub const ALL: &[Start] = Start::VARIANTS;

    /// The starts of a study that names none.
    pub const USUAL: [Start; 4] = [
        Start::Ssl,
        Start::Scratch,
        Start::Frozen,
        Start::RandomFrozen,
    ];

    /// The name in files and tables.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Why it is part of a study.
    pub const fn role(self) -> Role {
        match self {
            Start::Ssl | Start::Scratch => Role::Contender,
            Start::Frozen | Start::RandomFrozen => Role::Probe,
            Start::PooledLogistic | Start::SslShuffled => Role::Control,
            Start::SslTransductive => Role::Ablation,
        }
    }

    /// What a reader of a report must know of a control or an ablation; `None` for the other
    /// starts.
    pub const fn explanation(self) -> Option<&'static str> {
        match self {
            Start::SslShuffled => Some(
                "ssl-shuffled is a control: it is pre-trained like ssl, but on segments with shuffled frames. A gain of ssl \
                 over it comes from the order of frames; a gain that both have over scratch does not.",
            ),
            Start::PooledLogistic => Some(
                "pooled-logistic is a control without an encoder: regularised regressions on the mean and standard \
                 deviation of each column of a segment. A start that does not beat it does not justify its encoder.",
            ),
            Start::SslTransductive => Some(
                "ssl-transductive is an ablation, not a result: its pre-training also saw the frames, but not the labels, of \
                 the validation and test videos (leakage of inputs). Compare it with ssl only; it does not estimate \
                 performance on videos that are unavailable before training.",
            ),
            Start::Ssl | Start::Scratch | Start::Frozen | Start::RandomFrozen => None,
        }
    }

    /// The pre-training of the encoder it begins with; `None` where it begins with random weights
    /// or has no encoder.
    pub const fn pretraining(self) -> Option<PretrainKind> {
        match self {
            Start::Ssl | Start::Frozen => Some(PretrainKind::Ordinary),
            Start::SslShuffled => Some(PretrainKind::Shuffled),
            Start::SslTransductive => Some(PretrainKind::Transductive),
            Start::Scratch | Start::RandomFrozen | Start::PooledLogistic => None,
        }
    }

    /// Whether it begins with a pre-trained encoder.
    pub const fn is_pretrained(self) -> bool {
        self.pretraining().is_some()
    }

    /// Whether it has an encoder that does not learn.
    pub const fn is_probe(self) -> bool {
        matches!(self.role(), Role::Probe)
    }

    /// Whether its encoder learns.
    pub const fn trains_encoder(self) -> bool {
        !self.is_probe() && !matches!(self, Start::PooledLogistic)
    }
}

impl PretrainKind {
    /// All kinds, the ordinary one first.
    pub const ALL: &[PretrainKind] = PretrainKind::VARIANTS;

    /// The name in files and tables.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// How the report describes it, beside what holds of every pre-training; `None` for the
    /// ordinary one.
    pub const fn explanation(self) -> Option<&'static str> {
        match self {
            PretrainKind::Ordinary => None,
            PretrainKind::Shuffled => Some(
                "a control: as above, but with the frames of each segment in random order, another order in each epoch",
            ),
            PretrainKind::Transductive => Some(
                "an ablation: as above, but also on the frames, never the labels, of validation and test videos",
            ),
        }
    }

    /// What follows fold and seed where a pre-training is named in a line of text.
    pub const fn remark(self) -> &'static str {
        match self {
            PretrainKind::Ordinary => "",
            PretrainKind::Shuffled => ", shuffled frames (control)",
            PretrainKind::Transductive => ", transductive (ablation)",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_has_one_name_everywhere() {
        for &start in Start::ALL {
            assert_eq!(start.name().parse(), Ok(start));
            assert_eq!(start.to_string(), start.name());
            assert_eq!(serde_json::to_value(start).unwrap(), start.name());
        }
        for &kind in PretrainKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert!(Start::ALL.iter().any(|s| s.pretraining() == Some(kind)));
        }
    }

    #[test]
    fn controls_and_ablations_are_explained_under_their_role() {
        for &start in Start::ALL {
            let expected = matches!(start.role(), Role::Control | Role::Ablation);
            let text = start.explanation().unwrap_or_default();
            assert_eq!(!text.is_empty(), expected, "{start}");
            assert!(
                !expected
                    || text.starts_with(start.name()) && text.contains(&start.role().to_string()),
                "{start}"
            );
        }
    }

    #[test]
    fn what_learns_follows_from_the_role() {
        let of = |test: fn(Start) -> bool| -> Vec<&str> {
            Start::ALL
                .iter()
                .filter(|s| test(**s))
                .map(|s| s.name())
                .collect()
        };
        assert_eq!(of(Start::is_probe), ["frozen", "random-frozen"]);
        assert_eq!(
            of(Start::trains_encoder),
            ["ssl", "scratch", "ssl-shuffled", "ssl-transductive"]
        );
        assert_eq!(
            of(Start::is_pretrained),
            ["ssl", "frozen", "ssl-shuffled", "ssl-transductive"]
        );
    }
}
