//! Conversations, messages and presets.

use super::Answer;
use crate::desk::Opening;
use r3mes_engine::api::conversation::{
    Conversation, ConversationSummary, ExportFormat, Preset, SamplingOverrides, SearchHit,
};
use std::path::PathBuf;
use tauri::State;

#[tauri::command]
#[specta::specta]
pub(crate) async fn list_conversations(
    desk: State<'_, Opening>,
) -> Answer<Vec<ConversationSummary>> {
    desk.with(|desk| desk.store.list()).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn open_conversation(
    desk: State<'_, Opening>,
    id: String,
) -> Answer<Conversation> {
    desk.with(move |desk| desk.store.load(&id)).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn create_conversation(desk: State<'_, Opening>) -> Answer<ConversationSummary> {
    desk.with(|desk| desk.store.create()).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn rename_conversation(
    desk: State<'_, Opening>,
    id: String,
    title: String,
) -> Answer<()> {
    desk.with(move |desk| desk.store.rename(&id, &title)).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn pin_conversation(
    desk: State<'_, Opening>,
    id: String,
    pinned: bool,
) -> Answer<()> {
    desk.with(move |desk| desk.store.set_pinned(&id, pinned))
        .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn trash_conversation(desk: State<'_, Opening>, id: String) -> Answer<()> {
    desk.with(move |desk| desk.store.trash(&id)).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn restore_conversation(desk: State<'_, Opening>, id: String) -> Answer<()> {
    desk.with(move |desk| desk.store.restore(&id)).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn list_trash(desk: State<'_, Opening>) -> Answer<Vec<ConversationSummary>> {
    desk.with(|desk| desk.store.list_trash()).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn empty_trash(desk: State<'_, Opening>) -> Answer<u32> {
    desk.with(|desk| desk.store.empty_trash().map(|count| count as u32))
        .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn trash_message(
    desk: State<'_, Opening>,
    conversation: String,
    message: String,
) -> Answer<()> {
    desk.with(move |desk| desk.store.trash_message(&conversation, &message))
        .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn restore_message(
    desk: State<'_, Opening>,
    conversation: String,
    message: String,
) -> Answer<()> {
    desk.with(move |desk| desk.store.restore_message(&conversation, &message))
        .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn show_branch(
    desk: State<'_, Opening>,
    conversation: String,
    leaf: String,
) -> Answer<()> {
    desk.with(move |desk| desk.store.show_branch(&conversation, &leaf))
        .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn save_draft(
    desk: State<'_, Opening>,
    conversation: String,
    text: String,
) -> Answer<()> {
    desk.with(move |desk| desk.store.save_draft(&conversation, &text))
        .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn save_parameters(
    desk: State<'_, Opening>,
    conversation: String,
    system_prompt: String,
    preset_id: Option<String>,
    sampling: SamplingOverrides,
) -> Answer<()> {
    desk.with(move |desk| {
        let preset = preset_id.as_deref();
        desk.store
            .save_parameters(&conversation, &system_prompt, preset, &sampling)
    })
    .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn search_messages(
    desk: State<'_, Opening>,
    query: String,
) -> Answer<Vec<SearchHit>> {
    desk.with(move |desk| desk.store.search(&query)).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn export_conversation(
    desk: State<'_, Opening>,
    id: String,
    format: ExportFormat,
    path: PathBuf,
) -> Answer<()> {
    desk.with(move |desk| desk.store.export(&id, format, &path))
        .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn export_everything(desk: State<'_, Opening>, path: PathBuf) -> Answer<()> {
    desk.with(move |desk| desk.store.export_everything(&path))
        .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn import_conversations(
    desk: State<'_, Opening>,
    path: PathBuf,
) -> Answer<Vec<ConversationSummary>> {
    desk.with(move |desk| desk.store.import(&path)).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn list_presets(desk: State<'_, Opening>) -> Answer<Vec<Preset>> {
    desk.with(|desk| desk.store.presets()).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn save_preset(desk: State<'_, Opening>, preset: Preset) -> Answer<Preset> {
    desk.with(move |desk| desk.store.save_preset(&preset)).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn delete_preset(desk: State<'_, Opening>, id: String) -> Answer<()> {
    desk.with(move |desk| desk.store.delete_preset(&id)).await
}
