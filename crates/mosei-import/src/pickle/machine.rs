//! The stack machine that a pickle is a program for.
//!
//! What lives here: the opcodes of protocols 2 to 5, the stack, the marks and the memo. What does
//! not: what a call means (`globals`). No opcode can name anything outside this folder's list.
//!
//! Bounds: objects put on the stack, at most [`MAX_OBJECTS`]; everything else that grows holds one
//! of them for each of its entries. Values of arrays are skipped, and only their place is kept.

use super::array::Dtype;
use super::globals::{self, Global};
use super::input::Input;
use super::node::{Id, Node};
use super::torch_zip::Archive;
use super::{Fault, read_span};
use std::collections::HashMap;
use std::fs::File;
use std::rc::Rc;

/// Most objects that a pickle may put on the stack.
pub(super) const MAX_OBJECTS: usize = 1 << 23;
/// Longest text that has to be read to know what a pickle is.
const MAX_TEXT_BYTES: u64 = 1 << 10;

/// The state of the machine.
pub(super) struct Machine {
    input: Input,
    /// The same file, to read text that lies behind the machine.
    file: File,
    /// Where tensors have their values.
    pub archive: Option<Rc<Archive>>,
    nodes: Vec<Node>,
    /// Byte of the opcode that made each node.
    places: Vec<u64>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
    pushed: usize,
}

/// What a pickle has built.
pub(super) struct Built {
    pub nodes: Vec<Node>,
    pub places: Vec<u64>,
    pub root: Id,
    /// The first byte after it.
    pub end: u64,
}

impl Machine {
    pub fn new(input: Input, file: File, archive: Option<Rc<Archive>>) -> Self {
        Machine {
            input,
            file,
            archive,
            nodes: Vec::new(),
            places: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            pushed: 0,
        }
    }

    /// Runs to the end of the pickle.
    ///
    /// # Errors
    /// Where an opcode or a name is unknown, lacks what it needs, or the pickle is truncated.
    pub fn run(mut self) -> Result<Built, Fault> {
        let begin = self.input.at;
        let head = self.input.take::<2>()?;
        let [0x80, 2..=5] = head else {
            let found = match head {
                [0x80, n] => format!("protocol {n}"),
                _ => "no protocol, as 0 and 1 write it; pickle.dump(x, f, protocol=4) writes it again".into(),
            };
            return Err(Fault::content(begin, "a pickle of protocol 2 to 5", found));
        };
        loop {
            let at = self.input.at;
            self.input.opcode = at;
            let opcode = self.input.byte()?;
            if opcode == b'.' {
                let root = self.pop(at)?;
                let end = self.input.at;
                return Ok(Built {
                    nodes: self.nodes,
                    places: self.places,
                    root,
                    end,
                });
            }
            self.step(at, opcode)?;
        }
    }

    fn step(&mut self, at: u64, opcode: u8) -> Result<(), Fault> {
        match opcode {
            // A frame says how many bytes follow that belong together.
            0x95 => {
                let bytes = u64::from_le_bytes(self.input.take()?);
                let left = self.input.end - self.input.at;
                if bytes > left {
                    let expected = format!("a frame of at most {left} bytes, as many as follow");
                    return Err(Fault::content(at, expected, bytes.to_string()));
                }
            }
            b'(' => {
                if self.marks.len() == MAX_OBJECTS {
                    return Err(too_many(at));
                }
                self.marks.push(self.stack.len());
            }
            b'0' => drop(self.pop(at)?),
            b'1' => drop(self.take_to_mark(at)?),
            b'2' => {
                let top = *self.stack.last().ok_or_else(|| empty(at))?;
                self.push_again(at, top)?;
            }
            b'J' | b'K' | b'M' | b'N' | b'G' | 0x88 | 0x89 | 0x8a | 0x8b => {
                let node = self.number(at, opcode)?;
                self.push(at, node)?;
            }
            b'U' | b'T' | b'C' | b'B' | 0x8e | 0x96 | 0x8c | b'X' | 0x8d => {
                let node = self.bytes(opcode)?;
                self.push(at, node)?;
            }
            b']' | b'}' | b')' | 0x8f | b'l' | b'd' | b't' | 0x85..=0x87 | 0x91 => {
                self.container(at, opcode)?;
            }
            b'a' | b'e' | b's' | b'u' | 0x90 => self.fill(at, opcode)?,
            b'q' | b'r' | 0x94 | b'h' | b'j' => self.remember(at, opcode)?,
            b'c' | 0x93 => {
                let (module, name) = self.global_name(at, opcode)?;
                let global = Global::of(&module, &name).ok_or_else(|| {
                    let expected = "numbers, text, lists, dicts, NumPy arrays and tensors alone";
                    Fault::content(
                        at,
                        expected,
                        format!("'{module}.{name}', which is not called"),
                    )
                })?;
                self.push(at, Node::Global(global))?;
            }
            b'R' => {
                let (arguments, function) = (self.pop(at)?, self.pop(at)?);
                let (Node::Global(global), Node::Tuple(arguments)) =
                    (self.node(function), self.node(arguments))
                else {
                    return Err(Fault::content(
                        at,
                        "a known function and its arguments",
                        "others",
                    ));
                };
                let (global, arguments) = (*global, arguments.clone());
                let node = globals::call(self, at, global, &arguments)?;
                self.push(at, node)?;
            }
            b'b' => {
                let (state, object) = (self.pop(at)?, self.pop(at)?);
                let node = globals::build(self, at, object, state)?;
                // In place, as the memo may hold it already.
                self.nodes[object as usize] = node;
                self.push_again(at, object)?;
            }
            b'Q' => {
                let id = self.pop(at)?;
                let node = globals::storage(self, at, id)?;
                self.push(at, node)?;
            }
            // The buffer on the stack is one that cannot be changed.
            0x98 => {}
            0x97 => {
                let found = "a buffer that was kept elsewhere (protocol 5, out of band)";
                return Err(Fault::content(at, "all values in the file itself", found));
            }
            other => {
                let expected = "an opcode of numbers, text, lists, dicts, NumPy arrays or tensors";
                return Err(Fault::content(at, expected, format!("{other:#04x}")));
            }
        }
        Ok(())
    }

    fn number(&mut self, at: u64, opcode: u8) -> Result<Node, Fault> {
        Ok(match opcode {
            b'J' => Node::Int(i32::from_le_bytes(self.input.take()?).into()),
            b'K' => Node::Int(self.input.byte()?.into()),
            b'M' => Node::Int(u16::from_le_bytes(self.input.take()?).into()),
            b'G' => Node::Float(f64::from_be_bytes(self.input.take()?)),
            0x88 => Node::Bool(true),
            0x89 => Node::Bool(false),
            0x8a | 0x8b => {
                let bytes = match opcode {
                    0x8a => i64::from(self.input.byte()?),
                    _ => i32::from_le_bytes(self.input.take()?).into(),
                };
                let bytes = u64::try_from(bytes)
                    .map_err(|_| Fault::content(at, "a length", bytes.to_string()))?;
                if bytes > 8 {
                    self.input.skip(bytes)?;
                    return Ok(Node::LongInt);
                }
                let mut value = [0; 8];
                let mut last = 0;
                for byte in value.iter_mut().take(bytes as usize) {
                    last = self.input.byte()?;
                    *byte = last;
                }
                // The sign reaches into the bytes that are left out.
                if last >= 0x80 {
                    value[bytes as usize..].fill(0xff);
                }
                Node::Int(i64::from_le_bytes(value))
            }
            _ => Node::None,
        })
    }

    fn bytes(&mut self, opcode: u8) -> Result<Node, Fault> {
        let len = match opcode {
            b'U' | b'C' | 0x8c => self.input.byte()?.into(),
            b'T' | b'B' | b'X' => u32::from_le_bytes(self.input.take()?).into(),
            _ => u64::from_le_bytes(self.input.take()?),
        };
        let span = self.input.skip(len)?;
        Ok(match opcode {
            0x8c | b'X' | 0x8d => Node::Text(span),
            b'U' | b'T' => Node::Raw(span),
            _ => Node::Bytes(span),
        })
    }

    fn container(&mut self, at: u64, opcode: u8) -> Result<(), Fault> {
        let node = match opcode {
            b']' => Node::List(Vec::new()),
            b'}' => Node::Dict(Vec::new()),
            b')' => Node::Tuple(Vec::new()),
            0x8f => Node::Set(Vec::new()),
            b'l' => Node::List(self.take_to_mark(at)?),
            b't' => Node::Tuple(self.take_to_mark(at)?),
            0x91 => Node::Set(self.take_to_mark(at)?),
            b'd' => Node::Dict(pairs(at, &self.take_to_mark(at)?)?),
            _ => {
                let first = self.above_mark(at, usize::from(opcode - 0x84))?;
                Node::Tuple(self.stack.split_off(first))
            }
        };
        self.push(at, node)
    }

    /// Adds to a list, a dict or a set.
    fn fill(&mut self, at: u64, opcode: u8) -> Result<(), Fault> {
        let items = match opcode {
            b'a' => vec![self.pop(at)?],
            b's' => {
                let first = self.above_mark(at, 2)?;
                self.stack.split_off(first)
            }
            _ => self.take_to_mark(at)?,
        };
        let into = *self.stack.last().ok_or_else(|| empty(at))?;
        match (&mut self.nodes[into as usize], opcode) {
            (Node::List(list), b'a' | b'e') => list.extend(items),
            (Node::Set(set), 0x90) => set.extend(items),
            (Node::Dict(dict), b's' | b'u') => dict.extend(pairs(at, &items)?),
            (other, _) => {
                let found = other.kind();
                return Err(Fault::content(at, "a list, dict or set to add to", found));
            }
        }
        Ok(())
    }

    fn remember(&mut self, at: u64, opcode: u8) -> Result<(), Fault> {
        let number = match opcode {
            b'q' | b'h' => self.input.byte()?.into(),
            b'r' | b'j' => u32::from_le_bytes(self.input.take()?),
            _ => self.memo.len() as u32,
        };
        if matches!(opcode, b'h' | b'j') {
            let id = self.memo.get(&number).copied().ok_or_else(|| {
                Fault::content(at, "an object that came before", format!("number {number}"))
            })?;
            return self.push_again(at, id);
        }
        let top = *self.stack.last().ok_or_else(|| empty(at))?;
        self.memo.insert(number, top);
        match self.memo.len() > MAX_OBJECTS {
            true => Err(too_many(at)),
            false => Ok(()),
        }
    }

    fn global_name(&mut self, at: u64, opcode: u8) -> Result<(String, String), Fault> {
        if opcode == b'c' {
            return Ok((self.input.line()?, self.input.line()?));
        }
        let (name, module) = (self.pop(at)?, self.pop(at)?);
        Ok((self.text(module, at)?, self.text(name, at)?))
    }

    fn push(&mut self, at: u64, node: Node) -> Result<(), Fault> {
        let id = self.nodes.len() as Id;
        self.nodes.push(node);
        self.places.push(at);
        self.push_again(at, id)
    }

    fn push_again(&mut self, at: u64, id: Id) -> Result<(), Fault> {
        self.pushed += 1;
        if self.pushed > MAX_OBJECTS {
            return Err(too_many(at));
        }
        self.stack.push(id);
        Ok(())
    }

    /// Index of the first of the `count` topmost objects, none of which lies below a mark.
    fn above_mark(&self, at: u64, count: usize) -> Result<usize, Fault> {
        let mark = self.marks.last().copied().unwrap_or(0);
        match self.stack.len().checked_sub(count) {
            Some(first) if first >= mark => Ok(first),
            _ => Err(empty(at)),
        }
    }

    fn pop(&mut self, at: u64) -> Result<Id, Fault> {
        self.above_mark(at, 1)?;
        self.stack.pop().ok_or_else(|| empty(at))
    }

    /// Takes everything above the last mark.
    fn take_to_mark(&mut self, at: u64) -> Result<Vec<Id>, Fault> {
        let mark = self.marks.pop();
        let mark = mark.ok_or_else(|| Fault::content(at, "a mark before", "none"))?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    /// A node.
    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id as usize]
    }

    /// Short text.
    pub fn text(&self, id: Id, at: u64) -> Result<String, Fault> {
        let span = match self.node(id) {
            Node::Text(span) | Node::Raw(span) => *span,
            other => return Err(Fault::content(at, "text", other.kind())),
        };
        let bytes = read_span(&self.file, at, span, MAX_TEXT_BYTES)?;
        String::from_utf8(bytes).map_err(|_| Fault::content(at, "text in UTF-8", "other bytes"))
    }

    /// At most `most` bytes.
    pub fn small_bytes(&self, id: Id, at: u64, most: u64) -> Result<Vec<u8>, Fault> {
        match self.node(id) {
            Node::Bytes(span) | Node::Raw(span) => read_span(&self.file, at, *span, most),
            Node::Latin1(span) => {
                let text = read_span(&self.file, at, *span, most * 2)?;
                let mut decoder = super::latin1::Decoder::default();
                let mut bytes = Vec::new();
                decoder
                    .add(&text, &mut bytes)
                    .map_err(|found| Fault::content(span.at, super::latin1::EXPECTED, found))?;
                Ok(bytes)
            }
            other => Err(Fault::content(at, "bytes", other.kind())),
        }
    }

    /// A type of numbers.
    pub fn dtype(&self, id: Id, at: u64) -> Result<Dtype, Fault> {
        match self.node(id) {
            Node::Dtype(dtype) => Ok(*dtype),
            other => Err(Fault::content(at, "a NumPy type", other.kind())),
        }
    }

    /// A whole number from 0.
    pub fn count(&self, id: Id, at: u64) -> Result<u64, Fault> {
        match self.node(id) {
            Node::Int(n) => u64::try_from(*n)
                .map_err(|_| Fault::content(at, "a whole number from 0", n.to_string())),
            other => Err(Fault::content(at, "a whole number from 0", other.kind())),
        }
    }

    /// A tuple of whole numbers from 0.
    pub fn counts(&self, id: Id, at: u64) -> Result<Vec<u64>, Fault> {
        match self.node(id) {
            Node::Tuple(items) => items.iter().map(|item| self.count(*item, at)).collect(),
            other => Err(Fault::content(at, "a tuple of whole numbers", other.kind())),
        }
    }
}

fn pairs(at: u64, items: &[Id]) -> Result<Vec<(Id, Id)>, Fault> {
    let (pairs, rest) = items.as_chunks();
    match rest {
        [] => Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect()),
        _ => Err(Fault::content(at, "a value for each key", "a key alone")),
    }
}

fn empty(at: u64) -> Fault {
    Fault::content(at, "what the opcode needs on the stack", "less")
}

fn too_many(at: u64) -> Fault {
    Fault::content(at, format!("at most {MAX_OBJECTS} objects"), "more")
}
