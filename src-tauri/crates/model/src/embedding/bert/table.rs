//! What enters the first layer: a vector for each token and for its place.

use candle_core::{Device, Tensor};

use super::Span;
use super::operations::Norm;

/// Vectors of tokens and of places, and the norm of their sum.
pub(super) struct InputTable {
    pub(super) hidden: usize,
    /// `[vocabulary, hidden]`
    pub(super) words: Vec<f32>,
    /// `[positions, hidden]`, with the vector of type 0 added: a single text has no other type.
    pub(super) places: Vec<f32>,
    pub(super) norm: Norm,
}

impl InputTable {
    /// `norm(words[id] + places[i])` for every token.
    ///
    /// # Shapes
    /// - `ids`: `[tokens]` · `spans`: the texts among them · returns `[tokens, hidden]`
    pub(super) fn look_up(&self, ids: &[u32], spans: &[Span]) -> candle_core::Result<Tensor> {
        let mut x = Vec::with_capacity(ids.len() * self.hidden);
        for span in spans {
            for (place, &id) in ids[span.start..][..span.length].iter().enumerate() {
                let word = &self.words[id as usize * self.hidden..][..self.hidden];
                let place = &self.places[place * self.hidden..][..self.hidden];
                x.extend(word.iter().zip(place).map(|(word, place)| word + place));
            }
        }
        for row in x.chunks_exact_mut(self.hidden) {
            self.norm.apply(row);
        }
        Tensor::from_vec(x, (ids.len(), self.hidden), &Device::Cpu)
    }

    pub(super) fn bytes(&self) -> u64 {
        ((self.words.len() + self.places.len()) * size_of::<f32>()) as u64 + self.norm.bytes()
    }
}

impl std::fmt::Debug for InputTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InputTable")
            .field("hidden", &self.hidden)
            .field("rows", &(self.words.len() / self.hidden.max(1)))
            .finish_non_exhaustive()
    }
}
