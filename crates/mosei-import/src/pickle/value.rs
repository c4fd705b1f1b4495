//! Access to the objects of a pickle, by what a reader expects them to be.

use super::array::{Array, Kind, Values, count};
use super::node::{Id, Node};
use super::read_array::{number_of, text_of};
use super::{ArrayReader, Fault, Pickle, latin1, read_span};
use crate::ImportError;
use std::os::unix::fs::FileExt;

/// Longest text that is read, bytes.
const MAX_TEXT_BYTES: u64 = 1 << 12;
/// Most values of lists and arrays that are read at once.
const MAX_SCALARS: u64 = 1 << 23;

/// Most bytes that such values are spread over.
const MAX_REACH_BYTES: u64 = 1 << 28;

/// An object of a pickle.
#[derive(Clone, Copy)]
pub(crate) struct Value<'p> {
    pickle: &'p Pickle,
    id: Id,
}

/// One number or text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    Number(f64),
    Text(String),
}

impl<'p> Value<'p> {
    pub(super) fn new(pickle: &'p Pickle, id: Id) -> Self {
        Value { pickle, id }
    }

    fn node(self) -> &'p Node {
        &self.pickle.built.nodes[self.id as usize]
    }

    fn at(self) -> u64 {
        self.pickle.built.places[self.id as usize]
    }

    fn child(self, id: Id) -> Self {
        Value::new(self.pickle, id)
    }

    /// What it is, for messages.
    pub fn kind(self) -> &'static str {
        self.node().kind()
    }

    /// An error about it.
    pub fn error(self, expected: impl Into<String>, found: impl Into<String>) -> ImportError {
        self.pickle
            .error(Fault::content(self.at(), expected, found))
    }

    /// Whether it is a dict.
    pub fn is_dict(self) -> bool {
        matches!(self.node(), Node::Dict(_))
    }

    /// Entries of a dict whose keys are text or whole numbers, in the order of the file; of equal
    /// keys the last one holds.
    ///
    /// # Errors
    /// Where it is no dict, or a key is something else.
    pub fn entries(self) -> Result<Vec<(String, Value<'p>)>, ImportError> {
        let Node::Dict(pairs) = self.node() else {
            return Err(self.error("a dict", self.kind()));
        };
        self.pickle.step(self.at(), pairs.len())?;
        let mut places = std::collections::HashMap::new();
        let mut entries: Vec<(String, Value<'p>)> = Vec::with_capacity(pairs.len());
        for &(key, value) in pairs {
            let (key, value) = (self.child(key), self.child(value));
            let name = match key.node() {
                Node::Int(n) => n.to_string(),
                _ => key.text()?,
            };
            match places.get(&name) {
                Some(&place) => entries[place] = (name, value),
                None => {
                    places.insert(name.clone(), entries.len());
                    entries.push((name, value));
                }
            }
        }
        Ok(entries)
    }

    /// Items of a list, a tuple or an array of objects of one dimension; `None` for anything else.
    ///
    /// # Errors
    /// Where the pickle names the same items too often.
    pub fn items(self) -> Result<Option<Vec<Value<'p>>>, ImportError> {
        let items = match self.node() {
            Node::List(items) | Node::Tuple(items) => items,
            Node::Array(array) => match (&array.values, array.shape.len()) {
                (Values::Objects(list), 1) => return self.child(*list).items(),
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        self.pickle.step(self.at(), items.len())?;
        Ok(Some(items.iter().map(|&id| self.child(id)).collect()))
    }

    /// Text.
    ///
    /// # Errors
    /// Where it is something else, or too long.
    pub fn text(self) -> Result<String, ImportError> {
        let read = |span| {
            read_span(&self.pickle.file, self.at(), span, MAX_TEXT_BYTES)
                .map_err(|fault| self.pickle.error(fault))
        };
        let bytes = match self.node() {
            Node::OwnText(text) => return Ok(text.to_string()),
            Node::Text(span) | Node::Raw(span) | Node::Bytes(span) => read(*span)?,
            Node::Latin1(span) => {
                let mut bytes = Vec::new();
                let decoded = latin1::Decoder::default().add(&read(*span)?, &mut bytes);
                decoded.map_err(|found| self.error(latin1::EXPECTED, found))?;
                bytes
            }
            Node::Array(array) if count(&array.shape) == Some(1) => {
                return match self.scalars()?.1.pop() {
                    Some(Scalar::Text(text)) => Ok(text),
                    _ => Err(self.error("text", "an array of a number")),
                };
            }
            _ => return Err(self.error("text", self.kind())),
        };
        String::from_utf8(bytes).map_err(|_| self.error("text in UTF-8", "other bytes"))
    }

    /// Numbers and texts of an array, or of nested lists, with their shape, row-major.
    ///
    /// # Errors
    /// Where it holds anything else, is ragged, or has too many values.
    pub fn scalars(self) -> Result<(Vec<u64>, Vec<Scalar>), ImportError> {
        let mut values = Vec::new();
        let shape = self.collect(&mut values)?;
        Ok((shape, values))
    }

    fn collect(self, values: &mut Vec<Scalar>) -> Result<Vec<u64>, ImportError> {
        if values.len() as u64 > MAX_SCALARS {
            return Err(self.error(format!("at most {MAX_SCALARS} values"), "more"));
        }
        match self.node() {
            Node::Int(n) => values.push(Scalar::Number(*n as f64)),
            Node::Float(x) => values.push(Scalar::Number(*x)),
            Node::Text(_) | Node::OwnText(_) | Node::Raw(_) | Node::Bytes(_) | Node::Latin1(_) => {
                values.push(Scalar::Text(self.text()?));
            }
            Node::Array(array) => match array.values {
                Values::Objects(list) => {
                    let inner = self.child(list).collect(values)?;
                    return match inner.split_first() {
                        Some((_, rest)) => Ok([array.shape.as_slice(), rest].concat()),
                        None => Ok(array.shape.clone()),
                    };
                }
                _ => return self.collect_array(array, values),
            },
            Node::List(items) | Node::Tuple(items) => {
                self.pickle.step(self.at(), items.len())?;
                // Depth is bounded (`check`), so this does not recurse far.
                let mut first = None;
                for &item in items {
                    let shape = self.child(item).collect(values)?;
                    if *first.get_or_insert_with(|| shape.clone()) != shape {
                        let expected = format!("items of one shape, {first:?}");
                        return Err(self.child(item).error(expected, format!("{shape:?}")));
                    }
                }
                return Ok([&[items.len() as u64], first.unwrap_or_default().as_slice()].concat());
            }
            _ => return Err(self.error("numbers or text", self.kind())),
        }
        Ok(Vec::new())
    }

    fn collect_array(
        self,
        array: &Array,
        values: &mut Vec<Scalar>,
    ) -> Result<Vec<u64>, ImportError> {
        let wanted = count(&array.shape).unwrap_or(u64::MAX);
        if wanted > MAX_SCALARS - (values.len() as u64).min(MAX_SCALARS) {
            return Err(self.error(format!("at most {MAX_SCALARS} values"), format!("{wanted}")));
        }
        let size = array.dtype.size;
        // Rows of one value each, so that strides are those of the reader.
        let bytes = self.dense_bytes(array)?;
        for value in bytes.chunks(size.max(1) as usize) {
            let text = matches!(array.dtype.kind, Kind::Text | Kind::Bytes);
            let scalar = match text {
                true => text_of(value, array.dtype).map(Scalar::Text),
                false => number_of(value, array.dtype).map(Scalar::Number),
            };
            values.push(
                scalar.ok_or_else(|| self.error("numbers or text", "booleans or other values"))?,
            );
        }
        Ok(array.shape.clone())
    }

    /// The bytes of an array's values, row-major.
    fn dense_bytes(self, array: &Array) -> Result<Vec<u8>, ImportError> {
        let size = u64::from(array.dtype.size);
        let values = count(&array.shape).unwrap_or(u64::MAX);
        let total = values.saturating_mul(size);
        let (file, path) = (&self.pickle.file, &self.pickle.path);
        let fail = |e| ImportError::io("read", path)(e);
        if values == 0 {
            return Ok(Vec::new());
        }
        if size == 0 {
            return Err(self.error("values of at least one byte", "values of none"));
        }
        // A view of a tensor's storage may reach over more bytes than it has.
        let steps = array.shape.iter().zip(&array.strides);
        let reach = (1 + steps.map(|(d, stride)| (d - 1) * stride).sum::<u64>()) * size;
        if reach > MAX_REACH_BYTES {
            let expected = format!("at most {MAX_REACH_BYTES} bytes of text or labels");
            return Err(self.error(expected, reach.to_string()));
        }
        self.pickle.spend(self.at(), reach)?;
        let source = match array.values {
            Values::Plain(span) => {
                let mut bytes = vec![0; reach as usize];
                let begin = span.at + array.first * size;
                file.read_exact_at(&mut bytes, begin).map_err(fail)?;
                bytes
            }
            Values::Latin1(span) => {
                let mut text = vec![0; span.len as usize];
                file.read_exact_at(&mut text, span.at).map_err(fail)?;
                let mut bytes = Vec::new();
                let decoded = latin1::Decoder::default().add(&text, &mut bytes);
                decoded.map_err(|found| self.error(latin1::EXPECTED, found))?;
                if bytes.len() as u64 != total {
                    let expected = format!("{total} bytes of values, as the shape needs");
                    return Err(self.error(expected, bytes.len().to_string()));
                }
                bytes
            }
            Values::Objects(_) => return Err(self.error("numbers or text", "objects")),
        };
        let mut out = Vec::with_capacity(total as usize);
        for value in 0..values {
            let (mut rest, mut at) = (value, 0);
            for (d, stride) in array.shape.iter().zip(&array.strides).rev() {
                at += (rest % d) * stride;
                rest /= d;
            }
            let at = (at * size) as usize;
            out.extend_from_slice(&source[at..at + size as usize]);
        }
        Ok(out)
    }

    /// A reader of an array of numbers; `None` where it is no array.
    ///
    /// # Errors
    /// Where its values are no numbers.
    pub fn array(self) -> Result<Option<ArrayReader<'p>>, ImportError> {
        match self.node() {
            Node::Array(array) => ArrayReader::new(self.pickle, self.at(), array).map(Some),
            _ => Ok(None),
        }
    }

    /// The shape of an array; `None` where it is none.
    pub fn shape(self) -> Option<&'p [u64]> {
        match self.node() {
            Node::Array(array) => Some(&array.shape),
            _ => None,
        }
    }
}
