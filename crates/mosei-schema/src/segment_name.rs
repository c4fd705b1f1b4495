use crate::is_video_id;

/// How the segments of a video are counted, which is told by how they are written. The two are not the same numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Numbering {
    /// `VIDEO[3]`: by row of the file that they were aligned to, from 0, as CMU's SDK writes them.
    Rows,
    /// `VIDEO$_$3`: by clip of the transcript, as MMSA's files write them. Clips without a label have a number too.
    Clips,
}

impl Numbering {
    /// What the numbers count, for messages.
    pub const fn counts(self) -> &'static str {
        match self {
            Numbering::Rows => "rows of the file that segments were aligned to",
            Numbering::Clips => "clips of the transcript",
        }
    }

    /// A segment's name in this notation.
    pub fn name(self, video: &str, number: i32) -> String {
        match self {
            Numbering::Rows => format!("{video}[{number}]"),
            Numbering::Clips => format!("{video}$_${number}"),
        }
    }
}

/// An id that names a segment of a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentName<'a> {
    /// The video.
    pub video: &'a str,
    /// The segment's number.
    pub number: i32,
    /// What the number counts.
    pub numbering: Numbering,
}

/// The video and segment that an id names, where it is written as one of a segment: `VIDEO[3]`, or `VIDEO$_$3`. All other ids
/// name a video, also those that end in a bracket without a number or hold `$_$` somewhere. This is the one rule of that
/// notation: whatever reads ids of files asks it.
///
/// ```
/// use mosei_schema::{Numbering, segment_name};
/// let name = segment_name("-3g5yACwYnA[12]").unwrap();
/// assert_eq!((name.video, name.number, name.numbering), ("-3g5yACwYnA", 12, Numbering::Rows));
/// assert_eq!(segment_name("a$_$3").unwrap().numbering, Numbering::Clips);
/// assert_eq!(segment_name("a[b]"), None);
/// ```
pub fn segment_name(id: &str) -> Option<SegmentName<'_>> {
    let rows = id.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')).map(|parts| (parts, Numbering::Rows));
    let clips = || id.rsplit_once("$_$").map(|parts| (parts, Numbering::Clips));
    let ((video, number), numbering) = rows.or_else(clips)?;
    // `parse` would take a sign too.
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let number = number.parse().ok().filter(|_| digits && is_video_id(video))?;
    Some(SegmentName { video, number, numbering })
}

/// The video that an id belongs to: that of the segment that it names, else itself.
///
/// ```
/// use mosei_schema::video_of;
/// assert_eq!([video_of("a[0]"), video_of("a$_$7"), video_of("a")], ["a"; 3]);
/// ```
pub fn video_of(id: &str) -> &str {
    match segment_name(id) {
        // Aligned twice, an id has two numbers.
        Some(name) => video_of(name.video),
        None => id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_told_from_videos_where_that_is_certain() {
        let split = |id| segment_name(id).map(|n| (n.video, n.number, n.numbering));
        assert_eq!(split("-a_b[12]"), Some(("-a_b", 12, Numbering::Rows)));
        assert_eq!(split("a[3]b[007]"), Some(("a[3]b", 7, Numbering::Rows)));
        assert_eq!(split("v$_$3"), Some(("v", 3, Numbering::Clips)));
        assert_eq!(split("v$_$w$_$3"), Some(("v$_$w", 3, Numbering::Clips)));
        for id in [
            "v_3",
            "v$3",
            "[3]",
            "v[]",
            "v[x]",
            "v[-1]",
            "v[+1]",
            "v[1.0]",
            "v[3] ",
            "v [3]",
            "v$_$",
            "$_$3",
            "v$_$x",
            "v$_$3b",
            "v[99999999999]",
            "v]",
            "v[٣]",
            "v",
        ] {
            assert_eq!(split(id), None, "{id}");
            assert_eq!(video_of(id), id);
        }
        assert_eq!((video_of("v[3]"), video_of("v[3][0]")), ("v", "v"));
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for numbering in [Numbering::Rows, Numbering::Clips] {
            let name = numbering.name("v", 3);
            assert_eq!(segment_name(&name), Some(SegmentName { video: "v", number: 3, numbering }));
        }
    }
}
