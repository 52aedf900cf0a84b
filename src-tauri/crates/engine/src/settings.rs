//! Settings, resolved once when the program starts: compiled-in values, then `settings.json` in the data folder,
//! then the environment, then flags. What comes later wins.
//!
//! `settings.json` holds only differences from the compiled-in values. Keys this version does not know are kept.

use crate::budget::ManualBudget;
use crate::catalogue::Shelf;
use crate::error::EngineError;
use crate::folders::{Home, write_atomically};
use crate::gating::MOST_EXPERTS;
use crate::router::Tuning;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// How keys and values are kept between tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub enum KvFormat {
    /// f32 while the cache of the whole context stays small, otherwise int8.
    #[default]
    Auto,
    /// 4 bytes a number: the reference.
    F32,
    /// 2 bytes a number.
    F16,
    /// 1 byte a number and a scale for each head.
    Int8,
}

impl KvFormat {
    /// The word used in flags and settings.
    pub fn as_str(self) -> &'static str {
        match self {
            KvFormat::Auto => "auto",
            KvFormat::F32 => "f32",
            KvFormat::F16 => "f16",
            KvFormat::Int8 => "int8",
        }
    }
}

impl FromStr for KvFormat {
    type Err = ();

    fn from_str(word: &str) -> Result<KvFormat, ()> {
        [KvFormat::Auto, KvFormat::F32, KvFormat::F16, KvFormat::Int8]
            .into_iter()
            .find(|format| format.as_str() == word)
            .ok_or(())
    }
}

/// How tokens are chosen when a query does not say.
#[derive(Clone, Debug, PartialEq)]
pub struct SamplingDefaults {
    /// 0 is greedy.
    pub temperature: f32,
    /// 1 keeps all.
    pub top_p: f32,
    /// 0 keeps all.
    pub top_k: usize,
    /// 0 keeps all.
    pub min_p: f32,
    /// 1 is off.
    pub repetition_penalty: f32,
}

/// How downloads behave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadSettings {
    /// A connection that sends nothing for this long is given up and tried again.
    pub stall: Duration,
    /// Tries in a row that bring nothing before the download fails.
    pub tries: u32,
    /// Wait after the first failure; doubled after each further one.
    pub first_wait: Duration,
    /// The longest wait, also when the hub asks for more.
    pub longest_wait: Duration,
}

/// How experts are kept and chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpertSettings {
    /// Whether the experts that the next question may need are brought into memory ahead.
    pub preload: bool,
    /// Bytes that adapters may take, set by hand instead of measured.
    pub budget: ManualBudget,
    /// How many experts may help at once, instead of what the memory allows.
    pub most: Option<usize>,
}

/// How questions are routed. Each `None` takes what the router learned, or else its documented default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RouterSettings {
    /// Whether experts are looked for at all when nobody names one.
    pub enabled: bool,
    /// Share of the keyword stage in the fused score.
    pub keyword_weight: Option<f32>,
    /// Share of the semantic stage in the fused score.
    pub semantic_weight: Option<f32>,
    /// The keyword stage decides alone from this score on.
    pub fast_path: Option<f32>,
    /// Below this best score the fallback expert joins.
    pub fallback: Option<f32>,
    /// Below this best score no expert is taken.
    pub reject: Option<f32>,
}

impl RouterSettings {
    /// These numbers where they are set, others where not.
    pub(crate) fn over(&self, tuning: Tuning) -> Tuning {
        Tuning {
            keyword_weight: self.keyword_weight.unwrap_or(tuning.keyword_weight),
            semantic_weight: self.semantic_weight.unwrap_or(tuning.semantic_weight),
            fast_path: self.fast_path.unwrap_or(tuning.fast_path),
            fallback: self.fallback.unwrap_or(tuning.fallback),
            reject: self.reject.unwrap_or(tuning.reject),
            ..tuning
        }
    }
}

/// Everything that is decided before the engine opens.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The data folder.
    pub home: Home,
    /// Threads of the model.
    pub threads: usize,
    /// Format of the key and value cache.
    pub kv: KvFormat,
    /// The model that answers: an installed name or a path; the built-in one when not set.
    pub model: Option<String>,
    /// Where `model` was set, in words.
    pub model_origin: &'static str,
    /// The embedder: an installed name or a folder; the built-in one when not set.
    pub embedder: Option<String>,
    /// The longest answer, in tokens.
    pub max_tokens: usize,
    /// How tokens are chosen.
    pub sampling: SamplingDefaults,
    /// How downloads behave.
    pub download: DownloadSettings,
    /// How experts are kept and chosen.
    pub experts: ExpertSettings,
    /// How questions are routed.
    pub router: RouterSettings,
}

/// What the command line says; it wins over everything else.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flags {
    /// The data folder.
    pub home: Option<PathBuf>,
    /// Threads of the model.
    pub threads: Option<usize>,
    /// Format of the key and value cache.
    pub kv: Option<KvFormat>,
    /// The model.
    pub model: Option<String>,
    /// The embedder.
    pub embedder: Option<String>,
}

const MOST_THREADS: usize = 512;
/// 1 PB: beyond any machine, within what JSON readers keep exact.
const MOST_BUDGET_BYTES: f64 = 1e15;

impl Settings {
    /// Reads the environment of this process and the data folder.
    ///
    /// # Errors
    /// If `settings.json` cannot be read or a value in it, in a variable or in a flag cannot be used; the message names it.
    pub fn resolve(flags: &Flags) -> Result<Settings, EngineError> {
        Settings::resolve_from(flags, &|name| std::env::var_os(name))
    }

    /// As [`Settings::resolve`], with the environment given.
    ///
    /// # Errors
    /// As there.
    pub fn resolve_from(
        flags: &Flags,
        environment: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Settings, EngineError> {
        let home = Home::find(flags.home.as_deref(), environment("R3MES_HOME"))?;
        let mut settings = Settings::compiled_in(home);
        let file = settings.home.settings();
        settings.apply_file(&file, &read_object(&file)?)?;
        settings.apply_environment(environment)?;
        settings.apply_flags(flags)?;
        Ok(settings)
    }

    /// What `settings.json` holds.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    pub fn values(home: &Home) -> Result<Map<String, Value>, EngineError> {
        read_object(&home.settings())
    }

    /// Whether the engine could work with these values of `settings.json`.
    ///
    /// # Errors
    /// If one is out of range or of the wrong kind; the message names it.
    pub fn check(home: &Home, values: &Map<String, Value>) -> Result<(), EngineError> {
        Settings::compiled_in(home.clone()).apply_file(&home.settings(), values)
    }

    /// What holds when nobody changed anything.
    pub fn compiled_in(home: Home) -> Settings {
        Settings {
            home,
            threads: default_threads(),
            kv: KvFormat::Auto,
            model: None,
            model_origin: "nothing else was chosen",
            embedder: None,
            max_tokens: 512,
            sampling: SamplingDefaults {
                temperature: 0.7,
                top_p: 0.9,
                top_k: 40,
                min_p: 0.0,
                repetition_penalty: 1.1,
            },
            download: DownloadSettings {
                stall: Duration::from_secs(30),
                tries: 6,
                first_wait: Duration::from_millis(500),
                longest_wait: Duration::from_secs(60),
            },
            experts: ExpertSettings {
                preload: true,
                budget: ManualBudget::default(),
                most: None,
            },
            router: RouterSettings {
                enabled: true,
                keyword_weight: None,
                semantic_weight: None,
                fast_path: None,
                fallback: None,
                reject: None,
            },
        }
    }

    fn apply_file(&mut self, file: &Path, values: &Map<String, Value>) -> Result<(), EngineError> {
        let read = Reader { file, values };
        if let Some(threads) = read.number("threads", 1.0, MOST_THREADS as f64)? {
            self.threads = threads as usize;
        }
        if let Some(word) = read.text("kv")? {
            self.kv = word
                .parse()
                .map_err(|()| read.refuse("kv", &format!("`{word}`"), KV_WORDS))?;
        }
        if let Some(model) = read.text("active_model")? {
            self.model = Some(model);
            self.model_origin = "chosen with `r3mes model use`";
        }
        if let Some(embedder) = read.text("embedder")? {
            self.embedder = Some(embedder);
        }
        if let Some(tokens) = read.number("max_tokens", 1.0, 1e9)? {
            self.max_tokens = tokens as usize;
        }
        let sampling = &mut self.sampling;
        for (key, slot, least, most) in [
            (
                "sampling.temperature",
                &mut sampling.temperature,
                0.0,
                100.0,
            ),
            ("sampling.top_p", &mut sampling.top_p, 0.0, 1.0),
            ("sampling.min_p", &mut sampling.min_p, 0.0, 1.0),
            (
                "sampling.repetition_penalty",
                &mut sampling.repetition_penalty,
                0.01,
                100.0,
            ),
        ] {
            if let Some(value) = read.number(key, least, most)? {
                *slot = value as f32;
            }
        }
        if let Some(count) = read.number("sampling.top_k", 0.0, 1e9)? {
            sampling.top_k = count as usize;
        }
        let download = &mut self.download;
        for (key, slot) in [
            ("download.stall_seconds", &mut download.stall),
            ("download.first_wait_seconds", &mut download.first_wait),
            ("download.longest_wait_seconds", &mut download.longest_wait),
        ] {
            if let Some(seconds) = read.number(key, 0.001, 86400.0)? {
                *slot = Duration::from_secs_f64(seconds);
            }
        }
        if let Some(tries) = read.number("download.tries", 1.0, 1000.0)? {
            download.tries = tries as u32;
        }
        let experts = &mut self.experts;
        if let Some(preload) = read.flag("experts.preload")? {
            experts.preload = preload;
        }
        for (key, slot) in [
            ("experts.ram_budget_bytes", &mut experts.budget.ram_bytes),
            ("experts.vram_budget_bytes", &mut experts.budget.vram_bytes),
        ] {
            if let Some(bytes) = read.number(key, 0.0, MOST_BUDGET_BYTES)? {
                *slot = Some(bytes as u64);
            }
        }
        let router = &mut self.router;
        if let Some(enabled) = read.flag("router.enabled")? {
            router.enabled = enabled;
        }
        for (key, most, slot) in [
            ("router.keyword_weight", 1.0, &mut router.keyword_weight),
            ("router.semantic_weight", 1.0, &mut router.semantic_weight),
            // Above 1 the fast path is never taken.
            ("router.fast_path", 2.0, &mut router.fast_path),
            ("router.fallback", 1.0, &mut router.fallback),
            ("router.reject", 1.0, &mut router.reject),
        ] {
            if let Some(number) = read.number(key, 0.0, most)? {
                *slot = Some(number as f32);
            }
        }
        if let Some(most) = read.number("experts.most", 0.0, MOST_EXPERTS as f64)? {
            experts.most = Some(most as usize);
        }
        Ok(())
    }

    fn apply_environment(
        &mut self,
        environment: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<(), EngineError> {
        let text = |name: &str| {
            environment(name)
                .map(|value| value.to_string_lossy().into_owned())
                .filter(|value| !value.is_empty())
        };
        if let Some(word) = text("R3MES_THREADS") {
            let threads = word
                .parse()
                .ok()
                .filter(|count| (1..=MOST_THREADS).contains(count));
            self.threads = threads.ok_or_else(|| EngineError::Setting {
                key: "threads".into(),
                origin: "R3MES_THREADS".into(),
                found: format!("`{word}`"),
                expected: format!("a number from 1 to {MOST_THREADS}"),
            })?;
        }
        if let Some(word) = text("R3MES_KV") {
            self.kv = word.parse().map_err(|()| EngineError::Setting {
                key: "kv".into(),
                origin: "R3MES_KV".into(),
                found: format!("`{word}`"),
                expected: KV_WORDS.into(),
            })?;
        }
        if let Some(model) = text("R3MES_MODEL") {
            self.model = Some(model);
            self.model_origin = "R3MES_MODEL";
        }
        if let Some(embedder) = text("R3MES_EMBEDDER") {
            self.embedder = Some(embedder);
        }
        Ok(())
    }

    fn apply_flags(&mut self, flags: &Flags) -> Result<(), EngineError> {
        if let Some(threads) = flags.threads {
            if !(1..=MOST_THREADS).contains(&threads) {
                return Err(EngineError::BadRequest {
                    field: "--threads".into(),
                    found: threads.to_string(),
                    expected: format!("1 to {MOST_THREADS}"),
                });
            }
            self.threads = threads;
        }
        if let Some(kv) = flags.kv {
            self.kv = kv;
        }
        if let Some(model) = &flags.model {
            self.model = Some(model.clone());
            self.model_origin = "asked for with --model";
        }
        if let Some(embedder) = &flags.embedder {
            self.embedder = Some(embedder.clone());
        }
        Ok(())
    }

    /// Records what is chosen on a shelf, or that nothing is.
    ///
    /// # Errors
    /// If `settings.json` cannot be read or written.
    pub(crate) fn save_chosen(
        home: &Home,
        shelf: Shelf,
        name: Option<&str>,
    ) -> Result<(), EngineError> {
        let key = match shelf {
            Shelf::Models => "active_model",
            Shelf::Embedders => "embedder",
        };
        let _held = SettingsLock::hold(home)?;
        let path = home.settings();
        let mut values = read_object(&path)?;
        match name {
            Some(name) => values.insert(key.into(), name.into()),
            None => values.remove(key),
        };
        let text = format!("{:#}\n", Value::Object(values));
        write_atomically(&path, text.as_bytes())
    }
}

/// The right to read, change and write `settings.json`, among all programs of this data folder. Released when dropped,
/// also by a kill.
pub struct SettingsLock(#[expect(dead_code, reason = "held, not read")] File);

impl SettingsLock {
    /// Waits until nobody else changes the settings.
    ///
    /// # Errors
    /// If the data folder cannot be made or written.
    pub fn hold(home: &Home) -> Result<SettingsLock, EngineError> {
        std::fs::create_dir_all(&home.path)
            .map_err(EngineError::io("make the folder", &home.path))?;
        let path = home.path.join("settings.lock");
        let file = File::create(&path).map_err(EngineError::io("write", &path))?;
        file.lock().map_err(EngineError::io("lock", &path))?;
        Ok(SettingsLock(file))
    }
}

/// The most threads that are of use here: one for each hardware thread.
pub fn most_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

const KV_WORDS: &str = "auto, f32, f16 or int8";

/// One thread for each core: a second hardware thread of a core brings nothing to a task that waits for memory.
fn default_threads() -> usize {
    let logical = most_threads();
    let physical = sysinfo::System::physical_core_count().unwrap_or(logical);
    physical.clamp(1, logical)
}

fn read_object(path: &Path) -> Result<Map<String, Value>, EngineError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Map::new()),
        Err(error) => return Err(EngineError::io("read", path)(error)),
    };
    serde_json::from_slice(&bytes).map_err(|error| EngineError::Unreadable {
        path: path.to_owned(),
        reason: format!("{error}; expected a JSON object of settings"),
    })
}

/// Typed reads of one settings file; a key with a dot is a key of an inner object.
struct Reader<'a> {
    file: &'a Path,
    values: &'a Map<String, Value>,
}

impl Reader<'_> {
    fn get(&self, key: &str) -> Option<&Value> {
        match key.split_once('.') {
            Some((outer, inner)) => self.values.get(outer)?.get(inner),
            None => self.values.get(key),
        }
        .filter(|value| !value.is_null())
    }

    fn number(&self, key: &str, least: f64, most: f64) -> Result<Option<f64>, EngineError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        match value.as_f64() {
            Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(self.refuse(
                key,
                &value.to_string(),
                &format!("a number from {least} to {most}"),
            )),
        }
    }

    fn text(&self, key: &str) -> Result<Option<String>, EngineError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(self.refuse(key, &other.to_string(), "a text")),
        }
    }

    fn flag(&self, key: &str) -> Result<Option<bool>, EngineError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(self.refuse(key, &other.to_string(), "true or false")),
        }
    }

    fn refuse(&self, key: &str, found: &str, expected: &str) -> EngineError {
        EngineError::Setting {
            key: key.into(),
            origin: format!("`{}`", self.file.display()),
            found: found.into(),
            expected: expected.into(),
        }
    }
}
