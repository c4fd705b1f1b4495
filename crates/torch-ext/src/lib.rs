//! A thin layer over libtorch for functions that tch lacks.
//!
//! In this crate: fused AdamW with accessible moments, gradient clipping, row gathering with a
//! copying backward pass, attention over packed segments, fused layer norm and activation,
//! hash-based dropout, seeding of libtorch's generators, and device selection. It holds all
//! `unsafe` code for libtorch; the C++ is in `cpp/`. Not in this crate: anything specific to masks
//! or emotions.
//!
//! ```
//! use tch::{Device, Kind, Tensor};
//! use torch_ext::{AdamW, AdamWConfig, packed_attention};
//!
//! // Two segments, of 3 and 2 frames; 4 heads of 2 columns.
//! let qkv = Tensor::ones([5, 3 * 8], (Kind::Float, Device::Cpu)).set_requires_grad(true);
//! let y = packed_attention(&qkv, &[0, 3, 5], 4, 0.0)?;
//! y.square().sum(Kind::Float).backward();
//! let config = AdamWConfig { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 };
//! let mut optimiser = AdamW::new(config, vec![qkv]);
//! optimiser.step(&[1e-3])?;
//! let (_first, _second, _steps) = optimiser.moments(); // for a checkpoint
//! # Ok::<(), torch_ext::TorchError>(())
//! ```
#![allow(unsafe_code, reason = "this crate wraps C++ for the whole workspace")]

mod adamw;
mod attention;
mod device;
mod ffi;
mod fused;
mod rows;

pub use adamw::{AdamW, AdamWConfig, clear_gradients, clip_gradients};
pub use attention::{Processor, packed_attention, packed_attention_on};
pub use device::{DeviceError, open_device};
pub use fused::{Activation, activate, add_norm, dropout};
pub use rows::{gather_rows, scatter_rows};

use std::ffi::{CStr, c_char};

/// An error of libtorch or of the C++ code here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("libtorch: {0}")]
pub struct TorchError(String);

/// Turns an error message of the C++ code into a result.
fn check(text: *mut c_char) -> Result<(), TorchError> {
    match take(text) {
        None => Ok(()),
        Some(message) => Err(TorchError(message)),
    }
}

fn take(text: *mut c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the C++ code returns an owned C string, which is freed here once.
    let message = unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned();
    unsafe { ffi::te_free(text) };
    Some(message)
}

/// The version of libtorch that this was built against, such as `2.11.0`.
pub fn version() -> String {
    // SAFETY: a static string.
    unsafe { CStr::from_ptr(ffi::te_version()) }
        .to_string_lossy()
        .into_owned()
}

/// The number of threads of the kernels here, measured with a parallel loop:
/// `tch::get_num_threads()`, or 1 if the C++ was compiled without OpenMP.
pub fn kernel_threads() -> usize {
    // SAFETY: no arguments; returns a number.
    unsafe { ffi::te_kernel_threads() as usize }
}

/// The number of threads that OpenMP provides for a requested number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GivenThreads {
    /// The measured number of threads.
    pub given: usize,
    /// Whether OpenMP adjusts the number dynamically, so that it may be lower on a busy machine.
    pub vary: bool,
}

/// Sets the number of threads of libtorch and returns how many OpenMP provides; `None` if the C++
/// was compiled without OpenMP, in which case the kernels here always use one thread.
pub fn set_threads(threads: usize) -> Option<GivenThreads> {
    tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));
    // SAFETY: no arguments; both return a number.
    let (openmp, vary) = unsafe { (ffi::te_has_openmp() != 0, ffi::te_threads_vary() != 0) };
    openmp.then(|| GivenThreads {
        given: kernel_threads(),
        vary,
    })
}

/// The instruction set that libtorch selected for its own kernels, such as `DEFAULT`, `AVX2` or
/// `AVX512`.
pub fn cpu_capability() -> Result<String, TorchError> {
    let mut out = std::ptr::null_mut();
    // SAFETY: `out` is a new C string if there is no error.
    check(unsafe { ffi::te_cpu_capability(&mut out) })?;
    Ok(take(out).unwrap_or_default())
}

/// Makes the C library keep freed memory, because each step of a training loop allocates tensors of
/// the same sizes.
pub fn keep_memory() {
    // SAFETY: sets two limits of the allocator.
    unsafe { ffi::te_keep_memory() };
}

/// Seeds libtorch's generators, which dropout uses.
///
/// They are global to the process, so a reproducible step must be preceded by this call.
pub fn seed_generators(seed: i64) {
    #[allow(
        clippy::disallowed_methods,
        reason = "the only place that seeds libtorch's generators"
    )]
    tch::manual_seed(seed);
}
