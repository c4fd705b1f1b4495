//! The functions and classes that a pickle may name, and what calling them means.
//!
//! What lives here: a list, and for each entry what it builds from its arguments. Nothing is looked
//! up, imported or executed: a name that is not in the list is refused.

use super::Fault;
use super::array::{Array, Dtype, Kind};
use super::input::Span;
use super::machine::Machine;
use super::node::{Id, Node, Storage};

/// A known function or class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Global {
    /// NumPy's maker of an empty array, whose content follows.
    Reconstruct,
    /// NumPy's maker of one value.
    Scalar,
    NdArray,
    Dtype,
    /// NumPy's maker of an array from bytes (protocol 5).
    FromBuffer,
    /// How protocol 2 writes bytes: as Latin-1 text.
    Encode,
    /// How protocol 2 writes no bytes.
    NoBytes,
    Set,
    OrderedDict,
    RebuildTensor,
    /// The type of a tensor's values.
    Storage(Dtype),
}

impl Global {
    /// The function or class of this name; `None` where it is not known.
    pub fn of(module: &str, name: &str) -> Option<Self> {
        Some(match (module, name) {
            ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => {
                Global::Reconstruct
            }
            ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => Global::Scalar,
            ("numpy.core.numeric" | "numpy._core.numeric", "_frombuffer") => Global::FromBuffer,
            ("numpy", "ndarray") => Global::NdArray,
            ("numpy", "dtype") => Global::Dtype,
            ("_codecs", "encode") => Global::Encode,
            ("__builtin__" | "builtins", "bytes") => Global::NoBytes,
            ("__builtin__" | "builtins", "set" | "frozenset") => Global::Set,
            ("collections", "OrderedDict") => Global::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2") => Global::RebuildTensor,
            ("torch", storage) => Global::Storage(storage_dtype(storage)?),
            _ => return None,
        })
    }
}

fn storage_dtype(name: &str) -> Option<Dtype> {
    let (kind, size) = match name {
        "DoubleStorage" => (Kind::Float, 8),
        "FloatStorage" => (Kind::Float, 4),
        "HalfStorage" => (Kind::Float, 2),
        "BFloat16Storage" => (Kind::BFloat, 2),
        "LongStorage" => (Kind::Int, 8),
        "IntStorage" => (Kind::Int, 4),
        "ShortStorage" => (Kind::Int, 2),
        "CharStorage" => (Kind::Int, 1),
        "ByteStorage" => (Kind::Unsigned, 1),
        "BoolStorage" => (Kind::Bool, 1),
        _ => return None,
    };
    Some(Dtype {
        kind,
        size,
        big_endian: false,
    })
}

/// What calling `global` with `arguments` gives.
pub(super) fn call(
    machine: &mut Machine,
    at: u64,
    global: Global,
    arguments: &[Id],
) -> Result<Node, Fault> {
    match (global, arguments) {
        // The class of the array and its first shape and type say nothing.
        (Global::Reconstruct, [_, _, _]) => Ok(Node::Blank),
        (Global::Dtype, [code, ..]) => {
            let code = machine.text(*code, at)?;
            Dtype::parse(&code).map(Node::Dtype).ok_or_else(|| {
                Fault::content(
                    at,
                    "a NumPy type of numbers, text or objects",
                    format!("'{code}'"),
                )
            })
        }
        (Global::Scalar, [dtype, bytes]) => scalar(machine, at, *dtype, *bytes),
        (Global::FromBuffer, [buffer, dtype, shape, order]) => {
            let order = machine.text(*order, at)?;
            if !["C", "F"].contains(&order.as_str()) {
                return Err(Fault::content(
                    at,
                    "the order 'C' or 'F'",
                    format!("'{order}'"),
                ));
            }
            let dtype = machine.dtype(*dtype, at)?;
            let shape = machine.counts(*shape, at)?;
            let values = (*buffer, machine.node(*buffer));
            let array = Array::of_numpy(at, dtype, shape, order == "F", values)?;
            Ok(Node::Array(Box::new(array)))
        }
        (Global::Encode, [text, codec]) => {
            let codec = machine.text(*codec, at)?;
            match machine.node(*text) {
                Node::Text(span) if codec == "latin1" => Ok(Node::Latin1(*span)),
                _ => Err(Fault::content(
                    at,
                    "bytes as Latin-1 text",
                    format!("{} in '{codec}'", machine.node(*text).kind()),
                )),
            }
        }
        (Global::NoBytes, []) => Ok(Node::Bytes(Span { at, len: 0 })),
        (Global::Set, [items]) => match machine.node(*items) {
            Node::List(items) => Ok(Node::Set(items.clone())),
            other => Err(Fault::content(
                at,
                "a list with the items of a set",
                other.kind(),
            )),
        },
        (Global::OrderedDict, []) => Ok(Node::Dict(Vec::new())),
        (Global::RebuildTensor, [storage, first, shape, strides, ..]) => {
            let Node::Storage(storage) = *machine.node(*storage) else {
                let found = machine.node(*storage).kind();
                return Err(Fault::content(at, "the storage of a tensor", found));
            };
            let first = machine.count(*first, at)?;
            let (shape, strides) = (machine.counts(*shape, at)?, machine.counts(*strides, at)?);
            Array::of_tensor(at, storage, first, shape, strides)
                .map(|array| Node::Array(Box::new(array)))
        }
        (global, arguments) => {
            let found = format!("{global:?} with {} arguments", arguments.len());
            Err(Fault::content(
                at,
                "a call as NumPy and PyTorch write it",
                found,
            ))
        }
    }
}

/// One value of NumPy.
fn scalar(machine: &mut Machine, at: u64, dtype: Id, bytes: Id) -> Result<Node, Fault> {
    const MOST: u64 = 1 << 16;
    let dtype = machine.dtype(dtype, at)?;
    let bytes = machine.small_bytes(bytes, at, MOST)?;
    if bytes.len() != dtype.size as usize {
        let expected = format!("{} bytes of a value", dtype.size);
        return Err(Fault::content(at, expected, bytes.len().to_string()));
    }
    let wrong = || Fault::content(at, "a number or text", "another value");
    Ok(match dtype.kind {
        Kind::Text | Kind::Bytes => Node::OwnText(
            super::read_array::text_of(&bytes, dtype)
                .ok_or_else(wrong)?
                .into(),
        ),
        Kind::Bool => Node::Bool(bytes[0] != 0),
        Kind::Object => return Err(wrong()),
        _ => Node::Float(super::read_array::number_of(&bytes, dtype).ok_or_else(wrong)?),
    })
}

/// Fills an object with its content, as `BUILD` asks for.
pub(super) fn build(machine: &mut Machine, at: u64, object: Id, state: Id) -> Result<Node, Fault> {
    let Node::Tuple(items) = machine.node(state) else {
        let found = machine.node(state).kind();
        return Err(Fault::content(at, "the content of an array or type", found));
    };
    let items = items.clone();
    match (machine.node(object), items.as_slice()) {
        (Node::Blank, [_version, shape, dtype, fortran, values]) => {
            let Node::Bool(fortran) = *machine.node(*fortran) else {
                let found = machine.node(*fortran).kind();
                return Err(Fault::content(
                    at,
                    "the order of an array, a boolean",
                    found,
                ));
            };
            let dtype = machine.dtype(*dtype, at)?;
            let shape = machine.counts(*shape, at)?;
            let values = (*values, machine.node(*values));
            let array = Array::of_numpy(at, dtype, shape, fortran, values)?;
            Ok(Node::Array(Box::new(array)))
        }
        (Node::Dtype(dtype), [_version, order, subtype, names, fields, ..]) => {
            let dtype = *dtype;
            let plain = [subtype, names, fields]
                .iter()
                .all(|part| matches!(machine.node(**part), Node::None));
            if !plain {
                return Err(Fault::content(
                    at,
                    "an array of one type",
                    "fields or an inner shape",
                ));
            }
            let big_endian = match machine.text(*order, at)?.as_str() {
                "<" | "|" | "=" => false,
                ">" => true,
                other => {
                    let found = format!("'{other}'");
                    return Err(Fault::content(at, "the order of bytes, '<' or '>'", found));
                }
            };
            Ok(Node::Dtype(Dtype {
                big_endian,
                ..dtype
            }))
        }
        (other, items) => {
            let found = format!("content of {} parts for {}", items.len(), other.kind());
            Err(Fault::content(
                at,
                "the content of a NumPy array or type",
                found,
            ))
        }
    }
}

/// The values of a tensor that a persistent id names.
pub(super) fn storage(machine: &mut Machine, at: u64, id: Id) -> Result<Node, Fault> {
    let Some(archive) = machine.archive.clone() else {
        let expected = "all objects in the file itself";
        return Err(Fault::content(
            at,
            expected,
            "one that is kept elsewhere (a persistent id)",
        ));
    };
    let items = match machine.node(id) {
        Node::Tuple(items) => items.clone(),
        other => return Err(Fault::content(at, "the name of a storage", other.kind())),
    };
    let [what, kind, key, _location, values] = items.as_slice() else {
        let found = format!("{} parts", items.len());
        return Err(Fault::content(
            at,
            "the five parts of a storage's name",
            found,
        ));
    };
    if machine.text(*what, at)? != "storage" {
        return Err(Fault::content(at, "a storage", "something else"));
    }
    let Node::Global(Global::Storage(dtype)) = *machine.node(*kind) else {
        let found = machine.node(*kind).kind();
        return Err(Fault::content(at, "the type of a storage", found));
    };
    let (key, values) = (machine.text(*key, at)?, machine.count(*values, at)?);
    let Some(&span) = archive.members.get(&key) else {
        let expected = format!("a member 'data/{key}' of the archive");
        return Err(Fault::content(at, expected, "none"));
    };
    if values
        .checked_mul(u64::from(dtype.size))
        .is_none_or(|bytes| bytes > span.len)
    {
        let expected = format!("{values} values of {} bytes in 'data/{key}'", dtype.size);
        return Err(Fault::content(at, expected, format!("{} bytes", span.len)));
    }
    let dtype = Dtype {
        big_endian: archive.big_endian,
        ..dtype
    };
    Ok(Node::Storage(Storage {
        dtype,
        span,
        values,
    }))
}
