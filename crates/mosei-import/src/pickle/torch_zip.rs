//! The archive that `torch.save` writes: a pickle and the values of its tensors, side by side and
//! not compressed.

use super::input::Span;
use crate::ImportError;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use zip::{CompressionMethod, ZipArchive};

const FORMAT: &str = "an archive as torch.save writes it";
/// Most members: one for each storage, and a few more.
const MAX_MEMBERS: usize = 1 << 20;

/// Where the parts of an archive are in its file.
#[derive(Debug)]
pub(crate) struct Archive {
    /// The pickle.
    pub pickle: Span,
    /// The values of tensors, by key.
    pub members: BTreeMap<String, Span>,
    /// Whether values have their most significant byte first.
    pub big_endian: bool,
}

impl Archive {
    /// Lists an archive.
    ///
    /// # Errors
    /// Where it is no archive, has no pickle, or a part is compressed or reaches beyond the file.
    pub fn open(path: &Path, file: &File, bytes: u64) -> Result<Self, ImportError> {
        let unreadable = |e| ImportError::unreadable(path, FORMAT, e);
        let own = file.try_clone().map_err(ImportError::io("open", path))?;
        let mut zip = ZipArchive::new(BufReader::new(own)).map_err(unreadable)?;
        if zip.len() > MAX_MEMBERS {
            let expected = format!("at most {MAX_MEMBERS} members");
            return Err(ImportError::table(
                path,
                "",
                expected,
                zip.len().to_string(),
            ));
        }
        let (mut pickle, mut members, mut big_endian) = (None, BTreeMap::new(), false);
        for i in 0..zip.len() {
            let mut member = zip.by_index(i).map_err(unreadable)?;
            // All members are in one folder, whose name is free.
            let full = member.name().map_err(unreadable)?.to_string();
            let name = full.split_once('/').map_or("", |(_, name)| name);
            if name == "byteorder" {
                let mut text = String::new();
                (&mut member)
                    .take(16)
                    .read_to_string(&mut text)
                    .map_err(ImportError::io("read", path))?;
                big_endian = match text.trim() {
                    "little" => false,
                    "big" => true,
                    _ => {
                        let found = format!("'{text}'");
                        return Err(ImportError::table(path, full, "little or big", found));
                    }
                };
            }
            let key = name.strip_prefix("data/");
            if name != "data.pkl" && key.is_none() {
                continue;
            }
            let stored = member.compression() == CompressionMethod::Stored && !member.encrypted();
            let (at, len) = (member.data_start(), member.size());
            let span = at
                .filter(|at| at.checked_add(len).is_some_and(|end| end <= bytes))
                .map(|at| Span { at, len });
            let Some(span) = span.filter(|_| stored) else {
                let found = "a compressed or truncated one";
                return Err(ImportError::table(path, full, "a stored member", found));
            };
            match key {
                Some(key) => drop(members.insert(key.to_string(), span)),
                None => pickle = Some(span),
            }
        }
        match pickle {
            Some(pickle) => Ok(Archive {
                pickle,
                members,
                big_endian,
            }),
            None => {
                let expected = "a member 'data.pkl', as torch.save writes it";
                Err(ImportError::table(path, "", expected, "none"))
            }
        }
    }
}
