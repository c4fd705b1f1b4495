use crate::{TorchError, check, ffi};
use tch::Tensor;

/// Selects distinct rows of a tensor: `x[rows]`.
///
/// The backward pass copies the gradient, which would be wrong for a repeated row.
/// [`Tensor::index_select`] allows repeated rows, but its backward pass adds row by row.
///
/// # Shapes
/// `x` `[N, …]`, `rows` `[R]` int64 → `[R, …]`
pub fn gather_rows(x: &Tensor, rows: &Tensor) -> Result<Tensor, TorchError> {
    let mut out = std::ptr::null_mut();
    // SAFETY: both pointers are live tensors, which are only read; `out` is a new tensor, which tch
    // then owns.
    check(unsafe { ffi::te_gather_rows(x.as_ptr() as _, rows.as_ptr() as _, &mut out) })?;
    Ok(unsafe { Tensor::from_ptr(out as _) })
}

/// Writes rows into a zero tensor of `n` rows; the indices must be distinct.
///
/// # Shapes
/// `x` `[R, …]`, `rows` `[R]` int64 → `[n, …]`
pub fn scatter_rows(x: &Tensor, rows: &Tensor, n: i64) -> Result<Tensor, TorchError> {
    let mut out = std::ptr::null_mut();
    // SAFETY: as in `gather_rows`.
    check(unsafe { ffi::te_scatter_rows(x.as_ptr() as _, rows.as_ptr() as _, n, &mut out) })?;
    Ok(unsafe { Tensor::from_ptr(out as _) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Kind, kind};

    fn x() -> Tensor {
        Tensor::arange(12, kind::FLOAT_CPU)
            .reshape([4, 3])
            .set_requires_grad(true)
    }

    #[test]
    fn gathered_rows_and_their_gradient_equal_index_select() {
        let rows = Tensor::from_slice(&[3i64, 0, 2]);
        let weight = Tensor::arange(9, kind::FLOAT_CPU).reshape([3, 3]);
        let (ours, torch) = (x(), x());
        let y = gather_rows(&ours, &rows).unwrap();
        (&y * &weight).sum(Kind::Float).backward();
        (torch.index_select(0, &rows) * &weight)
            .sum(Kind::Float)
            .backward();
        assert_eq!(y, torch.index_select(0, &rows));
        assert_eq!(ours.grad(), torch.grad());
    }

    #[test]
    fn scattering_is_the_transpose_of_gathering() {
        let rows = Tensor::from_slice(&[5i64, 1, 0, 2]);
        let x = x();
        let y = scatter_rows(&x, &rows, 6).unwrap();
        assert_eq!(gather_rows(&y, &rows).unwrap(), x);
        assert_eq!(f64::try_from(y.sum(Kind::Double)).unwrap(), 66.0);
        let weight = Tensor::arange(18, kind::FLOAT_CPU).reshape([6, 3]);
        (&y * &weight).sum(Kind::Float).backward();
        assert_eq!(x.grad(), weight.index_select(0, &rows));
    }

    #[test]
    fn a_row_out_of_range_is_an_error() {
        let error = gather_rows(&x(), &Tensor::from_slice(&[4i64]))
            .unwrap_err()
            .to_string();
        assert!(error.contains("out of range"), "{error}");
    }
}
