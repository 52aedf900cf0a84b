//! Long work.

use super::Answer;
use crate::desk::Opening;
use r3mes_engine::EngineError;
use r3mes_engine::api::Job;
use tauri::State;

#[tauri::command]
#[specta::specta]
pub(crate) async fn jobs(desk: State<'_, Opening>) -> Answer<Vec<Job>> {
    desk.with(|desk| Ok::<_, EngineError>(desk.jobs.list()))
        .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn pause_job(desk: State<'_, Opening>, id: String) -> Answer<()> {
    desk.with(move |desk| desk.jobs.pause(&id)).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn resume_job(desk: State<'_, Opening>, id: String) -> Answer<()> {
    desk.with(move |desk| desk.jobs.resume(&id).map(|_| ()))
        .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn cancel_job(desk: State<'_, Opening>, id: String) -> Answer<()> {
    desk.with(move |desk| desk.jobs.cancel(&id)).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn dismiss_job(desk: State<'_, Opening>, id: String) -> Answer<()> {
    desk.with(move |desk| desk.jobs.dismiss(&id)).await
}
