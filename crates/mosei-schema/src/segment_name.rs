use crate::is_video_id;

/// How the segments of a video are numbered, which their notation shows. The two numberings differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Numbering {
    /// `VIDEO[3]`: by row of the file that the segments were aligned to, from 0, as in files of
    /// CMU's SDK.
    Rows,
    /// `VIDEO$_$3`: by clip of the transcript, as in files of MMSA. Clips without a label have a
    /// number too.
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

    /// The name of a segment in this notation.
    pub fn name(self, video: &str, number: i32) -> String {
        match self {
            Numbering::Rows => format!("{video}[{number}]"),
            Numbering::Clips => format!("{video}$_${number}"),
        }
    }
}

/// The parsed id of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentName<'a> {
    /// The video.
    pub video: &'a str,
    /// The segment's number.
    pub number: i32,
    /// What the number counts.
    pub numbering: Numbering,
}

/// Parses the id of a segment: `VIDEO[3]` or `VIDEO$_$3`. Any other id is that of a video, even if
/// it ends with a bracket without a number or contains `$_$`. Every reader of ids uses this
/// function.
///
/// ```
/// use mosei_schema::{Numbering, segment_name};
/// let name = segment_name("-3g5yACwYnA[12]").unwrap();
/// assert_eq!((name.video, name.number, name.numbering), ("-3g5yACwYnA", 12, Numbering::Rows));
/// assert_eq!(segment_name("a$_$3").unwrap().numbering, Numbering::Clips);
/// assert_eq!(segment_name("a[b]"), None);
/// ```
pub fn segment_name(id: &str) -> Option<SegmentName<'_>> {
    let rows = id
        .strip_suffix(']')
        .and_then(|rest| rest.rsplit_once('['))
        .map(|parts| (parts, Numbering::Rows));
    let clips = || id.rsplit_once("$_$").map(|parts| (parts, Numbering::Clips));
    let ((video, number), numbering) = rows.or_else(clips)?;
    // `parse` alone would accept a sign.
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let number = number
        .parse()
        .ok()
        .filter(|_| digits && is_video_id(video))?;
    Some(SegmentName {
        video,
        number,
        numbering,
    })
}

/// The video of an id: that of the segment, or the id itself if it is not that of a segment.
///
/// ```
/// use mosei_schema::video_of;
/// assert_eq!([video_of("a[0]"), video_of("a$_$7"), video_of("a")], ["a"; 3]);
/// ```
pub fn video_of(id: &str) -> &str {
    match segment_name(id) {
        // After two alignments, an id has two numbers.
        Some(name) => video_of(name.video),
        None => id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unambiguous_ids_are_parsed_as_segments() {
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
    fn names_round_trip() {
        for numbering in [Numbering::Rows, Numbering::Clips] {
            let name = numbering.name("v", 3);
            assert_eq!(
                segment_name(&name),
                Some(SegmentName {
                    video: "v",
                    number: 3,
                    numbering
                })
            );
        }
    }
}
