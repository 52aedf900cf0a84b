//! The tokenizer of a Hub model folder.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::Value;
use tokenizers::Tokenizer;

use super::settings::Settings;
use super::template::{ChatTemplate, TemplateOrigin};
use super::tokenizer_json::{self, library};
use super::{Parts, Text, TextError};

/// Largest `tokenizer.json` read, in bytes: published ones reach 34 MB.
const TOKENIZER_BYTES: u64 = 256 << 20;
/// Largest of the small files read, in bytes.
const SETTINGS_BYTES: u64 = 16 << 20;

pub(super) fn load(dir: &Path) -> Result<Text, TextError> {
    let path = dir.join("tokenizer.json");
    let bytes = read(&path, TOKENIZER_BYTES)?.ok_or_else(|| TextError::NoTokenizer {
        dir: dir.to_owned(),
    })?;
    let (mut tokenizer, around) = tokenizer_json::read(&bytes, &path.display().to_string())?;
    let config_path = dir.join("tokenizer_config.json");
    let place = config_path.display().to_string();
    let settings = Settings::read(
        &json(&config_path)?,
        &json(&dir.join("special_tokens_map.json"))?,
        &place,
    )?;
    add_declared(&mut tokenizer, &settings, place)?;
    let template = template(dir, &settings)?;
    Text::assemble(Parts {
        tokenizer,
        around,
        named: settings.named,
        end_of_text: Vec::new(),
        template,
    })
}

/// Adds what `added_tokens_decoder` declares and `tokenizer.json` lacks or describes otherwise, in order of the ids.
fn add_declared(
    tokenizer: &mut Tokenizer,
    settings: &Settings,
    place: String,
) -> Result<(), TextError> {
    let known = tokenizer.get_added_tokens_decoder();
    let missing: Vec<_> = settings
        .added
        .iter()
        .filter(|(id, token)| known.get(id) != Some(token))
        .map(|(_, token)| token.clone())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    tokenizer
        .add_tokens(missing)
        .map_err(|error| library(place, error))?;
    Ok(())
}

/// The template in order of precedence: `chat_template.jinja`, `tokenizer_config.json`.
fn template(dir: &Path, settings: &Settings) -> Result<Option<ChatTemplate>, TextError> {
    let path = dir.join("chat_template.jinja");
    if let Some(bytes) = read(&path, SETTINGS_BYTES)? {
        let source = String::from_utf8_lossy(&bytes).into_owned();
        return ChatTemplate::new(source, TemplateOrigin::File(path)).map(Some);
    }
    let named = |wanted: &str| settings.templates.iter().find(|(name, _)| name == wanted);
    let Some((_, source)) = named("default").or(settings.templates.first()) else {
        return Ok(None);
    };
    let origin = TemplateOrigin::File(dir.join("tokenizer_config.json"));
    ChatTemplate::new(source.clone(), origin).map(Some)
}

/// The JSON in a file, `Null` if there is no such file.
fn json(path: &Path) -> Result<Value, TextError> {
    let Some(bytes) = read(path, SETTINGS_BYTES)? else {
        return Ok(Value::Null);
    };
    serde_json::from_slice(&bytes).map_err(|source| TextError::Json {
        place: path.display().to_string(),
        source,
    })
}

/// The bytes of a file, `None` if there is no such file.
fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, TextError> {
    let failed = |source| TextError::Read {
        path: path.to_owned(),
        source,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let bytes = file.metadata().map_err(failed)?.len();
    let mut content = Vec::new();
    // One byte over the limit tells a file that grows while it is read, or has no length, from one that fits.
    file.take(limit + 1)
        .read_to_end(&mut content)
        .map_err(failed)?;
    if content.len() as u64 > limit {
        return Err(TextError::TooLarge {
            path: path.to_owned(),
            bytes: bytes.max(content.len() as u64),
            limit,
        });
    }
    Ok(Some(content))
}
