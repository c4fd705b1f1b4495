//! A thin shim over libtorch for what tch lacks.
//!
//! What lives here: the fused AdamW over moments that the caller owns, gradient clipping, row gathering whose backward
//! pass is a copy, attention over packed segments, what a layer does between its products, dropout by a hash, the seed of
//! libtorch's generators, and the choice of a device. All `unsafe` about libtorch is here; the C++ stands in `cpp/`.
//! What does not: anything that knows of segments, masks or emotions.
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
#![allow(unsafe_code, reason = "this crate is the workspace's one door to C++")]

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

/// libtorch refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("libtorch: {0}")]
pub struct TorchError(String);

/// Takes a message of the shim, if there is one.
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
    // SAFETY: the shim hands over a C string of its own, freed here once.
    let message = unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
    unsafe { ffi::te_free(text) };
    Some(message)
}

/// Version of the libtorch this was built against, such as `2.11.0`.
pub fn version() -> String {
    // SAFETY: a literal of the shim.
    unsafe { CStr::from_ptr(ffi::te_version()) }.to_string_lossy().into_owned()
}

/// Threads that the kernels here run on, counted by running a loop: `tch::get_num_threads()`, or 1 where the C++ was
/// compiled without OpenMP.
pub fn kernel_threads() -> usize {
    // SAFETY: it takes nothing and gives a number.
    unsafe { ffi::te_kernel_threads() as usize }
}

/// How many threads OpenMP gives where so many were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GivenThreads {
    /// Those that ran a loop, counted.
    pub given: usize,
    /// Whether OpenMP may give fewer at another moment, by how busy the machine is.
    pub vary: bool,
}

/// Sets libtorch's threads, and asks OpenMP how many it gives; `None` where the C++ was compiled without OpenMP, whose kernels run
/// on one thread whatever is set.
pub fn set_threads(threads: usize) -> Option<GivenThreads> {
    tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));
    // SAFETY: both take nothing and give a number.
    let (openmp, vary) = unsafe { (ffi::te_has_openmp() != 0, ffi::te_threads_vary() != 0) };
    openmp.then(|| GivenThreads { given: kernel_threads(), vary })
}

/// The instruction set that libtorch chose for its own kernels: `DEFAULT`, `AVX2`, `AVX512` or another word of libtorch's.
pub fn cpu_capability() -> Result<String, TorchError> {
    let mut out = std::ptr::null_mut();
    // SAFETY: `out` is a new C string where there is no message.
    check(unsafe { ffi::te_cpu_capability(&mut out) })?;
    Ok(take(out).unwrap_or_default())
}

/// Makes the C library keep freed memory for the next tensor of its size, which is what a training loop asks for.
pub fn keep_memory() {
    // SAFETY: it sets two limits of the allocator.
    unsafe { ffi::te_keep_memory() };
}

/// Sets libtorch's generators, which dropout draws from.
///
/// They are global to the process: whoever wants one step to be repeatable sets them before it.
pub fn seed_generators(seed: i64) {
    #[allow(clippy::disallowed_methods, reason = "the one place where libtorch's generators are set")]
    tch::manual_seed(seed);
}
