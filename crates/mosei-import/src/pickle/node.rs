//! What a pickle builds: nodes that refer to each other by number.
//!
//! Numbers instead of pointers, so that a list that holds itself can neither make a reader recurse
//! for ever nor leak.

use super::array::{Array, Dtype};
use super::globals::Global;
use super::input::Span;

/// Number of a node.
pub(crate) type Id = u32;

/// One object of a pickle.
#[derive(Debug)]
pub(crate) enum Node {
    None,
    Bool(bool),
    Int(i64),
    /// A whole number of more than 8 bytes.
    LongInt,
    Float(f64),
    /// Text in UTF-8, in the file.
    Text(Span),
    /// Text that the file holds in another form.
    OwnText(Box<str>),
    /// Bytes in the file.
    Bytes(Span),
    /// Bytes that protocol 2 writes as Latin-1 text, in UTF-8.
    Latin1(Span),
    /// Text or bytes of Python 2, which does not say which.
    Raw(Span),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Set(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// One of the known functions and classes.
    Global(Global),
    Dtype(Dtype),
    /// A NumPy array whose content follows.
    Blank,
    /// A NumPy array or a tensor.
    Array(Box<Array>),
    /// The values of tensors.
    Storage(Storage),
}

/// The values of one or several tensors, in a member of the archive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Storage {
    pub dtype: Dtype,
    /// Where they are.
    pub span: Span,
    /// How many there are.
    pub values: u64,
}

impl Node {
    /// What it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Node::None => "None",
            Node::Bool(_) => "a boolean",
            Node::Int(_) | Node::LongInt => "a whole number",
            Node::Float(_) => "a number",
            Node::Text(_) | Node::OwnText(_) => "text",
            Node::Bytes(_) | Node::Latin1(_) => "bytes",
            Node::Raw(_) => "text or bytes of Python 2",
            Node::List(_) => "a list",
            Node::Tuple(_) => "a tuple",
            Node::Set(_) => "a set",
            Node::Dict(_) => "a dict",
            Node::Global(_) => "a function or class",
            Node::Dtype(_) => "a type of numbers",
            Node::Blank => "an array without content",
            Node::Array(_) => "an array",
            Node::Storage(_) => "values of a tensor",
        }
    }

    /// Calls `visit` with each node that this one holds.
    pub fn children(&self, mut visit: impl FnMut(Id)) {
        match self {
            Node::List(items) | Node::Tuple(items) | Node::Set(items) => {
                items.iter().copied().for_each(visit);
            }
            Node::Dict(entries) => entries.iter().for_each(|&(key, value)| {
                visit(key);
                visit(value);
            }),
            Node::Array(array) => {
                if let super::array::Values::Objects(list) = array.values {
                    visit(list);
                }
            }
            _ => (),
        }
    }
}
