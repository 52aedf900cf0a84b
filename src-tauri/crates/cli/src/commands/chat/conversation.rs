//! What was said so far, and how the next answer is made.

use crate::arguments::ChatOptions;
use crate::commands::inference::{follow, statistics};
use crate::commands::sampling;
use crate::interrupt::Interrupt;
use crate::output::{print_line, tell};
use crate::stop::Stop;
use r3mes_engine::api::{ExpertChoice, FinishReason, Message, Query, Role, SamplingChoice};
use r3mes_engine::{BUILTIN, Engine};
use std::io::IsTerminal;
use std::str::FromStr;

/// A conversation with a model.
pub struct Conversation<'a> {
    engine: &'a Engine,
    model: String,
    system: Option<String>,
    /// Questions and answers in turn; never two of one kind in a row.
    turns: Vec<Message>,
    sampling: SamplingChoice,
    max_tokens: Option<usize>,
    last: Option<String>,
}

impl<'a> Conversation<'a> {
    /// Nothing said yet.
    pub fn new(engine: &'a Engine, options: ChatOptions) -> Conversation<'a> {
        Conversation {
            engine,
            model: engine
                .settings()
                .model
                .clone()
                .unwrap_or_else(|| BUILTIN.into()),
            system: options.system,
            turns: Vec::new(),
            sampling: sampling(&options.sampling),
            max_tokens: options.sampling.max_tokens,
            last: None,
        }
    }

    /// Says something and shows the answer. What has no answer is not kept.
    pub fn say(&mut self, text: &str, interrupt: &Interrupt) -> Result<(), Stop> {
        let mut messages: Vec<Message> = Vec::new();
        messages.extend(
            self.system
                .iter()
                .map(|text| Message::new(Role::System, text.as_str())),
        );
        messages.extend(self.turns.iter().cloned());
        messages.push(Message::new(Role::User, text));
        let answer = self.engine.ask_model(
            Query {
                messages,
                sampling: self.sampling.clone(),
                max_tokens: self.max_tokens,
                experts: ExpertChoice::Auto,
            },
            Some(&self.model),
        )?;
        let result = interrupt.guard(&answer.cancel(), || follow(answer, true))?;
        print_line("")?;
        if std::io::stderr().is_terminal() {
            tell(&statistics(&result));
        }
        self.last = Some(statistics(&result));
        let stopped_early =
            result.finish_reason == FinishReason::Cancelled && result.output.is_empty();
        if !stopped_early {
            self.turns.push(Message::new(Role::User, text));
            self.turns
                .push(Message::new(Role::Assistant, result.output));
        }
        Ok(())
    }

    /// Runs a command of the conversation.
    pub fn command(&mut self, name: &str, value: &str, interrupt: &Interrupt) -> Result<(), Stop> {
        match (name, value) {
            ("new", _) => {
                self.turns.clear();
                tell("a new conversation");
            }
            ("again", _) => {
                let Some(question) = self.take_back() else {
                    return Err(Stop::Usage("there is no question yet".into()));
                };
                return self.say(&question, interrupt);
            }
            ("undo", _) => match self.take_back() {
                Some(question) => tell(&format!("taken back: {question}")),
                None => return Err(Stop::Usage("there is no question yet".into())),
            },
            ("system", "") => tell(self.system.as_deref().unwrap_or("no instructions")),
            ("system", "clear") => self.system = None,
            ("system", text) => self.system = Some(text.to_owned()),
            ("model", "") => tell(&self.model),
            ("model", wanted) => self.model = self.engine.models().locate(wanted)?.name,
            ("stats", _) => tell(self.last.as_deref().unwrap_or("no answer yet")),
            ("set", pair) => self.set(pair)?,
            _ => {
                return Err(Stop::Usage(format!(
                    "unknown command `/{name}`; /help lists them"
                )));
            }
        }
        Ok(())
    }

    fn take_back(&mut self) -> Option<String> {
        self.turns.pop()?;
        self.turns.pop().map(|question| question.content)
    }

    fn set(&mut self, pair: &str) -> Result<(), Stop> {
        let Some((key, value)) = pair.split_once(' ') else {
            return Err(Stop::Usage("expected `/set KEY VALUE`".into()));
        };
        let value = value.trim();
        let sampling = &mut self.sampling;
        match key {
            "temperature" => sampling.temperature = Some(number(value)?),
            "top_p" => sampling.top_p = Some(number(value)?),
            "top_k" => sampling.top_k = Some(number(value)?),
            "min_p" => sampling.min_p = Some(number(value)?),
            "repetition_penalty" => sampling.repetition_penalty = Some(number(value)?),
            "seed" => sampling.seed = Some(number(value)?),
            "max_tokens" => self.max_tokens = Some(number(value)?),
            _ => {
                return Err(Stop::Usage(format!(
                    "unknown key `{key}`; /help lists them"
                )));
            }
        }
        Ok(())
    }
}

fn number<T: FromStr>(text: &str) -> Result<T, Stop> {
    // A Turkish keyboard writes a comma.
    text.replace(',', ".")
        .parse()
        .map_err(|_| Stop::Usage(format!("`{text}`, expected a number")))
}
