use super::Prepared;

/// The labels of some segments, taken out of a prepared folder by [`Prepared::withhold`]. There is no second copy.
pub struct WithheldLabels {
    segments: Vec<usize>,
    /// `[segments, emotions]`.
    intensities: Vec<f32>,
    emotions: usize,
}

impl WithheldLabels {
    /// Whose labels these are, in order.
    pub fn segments(&self) -> &[usize] {
        &self.segments
    }

    /// Intensities of the segment at place `row` of [`WithheldLabels::segments`] `[E]`, as in the file.
    pub fn intensities(&self, row: usize) -> &[f32] {
        &self.intensities[row * self.emotions..(row + 1) * self.emotions]
    }
}

impl Prepared {
    /// Takes the labels of some segments out of memory: from now on they are NaN here, sentiment too, and whoever holds
    /// what is given back is the only one who can say them.
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
        WithheldLabels { segments: segments.to_vec(), intensities, emotions }
    }
}
