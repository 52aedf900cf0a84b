//! `settings.json` as the window sees it: only differences from the compiled-in values, through the store plugin.
//!
//! The engine reads `threads`, `kv`, `max_tokens`, `sampling.*` and `active_model`, and writes the last; the window owns
//! `window.*`. Each change reads the file anew under the settings lock and lets go of it, so that neither side, nor
//! `r3mes` in a terminal, loses what the other wrote. Keys that nobody here knows are kept.

use crate::desk::Failure;
use r3mes_engine::{
    Engine, EngineError, Flags, Home, KvFormat, Settings, SettingsLock, most_threads,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use specta_typescript::Number;
use tauri::{AppHandle, Runtime};
use tauri_plugin_store::StoreBuilder;

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

/// The language of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Language {
    #[default]
    System,
    En,
    Tr,
}

/// What `window` in `settings.json` may hold. A value that cannot be used is the compiled-in one.
#[derive(Clone, Debug, PartialEq)]
struct Look {
    theme: Theme,
    language: Language,
    zoom: f64,
    send_on_enter: bool,
    sidebar_open: bool,
    onboarding_done: bool,
    onboarding_step: u32,
}

impl Default for Look {
    fn default() -> Look {
        Look {
            theme: Theme::System,
            language: Language::System,
            zoom: 1.0,
            send_on_enter: true,
            sidebar_open: true,
            onboarding_done: false,
            onboarding_step: 0,
        }
    }
}

impl Look {
    fn read(values: Option<&Value>) -> Look {
        fn one<T: for<'a> Deserialize<'a>>(values: Option<&Value>, key: &str, default: T) -> T {
            let value = values.and_then(|values| values.get(key));
            value
                .and_then(|value| T::deserialize(value).ok())
                .unwrap_or(default)
        }
        let usual = Look::default();
        Look {
            theme: one(values, "theme", usual.theme),
            language: one(values, "language", usual.language),
            zoom: one(values, "zoom", usual.zoom).clamp(LEAST_ZOOM, MOST_ZOOM),
            send_on_enter: one(values, "send_on_enter", usual.send_on_enter),
            sidebar_open: one(values, "sidebar_open", usual.sidebar_open),
            onboarding_done: one(values, "onboarding_done", usual.onboarding_done),
            onboarding_step: one(values, "onboarding_step", usual.onboarding_step),
        }
    }
}

const LEAST_ZOOM: f64 = 0.75;
const MOST_ZOOM: f64 = 2.0;

/// Every setting of the window and those of the engine it shows.
#[derive(Clone, Debug, PartialEq, Serialize, specta::Type)]
pub(crate) struct AppSettings {
    pub theme: Theme,
    pub language: Language,
    /// Text size factor, 0.75 to 2.
    #[specta(type = Number)]
    pub zoom: f64,
    pub send_on_enter: bool,
    pub sidebar_open: bool,
    pub onboarding_done: bool,
    /// The screen a stopped onboarding goes on with, 0 to 3.
    pub onboarding_step: u32,
    #[specta(type = Number)]
    pub threads: usize,
    #[specta(type = Number)]
    pub most_threads: usize,
    pub kv: KvFormat,
    #[specta(type = Number)]
    pub max_tokens: usize,
    #[specta(type = Number)]
    pub temperature: f64,
    #[specta(type = Number)]
    pub top_p: f64,
    #[specta(type = Number)]
    pub top_k: usize,
    #[specta(type = Number)]
    pub min_p: f64,
    #[specta(type = Number)]
    pub repetition_penalty: f64,
}

impl AppSettings {
    fn new(look: Look, engine: &Settings) -> AppSettings {
        let sampling = &engine.sampling;
        AppSettings {
            theme: look.theme,
            language: look.language,
            zoom: look.zoom,
            send_on_enter: look.send_on_enter,
            sidebar_open: look.sidebar_open,
            onboarding_done: look.onboarding_done,
            onboarding_step: look.onboarding_step,
            threads: engine.threads,
            most_threads: most_threads(),
            kv: engine.kv,
            max_tokens: engine.max_tokens,
            temperature: shortest(sampling.temperature),
            top_p: shortest(sampling.top_p),
            top_k: sampling.top_k,
            min_p: shortest(sampling.min_p),
            repetition_penalty: shortest(sampling.repetition_penalty),
        }
    }
}

/// The decimal that a person wrote, not the nearest binary number: 0.7, not 0.699999988079071.
fn shortest(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}

/// Some settings, to be changed; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(default)]
pub(crate) struct SettingsChanges {
    #[specta(optional)]
    pub theme: Option<Theme>,
    #[specta(optional)]
    pub language: Option<Language>,
    #[specta(optional, type = Option<Number>)]
    pub zoom: Option<f64>,
    #[specta(optional)]
    pub send_on_enter: Option<bool>,
    #[specta(optional)]
    pub sidebar_open: Option<bool>,
    #[specta(optional)]
    pub onboarding_done: Option<bool>,
    #[specta(optional)]
    pub onboarding_step: Option<u32>,
    #[specta(optional, type = Option<Number>)]
    pub threads: Option<usize>,
    #[specta(optional)]
    pub kv: Option<KvFormat>,
    #[specta(optional, type = Option<Number>)]
    pub max_tokens: Option<usize>,
    #[specta(optional, type = Option<Number>)]
    pub temperature: Option<f64>,
    #[specta(optional, type = Option<Number>)]
    pub top_p: Option<f64>,
    #[specta(optional, type = Option<Number>)]
    pub top_k: Option<usize>,
    #[specta(optional, type = Option<Number>)]
    pub min_p: Option<f64>,
    #[specta(optional, type = Option<Number>)]
    pub repetition_penalty: Option<f64>,
}

/// The settings as they are now.
///
/// # Errors
/// If the settings cannot be read.
pub(crate) fn view<R: Runtime>(
    app: &AppHandle<R>,
    engine: &Engine,
) -> Result<AppSettings, Failure> {
    let settings = engine.settings();
    let _held = SettingsLock::hold(&settings.home)?;
    let look = with_store(app, &settings.home, |store| Ok(store.get("window")))?;
    Ok(AppSettings::new(Look::read(look.as_ref()), &settings))
}

/// Changes settings, on disk and in the engine.
///
/// # Errors
/// If a value is out of range, or the settings cannot be read or written; nothing is changed then.
pub(crate) fn change<R: Runtime>(
    app: &AppHandle<R>,
    engine: &Engine,
    changes: &SettingsChanges,
) -> Result<(), Failure> {
    change_with(app, engine, &|before, usual| merged(before, usual, changes))
}

/// What `settings.json` shall hold, from what it holds and the compiled-in values.
type Merge<'a> = &'a dyn Fn(&Map<String, Value>, &Settings) -> Map<String, Value>;

/// Changes what `settings.json` holds to what `merge` makes of it and of the compiled-in values, on disk and in the engine.
///
/// # Errors
/// As [`change`].
pub(crate) fn change_with<R: Runtime>(
    app: &AppHandle<R>,
    engine: &Engine,
    merge: Merge<'_>,
) -> Result<(), Failure> {
    let home = engine.settings().home.clone();
    {
        let _held = SettingsLock::hold(&home)?;
        with_store(app, &home, |store| {
            let before: Map<String, Value> = store.entries().into_iter().collect();
            let after = merge(&before, &Settings::compiled_in(home.clone()));
            Settings::check(&home, &after)?;
            for key in before.keys().filter(|key| !after.contains_key(*key)) {
                store.delete(key);
            }
            for (key, value) in &after {
                if before.get(key) != Some(value) {
                    store.set(key.as_str(), value.clone());
                }
            }
            store
                .save()
                .map_err(|error| Failure::new(format!("the settings cannot be written: {error}")))
        })?;
    }
    engine.read_settings_again()?;
    Ok(())
}

/// Opens the settings, works with them, and lets go of them. The plugin writes what it still holds when the program ends;
/// held longer, it would undo what others wrote.
fn with_store<R: Runtime, T>(
    app: &AppHandle<R>,
    home: &Home,
    work: impl FnOnce(&tauri_plugin_store::Store<R>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let unusable = |error: &dyn std::fmt::Display| {
        Failure::new(format!("the settings cannot be read: {error}"))
    };
    // The plugin takes a file it cannot read for an empty one.
    if let Err(error) = Settings::values(home) {
        return Err(unusable(&error.report()));
    }
    let store = StoreBuilder::new(app, home.settings())
        .disable_auto_save()
        .build()
        .map_err(|error| unusable(&error))?;
    let done = work(&store);
    store.close_resource();
    done
}

/// What `settings.json` holds after the changes; values that are as compiled in leave it.
fn merged(
    before: &Map<String, Value>,
    usual: &Settings,
    changes: &SettingsChanges,
) -> Map<String, Value> {
    let mut after = before.clone();
    let look = Look::default();
    let sampling = &usual.sampling;
    for (path, value, usual) in [
        ("window.theme", json!(changes.theme), json!(look.theme)),
        (
            "window.language",
            json!(changes.language),
            json!(look.language),
        ),
        (
            "window.zoom",
            json!(changes.zoom.map(|zoom| zoom.clamp(LEAST_ZOOM, MOST_ZOOM))),
            json!(look.zoom),
        ),
        (
            "window.send_on_enter",
            json!(changes.send_on_enter),
            json!(look.send_on_enter),
        ),
        (
            "window.sidebar_open",
            json!(changes.sidebar_open),
            json!(look.sidebar_open),
        ),
        (
            "window.onboarding_done",
            json!(changes.onboarding_done),
            json!(look.onboarding_done),
        ),
        (
            "window.onboarding_step",
            json!(changes.onboarding_step),
            json!(look.onboarding_step),
        ),
        ("threads", json!(changes.threads), json!(usual.threads)),
        ("kv", json!(changes.kv), json!(usual.kv)),
        (
            "max_tokens",
            json!(changes.max_tokens),
            json!(usual.max_tokens),
        ),
        (
            "sampling.temperature",
            json!(changes.temperature),
            json!(shortest(sampling.temperature)),
        ),
        (
            "sampling.top_p",
            json!(changes.top_p),
            json!(shortest(sampling.top_p)),
        ),
        (
            "sampling.top_k",
            json!(changes.top_k),
            json!(sampling.top_k),
        ),
        (
            "sampling.min_p",
            json!(changes.min_p),
            json!(shortest(sampling.min_p)),
        ),
        (
            "sampling.repetition_penalty",
            json!(changes.repetition_penalty),
            json!(shortest(sampling.repetition_penalty)),
        ),
    ] {
        if value.is_null() {
            continue;
        }
        let value = Some(value).filter(|value| *value != usual);
        put_at(&mut after, path, value);
    }
    after
}

/// Puts a value at `key` or `group.key`, or takes it away; a group without values goes too.
pub(crate) fn put_at(values: &mut Map<String, Value>, path: &str, value: Option<Value>) {
    match path.split_once('.') {
        None => put(values, path, value),
        Some((outer, inner)) => {
            let held = values.get(outer).and_then(Value::as_object);
            let mut group = held.cloned().unwrap_or_default();
            put(&mut group, inner, value);
            let group = Some(group).filter(|group| !group.is_empty());
            put(values, outer, group.map(Value::Object));
        }
    }
}

fn put(values: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    match value {
        Some(value) => values.insert(key.into(), value),
        None => values.remove(key),
    };
}

/// The settings, or the compiled-in ones when the file cannot be used: it is set aside and the person is told.
///
/// # Errors
/// If a variable holds something that cannot be used, or the file cannot be set aside.
pub(crate) fn read_or_set_aside(home: &Home) -> Result<(Settings, Vec<String>), EngineError> {
    let flags = Flags {
        home: Some(home.path.clone()),
        ..Flags::default()
    };
    let error = match Settings::resolve(&flags) {
        Ok(settings) => return Ok((settings, Vec::new())),
        Err(error) => error,
    };
    let values = Settings::values(home);
    if values.is_ok_and(|values| Settings::check(home, &values).is_ok()) {
        // The file is right; it is a variable that cannot be used.
        return Err(error);
    }
    let aside = home.path.join("settings.unusable.json");
    if std::fs::rename(home.settings(), &aside).is_err() {
        return Err(error);
    }
    tracing::warn!("settings.json could not be used and was set aside");
    let notice = format!(
        "{}\nhint: the settings are as at first; the old file is `{}`",
        error.report(),
        aside.display()
    );
    Ok((Settings::resolve(&flags)?, vec![notice]))
}

/// The theme, before anything else is open.
pub(crate) fn theme(home: &Home) -> Theme {
    let values = Settings::values(home).unwrap_or_default();
    Look::read(values.get("window")).theme
}

#[cfg(test)]
mod tests {
    use super::{AppSettings, Look, SettingsChanges, Theme, merged, shortest};
    use r3mes_engine::{Home, KvFormat, Settings};
    use serde_json::{Map, Value, json};

    fn usual() -> Settings {
        Settings::compiled_in(Home {
            path: "/nowhere".into(),
            reason: "a test",
        })
    }

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn only_differences_from_the_compiled_in_values_are_kept() {
        let changes = SettingsChanges {
            theme: Some(Theme::Dark),
            temperature: Some(0.2),
            top_k: Some(40),
            kv: Some(KvFormat::Auto),
            max_tokens: Some(64),
            ..SettingsChanges::default()
        };
        let before = object(json!({
            "kv": "f16", "active_model": "mine", "unknown": [1],
            "sampling": {"top_k": 3, "min_p": 0.1}, "window": {"zoom": 1.5, "later": true},
        }));
        let expected = json!({
            "active_model": "mine", "unknown": [1], "max_tokens": 64,
            "sampling": {"min_p": 0.1, "temperature": 0.2},
            "window": {"zoom": 1.5, "later": true, "theme": "dark"},
        });
        let after = merged(&before, &usual(), &changes);
        assert_eq!(Value::Object(after), expected);
    }

    #[test]
    fn a_group_that_holds_nothing_any_more_leaves_the_file() {
        let changes = SettingsChanges {
            theme: Some(Theme::System),
            repetition_penalty: Some(1.1),
            ..SettingsChanges::default()
        };
        let before = object(json!({
            "window": {"theme": "light"}, "sampling": {"repetition_penalty": 2},
        }));
        assert!(merged(&before, &usual(), &changes).is_empty());
    }

    #[test]
    fn values_of_the_window_that_cannot_be_used_are_the_compiled_in_ones() {
        let look = Look::read(Some(&json!({
            "theme": "plaid", "zoom": 17, "sidebar_open": "no", "onboarding_step": 2,
        })));
        let expected = Look {
            zoom: 2.0,
            onboarding_step: 2,
            ..Look::default()
        };
        assert_eq!(look, expected);
    }

    #[test]
    fn numbers_are_shown_as_a_person_wrote_them() {
        assert_eq!(shortest(0.7), 0.7);
        assert_eq!(shortest(1.1), 1.1);
        let shown = AppSettings::new(Look::default(), &usual());
        assert_eq!((shown.top_p, shown.top_k), (0.9, 40));
    }
}
