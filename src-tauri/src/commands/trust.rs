//! What leaves this computer, where things are, copies of them.

use super::Answer;
use super::models::Bytes;
use crate::desk::{Failure, Opening};
use crate::{backup as archive, diagnostics as bundle, files};
use r3mes_engine::api::{Change, OutboundHost};
use std::path::PathBuf;
use tauri::{AppHandle, Runtime, State};

/// A folder the window may open in the system's file browser.
#[derive(Clone, Copy, Debug, serde::Deserialize, specta::Type)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Folder {
    Home,
    Models,
    Logs,
}

#[tauri::command]
#[specta::specta]
pub(crate) fn outbound_hosts() -> Vec<OutboundHost> {
    r3mes_engine::outbound_hosts()
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn open_folder<R: Runtime>(
    app: AppHandle<R>,
    desk: State<'_, Opening>,
    which: Folder,
) -> Answer<()> {
    desk.with(move |desk| {
        let home = desk.engine.settings().home.clone();
        let folder = match which {
            Folder::Home => home.path.clone(),
            Folder::Models => home.models(),
            Folder::Logs => home.logs(),
        };
        files::open_folder(&app, &folder)
    })
    .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn open_link<R: Runtime>(app: AppHandle<R>, url: String) -> Answer<()> {
    files::open_link(&app, &url)
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn backup(desk: State<'_, Opening>, path: PathBuf) -> Answer<Bytes> {
    desk.with(move |desk| archive::write(desk, &path).map(Bytes))
        .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn restore(desk: State<'_, Opening>, path: PathBuf) -> Answer<()> {
    desk.with(move |desk| -> Result<(), Failure> {
        archive::restore(desk, &path)?;
        for change in [Change::Conversations, Change::Settings, Change::Models] {
            (desk.announce)(change);
        }
        Ok(())
    })
    .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn diagnostics(desk: State<'_, Opening>, path: PathBuf) -> Answer<()> {
    desk.with(move |desk| bundle::write(desk, &path)).await
}
