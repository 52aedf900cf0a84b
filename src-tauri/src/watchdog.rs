//! Notices a window that never painted: reloads it once, then says what to try.

use crate::webkit;
use r3mes_engine::Home;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tauri::{AppHandle, Manager, Runtime};
use tauri_plugin_dialog::{DialogExt, MessageDialogKind};

/// A cold start on a slow disk takes a few seconds; a page that needs longer than this has most likely failed.
const PATIENCE: Duration = Duration::from_secs(25);
const LOOK: Duration = Duration::from_millis(200);

/// Whether the page has painted.
#[derive(Clone, Default)]
pub(crate) struct Painted(Arc<AtomicBool>, Arc<std::sync::OnceLock<Instant>>);

impl Painted {
    /// The page has painted.
    pub fn note(&self) {
        if !self.0.swap(true, Ordering::AcqRel)
            && let Some(started) = self.1.get()
        {
            tracing::info!(ms = started.elapsed().as_millis() as u64, "painted");
        }
    }

    /// Whether it did so within `patience`.
    fn waited(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        while Instant::now() < until {
            if self.0.load(Ordering::Acquire) {
                return true;
            }
            std::thread::sleep(LOOK);
        }
        self.0.load(Ordering::Acquire)
    }
}

/// A window that nobody sees need not paint.
fn is_out_of_sight<R: Runtime>(app: &AppHandle<R>) -> bool {
    app.get_webview_window(crate::window::MAIN)
        .is_none_or(|window| {
            window.is_minimized().unwrap_or(false) || !window.is_visible().unwrap_or(true)
        })
}

/// Watches the first paint.
pub(crate) fn watch<R: Runtime>(app: AppHandle<R>, home: Home) {
    let painted = Painted::default();
    // Set once, here.
    let _first = painted.1.set(Instant::now());
    app.manage(painted.clone());
    std::thread::spawn(move || {
        if painted.waited(PATIENCE) || is_out_of_sight(&app) {
            return;
        }
        tracing::warn!("the window has not painted; it is reloaded");
        if let Some(window) = app.get_webview_window(crate::window::MAIN)
            && let Err(error) = window.reload()
        {
            tracing::warn!("the window could not be reloaded: {error}");
        }
        if painted.waited(PATIENCE) || is_out_of_sight(&app) {
            return;
        }
        tracing::error!("the window stays blank");
        webkit::remember_blank(&home);
        let advice = webkit::advice(&home);
        app.dialog()
            .message(advice)
            .title("R3MES Desktop")
            .kind(MessageDialogKind::Error)
            .show(|_| {});
    });
}
