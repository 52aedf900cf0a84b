//! The one window: there at once, in the colour of its theme, where it was last time.

use crate::settings::{Theme, theme};
use r3mes_engine::Home;
use tauri::window::Color;
use tauri::{AppHandle, Manager, Runtime, WebviewUrl, WebviewWindowBuilder};
use tauri_plugin_window_state::StateFlags;

/// Its label.
pub(crate) const MAIN: &str = "main";

/// The paper of the two themes, as in the page's own style sheet.
const LIGHT: Color = Color(0xFA, 0xF9, 0xF6, 0xFF);
const DARK: Color = Color(0x16, 0x16, 0x18, 0xFF);

/// What of the window is kept from one start to the next.
pub(crate) fn kept() -> StateFlags {
    StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED | StateFlags::FULLSCREEN
}

/// Opens it. The paper is coloured before it is shown, so nothing white flashes up.
///
/// # Errors
/// If the system gives no window.
pub(crate) fn open<R: Runtime>(app: &AppHandle<R>, home: &Home) -> tauri::Result<()> {
    let chosen = match theme(home) {
        Theme::System => None,
        Theme::Light => Some(tauri::Theme::Light),
        Theme::Dark => Some(tauri::Theme::Dark),
    };
    let window = WebviewWindowBuilder::new(app, MAIN, WebviewUrl::default())
        .title("R3MES Desktop")
        .inner_size(1160.0, 780.0)
        .min_inner_size(640.0, 480.0)
        .theme(chosen)
        .background_color(paper(chosen.unwrap_or(tauri::Theme::Light)))
        .visible(false)
        .build()?;
    if chosen.is_none() {
        window.set_background_color(Some(paper(window.theme()?)))?;
    }
    window.show()
}

fn paper(theme: tauri::Theme) -> Color {
    match theme {
        tauri::Theme::Dark => DARK,
        _ => LIGHT,
    }
}

/// Brings it to the front, for a person who started the program a second time.
pub(crate) fn bring_to_front<R: Runtime>(app: &AppHandle<R>) {
    let Some(window) = app.get_webview_window(MAIN) else {
        return;
    };
    for step in [window.unminimize(), window.show(), window.set_focus()] {
        if let Err(error) = step {
            tracing::warn!("the window could not be brought to the front: {error}");
        }
    }
}
