//! Settings.

use super::Answer;
use crate::desk::Opening;
use crate::settings::{AppSettings, SettingsChanges, change, view};
use r3mes_engine::api::Change;
use tauri::{AppHandle, Runtime, State};

#[tauri::command]
#[specta::specta]
pub(crate) async fn settings<R: Runtime>(
    app: AppHandle<R>,
    desk: State<'_, Opening>,
) -> Answer<AppSettings> {
    desk.with(move |desk| view(&app, &desk.engine)).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn save_settings<R: Runtime>(
    app: AppHandle<R>,
    desk: State<'_, Opening>,
    changes: SettingsChanges,
) -> Answer<AppSettings> {
    desk.with(move |desk| {
        change(&app, &desk.engine, &changes)?;
        (desk.announce)(Change::Settings);
        view(&app, &desk.engine)
    })
    .await
}
