//! Questions and their answers.

use super::Answer;
use crate::desk::{Desk, Failure, Opening};
use r3mes_engine::EngineError;
use r3mes_engine::api::{AskRequest, Change, ChatEvent, ContextUse};
use tauri::State;
use tauri::ipc::Channel;

#[tauri::command]
#[specta::specta]
pub(crate) async fn ask(
    desk: State<'_, Opening>,
    request: AskRequest,
    on_event: Channel<ChatEvent>,
) -> Answer<()> {
    desk.with(move |desk| told(desk, &on_event, |events| desk.chat.ask(&request, events)))
        .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn regenerate(
    desk: State<'_, Opening>,
    conversation: String,
    question: String,
    on_event: Channel<ChatEvent>,
) -> Answer<()> {
    desk.with(move |desk| {
        told(desk, &on_event, |events| {
            desk.chat.regenerate(&conversation, &question, events)
        })
    })
    .await
}

/// Not awaited behind other work: a stop must be immediate.
#[tauri::command]
#[specta::specta]
pub(crate) fn stop(desk: State<'_, Opening>, answer: String) {
    if let Some(desk) = desk.ready() {
        desk.chat.stop(&answer);
    }
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn context_use(
    desk: State<'_, Opening>,
    conversation: String,
    leaf: Option<String>,
    draft: String,
) -> Answer<ContextUse> {
    desk.with(move |desk| {
        desk.chat
            .context_use(&conversation, leaf.as_deref(), &draft)
    })
    .await
}

/// Answers into the channel. A page that was reloaded or closed hears nothing; the answer is made and stored all the same.
fn told(
    desk: &Desk,
    channel: &Channel<ChatEvent>,
    answer: impl FnOnce(&mut dyn FnMut(ChatEvent)) -> Result<(), EngineError>,
) -> Result<(), Failure> {
    let mut loaded = false;
    let result = answer(&mut |event| {
        if !loaded && matches!(event, ChatEvent::Prefill { .. } | ChatEvent::Token { .. }) {
            loaded = true;
            (desk.announce)(Change::Models);
        }
        let _page_gone = channel.send(event);
    });
    (desk.announce)(Change::Conversations);
    Ok(result?)
}
