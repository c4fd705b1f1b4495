//! The machine's own rate of matrix products through libtorch, which the share of a whole step is
//! taken of.
//!
//! The shape is that of the encoder's largest product: the frames of a batch times 512 x 512.

use clap::Parser;
use serde_json::json;
use std::error::Error;
use std::time::Instant;
use study_benches::emit;
use tch::{Device, Kind, TchError, Tensor};
use torch_ext::seed_generators;

/// Measures the rate of matrix products.
#[derive(Parser)]
struct Arguments {
    /// Threads.
    #[arg(long, default_value_t = 1)]
    threads: i32,
    /// Rows of the left matrix: frames.
    #[arg(long, default_value_t = 14464)]
    rows: i64,
    /// Columns of both matrices.
    #[arg(long, default_value_t = 512)]
    columns: i64,
    /// How often it is done; the best counts.
    #[arg(long, default_value_t = 20)]
    times: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let a = Arguments::parse();
    tch::set_num_threads(a.threads);
    seed_generators(1);
    let random = |shape: &[i64]| Tensor::f_randn(shape, (Kind::Float, Device::Cpu));
    let (x, w, bias) = (
        random(&[a.rows, a.columns])?,
        random(&[a.columns, a.columns])?,
        random(&[a.columns])?,
    );
    let to = |kind| -> Result<[Tensor; 3], TchError> {
        Ok([
            x.f_to_kind(kind)?,
            w.f_to_kind(kind)?,
            bias.f_to_kind(kind)?,
        ])
    };
    let blas = measure(&a, || x.f_linear(&w, Some(&bias)))?;
    // The same product through oneDNN, whose kernels are the faster ones on some processors.
    let [x1, w1, b1] = [&x, &w, &bias].map(|t| t.f_to_mkldnn(Kind::Float));
    let (x1, w1, b1) = (x1?, w1?, b1?);
    let onednn = measure(&a, || x1.f_mkldnn_linear(&w1, Some(&b1)))?;
    let [x2, w2, b2] = to(Kind::BFloat16)?;
    let bf16 = measure(&a, || x2.f_linear(&w2, Some(&b2)))?;
    let more = json!({"threads": a.threads, "rows": a.rows, "columns": a.columns});
    emit(
        "fp32",
        blas.max(onednn),
        "GFLOP/s",
        json!({"threads": a.threads, "BLAS": blas, "oneDNN": onednn}),
    );
    emit("bf16", bf16, "GFLOP/s", more);
    Ok(())
}

/// The best rate of a product, in GFLOP/s.
fn measure(a: &Arguments, product: impl Fn() -> Result<Tensor, TchError>) -> Result<f64, TchError> {
    let mut best = f64::INFINITY;
    // The first also pays for pages and for the choice of a kernel.
    for i in 0..=a.times {
        let began = Instant::now();
        let y = product()?;
        let seconds = began.elapsed().as_secs_f64();
        drop(y);
        if i > 0 {
            best = best.min(seconds);
        }
    }
    Ok(2.0 * a.rows as f64 * (a.columns * a.columns) as f64 / best / 1e9)
}
