//! How questions are routed and how adapters are kept, as the window shows and changes it.

use crate::desk::Failure;
use crate::settings::{change_with, put_at};
use r3mes_engine::Engine;
use r3mes_engine::router::Tuning;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};
use specta_typescript::Number;
use tauri::{AppHandle, Runtime};

/// The numbers in use, or the documented ones.
#[derive(Clone, Debug, PartialEq, Serialize, specta::Type)]
pub(crate) struct ExpertSettings {
    pub router_enabled: bool,
    #[specta(type = Number)]
    pub keyword_weight: f64,
    #[specta(type = Number)]
    pub semantic_weight: f64,
    #[specta(type = Number)]
    pub fast_path: f64,
    #[specta(type = Number)]
    pub fallback: f64,
    #[specta(type = Number)]
    pub reject: f64,
    pub preload: bool,
    /// None: as much as the machine has to spare.
    #[specta(type = Option<Number>)]
    pub ram_budget_bytes: Option<u64>,
    #[specta(type = Option<Number>)]
    pub vram_budget_bytes: Option<u64>,
}

/// Both.
#[derive(Clone, Debug, PartialEq, Serialize, specta::Type)]
pub(crate) struct ExpertSettingsView {
    pub now: ExpertSettings,
    pub defaults: ExpertSettings,
}

/// Some of them, to be changed; what is absent stays, a budget of null is measured again.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, specta::Type)]
#[serde(default)]
pub(crate) struct ExpertSettingsChanges {
    #[specta(optional)]
    pub router_enabled: Option<bool>,
    #[specta(optional, type = Option<Number>)]
    pub keyword_weight: Option<f64>,
    #[specta(optional, type = Option<Number>)]
    pub semantic_weight: Option<f64>,
    #[specta(optional, type = Option<Number>)]
    pub fast_path: Option<f64>,
    #[specta(optional, type = Option<Number>)]
    pub fallback: Option<f64>,
    #[specta(optional, type = Option<Number>)]
    pub reject: Option<f64>,
    #[specta(optional)]
    pub preload: Option<bool>,
    #[serde(deserialize_with = "given")]
    #[specta(optional, type = Option<Number>)]
    pub ram_budget_bytes: Option<Option<u64>>,
    #[serde(deserialize_with = "given")]
    #[specta(optional, type = Option<Number>)]
    pub vram_budget_bytes: Option<Option<u64>>,
}

/// A null that was given is told from a field that was not.
fn given<'de, D: Deserializer<'de>>(values: D) -> Result<Option<Option<u64>>, D::Error> {
    Option::deserialize(values).map(Some)
}

/// What is in use and what is documented.
///
/// # Errors
/// If there is no router.
pub(crate) fn view(engine: &Engine) -> Result<ExpertSettingsView, Failure> {
    let settings = engine.settings();
    let experts = &settings.experts;
    let shown =
        |tuning: Tuning, enabled, preload, ram_budget_bytes, vram_budget_bytes| ExpertSettings {
            router_enabled: enabled,
            keyword_weight: shortest(tuning.keyword_weight),
            semantic_weight: shortest(tuning.semantic_weight),
            fast_path: shortest(tuning.fast_path),
            fallback: shortest(tuning.fallback),
            reject: shortest(tuning.reject),
            preload,
            ram_budget_bytes,
            vram_budget_bytes,
        };
    Ok(ExpertSettingsView {
        now: shown(
            engine.router()?.tuning(),
            settings.router.enabled,
            experts.preload,
            experts.budget.ram_bytes,
            experts.budget.vram_bytes,
        ),
        defaults: shown(Tuning::default(), true, true, None, None),
    })
}

/// Changes some of them, on disk and in the engine.
///
/// # Errors
/// If a value is out of range, or the settings cannot be read or written; nothing is changed then.
pub(crate) fn change<R: Runtime>(
    app: &AppHandle<R>,
    engine: &Engine,
    changes: &ExpertSettingsChanges,
) -> Result<(), Failure> {
    let usual = Tuning::default();
    let number = |value: Option<f64>, usual: f32| {
        value.map(|value| Some(json!(value)).filter(|_| (value - shortest(usual)).abs() > 1e-9))
    };
    let flag = |value: Option<bool>| value.map(|value| Some(json!(value)).filter(|_| !value));
    let bytes = |value: Option<Option<u64>>| value.map(|value| value.map(|bytes| json!(bytes)));
    let changed: [(&str, Option<Option<Value>>); 9] = [
        ("router.enabled", flag(changes.router_enabled)),
        (
            "router.keyword_weight",
            number(changes.keyword_weight, usual.keyword_weight),
        ),
        (
            "router.semantic_weight",
            number(changes.semantic_weight, usual.semantic_weight),
        ),
        (
            "router.fast_path",
            number(changes.fast_path, usual.fast_path),
        ),
        ("router.fallback", number(changes.fallback, usual.fallback)),
        ("router.reject", number(changes.reject, usual.reject)),
        ("experts.preload", flag(changes.preload)),
        ("experts.ram_budget_bytes", bytes(changes.ram_budget_bytes)),
        (
            "experts.vram_budget_bytes",
            bytes(changes.vram_budget_bytes),
        ),
    ];
    change_with(app, engine, &|before, _| {
        let mut after = before.clone();
        for (path, value) in &changed {
            if let Some(value) = value {
                put_at(&mut after, path, value.clone());
            }
        }
        after
    })
}

/// The decimal that a person wrote, not the nearest binary number.
fn shortest(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}
