use super::Prepared;

/// Labels removed from a [`Prepared`] by [`Prepared::withhold`]; the only copy in memory.
pub struct WithheldLabels {
    segments: Vec<usize>,
    /// `[segments, emotions]`.
    intensities: Vec<f32>,
    emotions: usize,
}

impl WithheldLabels {
    /// The segments of these labels, in order.
    pub fn segments(&self) -> &[usize] {
        &self.segments
    }

    /// Intensities `[E]` of the segment at index `row` of [`WithheldLabels::segments`], as in the
    /// file.
    pub fn intensities(&self, row: usize) -> &[f32] {
        &self.intensities[row * self.emotions..(row + 1) * self.emotions]
    }
}

impl Prepared {
    /// Removes the labels of some segments from memory: from now on they are NaN here, sentiment
    /// too, and only the returned value holds them.
    pub fn withhold(&mut self, segments: &[usize]) -> WithheldLabels {
        let emotions = self.manifest.emotions.len();
        let mut intensities = Vec::with_capacity(segments.len() * emotions);
        for &i in segments {
            let labels = &mut self.segments.intensities[i * emotions..(i + 1) * emotions];
            intensities.extend_from_slice(labels);
            labels.fill(f32::NAN);
            if let Some(sentiment) = self.segments.sentiment.get_mut(i) {
                *sentiment = f32::NAN;
            }
        }
        WithheldLabels {
            segments: segments.to_vec(),
            intensities,
            emotions,
        }
    }
}
