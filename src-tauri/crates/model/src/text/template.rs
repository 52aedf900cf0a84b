//! Chat templates: the Jinja program a model carries that turns a conversation into one text.
//!
//! Rendered as transformers does: `trim_blocks`, `lstrip_blocks`, loop controls, Python's string and dictionary
//! methods, `raise_exception`, `strftime_now`, a `tojson` that does not escape HTML, and the special tokens by name.
//! A template is a program from the network: its work and its output are bounded by fuel, and it sees nothing but
//! the conversation.
//!
//! Source: transformers `utils/chat_template_utils.py`, `_compile_jinja_template`.

mod functions;
mod published;

use std::path::PathBuf;
use std::time::SystemTime;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, ErrorKind, Value, context};

use super::settings::Named;
use super::{GenerationPrompt, Message, TextError};

/// Work one rendering may do: instructions, and 64 bytes of text each. Bounds the output to 256 MiB and the time to
/// about a second; a conversation that fills a 128k context takes less than a twentieth of it.
const FUEL: u64 = 4 << 20;

/// Longest template compiled, in bytes; the longest published ones have some 20 kB.
const LONGEST: usize = 64 << 10;

/// Stack for compiling and rendering, in bytes: the engine's parser and compiler call themselves once for each of a row of
/// operators (`not not not …`), so depth is bounded by the template's length only. 4 KiB for each byte; pages that are not
/// touched cost nothing.
const STACK: usize = LONGEST << 12;

/// Most `~` and `**` in a template. The engine computes rows of them over constants while it compiles, each over the whole
/// row before it: 32,000 take minutes, 2,000 half a second.
const MOST_FOLDED: usize = 2000;

const NAME: &str = "chat_template";

/// Where a chat template came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateOrigin {
    /// A file of the model folder.
    File(PathBuf),
    /// The GGUF key `tokenizer.chat_template`.
    Gguf,
    /// The template Microsoft publishes for BitNet b1.58 2B-4T, in place of the placeholder in its GGUF.
    Bitnet2b4t,
    /// The model has none: [`published::PLAIN`] is used.
    Plain,
}

impl std::fmt::Display for TemplateOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TemplateOrigin::File(path) => write!(f, "`{}`", path.display()),
            TemplateOrigin::Gguf => f.write_str("GGUF key `tokenizer.chat_template`"),
            TemplateOrigin::Bitnet2b4t => f.write_str("the published BitNet b1.58 2B-4T model"),
            TemplateOrigin::Plain => f.write_str("the plain fallback"),
        }
    }
}

/// A compiled chat template.
pub struct ChatTemplate {
    environment: Environment<'static>,
    origin: TemplateOrigin,
    named: Named,
}

impl ChatTemplate {
    /// Compiles `source`.
    ///
    /// # Errors
    /// If it is not a Jinja template, or is longer than any real one; names the origin and the line.
    pub fn new(source: String, origin: TemplateOrigin) -> Result<ChatTemplate, TextError> {
        if source.len() > LONGEST {
            return Err(TextError::Template {
                origin: origin.to_string(),
                line: 0,
                message: format!("{} bytes, at most {LONGEST} expected", source.len()),
            });
        }
        let folded = source.matches('~').count() + source.matches("**").count();
        if folded > MOST_FOLDED {
            return Err(TextError::Template {
                origin: origin.to_string(),
                line: 0,
                message: format!("{folded} `~` and `**`, at most {MOST_FOLDED} expected"),
            });
        }
        let mut environment = Environment::new();
        environment.set_fuel(Some(FUEL));
        environment.set_syntax(
            SyntaxConfig::builder()
                .trim_blocks(true)
                .lstrip_blocks(true)
                .build()
                .map_err(|error| failure(&origin, &error))?,
        );
        functions::add(&mut environment);
        let source = without_generation_marks(&source);
        on_deep_stack(&origin, || environment.add_template_owned(NAME, source))?;
        Ok(ChatTemplate {
            environment,
            origin,
            named: Vec::new(),
        })
    }

    /// The template Microsoft publishes for BitNet b1.58 2B-4T.
    pub fn bitnet_2b4t() -> ChatTemplate {
        Self::new(
            published::BITNET_2B4T.to_owned(),
            TemplateOrigin::Bitnet2b4t,
        )
        .expect("the published template compiles")
    }

    /// Whether `source` is what BitNet 2B-4T's GGUF carries in place of its template.
    pub(super) fn is_bitnet_placeholder(source: &str) -> bool {
        source.contains(published::PLACEHOLDER_MARK)
    }

    /// The template for models that have none.
    pub fn plain() -> ChatTemplate {
        Self::new(published::PLAIN.to_owned(), TemplateOrigin::Plain)
            .expect("the plain template compiles")
    }

    /// Gives the template the special tokens it may name (`bos_token`, `eos_token`, …).
    pub(super) fn with_named(mut self, named: Named) -> Self {
        self.named = named;
        self
    }

    /// Where it came from.
    pub fn origin(&self) -> &TemplateOrigin {
        &self.origin
    }

    /// The conversation as one text, at the current time.
    ///
    /// # Errors
    /// If the template fails, refuses the conversation, or runs out of fuel.
    pub fn render(
        &self,
        messages: &[Message],
        prompt: GenerationPrompt,
    ) -> Result<String, TextError> {
        self.render_at(messages, prompt, SystemTime::now())
    }

    /// The conversation as one text, for a template that asks for the time told that it is `now`.
    ///
    /// # Errors
    /// As [`ChatTemplate::render`].
    pub fn render_at(
        &self,
        messages: &[Message],
        prompt: GenerationPrompt,
        now: SystemTime,
    ) -> Result<String, TextError> {
        let messages: Vec<Value> = messages
            .iter()
            .map(|message| context! { role => &message.role, content => &message.content })
            .collect();
        let named = self
            .named
            .iter()
            .map(|(name, token)| (*name, Value::from(token.as_str())));
        let values = [
            ("messages", Value::from(messages)),
            ("tools", Value::from(())),
            ("documents", Value::from(())),
            (
                "add_generation_prompt",
                Value::from(prompt == GenerationPrompt::Add),
            ),
            ("strftime_now", functions::strftime_now(now)),
        ];
        let values = Value::from_pairs(named.chain(values));
        on_deep_stack(&self.origin, || {
            self.environment.get_template(NAME)?.render(values)
        })
    }
}

/// `{% generation %}` marks what an assistant wrote, for training; it has no effect on the text.
fn without_generation_marks(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find("{%") {
        let (before, tag) = rest.split_at(start);
        out.push_str(before);
        // The closing mark cannot share its first character with the opening one, as in `{%}`.
        let Some(end) = tag[2..].find("%}").map(|end| end + 2) else {
            rest = tag;
            break;
        };
        let inner = &tag[2..end];
        let word = inner.trim_matches(|c: char| c == '-' || c == '+' || c.is_whitespace());
        let replaced = match word {
            "generation" => inner.replace(word, "if true"),
            "endgeneration" => inner.replace(word, "endif"),
            _ => inner.to_owned(),
        };
        out.push_str("{%");
        out.push_str(&replaced);
        out.push_str("%}");
        rest = &tag[end + 2..];
    }
    out.push_str(rest);
    out
}

/// Runs the template engine on a stack of its own.
fn on_deep_stack<T: Send>(
    origin: &TemplateOrigin,
    work: impl FnOnce() -> Result<T, minijinja::Error> + Send,
) -> Result<T, TextError> {
    let unfinished = |message: String| TextError::Template {
        origin: origin.to_string(),
        line: 0,
        message,
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        match thread.spawn_scoped(scope, work).map(|thread| thread.join()) {
            Err(error) => Err(unfinished(format!("no thread to run it: {error}"))),
            Ok(Err(_)) => Err(unfinished("the template engine failed".to_owned())),
            Ok(Ok(result)) => result.map_err(|error| failure(origin, &error)),
        }
    })
}

fn failure(origin: &TemplateOrigin, error: &minijinja::Error) -> TextError {
    let message = match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "does not end within the work a conversation needs".to_owned(),
        (functions::RAISED, Some(detail)) => detail.to_owned(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    };
    TextError::Template {
        origin: origin.to_string(),
        line: error.line().unwrap_or(0),
        message,
    }
}

#[cfg(test)]
mod tests;
