//! The router: who would be asked, its numbers, and what it learns from labels.

use super::Answer;
use crate::desk::Opening;
use crate::expert_settings::{
    ExpertSettings, ExpertSettingsChanges, ExpertSettingsView, change, view,
};
use r3mes_engine::api::{Change, ExpertLabel, RefitReport, Route, RouteFileReport, RouterLabels};
use std::path::PathBuf;
use tauri::{AppHandle, Runtime, State};

#[tauri::command]
#[specta::specta]
pub(crate) async fn route_question(desk: State<'_, Opening>, text: String) -> Answer<Route> {
    desk.with(move |desk| desk.engine.route(&text)).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn route_file(desk: State<'_, Opening>, path: PathBuf) -> Answer<RouteFileReport> {
    desk.with(move |desk| desk.engine.route_file(&path)).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn expert_settings(desk: State<'_, Opening>) -> Answer<ExpertSettingsView> {
    desk.with(|desk| view(&desk.engine)).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn save_expert_settings<R: Runtime>(
    app: AppHandle<R>,
    desk: State<'_, Opening>,
    changes: ExpertSettingsChanges,
) -> Answer<ExpertSettings> {
    desk.with(move |desk| {
        change(&app, &desk.engine, &changes)?;
        (desk.announce)(Change::Settings);
        view(&desk.engine).map(|view| view.now)
    })
    .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn label_answer(
    desk: State<'_, Opening>,
    message: String,
    label: Option<ExpertLabel>,
) -> Answer<()> {
    desk.with(move |desk| desk.store.label_answer(&message, label.as_ref()))
        .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn router_labels(desk: State<'_, Opening>) -> Answer<RouterLabels> {
    desk.with(|desk| desk.engine.router_labels(&desk.store.labels()?))
        .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn refit_router(desk: State<'_, Opening>) -> Answer<RefitReport> {
    desk.with(|desk| desk.engine.refit_router(&desk.store.labels()?))
        .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn undo_refit(desk: State<'_, Opening>) -> Answer<()> {
    desk.with(|desk| desk.engine.undo_refit()).await
}
