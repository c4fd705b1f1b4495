//! One binary for CPU and CUDA: the CUDA library of libtorch is loaded when a CUDA device is
//! requested.

use crate::{check, ffi, take};
use std::ffi::CString;
use std::path::PathBuf;
use tch::{Cuda, Device};

/// Why a device cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// Not the name of a device.
    #[error("device '{found}': expected \"cpu\", \"cuda\" or \"cuda:INDEX\"")]
    Unknown {
        /// The requested device.
        found: String,
    },
    /// The libtorch in use is a CPU build.
    #[error(
        "device '{device}': {} has no libtorch_cuda.so, so it is a libtorch for the CPU; export LIBTORCH with the `torch` folder of a PyTorch 2.11.0 for CUDA and run `cargo xtask setup` again", folder.display()
    )]
    NoCudaLibrary {
        /// The requested device.
        device: String,
        /// The folder that libtorch was loaded from.
        folder: PathBuf,
    },
    /// The CUDA library exists but cannot be loaded.
    #[error("device '{device}': libtorch_cuda.so cannot be loaded: {reason}")]
    Load {
        /// The requested device.
        device: String,
        /// The loader's message.
        reason: String,
    },
    /// There is no such GPU.
    #[error(
        "device '{device}': libtorch finds {found} CUDA devices on this machine (is a driver installed? does CUDA_VISIBLE_DEVICES hide it?)"
    )]
    Absent {
        /// The requested device.
        device: String,
        /// How many devices there are.
        found: i64,
    },
}

fn library_folder(device: &str) -> Result<PathBuf, DeviceError> {
    let mut folder = std::ptr::null_mut();
    // SAFETY: `folder` is a new C string if there is no error.
    check(unsafe { ffi::te_library_folder(&mut folder) }).map_err(|e| DeviceError::Load {
        device: device.to_string(),
        reason: e.to_string(),
    })?;
    Ok(PathBuf::from(take(folder).unwrap_or_default()))
}

/// Opens a device by name: `cpu`, `cuda` or `cuda:INDEX`. There is no silent fallback.
///
/// Call it before anything else queries CUDA, because libtorch caches the first answer.
pub fn open_device(name: &str) -> Result<Device, DeviceError> {
    let index = match name.split_once(':') {
        _ if name == "cpu" => return Ok(Device::Cpu),
        _ if name == "cuda" => 0,
        Some(("cuda", index)) if !index.starts_with('+') => {
            index.parse::<usize>().map_err(|_| DeviceError::Unknown {
                found: name.to_string(),
            })?
        }
        _ => {
            return Err(DeviceError::Unknown {
                found: name.to_string(),
            });
        }
    };
    let folder = library_folder(name)?;
    let library = folder.join("libtorch_cuda.so");
    if !library.exists() {
        return Err(DeviceError::NoCudaLibrary {
            device: name.to_string(),
            folder,
        });
    }
    let failed = |reason: String| DeviceError::Load {
        device: name.to_string(),
        reason,
    };
    let path =
        CString::new(library.to_string_lossy().as_bytes()).map_err(|e| failed(e.to_string()))?;
    // SAFETY: a C string that outlives the call.
    check(unsafe { ffi::te_load_library(path.as_ptr()) }).map_err(|e| failed(e.to_string()))?;
    let found = if Cuda::is_available() {
        Cuda::device_count()
    } else {
        0
    };
    match i64::try_from(index) {
        Ok(i) if i < found => Ok(Device::Cuda(index)),
        _ => Err(DeviceError::Absent {
            device: name.to_string(),
            found,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_names_are_validated() {
        assert_eq!(open_device("cpu"), Ok(Device::Cpu));
        for name in ["gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:+1", "CPU", ""] {
            assert_eq!(
                open_device(name),
                Err(DeviceError::Unknown {
                    found: name.to_string()
                })
            );
        }
    }

    #[test]
    fn a_missing_device_is_an_error_that_names_it() {
        // No machine has a millionth GPU.
        let error = open_device("cuda:1000000").unwrap_err().to_string();
        assert!(error.contains("cuda:1000000"), "{error}");
    }
}
