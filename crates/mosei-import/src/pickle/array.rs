//! NumPy arrays and tensors in a pickle: type, shape, strides and the place of their values.
//!
//! What lives here: what an array is, and the checks that its values are all in the file. What does
//! not: reading them (`read_array`).

use super::Fault;
use super::input::Span;
use super::node::{Id, Node, Storage};

/// Most dimensions of an array.
const MAX_DIMENSIONS: usize = 8;
/// Longest text of an array of texts, bytes.
const MAX_TEXT_BYTES: u32 = 1 << 16;

/// The type of an array's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dtype {
    pub kind: Kind,
    /// Bytes of a value.
    pub size: u32,
    /// Whether the most significant byte comes first.
    pub big_endian: bool,
}

/// What values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Float,
    /// The upper half of a float32.
    BFloat,
    Int,
    Unsigned,
    Bool,
    /// Text in UTF-32.
    Text,
    /// Text in bytes.
    Bytes,
    /// Any Python objects.
    Object,
}

/// Where values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    /// Bytes of the file.
    Plain(Span),
    /// Bytes written as Latin-1 text, in UTF-8.
    Latin1(Span),
    /// A list of objects.
    Objects(Id),
}

/// An array or a tensor.
#[derive(Debug, Clone)]
pub(crate) struct Array {
    pub dtype: Dtype,
    /// Its dimensions.
    pub shape: Vec<u64>,
    /// Values from one element to the next, along each dimension.
    pub strides: Vec<u64>,
    /// Its first value, counted in values from the beginning of `values`.
    pub first: u64,
    pub values: Values,
}

impl Dtype {
    /// The type that NumPy's code names, such as `f4`, `<f8` or `U20`.
    pub fn parse(code: &str) -> Option<Self> {
        let (big_endian, rest) = match code.as_bytes().first()? {
            b'<' | b'|' | b'=' => (false, &code[1..]),
            b'>' => (true, &code[1..]),
            _ => (false, code),
        };
        let mut letters = rest.chars();
        let kind = match letters.next()? {
            'f' => Kind::Float,
            'i' => Kind::Int,
            'u' => Kind::Unsigned,
            'b' => Kind::Bool,
            'U' => Kind::Text,
            'S' => Kind::Bytes,
            'O' => Kind::Object,
            _ => return None,
        };
        let digits = letters.as_str();
        let number: u32 = match digits {
            "" if kind == Kind::Object => 8,
            _ if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
            _ => return None,
        };
        let size = if kind == Kind::Text {
            number.checked_mul(4)?
        } else {
            number
        };
        let possible = match kind {
            Kind::Float => [2, 4, 8].contains(&size),
            Kind::Int | Kind::Unsigned => [1, 2, 4, 8].contains(&size),
            Kind::Bool => size == 1,
            Kind::Object => size == 8 || size == 4,
            Kind::Text | Kind::Bytes => size <= MAX_TEXT_BYTES,
            Kind::BFloat => false,
        };
        possible.then_some(Dtype {
            kind,
            size,
            big_endian,
        })
    }

    /// Whether its values are numbers.
    pub fn is_numeric(self) -> bool {
        matches!(
            self.kind,
            Kind::Float | Kind::BFloat | Kind::Int | Kind::Unsigned
        )
    }
}

/// The number of values of a shape.
pub(crate) fn count(shape: &[u64]) -> Option<u64> {
    shape.iter().try_fold(1_u64, |n, &d| n.checked_mul(d))
}

impl Array {
    /// A NumPy array whose values are those of node `values`, the one with number `id`.
    ///
    /// # Errors
    /// Where its shape needs other bytes than there are.
    pub fn of_numpy(
        at: u64,
        dtype: Dtype,
        shape: Vec<u64>,
        fortran: bool,
        (id, values): (Id, &Node),
    ) -> Result<Self, Fault> {
        let wanted = shape_count(at, &shape)?;
        let bytes = wanted.checked_mul(u64::from(dtype.size));
        let place = match (dtype.kind, values) {
            (Kind::Object, Node::List(items)) => {
                require_as_many(at, "objects", wanted, items.len() as u64)?;
                Values::Objects(id)
            }
            (Kind::Object, other) => {
                let found = other.kind();
                return Err(Fault::content(at, "a list of an array's objects", found));
            }
            (_, Node::Bytes(span) | Node::Raw(span)) => {
                require_as_many(at, "bytes of values", bytes.unwrap_or(u64::MAX), span.len)?;
                Values::Plain(*span)
            }
            (_, Node::Latin1(span)) => {
                // One or two bytes of text stand for each byte.
                let bytes = bytes.unwrap_or(u64::MAX);
                if bytes > span.len || bytes < span.len / 2 {
                    require_as_many(at, "bytes of values", bytes, span.len)?;
                }
                Values::Latin1(*span)
            }
            (_, other) => {
                let found = other.kind();
                return Err(Fault::content(at, "bytes with an array's values", found));
            }
        };
        let strides = dense_strides(&shape, fortran);
        Ok(Array {
            dtype,
            shape,
            strides,
            first: 0,
            values: place,
        })
    }

    /// A tensor.
    ///
    /// # Errors
    /// Where it reaches beyond its storage, or takes values of it more than once.
    pub fn of_tensor(
        at: u64,
        storage: Storage,
        first: u64,
        shape: Vec<u64>,
        strides: Vec<u64>,
    ) -> Result<Self, Fault> {
        let wanted = shape_count(at, &shape)?;
        if shape.len() != strides.len() {
            let expected = format!("{} strides, one per dimension", shape.len());
            return Err(Fault::content(at, expected, strides.len().to_string()));
        }
        let last = shape
            .iter()
            .zip(&strides)
            .try_fold(first, |sum, (&d, &stride)| {
                sum.checked_add(d.saturating_sub(1).checked_mul(stride)?)
            });
        let within = wanted == 0 || last.is_some_and(|last| last < storage.values);
        if !within || wanted > storage.values {
            let expected = format!(
                "a tensor within its storage of {} values, each taken once",
                storage.values
            );
            let found = format!("shape {shape:?}, strides {strides:?} from value {first}");
            return Err(Fault::content(at, expected, found));
        }
        Ok(Array {
            dtype: storage.dtype,
            shape,
            strides,
            first,
            values: Values::Plain(storage.span),
        })
    }
}

fn shape_count(at: u64, shape: &[u64]) -> Result<u64, Fault> {
    match count(shape) {
        Some(n) if shape.len() <= MAX_DIMENSIONS => Ok(n),
        _ => {
            let expected = format!("at most {MAX_DIMENSIONS} dimensions, of a possible size");
            Err(Fault::content(at, expected, format!("shape {shape:?}")))
        }
    }
}

fn require_as_many(at: u64, what: &str, wanted: u64, found: u64) -> Result<(), Fault> {
    match wanted == found {
        true => Ok(()),
        false => {
            let expected = format!("{wanted} {what}, as the shape needs");
            Err(Fault::content(at, expected, found.to_string()))
        }
    }
}

fn dense_strides(shape: &[u64], fortran: bool) -> Vec<u64> {
    let mut strides = vec![1; shape.len()];
    let mut step = 1_u64;
    let mut next = |i: usize| {
        strides[i] = step;
        step = step.saturating_mul(shape[i]);
    };
    if fortran {
        (0..shape.len()).for_each(&mut next);
    } else {
        (0..shape.len()).rev().for_each(&mut next);
    }
    strides
}
