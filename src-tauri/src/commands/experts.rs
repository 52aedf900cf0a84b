//! Experts: what is installed, where they are, and what moves them.

use super::Answer;
use super::models::Bytes;
use crate::desk::{Failure, Opening};
use r3mes_engine::api::{Change, ExpertEntry, ExpertImport, PreloadReport, Tier, TierReport};
use r3mes_engine::{Cancel, EngineError};
use std::path::PathBuf;
use tauri::State;

#[tauri::command]
#[specta::specta]
pub(crate) async fn experts(desk: State<'_, Opening>) -> Answer<Vec<ExpertEntry>> {
    desk.with(|desk| desk.engine.experts().list()).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn tiers(desk: State<'_, Opening>) -> Answer<Vec<TierReport>> {
    desk.with(|desk| desk.engine.experts().tiers()).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn preload_experts(
    desk: State<'_, Opening>,
    ids: Vec<String>,
    tier: Option<Tier>,
) -> Answer<Vec<PreloadReport>> {
    desk.with(move |desk| {
        let loaded_before = desk.engine.loaded();
        let experts = desk.engine.experts();
        let reports = experts.preload(&ids, tier, &Cancel::new(), &mut |_| {});
        if desk.engine.loaded() != loaded_before {
            (desk.announce)(Change::Models);
        }
        reports
    })
    .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn unload_expert(desk: State<'_, Opening>, id: String) -> Answer<()> {
    desk.with(move |desk| desk.engine.experts().unload(&id).map(drop))
        .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn pin_expert(desk: State<'_, Opening>, id: String, pinned: bool) -> Answer<()> {
    desk.with(move |desk| desk.engine.experts().set_pinned(&id, pinned))
        .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn import_expert(
    desk: State<'_, Opening>,
    path: PathBuf,
    id: Option<String>,
) -> Answer<ExpertEntry> {
    desk.with(move |desk| -> Result<ExpertEntry, Failure> {
        let request = ExpertImport {
            path,
            id,
            ..ExpertImport::default()
        };
        let imported = desk.engine.experts().import(&request, &Cancel::new())?;
        imported.ok_or_else(|| Failure::new("the import was cancelled"))
    })
    .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn export_expert(
    desk: State<'_, Opening>,
    id: String,
    path: PathBuf,
) -> Answer<()> {
    desk.with(move |desk| desk.engine.experts().export(&id, &path).map(drop))
        .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn remove_expert(desk: State<'_, Opening>, id: String) -> Answer<Bytes> {
    desk.with(move |desk| -> Result<Bytes, EngineError> {
        desk.engine.experts().remove(&id).map(Bytes)
    })
    .await
}
