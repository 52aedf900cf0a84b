//! Text to tokens and back: tokenizer, chat template, streaming decoder, stop strings.
//!
//! A model carries its own tokenizer and its own chat template, in a Hub folder (`tokenizer.json`,
//! `tokenizer_config.json`, `chat_template.jinja`) or in GGUF metadata. [`Text`] reads either and is the only place
//! that knows which it was. Files come from the network, so everything here is written for hostile input: a wrong
//! tokenizer or template is an error, never a panic, a hang or an allocation bomb.
//!
//! Invariants: a prompt made by [`Text::encode_chat`] has exactly one BOS when the model wants one, whether the
//! template or the tokenizer writes it; a [`Decoder`] never splits a character; no id it yields is `>=`
//! [`Text::rows`].
//!
//! Not for: unigram vocabularies without `tokenizer.json`, multimodal templates, tool calls.

mod around;
mod decode;
mod error;
mod gguf;
mod hub;
mod pieces;
mod settings;
mod splitter;
mod stop;
mod template;
mod tokenizer_json;

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokenizers::Tokenizer;

pub use decode::Decoder;
pub use error::TextError;
pub use stop::{StopStrings, Stopped};
pub use template::{ChatTemplate, TemplateOrigin};

use crate::gguf::{Gguf, Metadata};
use crate::load::only_gguf;
pub(crate) use around::Around;
use pieces::{Piece, Pieces};
use settings::Named;
pub(crate) use tokenizer_json::read as read_tokenizer;

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user` or `assistant`, or what else the template knows.
    pub role: String,
    /// What was said.
    pub content: String,
}

impl Message {
    /// A turn of `role` saying `content`.
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
        Message {
            role: role.into(),
            content: content.into(),
        }
    }
}

/// Whether encoding adds the tokens the model wants around a text, such as BOS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecialTokens {
    /// As the model's own tokenizer does.
    Add,
    /// The text's tokens only.
    Omit,
}

/// Whether a rendered conversation ends with the opening of the assistant's next turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GenerationPrompt {
    /// The model is to answer next.
    Add,
    /// The conversation is complete as it is.
    Omit,
}

/// A model's tokenizer and chat template.
pub struct Text {
    tokenizer: Tokenizer,
    pieces: Arc<Pieces>,
    around: Around,
    bos: Option<u32>,
    end_of_text: Vec<u32>,
    template: ChatTemplate,
    end_of_turn: Option<u32>,
}

/// What a source of a tokenizer gives.
struct Parts {
    tokenizer: Tokenizer,
    around: Around,
    named: Named,
    end_of_text: Vec<u32>,
    template: Option<ChatTemplate>,
}

impl Text {
    fn assemble(parts: Parts) -> Result<Text, TextError> {
        let (tokenizer, around) = (parts.tokenizer, parts.around);
        let pieces = Arc::new(Pieces::new(&tokenizer)?);
        if let Some(id) = around.ids().find(|&id| id as usize >= pieces.rows()) {
            return Err(TextError::tokenizer(
                "post_processor",
                format!("token {id}"),
                format!("one of {} tokens", pieces.rows()),
            ));
        }
        let named_id = |wanted: &str| {
            let (_, token) = parts.named.iter().find(|(name, _)| *name == wanted)?;
            tokenizer.token_to_id(token)
        };
        let bos = named_id("bos_token").or(around.before.first().copied());
        let mut end_of_text = parts.end_of_text;
        end_of_text.extend(named_id("eos_token"));
        let template = parts.template.unwrap_or_else(ChatTemplate::plain);
        let mut text = Text {
            tokenizer,
            pieces,
            around,
            bos,
            end_of_text,
            template: template.with_named(parts.named),
            end_of_turn: None,
        };
        text.end_of_turn = text.find_end_of_turn();
        Ok(text)
    }

    /// The special token that the template writes right after what the assistant said.
    fn find_end_of_turn(&self) -> Option<u32> {
        const SAID: &str = "r3mes";
        let turns = [Message::new("user", SAID), Message::new("assistant", SAID)];
        // A template that refuses this conversation names no token.
        let rendered = self.render(&turns, GenerationPrompt::Omit).ok()?;
        let after = &rendered[rendered.rfind(SAID)? + SAID.len()..];
        let first = *self.encode_plain(after.trim_start()).ok()?.first()?;
        let special = self.pieces.get(first) == Piece::Special && Some(first) != self.bos;
        special.then_some(first)
    }

    /// Reads the tokenizer and chat template of a model: a Hub folder, a `.gguf` file or a folder with one.
    ///
    /// # Errors
    /// As [`Text::load_hub`] and [`Text::from_gguf`], or if the GGUF header is malformed.
    pub fn load(path: &Path) -> Result<Text, TextError> {
        let is_hub = ["tokenizer.json", "config.json"]
            .iter()
            .any(|name| path.join(name).exists());
        if is_hub {
            return Text::load_hub(path);
        }
        let file = match path.is_dir() {
            true => only_gguf(path)?.ok_or_else(|| TextError::NoTokenizer {
                dir: path.to_owned(),
            })?,
            false => path.to_owned(),
        };
        Text::from_gguf(&Gguf::open(&file)?.metadata)
    }

    /// Reads the tokenizer and chat template of a Hub model folder.
    ///
    /// # Errors
    /// If `tokenizer.json` is missing, or a file is unreadable or malformed; the message names the file.
    pub fn load_hub(dir: &Path) -> Result<Text, TextError> {
        hub::load(dir)
    }

    /// Builds the tokenizer and chat template that GGUF metadata describes.
    ///
    /// # Errors
    /// If a key is missing or malformed, or the tokenizer model or splitter is unknown; the message names the key.
    pub fn from_gguf(fields: &Metadata) -> Result<Text, TextError> {
        gguf::load(fields)
    }

    /// The tokens of `text`. Special tokens written in it, such as `<|eot_id|>`, become their ids.
    ///
    /// # Errors
    /// If the tokenizer has no token for a character and no unknown token either.
    pub fn encode(&self, text: &str, special: SpecialTokens) -> Result<Vec<u32>, TextError> {
        let mut ids = self.encode_plain(text)?;
        if special == SpecialTokens::Add {
            ids.splice(0..0, self.around.before.iter().copied());
            ids.extend(&self.around.after);
        }
        Ok(ids)
    }

    /// The conversation as the model's template writes it.
    ///
    /// # Errors
    /// If the template fails, refuses the conversation (`raise_exception`), or does not end in bounded work.
    pub fn render(
        &self,
        messages: &[Message],
        prompt: GenerationPrompt,
    ) -> Result<String, TextError> {
        self.template.render(messages, prompt)
    }

    /// The prompt for the assistant's next turn: rendered, encoded, with exactly one BOS if the model wants one.
    ///
    /// # Errors
    /// As [`Text::render`] and [`Text::encode`].
    pub fn encode_chat(&self, messages: &[Message]) -> Result<Vec<u32>, TextError> {
        self.encode_rendered(&self.render(messages, GenerationPrompt::Add)?)
    }

    /// The tokens of a conversation that [`Text::render`] wrote, with exactly one BOS if the model wants one.
    ///
    /// # Errors
    /// As [`Text::encode`].
    pub fn encode_rendered(&self, rendered: &str) -> Result<Vec<u32>, TextError> {
        let mut ids = self.encode_plain(rendered)?;
        if !self.around.before.is_empty() && !ids.starts_with(&self.around.before) {
            ids.splice(0..0, self.around.before.iter().copied());
        }
        if let Some(bos) = self.bos {
            let surplus = ids.iter().take_while(|&&id| id == bos).count().max(1) - 1;
            ids.drain(..surplus);
        }
        Ok(ids)
    }

    /// A decoder for one answer.
    pub fn decoder(&self) -> Decoder {
        Decoder::new(Arc::clone(&self.pieces))
    }

    /// The text of `ids`, without special tokens.
    pub fn decode(&self, ids: &[u32]) -> String {
        let mut decoder = self.decoder();
        let mut text = String::new();
        for &id in ids {
            text.extend(decoder.push(id));
        }
        text
    }

    /// The vocabulary's own spelling of a token, `None` when the id is not in it.
    pub fn token(&self, id: u32) -> Option<String> {
        self.tokenizer.id_to_token(id)
    }

    /// The ids that end an answer: those of the configuration, the tokenizer's end of text, and the token with which
    /// the template ends the assistant's turn. Sorted, each once.
    pub fn stop_ids(&self, configured: &[u32]) -> Vec<u32> {
        let mut ids: Vec<u32> = configured.to_vec();
        ids.extend(&self.end_of_text);
        ids.extend(self.end_of_turn);
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The token that begins a text, where the model has one.
    pub fn bos(&self) -> Option<u32> {
        self.bos
    }

    /// Embedding rows the tokenizer needs: its highest token id plus one.
    pub fn rows(&self) -> usize {
        self.pieces.rows()
    }

    /// Where the chat template came from.
    pub fn template_origin(&self) -> &TemplateOrigin {
        self.template.origin()
    }

    /// Checks that every token has an embedding row. Models may have more rows than tokens.
    ///
    /// # Errors
    /// If the tokenizer has ids at or above `embedding_rows`; names both numbers.
    pub fn check_fits(&self, embedding_rows: usize) -> Result<(), TextError> {
        if self.rows() <= embedding_rows {
            return Ok(());
        }
        let highest = self.rows().saturating_sub(1) as u32;
        Err(TextError::TooManyTokens {
            highest,
            token: self.token(highest).unwrap_or_default(),
            rows: embedding_rows,
        })
    }

    fn encode_plain(&self, text: &str) -> Result<Vec<u32>, TextError> {
        match self.tokenizer.encode_fast(text, false) {
            Ok(encoding) => Ok(encoding.get_ids().to_vec()),
            Err(error) => Err(TextError::Library {
                place: "encoding a text".to_owned(),
                message: error.to_string(),
            }),
        }
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Text")
            .field("rows", &self.rows())
            .field("bos", &self.bos)
            .field("end_of_text", &self.end_of_text)
            .field("end_of_turn", &self.end_of_turn)
            .field("template", self.template.origin())
            .finish_non_exhaustive()
    }
}
