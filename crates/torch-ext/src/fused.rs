use crate::{TorchError, check, ffi};
use tch::{Device, Kind, Tensor};

/// The activation of a feed-forward block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// The identity, for dropout alone.
    None,
    /// max(x, 0).
    Relu,
    /// x Φ(x) with the exact normal distribution function instead of the tanh approximation.
    Gelu,
}

/// `residual + dropout(branch)` and its layer norm (epsilon 1e-5), in one pass over memory in each
/// direction. Without a branch, the layer norm alone, and the sum is the residual. With `bfloat`
/// the norm is in bfloat16.
///
/// On the CPU, dropout uses a hash of the element's position, keyed with one number of libtorch's
/// generator per call (with 0 no number is drawn); on other devices it is libtorch's own.
///
/// # Shapes
/// `residual` `[N, D]`, 32-bit floats; `branch` `[N, D]`, 32-bit floats or bfloat16; `weight`,
/// `bias` `[D]` → sum `[N, D]`, 32-bit floats; norm `[N, D]`
pub fn add_norm(
    residual: &Tensor,
    branch: Option<&Tensor>,
    weight: &Tensor,
    bias: &Tensor,
    dropout: f64,
    bfloat: bool,
) -> Result<(Tensor, Tensor), TorchError> {
    if residual.device() != Device::Cpu {
        return composed(residual, branch, weight, bias, dropout, bfloat)
            .map_err(|e| TorchError(e.to_string()));
    }
    let (mut sum, mut normed) = (std::ptr::null_mut(), std::ptr::null_mut());
    let branch = branch.map_or(std::ptr::null_mut(), |b| b.as_ptr() as _);
    let raw = |t: &Tensor| t.as_ptr() as ffi::RawTensor;
    // SAFETY: live tensors, which are only read; the results are new tensors, which tch then owns.
    check(unsafe {
        ffi::te_add_norm(
            raw(residual),
            branch,
            raw(weight),
            raw(bias),
            dropout,
            bfloat,
            &mut sum,
            &mut normed,
        )
    })?;
    let sum = if sum.is_null() {
        residual.shallow_clone()
    } else {
        unsafe { Tensor::from_ptr(sum as _) }
    };
    Ok((sum, unsafe { Tensor::from_ptr(normed as _) }))
}

/// The same with libtorch's operations.
fn composed(
    residual: &Tensor,
    branch: Option<&Tensor>,
    weight: &Tensor,
    bias: &Tensor,
    dropout: f64,
    bfloat: bool,
) -> Result<(Tensor, Tensor), tch::TchError> {
    let sum = match branch {
        Some(branch) => branch.f_dropout(dropout, dropout > 0.0)?.f_add(residual)?,
        None => residual.shallow_clone(),
    };
    let normed = sum.f_layer_norm(weight.size(), Some(weight), Some(bias), 1e-5, true)?;
    Ok((
        sum,
        if bfloat {
            normed.f_to_kind(Kind::BFloat16)?
        } else {
            normed
        },
    ))
}

/// `dropout(activation(x))`, in one pass over memory in each direction; dropout as in [`add_norm`].
///
/// # Shapes
/// `x` `[…]`, 32-bit floats or bfloat16 → the same
pub fn activate(x: &Tensor, activation: Activation, dropout: f64) -> Result<Tensor, TorchError> {
    if x.device() != Device::Cpu {
        let y = match activation {
            Activation::None => Ok(x.shallow_clone()),
            Activation::Relu => x.f_relu(),
            Activation::Gelu => x.f_gelu("none"),
        };
        return y
            .and_then(|y| y.f_dropout(dropout, dropout > 0.0))
            .map_err(|e| TorchError(e.to_string()));
    }
    let mut out = std::ptr::null_mut();
    // SAFETY: a live tensor, which is only read; `out` is a new tensor, which tch then owns.
    check(unsafe { ffi::te_activate(x.as_ptr() as _, activation as i32, dropout, &mut out) })?;
    Ok(unsafe { Tensor::from_ptr(out as _) })
}

/// Sets each element to 0 with probability `dropout` and divides the others by `1 - dropout`, as in
/// [`activate`]. Without `train` it returns `x`.
pub fn dropout(x: &Tensor, dropout: f64, train: bool) -> Result<Tensor, TorchError> {
    if train && dropout != 0.0 {
        activate(x, Activation::None, dropout)
    } else {
        Ok(x.shallow_clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::kind;

    fn numbers(shape: &[i64], shift: f64) -> Tensor {
        let n: i64 = shape.iter().product();
        let ramp = Tensor::arange(n, kind::DOUBLE_CPU).reshape(shape);
        (&ramp * 0.7371 + shift).sin() * 3.0 + (&ramp * 0.0931 + shift).cos()
    }

    fn single(t: &Tensor) -> Tensor {
        t.to_kind(Kind::Float).set_requires_grad(true)
    }

    fn largest(t: &Tensor) -> f64 {
        f64::try_from(t.abs().max()).unwrap()
    }

    #[track_caller]
    fn assert_near(ours: &Tensor, expected: &Tensor, tolerance: f64) {
        let difference =
            largest(&(ours.to_kind(Kind::Double) - expected)) / largest(expected).max(1.0);
        assert!(difference < tolerance, "they differ by {difference:e}");
    }

    #[test]
    fn sum_and_norm_equal_the_formula_in_double_precision() {
        for (rows, width) in [(1, 1), (3, 7), (130, 48), (65, 128), (64, 33)] {
            for (with_branch, bfloat) in [(true, false), (false, false), (true, true)] {
                let shape = [rows, width];
                let (h, b) = (numbers(&shape, 0.1), numbers(&shape, 0.7));
                let (w, c) = (numbers(&[width], 1.3), numbers(&[width], 2.9));
                let branch_kind = if bfloat { Kind::BFloat16 } else { Kind::Float };
                let b = b.to_kind(branch_kind).to_kind(Kind::Double);
                let exact = [&h, &b, &w, &c].map(|t| t.detach().copy().set_requires_grad(true));
                let sum = if with_branch {
                    &exact[0] + &exact[1]
                } else {
                    exact[0].shallow_clone()
                };
                let normed = sum.layer_norm([width], Some(&exact[2]), Some(&exact[3]), 1e-5, true);
                // A gradient that bfloat16 holds as it is, so that its sums can be compared.
                let weight = numbers(&shape, 0.9)
                    .to_kind(branch_kind)
                    .to_kind(Kind::Double);
                let seen = numbers(&shape, 0.4);
                ((&sum * &seen).sum(Kind::Double) + (&normed * &weight).sum(Kind::Double))
                    .backward();

                let ours = [&h, &w, &c].map(single);
                let branch = b.to_kind(branch_kind).set_requires_grad(true);
                let (s, n) = add_norm(
                    &ours[0],
                    with_branch.then_some(&branch),
                    &ours[1],
                    &ours[2],
                    0.0,
                    bfloat,
                )
                .unwrap();
                assert_eq!(n.kind(), branch_kind);
                ((&s * seen.to_kind(Kind::Float)).sum(Kind::Float)
                    + (n.to_kind(Kind::Float) * weight.to_kind(Kind::Float)).sum(Kind::Float))
                .backward();
                // bfloat16 has 8 bits.
                let rough = if bfloat { 2e-2 } else { 3e-5 };
                assert_near(&s, &sum, 1e-6);
                assert_near(&n, &normed, if bfloat { 5e-3 } else { 3e-6 });
                if width > 1 {
                    assert_near(&ours[0].grad(), &exact[0].grad(), rough);
                    assert_near(&ours[1].grad(), &exact[2].grad(), rough);
                    assert_near(&ours[2].grad(), &exact[3].grad(), 3e-5);
                    if with_branch {
                        assert_near(&branch.grad(), &exact[1].grad(), rough);
                    }
                }
            }
        }
    }

    #[test]
    fn activations_equal_the_formula_in_double_precision() {
        for shape in [[1, 1], [3, 33], [130, 64]] {
            // From -9 to 9, which includes the tails.
            let x = numbers(&shape, 0.2) * 2.2;
            let weight = numbers(&shape, 0.9);
            for (activation, formula) in [
                (
                    Activation::Gelu,
                    Tensor::gelu as fn(&Tensor, &str) -> Tensor,
                ),
                (Activation::Relu, |t: &Tensor, _: &str| t.relu()),
                (Activation::None, |t: &Tensor, _: &str| t * 1.0),
            ] {
                let exact = x.copy().set_requires_grad(true);
                let expected = formula(&exact, "none");
                (&expected * &weight).sum(Kind::Double).backward();
                let ours = single(&x);
                let y = activate(&ours, activation, 0.0).unwrap();
                (&y * weight.to_kind(Kind::Float))
                    .sum(Kind::Float)
                    .backward();
                assert_near(&y, &expected, 1e-6);
                assert_near(&ours.grad(), &exact.grad(), 1e-6);
                let rough = activate(&x.to_kind(Kind::BFloat16), activation, 0.0).unwrap();
                assert_near(&rough, &expected, 1e-2);
            }
        }
    }

    // Tests in one process share libtorch's generator, so a single test covers seeds.
    #[test]
    fn dropout_has_its_rate_and_the_same_mask_in_the_gradient() {
        for kind in [Kind::Float, Kind::BFloat16] {
            let x = Tensor::ones([300, 500], (kind, Device::Cpu)).set_requires_grad(true);
            let y = dropout(&x, 0.2, true).unwrap();
            let zeros = y.detach().eq(0.0).to_kind(Kind::Double);
            let dropped = f64::try_from(zeros.mean(Kind::Double)).unwrap();
            assert!((dropped - 0.2).abs() < 0.005, "{dropped}");
            assert!((f64::try_from(y.max()).unwrap() - 1.25).abs() < 1e-4);
            y.sum(Kind::Float).backward();
            assert_eq!(x.grad(), y.detach());
            // No two rows or columns are equal.
            for zero in [zeros.shallow_clone(), zeros.transpose(0, 1)] {
                let n = zero.size()[1] as f64;
                let overlap = zero
                    .matmul(&zero.transpose(0, 1))
                    .fill_diagonal_(0.0, false);
                let most = f64::try_from(overlap.max()).unwrap() / n;
                assert!(
                    most < 0.12,
                    "two rows share {most} of their elements, 0.04 by chance"
                );
            }
        }
        // The mask of the branch is the same in both directions, and the residual has no dropout.
        let (h, b) = (
            Tensor::zeros([40, 48], kind::FLOAT_CPU),
            Tensor::ones([40, 48], kind::FLOAT_CPU),
        );
        let (h, b) = (h.set_requires_grad(true), b.set_requires_grad(true));
        let (w, c) = (
            Tensor::ones([48], kind::FLOAT_CPU),
            Tensor::zeros([48], kind::FLOAT_CPU),
        );
        let (sum, _) = add_norm(&h, Some(&b), &w, &c, 0.25, false).unwrap();
        sum.sum(Kind::Float).backward();
        assert_eq!(b.grad(), sum.detach());
        assert_eq!(h.grad(), Tensor::ones([40, 48], kind::FLOAT_CPU));
        assert!(f64::try_from(sum.max()).unwrap() > 1.3);
    }

    #[test]
    fn results_do_not_depend_on_the_number_of_threads() {
        let h = single(&numbers(&[500, 48], 0.3));
        let (w, c) = (single(&numbers(&[48], 1.3)), single(&numbers(&[48], 2.9)));
        let mut gradients = Vec::new();
        for threads in [1, 2, 3] {
            tch::set_num_threads(threads);
            assert_eq!(
                crate::kernel_threads(),
                threads as usize,
                "the kernels do not run in parallel"
            );
            let (_, n) = add_norm(&h, Some(&h.detach()), &w, &c, 0.0, false).unwrap();
            n.square().sum(Kind::Float).backward();
            gradients.push([h.grad().copy(), w.grad().copy(), c.grad().copy()]);
            let (mut h, mut w, mut c) = (h.shallow_clone(), w.shallow_clone(), c.shallow_clone());
            for t in [&mut h, &mut w, &mut c] {
                t.zero_grad();
            }
        }
        assert_eq!(gradients[0], gradients[1]);
        assert_eq!(gradients[0], gradients[2]);
    }

    #[test]
    fn invalid_arguments_are_errors() {
        let x = Tensor::ones([3, 4], kind::FLOAT_CPU);
        let (w, wrong) = (
            Tensor::ones([4], kind::FLOAT_CPU),
            Tensor::ones([5], kind::FLOAT_CPU),
        );
        assert!(add_norm(&x, Some(&x), &w, &w, 0.0, false).is_ok());
        assert!(add_norm(&x, Some(&w), &w, &w, 0.0, false).is_err());
        assert!(add_norm(&x, None, &wrong, &w, 0.0, false).is_err());
        assert!(add_norm(&x, None, &w, &wrong, 0.0, false).is_err());
        assert!(add_norm(&x, None, &w, &w, 1.0, false).is_err());
        assert!(add_norm(&x.to_kind(Kind::Double), None, &w, &w, 0.0, false).is_err());
        assert!(dropout(&x, 1.0, true).is_err());
        assert_eq!(dropout(&x, 0.5, false).unwrap(), x);
        assert_eq!(dropout(&x, 0.0, true).unwrap(), x);
    }
}
