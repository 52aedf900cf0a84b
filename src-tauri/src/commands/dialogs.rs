//! The system's own dialogs. They answer nothing when the person closed them.

use super::Answer;
use crate::desk::Failure;
use std::sync::mpsc::channel;
use tauri::{AppHandle, Runtime};
use tauri_plugin_dialog::{DialogExt, FileDialogBuilder, FilePath};

#[tauri::command]
#[specta::specta]
pub(crate) async fn pick_file<R: Runtime>(
    app: AppHandle<R>,
    title: String,
    extensions: Vec<String>,
) -> Answer<Option<String>> {
    let mut dialog = app.dialog().file().set_title(title);
    if !extensions.is_empty() {
        let names: Vec<&str> = extensions.iter().map(String::as_str).collect();
        dialog = dialog.add_filter(extensions.join(", "), &names);
    }
    picked(dialog, |dialog, answer| dialog.pick_file(answer)).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn pick_folder<R: Runtime>(
    app: AppHandle<R>,
    title: String,
) -> Answer<Option<String>> {
    let dialog = app.dialog().file().set_title(title);
    picked(dialog, |dialog, answer| dialog.pick_folder(answer)).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn pick_save<R: Runtime>(
    app: AppHandle<R>,
    title: String,
    name: String,
) -> Answer<Option<String>> {
    let dialog = app.dialog().file().set_title(title).set_file_name(name);
    picked(dialog, |dialog, answer| dialog.save_file(answer)).await
}

async fn picked<R: Runtime>(
    dialog: FileDialogBuilder<R>,
    show: impl FnOnce(FileDialogBuilder<R>, Box<dyn FnOnce(Option<FilePath>) + Send>),
) -> Answer<Option<String>> {
    let (answer, waiting) = channel();
    show(
        dialog,
        // The other end waits until it has an answer.
        Box::new(move |path| drop(answer.send(path))),
    );
    let waited = tauri::async_runtime::spawn_blocking(move || waiting.recv().ok().flatten());
    let path = waited
        .await
        .map_err(|_| Failure::new("the dialog stopped because of a defect in this program"))?;
    path.map(|path| {
        let path = path
            .into_path()
            .map_err(|error| Failure::new(error.to_string()))?;
        path.into_os_string().into_string().map_err(|path| {
            Failure::refused(format!(
                "`{}` is no readable text and cannot be used as a path here",
                path.display()
            ))
        })
    })
    .transpose()
}
