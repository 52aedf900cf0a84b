//! Models: what is there, what could be, which one answers; and the machine they run on.

use super::Answer;
use crate::desk::Opening;
use r3mes_engine::api::{Change, ChatEvent, DoctorReport, Job, Loading, ModelsView, PullRequest};
use r3mes_engine::{Cancel, EngineError};
use std::path::PathBuf;
use tauri::State;
use tauri::ipc::Channel;

#[tauri::command]
#[specta::specta]
pub(crate) async fn models(desk: State<'_, Opening>) -> Answer<ModelsView> {
    desk.with(|desk| -> Result<ModelsView, EngineError> {
        let models = desk.engine.models();
        Ok(ModelsView {
            installed: models.list(Some(&desk.active_model()))?,
            unfinished: models.unfinished()?,
            known: models.known(desk.engine.memory())?,
            loaded: desk.engine.loaded(),
        })
    })
    .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn use_model(desk: State<'_, Opening>, name: String) -> Answer<()> {
    desk.with(move |desk| -> Result<(), EngineError> {
        desk.engine.models().choose(&name)?;
        desk.engine.read_settings_again()?;
        (desk.announce)(Change::Models);
        Ok(())
    })
    .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn warm_model(
    desk: State<'_, Opening>,
    on_event: Channel<ChatEvent>,
) -> Answer<()> {
    desk.with(move |desk| {
        let warmed = desk.engine.warm(&Cancel::new(), &mut |loading| {
            let Loading { phase, done, total } = loading;
            let _page_gone = on_event.send(ChatEvent::Loading { phase, done, total });
        });
        (desk.announce)(Change::Models);
        warmed
    })
    .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn pull_model(
    desk: State<'_, Opening>,
    repo: String,
    file: Option<String>,
) -> Answer<Job> {
    let request = PullRequest {
        repo,
        file,
        ..PullRequest::default()
    };
    desk.with(move |desk| desk.jobs.pull(request)).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn import_model(desk: State<'_, Opening>, path: PathBuf) -> Answer<Job> {
    desk.with(move |desk| desk.jobs.import(path)).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn verify_model(desk: State<'_, Opening>, name: String) -> Answer<Job> {
    desk.with(move |desk| desk.jobs.verify(name)).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn remove_model(desk: State<'_, Opening>, name: String) -> Answer<Bytes> {
    desk.with(move |desk| -> Result<Bytes, EngineError> {
        let (removed, freed) = desk.engine.models().remove(&name)?;
        if desk.active_model() == removed {
            desk.engine.models().choose(r3mes_engine::BUILTIN)?;
            desk.engine.read_settings_again()?;
        }
        (desk.announce)(Change::Models);
        Ok(Bytes(freed))
    })
    .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn doctor(desk: State<'_, Opening>) -> Answer<DoctorReport> {
    desk.with(|desk| Ok::<_, EngineError>(desk.engine.doctor()))
        .await
}

/// A size, as a JavaScript number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, specta::Type)]
#[serde(transparent)]
pub(crate) struct Bytes(#[specta(type = specta_typescript::Number)] pub u64);
