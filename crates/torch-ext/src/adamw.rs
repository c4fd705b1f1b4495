//! AdamW with accessible moments, so that a checkpoint can store them.

use crate::ffi::RawTensor;
use crate::{TorchError, check, ffi};
use tch::{Kind, Tensor};

/// Hyperparameters of AdamW (Loshchilov and Hutter, 1711.05101); the learning rate is passed to
/// each step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWConfig {
    /// Decay rate of the first moment.
    pub beta1: f64,
    /// Decay rate of the second moment.
    pub beta2: f64,
    /// Added to the square root of the second moment.
    pub epsilon: f64,
    /// Decoupled weight decay; vectors (biases, norms) are not decayed.
    pub weight_decay: f64,
}

/// The optimiser: libtorch's fused operator on tensors that this struct owns.
pub struct AdamW {
    config: AdamWConfig,
    parameters: Vec<Tensor>,
    first: Vec<Tensor>,
    second: Vec<Tensor>,
    steps: Vec<Tensor>,
    decayed: Vec<usize>,
    plain: Vec<usize>,
}

fn pointers<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> Vec<RawTensor> {
    tensors
        .into_iter()
        .map(|t| t.as_ptr() as RawTensor)
        .collect()
}

impl AdamW {
    /// An optimiser of `parameters` with zero moments.
    pub fn new(config: AdamWConfig, parameters: Vec<Tensor>) -> Self {
        let zeros = || {
            parameters
                .iter()
                .map(|p| p.detach().zeros_like())
                .collect::<Vec<_>>()
        };
        let steps = parameters
            .iter()
            .map(|p| Tensor::zeros([], (Kind::Float, p.device())))
            .collect();
        let (decayed, plain) = (0..parameters.len()).partition(|&i| parameters[i].dim() > 1);
        AdamW {
            config,
            first: zeros(),
            second: zeros(),
            steps,
            decayed,
            plain,
            parameters,
        }
    }

    /// The parameters, in the order of [`AdamW::new`].
    pub fn parameters(&self) -> &[Tensor] {
        &self.parameters
    }

    /// First moments, second moments and step counts, in the order of the parameters: the state for
    /// a checkpoint.
    pub fn moments(&self) -> (&[Tensor], &[Tensor], &[Tensor]) {
        (&self.first, &self.second, &self.steps)
    }

    /// One step along the gradients of the parameters, with one learning rate per parameter, in
    /// their order. A parameter without a gradient does not change; nor does one with a rate of 0,
    /// including its moments.
    pub fn step(&mut self, learning_rates: &[f64]) -> Result<(), TorchError> {
        let mut distinct: Vec<f64> = learning_rates
            .iter()
            .copied()
            .filter(|&rate| rate != 0.0)
            .collect();
        distinct.sort_by(f64::total_cmp);
        distinct.dedup();
        let kinds = [
            (&self.decayed, self.config.weight_decay),
            (&self.plain, 0.0),
        ];
        for (learning_rate, (kind, weight_decay)) in distinct
            .iter()
            .flat_map(|rate| kinds.map(|kind| (*rate, kind)))
        {
            let group: Vec<usize> = kind
                .iter()
                .copied()
                .filter(|&i| learning_rates[i] == learning_rate)
                .collect();
            let of = |tensors: &[Tensor]| pointers(group.iter().map(|&i| &tensors[i]));
            let (p, m, v, s) = (
                of(&self.parameters),
                of(&self.first),
                of(&self.second),
                of(&self.steps),
            );
            // SAFETY: four arrays of equal length, of live tensors that this struct owns.
            check(unsafe {
                ffi::te_adamw_step(
                    p.as_ptr(),
                    m.as_ptr(),
                    v.as_ptr(),
                    s.as_ptr(),
                    p.len(),
                    learning_rate,
                    self.config.beta1,
                    self.config.beta2,
                    weight_decay,
                    self.config.epsilon,
                )
            })?;
        }
        Ok(())
    }
}

/// Scales the gradients of `parameters` so that their joint norm is at most `limit` (0: no limit),
/// and returns the norm before.
pub fn clip_gradients(parameters: &[Tensor], limit: f64) -> Result<f64, TorchError> {
    let mut norm = 0.0;
    let p = pointers(parameters);
    // SAFETY: an array of live tensors, and a valid pointer for the result.
    check(unsafe { ffi::te_clip_gradients(p.as_ptr(), p.len(), limit, &mut norm) })?;
    Ok(norm)
}

/// Clears the gradients of `parameters`.
pub fn clear_gradients(parameters: &[Tensor]) -> Result<(), TorchError> {
    let p = pointers(parameters);
    // SAFETY: an array of live tensors.
    check(unsafe { ffi::te_clear_gradients(p.as_ptr(), p.len()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    const CONFIG: AdamWConfig = AdamWConfig {
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weight_decay: 0.1,
    };

    fn scalar(t: &Tensor) -> f64 {
        f64::try_from(t).unwrap()
    }

    #[test]
    fn two_steps_equal_the_formula_and_vectors_are_not_decayed() {
        let matrix = Tensor::from_slice(&[2.0f64])
            .reshape([1, 1])
            .set_requires_grad(true);
        let vector = Tensor::from_slice(&[2.0f64]).set_requires_grad(true);
        let parameters = vec![matrix.shallow_clone(), vector.shallow_clone()];
        let mut optimiser = AdamW::new(CONFIG, parameters);
        let (mut m, mut v) = (0.0, 0.0);
        let (mut expected_matrix, mut expected_vector) = (2.0, 2.0);
        for (step, (gradient, rate)) in [(3.0, 0.01), (-1.0, 0.02)].into_iter().enumerate() {
            clear_gradients(optimiser.parameters()).unwrap();
            (&matrix * gradient).sum(Kind::Double).backward();
            (&vector * gradient).sum(Kind::Double).backward();
            optimiser.step(&[rate; 2]).unwrap();
            let t = step as i32 + 1;
            m = 0.9 * m + 0.1 * gradient;
            v = 0.999 * v + 0.001 * gradient * gradient;
            let update =
                (m / (1.0 - 0.9f64.powi(t))) / ((v / (1.0 - 0.999f64.powi(t))).sqrt() + 1e-8);
            expected_matrix -= rate * 0.1 * expected_matrix + rate * update;
            expected_vector -= rate * update;
        }
        assert_abs_diff_eq!(scalar(&matrix), expected_matrix, epsilon = 1e-12);
        assert_abs_diff_eq!(scalar(&vector), expected_vector, epsilon = 1e-12);
    }

    #[test]
    fn each_parameter_has_its_own_rate_and_does_not_move_at_0() {
        let make = || Tensor::from_slice(&[2.0f64]).set_requires_grad(true);
        let stepped = |rates: &[f64]| -> Vec<f64> {
            let parameters: Vec<Tensor> = rates.iter().map(|_| make()).collect();
            let mut optimiser = AdamW::new(CONFIG, parameters);
            optimiser
                .parameters()
                .iter()
                .for_each(|p| (p * 3.0).sum(Kind::Double).backward());
            optimiser.step(rates).unwrap();
            let count = |i: usize| scalar(&optimiser.moments().2[i]);
            (0..rates.len())
                .for_each(|i| assert_eq!(count(i), f64::from(u8::from(rates[i] != 0.0))));
            optimiser
                .parameters()
                .iter()
                .map(|p| scalar(&p.detach()))
                .collect()
        };
        let (fast, slow) = (stepped(&[0.1])[0], stepped(&[0.01])[0]);
        assert!(fast < slow && slow < 2.0);
        assert_eq!(stepped(&[0.01, 0.0, 0.1, 0.01]), [slow, 2.0, fast, slow]);
    }

    #[test]
    fn gradients_are_clipped_to_a_joint_norm() {
        let a = Tensor::from_slice(&[1.0f64]).set_requires_grad(true);
        let b = Tensor::from_slice(&[1.0f64]).set_requires_grad(true);
        (&a * 3.0 + &b * 4.0).sum(Kind::Double).backward();
        let parameters = [a, b];
        assert_abs_diff_eq!(
            clip_gradients(&parameters, 0.0).unwrap(),
            5.0,
            epsilon = 1e-12
        );
        assert_abs_diff_eq!(
            clip_gradients(&parameters, 1.0).unwrap(),
            5.0,
            epsilon = 1e-12
        );
        let clipped = scalar(&parameters[0].grad()).hypot(scalar(&parameters[1].grad()));
        assert_abs_diff_eq!(clipped, 1.0, epsilon = 1e-6);
    }

    #[test]
    fn a_parameter_without_a_gradient_does_not_change() {
        let a = Tensor::from_slice(&[1.0f64]).set_requires_grad(true);
        let mut optimiser = AdamW::new(CONFIG, vec![a.shallow_clone()]);
        optimiser.step(&[0.1]).unwrap();
        assert_eq!(scalar(&a), 1.0);
        assert_eq!(scalar(&optimiser.moments().2[0]), 0.0);
    }
}
