//! The shared types of a study of CMU-MOSEI or a corpus like it.
//!
//! In this crate: names, ranges and identifiers that several crates use. Not in this crate:
//! anything that reads, writes or computes.
//!
//! ```
//! use mosei_schema::{Emotion, intensity_class};
//!
//! assert_eq!(Emotion::from_name("fear"), Some(Emotion::Fear));
//! assert_eq!(intensity_class(1.5), 2); // half up
//! ```

mod budget;
mod covarep;
mod emotion;
mod nearest;
mod segment;
mod segment_name;
mod setting;
mod start;
mod video_id;

pub use budget::{BudgetError, LabelBudget};
pub use covarep::{COVAREP_COLUMNS, COVAREP_RATE_HZ};
pub use emotion::{
    Emotion, INTENSITY_MAX, INTENSITY_MIN, SENTIMENT_MAX, SENTIMENT_MIN, intensity_class,
};
pub use nearest::{found_with_near_miss, near_miss, nearest, with_near_miss};
pub use segment::{SegmentId, Split};
pub use segment_name::{Numbering, SegmentName, segment_name, video_of};
pub use setting::SettingError;
pub use start::{PretrainKind, Role, Start};
pub use video_id::{VIDEO_ID_MAX_BYTES, VIDEO_ID_RULE, is_video_id};
