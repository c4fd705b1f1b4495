//! Linear models of fixed vectors: L2-regularised logistic regression for presence and ridge
//! regression for intensity, one for each emotion, with the penalty selected on the validation
//! split.
//!
//! They initialise the heads where the configuration says so, and on pooled statistics of the input
//! columns they are the control without a deep model.

use crate::finetune::{FinetuneConfig, Select};
use crate::predict::Scores;
use crate::{Corpus, TrainError};
use linfa::traits::Fit;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2, ArrayView1};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use tch::{Device, Kind, Tensor};

/// Strengths of the penalty that are tried, weakest first: half of it times the squared weights
/// stands beside the summed loss, so that scikit-learn's C is 1 over it.
pub(crate) const STRENGTHS: [f64; 9] = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0];
const MOST_ITERATIONS: u64 = 500;
/// Of the summed loss, at which the logistic regression is done.
const GRADIENT_TOLERANCE: f64 = 1e-4;

/// One linear model an emotion.
#[derive(Clone)]
struct Linear {
    /// [E, P]
    weight_ep: Array2<f64>,
    /// [E]
    bias_e: Array1<f64>,
}

/// A linear model whose penalty was selected.
struct Selected {
    linear: Linear,
    strength: f64,
    score: f64,
}

/// The models of a cell.
pub(crate) struct Fitted {
    presence: Option<Selected>,
    intensity: Option<Selected>,
}

impl Fitted {
    /// Weights [E, P] and biases [E] of the presence and the intensity model, as far as there are.
    pub(crate) fn heads(&self, device: Device) -> Result<Vec<(Tensor, Tensor)>, TrainError> {
        let tensors = |Selected { linear, .. }: &Selected| -> Result<(Tensor, Tensor), TrainError> {
            let single = |values: Vec<f32>| Tensor::f_from_slice(&values)?.f_to_device(device);
            let weight = single(linear.weight_ep.iter().map(|&x| x as f32).collect())?;
            let (e, p) = linear.weight_ep.dim();
            let bias = single(linear.bias_e.iter().map(|&x| x as f32).collect())?;
            Ok((weight.f_reshape([e as i64, p as i64])?, bias))
        };
        self.presence
            .iter()
            .chain(&self.intensity)
            .map(tensors)
            .collect()
    }

    /// The models' predictions of rows [B, P].
    pub(crate) fn scores(&self, x_bp: &Array2<f64>) -> Scores {
        let of = |chosen: &Option<Selected>| chosen.as_ref().map(|c| c.linear.of(x_bp));
        Scores::of(of(&self.presence), of(&self.intensity))
    }

    /// The penalties that were selected, by the name of the head, with their scores on the
    /// validation split.
    pub(crate) fn strengths(&self) -> BTreeMap<&'static str, [f64; 2]> {
        let heads = [("presence", &self.presence), ("intensity", &self.intensity)];
        heads
            .into_iter()
            .filter_map(|(name, c)| c.as_ref().map(|c| (name, [c.strength, c.score])))
            .collect()
    }

    /// The score on the validation split: of presence, where that is modelled.
    pub(crate) fn score(&self) -> f64 {
        self.presence
            .as_ref()
            .or(self.intensity.as_ref())
            .map_or(f64::NAN, |c| c.score)
    }
}

impl Linear {
    /// [B, P] → [B, E], row by row.
    fn of(&self, x_bp: &Array2<f64>) -> Vec<f64> {
        (x_bp.dot(&self.weight_ep.t()) + &self.bias_e)
            .iter()
            .copied()
            .collect()
    }

    /// Weights [P] and bias of an emotion.
    fn coefficients(&self, emotion: usize) -> (ArrayView1<'_, f64>, f64) {
        (self.weight_ep.row(emotion), self.bias_e[emotion])
    }
}

/// A matrix of libtorch's as one of ours.
pub(crate) fn matrix(x_np: &Tensor) -> Result<Array2<f64>, TrainError> {
    let (rows, columns) = (x_np.size()[0] as usize, x_np.size()[1] as usize);
    let values = Vec::<f64>::try_from(
        &x_np
            .f_to_device(Device::Cpu)?
            .f_to_kind(Kind::Double)?
            .f_reshape([-1])?,
    )?;
    Array2::from_shape_vec((rows, columns), values).map_err(TrainError::regression)
}

/// Fits the labelled rows [L, P] with each penalty, and selects the one with the highest score on
/// rows of the validation split
/// [V, P]: presence by the configuration's `select`, intensity by its squared error.
///
/// # Errors
/// A model that cannot be fitted.
pub(crate) fn select(
    corpus: &Corpus,
    config: &FinetuneConfig,
    labelled: &[usize],
    x_lp: &Array2<f64>,
    x_vp: &Array2<f64>,
) -> Result<Fitted, TrainError> {
    let prepared = &corpus.prepared;
    let (selection, emotions) = (corpus.selection(), prepared.emotions().len());
    let presence = config.objective.presence().then(|| {
        best(
            |strength, stronger| {
                by_emotion(emotions, |e| {
                    let present: Vec<bool> =
                        labelled.iter().map(|&i| prepared.presence(i, e)).collect();
                    let initial = stronger.map(|linear| linear.coefficients(e));
                    logistic(x_lp, &present, strength, initial)
                })
            },
            |linear| {
                let logits = linear.of(x_vp);
                let scores = Scores::of(Some(logits.clone()), None);
                match (config.select, corpus.macro_auc(selection, &scores)) {
                    (Select::RocAuc, Some(auc)) => auc,
                    _ => -eval::mean(logits.iter().enumerate().map(|(at, &z)| {
                        let present = prepared.presence(selection[at / emotions], at % emotions);
                        // -ln σ(z) where present, -ln σ(-z) where not.
                        softplus(if present { -z } else { z })
                    }))
                    .unwrap_or(f64::NAN),
                }
            },
        )
    });
    let intensity = config.objective.intensity().then(|| {
        best(
            |strength, _| {
                by_emotion(emotions, |e| {
                    let labels = labelled
                        .iter()
                        .map(|&i| f64::from(prepared.intensities(i)[e]));
                    ridge(x_lp, &labels.collect::<Vec<f64>>(), strength)
                })
            },
            |linear| {
                let errors = linear.of(x_vp).into_iter().enumerate().map(|(at, found)| {
                    let label =
                        f64::from(prepared.intensities(selection[at / emotions])[at % emotions]);
                    (found - label).powi(2)
                });
                -eval::mean(errors).unwrap_or(f64::NAN)
            },
        )
    });
    Ok(Fitted {
        presence: presence.transpose()?,
        intensity: intensity.transpose()?,
    })
}

/// The strength whose model scores highest; of two that score alike the stronger. A fit is given
/// the model of the next stronger penalty, from which an iterative one begins.
fn best(
    fit: impl Fn(f64, Option<&Linear>) -> Result<Linear, TrainError>,
    score: impl Fn(&Linear) -> f64,
) -> Result<Selected, TrainError> {
    let mut best: Option<Selected> = None;
    let mut stronger: Option<Linear> = None;
    for strength in STRENGTHS.into_iter().rev() {
        let linear = fit(strength, stronger.as_ref())?;
        let score = score(&linear);
        if best.as_ref().is_none_or(|b| score > b.score) {
            best = Some(Selected {
                linear: linear.clone(),
                strength,
                score,
            });
        }
        stronger = Some(linear);
    }
    best.ok_or_else(|| TrainError::regression("there is no strength of the penalty to try"))
}

fn by_emotion(
    emotions: usize,
    fit: impl Fn(usize) -> Result<(Vec<f64>, f64), TrainError>,
) -> Result<Linear, TrainError> {
    let fitted: Vec<(Vec<f64>, f64)> = (0..emotions).map(fit).collect::<Result<_, _>>()?;
    let bias_e = fitted.iter().map(|(_, bias)| *bias).collect();
    let weights: Vec<f64> = fitted
        .into_iter()
        .flat_map(|(weights, _)| weights)
        .collect();
    let shape = (emotions, weights.len() / emotions.max(1));
    Ok(Linear {
        weight_ep: Array2::from_shape_vec(shape, weights).map_err(TrainError::regression)?,
        bias_e,
    })
}

/// Weights [P] and bias that make Σ ln(1 + exp(∓z)) + strength ½ ‖w‖² smallest; the bias is not
/// penalised. The iterations begin with `initial` weights and bias, else with zeros.
///
/// Where all rows are of one kind there is no such bias; then the weights are 0 and the bias is the
/// log odds with half a row of each kind added.
fn logistic(
    x_np: &Array2<f64>,
    present: &[bool],
    strength: f64,
    initial: Option<(ArrayView1<'_, f64>, f64)>,
) -> Result<(Vec<f64>, f64), TrainError> {
    let positives = present.iter().filter(|p| **p).count();
    if positives == 0 || positives == present.len() {
        let odds = (positives as f64 + 0.5) / ((present.len() - positives) as f64 + 0.5);
        return Ok((vec![0.0; x_np.ncols()], odds.ln()));
    }
    let dataset = linfa::DatasetView::new(x_np.view(), ArrayView1::from(present));
    let mut parameters = LogisticRegression::default()
        .alpha(strength)
        .max_iterations(MOST_ITERATIONS)
        .gradient_tolerance(GRADIENT_TOLERANCE);
    if let Some((weights, bias)) = initial {
        // The library calls the kind with more rows positive, of two alike the first row's. Were it
        // to change, the iterations would only begin further off.
        let sign = sign_of(match (2 * positives).cmp(&present.len()) {
            Ordering::Greater => true,
            Ordering::Equal => present[0],
            Ordering::Less => false,
        });
        let values = weights.iter().chain([&bias]).map(|w| sign * w);
        parameters = parameters.initial_params(values.collect());
    }
    let fitted = parameters.fit(&dataset).map_err(TrainError::regression)?;
    let sign = sign_of(fitted.labels().pos.class);
    Ok((
        fitted.params().iter().map(|w| sign * w).collect(),
        sign * fitted.intercept(),
    ))
}

/// By which coefficients of a model whose positive kind is this are those of presence.
fn sign_of(positive: bool) -> f64 {
    if positive { 1.0 } else { -1.0 }
}

/// Weights [P] and bias that make ‖y - x w - b‖² + strength ‖w‖² smallest; the bias is not
/// penalised.
fn ridge(x_np: &Array2<f64>, y_n: &[f64], strength: f64) -> Result<(Vec<f64>, f64), TrainError> {
    let (n, p) = x_np.dim();
    let x_np = Tensor::f_from_slice(&x_np.iter().copied().collect::<Vec<f64>>())?
        .f_reshape([n as i64, p as i64])?;
    let y_n = Tensor::f_from_slice(y_n)?;
    let (mean_p, mean_y) = (
        x_np.f_mean_dim(0, false, Kind::Double)?,
        y_n.f_mean(Kind::Double)?,
    );
    let (x_np, y_n) = (x_np.f_sub(&mean_p)?, y_n.f_sub(&mean_y)?);
    let x_pn = x_np.f_transpose(0, 1)?;
    let penalty_pp =
        Tensor::f_eye(p as i64, (Kind::Double, Device::Cpu))?.f_mul_scalar(strength)?;
    let w_p = Tensor::f_linalg_solve(
        &x_pn.f_matmul(&x_np)?.f_add(&penalty_pp)?,
        &x_pn.f_matmul(&y_n)?,
        true,
    )?;
    let bias = f64::try_from(mean_y.f_sub(&mean_p.f_dot(&w_p)?)?)?;
    Ok((Vec::<f64>::try_from(&w_p)?, bias))
}

/// ln(1 + exp(z)), also where exp(z) has no value.
fn softplus(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Case {
        x: Vec<Vec<f64>>,
        present: Vec<bool>,
        y: Vec<f64>,
        strength: f64,
        logistic: Vec<f64>,
        ridge: Vec<f64>,
    }

    #[test]
    fn coefficients_are_scikit_learns() {
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("../tests/golden/regression.json")).unwrap();
        for case in cases {
            let shape = (case.x.len(), case.x[0].len());
            let x_np = Array2::from_shape_vec(shape, case.x.concat()).unwrap();
            let (weights, bias) = logistic(&x_np, &case.present, 30.0, None).unwrap();
            let stronger = Some((ArrayView1::from(&weights), bias));
            for ((weights, bias), expected, tolerance) in [
                (
                    logistic(&x_np, &case.present, case.strength, None).unwrap(),
                    &case.logistic,
                    1e-4,
                ),
                (
                    logistic(&x_np, &case.present, case.strength, stronger).unwrap(),
                    &case.logistic,
                    1e-4,
                ),
                (
                    ridge(&x_np, &case.y, case.strength).unwrap(),
                    &case.ridge,
                    1e-9,
                ),
            ] {
                let found = [weights, vec![bias]].concat();
                assert_eq!(found.len(), expected.len());
                for (found, expected) in found.iter().zip(expected) {
                    assert!(
                        (found - expected).abs() < tolerance,
                        "{}: {found} is not {expected}",
                        case.strength
                    );
                }
            }
        }
    }

    #[test]
    fn labels_of_one_kind_give_their_log_odds() {
        let x_np = Array2::from_shape_fn((4, 3), |(i, j)| (i * j) as f64);
        assert_eq!(
            logistic(&x_np, &[false; 4], 1.0, None).unwrap(),
            (vec![0.0; 3], (0.5f64 / 4.5).ln())
        );
        assert_eq!(
            logistic(&x_np, &[true; 4], 1.0, None).unwrap().1,
            9.0f64.ln()
        );
        assert_eq!(softplus(800.0), 800.0);
        assert!((softplus(-2.0) - (-2f64).exp().ln_1p()).abs() < 1e-15);
    }

    #[test]
    fn of_strengths_that_score_alike_the_strongest_is_kept() {
        let linear = |_: f64, _: Option<&Linear>| {
            Ok(Linear {
                weight_ep: Array2::zeros((1, 1)),
                bias_e: Array1::zeros(1),
            })
        };
        assert_eq!(best(linear, |_| 0.5).unwrap().strength, 1000.0);
    }
}
