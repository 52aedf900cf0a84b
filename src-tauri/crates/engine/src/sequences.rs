//! What conversations already computed: one sequence for each mix of experts that answered lately.
//!
//! Keys and values belong to the tokens and to the experts, their versions and their shares. A question that other experts answer
//! begins its own sequence; when the first ones answer again, theirs is still there.

use crate::api::ExpertUsed;
use crate::error::EngineError;
use crate::experts::Leased;
use r3mes_model::adapter::Mix;
use r3mes_model::forward::State;
use r3mes_model::model::Model;
use std::sync::Arc;

/// Sequences that are kept.
const MOST: usize = 3;
/// Bytes that the sequences beside the latest may hold together.
const OTHERS_BYTES: u64 = 256 << 20;

/// The sequences of one model, the latest first.
#[derive(Default)]
pub(crate) struct Sequences {
    list: Vec<Sequence>,
}

/// One mix and what was computed with it.
pub(crate) struct Sequence {
    key: Key,
    /// Tokens, keys and values.
    pub state: State,
    /// The experts, in use for as long as their keys and values are kept.
    pub leased: Leased,
}

/// Id, version and share of every expert, by id: the order in which they were chosen does not matter.
type Key = Vec<(String, String, u32)>;

impl Sequences {
    /// The sequence of these experts; an empty one if they did not answer lately.
    ///
    /// # Errors
    /// If an adapter does not fit the model, or there is no memory.
    pub fn of(&mut self, model: &Model, leased: Leased) -> Result<&mut Sequence, EngineError> {
        let key = key(&leased.used());
        let known = self.list.iter().position(|sequence| sequence.key == key);
        let sequence = match known {
            Some(place) => {
                let mut sequence = self.list.remove(place);
                // The mix computes with the adapters that it was made of: their leases are the ones to hold.
                sequence.leased.go_on(leased);
                sequence
            }
            None => Sequence {
                state: model.start_with(Arc::new(mix(model, &leased)?))?,
                key,
                leased,
            },
        };
        self.list.insert(0, sequence);
        self.list.truncate(MOST);
        while self.others_bytes() > OTHERS_BYTES {
            self.list.pop();
        }
        Ok(&mut self.list[0])
    }

    /// Gives back what is kept for later, and the experts with it. Tells whether there was anything.
    pub fn release(&mut self) -> bool {
        let any = self.list.iter().any(|sequence| !sequence.key.is_empty());
        self.list.clear();
        any
    }

    /// The experts of the latest answer, with their shares.
    pub fn latest(&self) -> Vec<ExpertUsed> {
        self.list
            .first()
            .map_or_else(Vec::new, |sequence| sequence.leased.used())
    }

    /// Tokens of `prompt` that the latest sequence holds already.
    pub fn shared_tokens(&self, prompt: &[u32]) -> usize {
        let tokens = self
            .list
            .first()
            .map_or(&[][..], |sequence| sequence.state.tokens());
        tokens
            .iter()
            .zip(prompt)
            .take_while(|(a, b)| a == b)
            .count()
    }

    fn others_bytes(&self) -> u64 {
        self.list
            .iter()
            .skip(1)
            .map(|sequence| sequence.state.bytes())
            .sum()
    }
}

fn key(used: &[ExpertUsed]) -> Key {
    let mut key: Key = used
        .iter()
        .map(|one| {
            (
                one.expert_id.clone(),
                one.generation.clone(),
                one.weight.to_bits(),
            )
        })
        .collect();
    key.sort();
    key
}

/// Adapters are applied in the order of their ids, so that the same experts give the same bits.
fn mix(model: &Model, leased: &Leased) -> Result<Mix, EngineError> {
    let mut adapters: Vec<_> = leased.used().into_iter().zip(leased.adapters()).collect();
    adapters.sort_by(|(a, _), (b, _)| a.expert_id.cmp(&b.expert_id));
    let adapters: Vec<_> = adapters.into_iter().map(|(_, adapter)| adapter).collect();
    Ok(Mix::compile(model.config(), &adapters)?)
}
