//! What the window may call and hear, and the TypeScript that says so.

use crate::commands::{
    ask, conversations, dialogs, experts, jobs, models, router, settings, start, trust,
};
use r3mes_engine::api::Change;
use serde::{Deserialize, Serialize};
use specta_typescript::Typescript;
use tauri::Runtime;
use tauri_specta::{Builder, collect_commands, collect_events};

/// Something changed; the window reads it again.
#[derive(Clone, Debug, Serialize, Deserialize, specta::Type, tauri_specta::Event)]
pub(crate) struct Changed(pub Change);

/// Every command and event.
pub(crate) fn builder<R: Runtime>() -> Builder<R> {
    Builder::<R>::new()
        .commands(collect_commands![
            start::start::<tauri::Wry>,
            start::painted::<tauri::Wry>,
            start::report,
            conversations::list_conversations,
            conversations::open_conversation,
            conversations::create_conversation,
            conversations::rename_conversation,
            conversations::pin_conversation,
            conversations::trash_conversation,
            conversations::restore_conversation,
            conversations::list_trash,
            conversations::empty_trash,
            conversations::trash_message,
            conversations::restore_message,
            conversations::show_branch,
            conversations::save_draft,
            conversations::save_parameters,
            conversations::search_messages,
            conversations::export_conversation,
            conversations::export_everything,
            conversations::import_conversations,
            conversations::list_presets,
            conversations::save_preset,
            conversations::delete_preset,
            ask::ask,
            ask::regenerate,
            ask::stop,
            ask::context_use,
            models::models,
            models::use_model,
            models::warm_model,
            models::pull_model,
            models::import_model,
            models::verify_model,
            models::remove_model,
            models::doctor,
            experts::experts,
            experts::tiers,
            experts::preload_experts,
            experts::unload_expert,
            experts::pin_expert,
            experts::import_expert,
            experts::export_expert,
            experts::remove_expert,
            router::route_question,
            router::route_file,
            router::expert_settings,
            router::save_expert_settings::<tauri::Wry>,
            router::label_answer,
            router::router_labels,
            router::refit_router,
            router::undo_refit,
            jobs::jobs,
            jobs::pause_job,
            jobs::resume_job,
            jobs::cancel_job,
            jobs::dismiss_job,
            settings::settings::<tauri::Wry>,
            settings::save_settings::<tauri::Wry>,
            trust::outbound_hosts,
            trust::open_folder::<tauri::Wry>,
            trust::open_link::<tauri::Wry>,
            trust::backup,
            trust::restore,
            trust::diagnostics,
            dialogs::pick_file::<tauri::Wry>,
            dialogs::pick_folder::<tauri::Wry>,
            dialogs::pick_save::<tauri::Wry>,
        ])
        .events(collect_events![Changed])
        .dangerously_cast_bigints_to_number()
        .disable_serde_phases()
}

/// The generated file of the window, as it must be committed.
///
/// # Errors
/// If a type cannot be said in TypeScript, or no temporary file can be written.
pub fn typescript() -> Result<String, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join("bindings.ts");
    builder::<tauri::Wry>()
        .export(
            Typescript::default().header("/* eslint-disable */\n// @ts-nocheck\n"),
            &file,
        )
        .map_err(|error| error.to_string())?;
    std::fs::read_to_string(&file).map_err(|error| error.to_string())
}
