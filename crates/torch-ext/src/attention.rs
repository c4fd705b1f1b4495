use crate::{TorchError, check, ffi};
use tch::Tensor;

/// Processor families with a kernel. Each can also run the kernels of the families before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Processor {
    /// Vectors of four floats: NEON or SSE2.
    Portable,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512 (F, BW, CD, DQ, VL).
    Avx512,
    /// AVX-512 with bfloat16 dot products.
    Avx512Bf16,
}

impl Processor {
    /// All families, slowest first.
    pub const ALL: [Processor; 4] = [
        Processor::Portable,
        Processor::Avx2,
        Processor::Avx512,
        Processor::Avx512Bf16,
    ];

    /// The best family of this machine.
    pub fn best() -> Self {
        // SAFETY: no arguments; reads processor features.
        let best = unsafe { ffi::te_best_processor() };
        Self::ALL[usize::try_from(best).unwrap_or(0).min(3)]
    }

    /// Whether products of bfloat16 have instructions of their own.
    pub const fn has_bf16_products(self) -> bool {
        matches!(self, Processor::Avx512Bf16)
    }

    /// A readable name.
    pub const fn name(self) -> &'static str {
        match self {
            Processor::Portable => "portable",
            Processor::Avx2 => "AVX2",
            Processor::Avx512 => "AVX-512",
            Processor::Avx512Bf16 => "AVX-512 with bfloat16",
        }
    }
}

/// Self-attention within each segment, on the CPU, without padding and without storing a matrix of
/// frames by frames. Differentiable with respect to `qkv`.
///
/// Scores are scaled by 1/√(D / H). Attention dropout has probability `dropout` (rounded to
/// 1/65536) and uses a hash keyed with one number of libtorch's generator per call; with 0 no
/// number is drawn.
///
/// Products of bfloat16 use bfloat16 instructions if the processor has them
/// ([`Processor::Avx512Bf16`]), else 32-bit floats.
///
/// # Shapes
/// `qkv` `[N, 3 D]`, 32-bit floats or bfloat16: queries, keys and values of all heads,
/// concatenated; `offsets` `[B + 1]`, from 0 to N → `[N, D]`
pub fn packed_attention(
    qkv: &Tensor,
    offsets: &[i64],
    heads: i64,
    dropout: f64,
) -> Result<Tensor, TorchError> {
    packed_attention_on(Processor::best(), qkv, offsets, heads, dropout)
}

/// [`packed_attention`] with the kernel of a given processor family; an error if this machine
/// cannot run it.
pub fn packed_attention_on(
    processor: Processor,
    qkv: &Tensor,
    offsets: &[i64],
    heads: i64,
    dropout: f64,
) -> Result<Tensor, TorchError> {
    let mut out = std::ptr::null_mut();
    let number = processor as i32;
    // SAFETY: a live tensor, which is only read, and an array with its length; `out` is a new
    // tensor.
    check(unsafe {
        ffi::te_packed_attention(
            qkv.as_ptr() as _,
            offsets.as_ptr(),
            offsets.len(),
            heads,
            dropout,
            number,
            &mut out,
        )
    })?;
    Ok(unsafe { Tensor::from_ptr(out as _) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Kind, kind};

    /// Smooth, distinct numbers.
    fn numbers(rows: i64, columns: i64, shift: f64) -> Tensor {
        let ramp = Tensor::arange(rows * columns, kind::DOUBLE_CPU).reshape([rows, columns]);
        (&ramp * 0.7371 + shift).sin() * 1.5 + (&ramp * 0.0931 + shift).cos()
    }

    /// The textbook formula in double precision, segment by segment; `factors` are multiplied with
    /// the probabilities.
    fn formula(qkv: &Tensor, offsets: &[i64], heads: i64, factors: Option<&[Tensor]>) -> Tensor {
        let d = qkv.size()[1] / 3;
        let parts: Vec<Tensor> = offsets
            .windows(2)
            .enumerate()
            .filter(|(_, w)| w[1] > w[0])
            .map(|(b, w)| {
                let rows = qkv
                    .slice(0, w[0], w[1], 1)
                    .reshape([-1, 3, heads, d / heads])
                    .permute([1, 2, 0, 3]);
                let (q, k, v) = (rows.get(0), rows.get(1), rows.get(2));
                let mut p = (q.matmul(&k.transpose(1, 2)) / ((d / heads) as f64).sqrt())
                    .softmax(2, Kind::Double);
                if let Some(factors) = factors {
                    p = p.multiply(&factors[b]);
                }
                p.matmul(&v).permute([1, 0, 2]).reshape([-1, d])
            })
            .collect();
        Tensor::cat(&parts, 0)
    }

    fn largest(t: &Tensor) -> f64 {
        f64::try_from(t.abs().max()).unwrap()
    }

    /// Checks every kernel that this machine can run.
    fn check_against_formula(lengths: &[i64], heads: i64, head_dim: i64) {
        for processor in Processor::ALL
            .into_iter()
            .filter(|&p| p <= Processor::best())
        {
            check_kernel(processor, Kind::Float, lengths, heads, head_dim);
        }
        check_kernel(Processor::best(), Kind::BFloat16, lengths, heads, head_dim);
        check_kernel(
            Processor::Portable,
            Kind::BFloat16,
            lengths,
            heads,
            head_dim,
        );
    }

    fn check_kernel(processor: Processor, kind: Kind, lengths: &[i64], heads: i64, head_dim: i64) {
        let offsets: Vec<i64> = std::iter::once(0)
            .chain(lengths.iter().scan(0, |end, n| {
                *end += n;
                Some(*end)
            }))
            .collect();
        let n = offsets[offsets.len() - 1];
        // Rounded to the kernel's type, so that kernel and formula have equal inputs.
        let rounded = |t: Tensor| t.to_kind(kind).to_kind(Kind::Double);
        let exact = rounded(numbers(n, 3 * heads * head_dim, 0.3)).set_requires_grad(true);
        let ours = exact.detach().to_kind(kind).set_requires_grad(true);
        let weight = rounded(numbers(n, heads * head_dim, 1.1));
        let y = packed_attention_on(processor, &ours, &offsets, heads, 0.0).unwrap();
        assert_eq!(y.kind(), kind);
        let expected = formula(&exact, &offsets, heads, None);
        (&y.to_kind(Kind::Float) * weight.to_kind(Kind::Float))
            .sum(Kind::Float)
            .backward();
        (&expected * &weight).sum(Kind::Double).backward();
        let name =
            format!("{processor:?} {kind:?}, lengths {lengths:?}, {heads} heads of {head_dim}");
        // bfloat16 has 8 significant bits for every value, probability and gradient.
        let (value, slope) = if kind == Kind::Float {
            (3e-6, 1e-5)
        } else {
            (1e-2, 2e-2)
        };
        let difference =
            largest(&(y.to_kind(Kind::Double) - &expected)) / largest(&expected).max(1.0);
        assert!(
            difference < value,
            "{name}: values differ by {difference:e}"
        );
        let gradient = exact.grad();
        let difference =
            largest(&(ours.grad().to_kind(Kind::Double) - &gradient)) / largest(&gradient).max(1.0);
        assert!(
            difference < slope,
            "{name}: gradients differ by {difference:e}"
        );
    }

    #[test]
    fn values_and_gradients_equal_the_formula_in_double_precision() {
        for head_dim in [1, 3, 12, 16, 31] {
            check_against_formula(&[1], 2, head_dim);
            check_against_formula(&[7, 16, 1, 33, 8], 3, head_dim);
        }
        check_against_formula(&[501, 2, 130], 2, 16);
        check_against_formula(&(1..=40).collect::<Vec<_>>(), 1, 8);
    }

    #[test]
    fn large_scores_do_not_overflow() {
        let qkv = numbers(40, 3 * 8, 0.0).to_kind(Kind::Float) * 60.0;
        let y = packed_attention(&qkv, &[0, 40], 1, 0.0).unwrap();
        let expected = formula(&qkv.to_kind(Kind::Double), &[0, 40], 1, None);
        let difference = largest(&(y.to_kind(Kind::Double) - &expected)) / largest(&expected);
        assert!(difference < 1e-4, "{difference:e}");
    }

    /// The dropout factors of one call, obtained with unit vectors as values.
    fn factors(processor: Processor, offsets: &[i64], heads: i64, dropout: f64) -> Vec<Tensor> {
        let longest = offsets.windows(2).map(|w| w[1] - w[0]).max().unwrap();
        let n = offsets[offsets.len() - 1];
        // With equal scores each probability is 1 / T, and column j of the output is the factor of
        // key j.
        let qkv = Tensor::zeros([n, 3, heads, longest], kind::FLOAT_CPU);
        for w in offsets.windows(2) {
            for h in 0..heads {
                let eye = Tensor::eye(longest, kind::FLOAT_CPU).slice(0, 0, w[1] - w[0], 1);
                qkv.slice(0, w[0], w[1], 1)
                    .select(1, 2)
                    .select(1, h)
                    .copy_(&eye);
            }
        }
        let y =
            packed_attention_on(processor, &qkv.reshape([n, -1]), offsets, heads, dropout).unwrap();
        let y = y.reshape([n, heads, longest]);
        offsets
            .windows(2)
            .map(|w| {
                let t = w[1] - w[0];
                (y.slice(0, w[0], w[1], 1).slice(2, 0, t, 1) * t)
                    .permute([1, 0, 2])
                    .to_kind(Kind::Double)
            })
            .collect()
    }

    // Tests in one process share libtorch's generator, so a single test covers both uses.
    #[test]
    fn dropout_has_its_rate_and_the_same_mask_in_the_gradient() {
        let (offsets, heads, dropout) = ([0, 37, 40, 120], 2, 0.25);
        crate::seed_generators(5);
        let factors_of = factors(Processor::best(), &offsets, heads, dropout);
        for processor in Processor::ALL
            .into_iter()
            .filter(|&p| p <= Processor::best())
        {
            crate::seed_generators(5);
            for (a, b) in factors_of
                .iter()
                .zip(&factors(processor, &offsets, heads, dropout))
            {
                assert!(
                    largest(&(a - b)) < 1e-4,
                    "the seed determines the mask for every kernel ({processor:?})"
                );
            }
        }
        let all = Tensor::cat(
            &factors_of
                .iter()
                .map(|f| f.reshape([-1]))
                .collect::<Vec<_>>(),
            0,
        );
        let dropped = f64::try_from(all.eq(0.0).to_kind(Kind::Double).mean(Kind::Double)).unwrap();
        assert!((dropped - dropout).abs() < 0.01, "{dropped}");
        let kept = all.masked_select(&all.ne(0.0));
        assert!(largest(&(kept - 1.0 / (1.0 - dropout))) < 1e-5);
        // No two rows are equal.
        let rows = factors_of[2]
            .reshape([-1, 80])
            .eq(0.0)
            .to_kind(Kind::Double);
        let overlap = rows
            .matmul(&rows.transpose(0, 1))
            .fill_diagonal_(0.0, false);
        // By chance two rows share 80 x 0.25 x 0.25 = 5 columns; equal rows share 20.
        assert!(
            largest(&overlap) < 18.0,
            "two rows share {} dropped columns",
            largest(&overlap)
        );
        let mean = f64::try_from(overlap.sum(Kind::Double)).unwrap() / (160.0 * 159.0);
        assert!(
            (mean - 5.0).abs() < 0.2,
            "two rows share {mean} dropped columns on average"
        );

        for (processor, kind, value, slope) in [
            (Processor::best(), Kind::Float, 1e-5, 1e-5),
            (Processor::Portable, Kind::Float, 1e-5, 1e-5),
            (Processor::best(), Kind::BFloat16, 1e-2, 2e-2),
        ] {
            let rounded = numbers(120, 3 * heads * 12, 0.3).to_kind(kind);
            let exact = rounded.to_kind(Kind::Double).set_requires_grad(true);
            let ours = rounded.set_requires_grad(true);
            crate::seed_generators(5);
            let y = packed_attention_on(processor, &ours, &offsets, heads, dropout).unwrap();
            let expected = formula(&exact, &offsets, heads, Some(&factors_of));
            let difference = largest(&(y.to_kind(Kind::Double) - &expected)) / largest(&expected);
            assert!(
                difference < value,
                "{processor:?} {kind:?}: values differ by {difference:e}"
            );
            y.to_kind(Kind::Float).square().sum(Kind::Float).backward();
            expected.square().sum(Kind::Double).backward();
            let gradient = exact.grad();
            let difference =
                largest(&(ours.grad().to_kind(Kind::Double) - &gradient)) / largest(&gradient);
            assert!(
                difference < slope,
                "{processor:?} {kind:?}: gradients differ by {difference:e}"
            );
        }
    }

    #[test]
    fn results_do_not_depend_on_the_number_of_threads() {
        for kind in [Kind::Float, Kind::BFloat16] {
            let results = [1, 2, 3].map(|threads| {
                tch::set_num_threads(threads);
                assert_eq!(
                    crate::kernel_threads(),
                    threads as usize,
                    "the kernels do not run in parallel"
                );
                let qkv = numbers(150, 3 * 4 * 12, 0.3)
                    .to_kind(kind)
                    .set_requires_grad(true);
                let y = packed_attention(&qkv, &[0, 100, 101, 150], 4, 0.0).unwrap();
                y.square().sum(Kind::Float).backward();
                (y.detach(), qkv.grad())
            });
            assert_eq!(results[0], results[1]);
            assert_eq!(results[0], results[2]);
        }
    }

    #[test]
    fn invalid_arguments_are_errors() {
        let qkv = Tensor::zeros([4, 12], kind::FLOAT_CPU);
        assert!(packed_attention(&qkv, &[0, 4], 2, 0.0).is_ok());
        assert!(packed_attention(&qkv, &[0, 3], 2, 0.0).is_err());
        assert!(packed_attention(&qkv, &[0, 3, 2, 4], 2, 0.0).is_err());
        assert!(packed_attention(&qkv, &[0, 4], 3, 0.0).is_err());
        assert!(packed_attention(&qkv, &[0, 4], 2, 1.0).is_err());
        assert!(packed_attention(&qkv.to_kind(Kind::Double), &[0, 4], 2, 0.0).is_err());
    }
}
