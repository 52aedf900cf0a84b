//! Questions and their answers.

use super::Answer;
use crate::desk::{Desk, Failure, Opening};
use r3mes_engine::api::{AskRequest, Change, ChatEvent, ContextUse, ExpertChoice};
use r3mes_engine::{Chat, EngineError};
use std::sync::{Arc, mpsc};
use tauri::State;
use tauri::ipc::Channel;

#[tauri::command]
#[specta::specta]
pub(crate) async fn ask(
    desk: State<'_, Opening>,
    request: AskRequest,
    on_event: Channel<ChatEvent>,
) -> Answer<()> {
    desk.with(|desk| {
        begin(desk, on_event, move |chat, events| {
            chat.ask(&request, events)
        })
    })
    .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn regenerate(
    desk: State<'_, Opening>,
    conversation: String,
    question: String,
    experts: ExpertChoice,
    on_event: Channel<ChatEvent>,
) -> Answer<()> {
    desk.with(|desk| {
        begin(desk, on_event, move |chat, events| {
            chat.regenerate(&conversation, &question, experts, events)
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

/// Answers into the channel on a thread of its own, and returns once the question is stored.
///
/// Not when it is answered: a page that is reloaded meanwhile would see its request fail, and the framework would send it
/// a second time. A page that was reloaded or closed hears nothing; the answer is made and stored all the same.
fn begin(
    desk: &Desk,
    channel: Channel<ChatEvent>,
    answer: impl FnOnce(&Chat, &mut dyn FnMut(ChatEvent)) -> Result<(), EngineError> + Send + 'static,
) -> Result<(), Failure> {
    let chat = desk.chat.clone();
    let announce = Arc::clone(&desk.announce);
    let (stored, waiting) = mpsc::channel();
    let started = std::thread::Builder::new()
        .name("r3mes-answer".into())
        .spawn(move || {
            let mut loaded = false;
            let result = answer(&chat, &mut |event| {
                let is_stored = matches!(event, ChatEvent::Stored { .. });
                if !loaded && matches!(event, ChatEvent::Prefill { .. } | ChatEvent::Token { .. }) {
                    loaded = true;
                    announce(Change::Models);
                }
                let _page_gone = channel.send(event);
                if is_stored {
                    let _nobody_waits = stored.send(Ok(()));
                }
            });
            if let Err(error) = result {
                tracing::error!(code = error.code().as_str(), "an answer was not stored");
                let _nobody_waits = stored.send(Err(error));
            }
            announce(Change::Conversations);
        });
    started.map_err(|error| Failure::new(format!("no thread for an answer: {error}")))?;
    let defect = |_| Failure::new("this stopped because of a defect in this program");
    Ok(waiting.recv().map_err(defect)??)
}
