//! The first and the last words of the page.

use super::Answer;
use crate::desk::{Desk, Failure, Opening};
use crate::settings::{AppSettings, view};
use crate::{redact, watchdog};
use r3mes_engine::api::conversation::{ConversationSummary, Preset};
use serde::Serialize;
use tauri::{AppHandle, Manager, Runtime, State};

/// The longest report of the page that is kept.
const MOST_REPORT_CHARS: usize = 2000;

/// Everything the first paint needs.
#[derive(Clone, Debug, PartialEq, Serialize, specta::Type)]
pub(crate) struct Start {
    pub version: String,
    pub settings: AppSettings,
    pub conversations: Vec<ConversationSummary>,
    pub presets: Vec<Preset>,
    pub active_model: String,
    pub home: String,
    /// What the last start lost and a person should know of.
    pub notices: Vec<String>,
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn start<R: Runtime>(
    app: AppHandle<R>,
    desk: State<'_, Opening>,
) -> Answer<Start> {
    let own = app.clone();
    let started = desk.with(move |desk| first_paint(&own, desk)).await;
    if started.is_err() {
        // The page says why in words; it is not blank.
        painted(app);
    }
    started
}

fn first_paint<R: Runtime>(app: &AppHandle<R>, desk: &Desk) -> Result<Start, Failure> {
    Ok(Start {
        version: env!("CARGO_PKG_VERSION").into(),
        settings: view(app, &desk.engine)?,
        conversations: desk.store.list()?,
        presets: desk.store.presets()?,
        active_model: desk.active_model(),
        home: desk.engine.settings().home.path.display().to_string(),
        notices: desk.notices.clone(),
    })
}

#[tauri::command]
#[specta::specta]
pub(crate) fn painted<R: Runtime>(app: AppHandle<R>) {
    if let Some(painted) = app.try_state::<watchdog::Painted>() {
        painted.note();
    }
}

#[tauri::command]
#[specta::specta]
pub(crate) fn report(problem: String) {
    let problem: String = problem.chars().take(MOST_REPORT_CHARS).collect();
    tracing::error!("the page reports: {}", redact::without_quotes(&problem));
}
