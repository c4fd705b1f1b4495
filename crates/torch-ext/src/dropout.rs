use crate::{TorchError, check, ffi};
use tch::{Device, Tensor};

/// Sets each element to 0 with probability `dropout` and divides the others by `1 - dropout`; off where not `train`.
///
/// On the CPU by a hash of the element's place, keyed from libtorch's generator (one number of it a call); on other
/// devices by libtorch.
pub fn dropout(x: &Tensor, dropout: f64, train: bool) -> Result<Tensor, TorchError> {
    if !train || dropout == 0.0 {
        return Ok(x.shallow_clone());
    }
    if x.device() != Device::Cpu {
        return x.f_dropout(dropout, train).map_err(|e| TorchError(e.to_string()));
    }
    let mut out = std::ptr::null_mut();
    // SAFETY: a live tensor that the shim only reads; `out` is a new tensor that tch then owns.
    check(unsafe { ffi::te_dropout(x.as_ptr() as _, dropout, &mut out) })?;
    Ok(unsafe { Tensor::from_ptr(out as _) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Kind, kind};

    #[test]
    fn the_share_is_dropped_and_the_gradient_goes_where_the_values_went() {
        let x = Tensor::ones([300, 500], kind::FLOAT_CPU).set_requires_grad(true);
        let y = dropout(&x, 0.2, true).unwrap();
        let dropped = f64::try_from(y.eq(0.0).to_kind(Kind::Double).mean(Kind::Double)).unwrap();
        assert!((dropped - 0.2).abs() < 0.005, "{dropped}");
        assert_eq!(f64::try_from(y.max()).unwrap(), 1.25);
        y.sum(Kind::Float).backward();
        assert_eq!(x.grad(), y.detach());
        // Blocks and rows differ from each other.
        for rows in [y.reshape([-1, 500]), y.flatten(0, 1).slice(0, 0, 36 * 4096, 1).reshape([36, 4096])] {
            let zero = rows.detach().eq(0.0).to_kind(Kind::Double);
            let n = zero.size()[1] as f64;
            let overlap = zero.matmul(&zero.transpose(0, 1)).fill_diagonal_(0.0, false);
            let most = f64::try_from(overlap.max()).unwrap() / n;
            assert!(most < 0.12, "two rows share {most} of their elements, 0.04 by chance");
        }
    }

    #[test]
    fn without_training_or_probability_nothing_changes() {
        let x = Tensor::ones([3], kind::FLOAT_CPU);
        assert_eq!(dropout(&x, 0.5, false).unwrap(), x);
        assert_eq!(dropout(&x, 0.0, true).unwrap(), x);
        assert!(dropout(&x, 1.0, true).is_err());
    }
}
