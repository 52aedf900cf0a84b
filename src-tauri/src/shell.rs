//! From the start of the process to its end.

use crate::desk::{Desk, Opening};
use crate::{bindings, log, watchdog, webkit, window};
use r3mes_engine::Home;
use r3mes_engine::api::Change;
use std::sync::Arc;
use std::time::Duration;
use tauri::{AppHandle, Manager, RunEvent, Runtime};
use tauri_specta::Event;

/// Answers that are being made when the program ends have this long to be stored; the rest is marked at the next start.
const FAREWELL: Duration = Duration::from_millis(1500);

/// Opens the window and ends with it.
pub fn run() {
    let home = match Home::find(None, std::env::var_os("R3MES_HOME")) {
        Ok(home) => home,
        Err(error) => {
            eprintln!("{}", error.report());
            std::process::exit(1);
        }
    };
    webkit::fix_environment(&home);
    log::begin(&home);
    let specta = bindings::builder::<tauri::Wry>();
    let places = home.path.join("window-state.json");
    let built = tauri::Builder::default()
        .plugin(single_instance(&home))
        .plugin(tauri_plugin_store::Builder::default().build())
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_shell::init())
        .plugin(
            tauri_plugin_window_state::Builder::default()
                .with_filename(places.to_string_lossy())
                .with_state_flags(window::kept())
                .build(),
        )
        .invoke_handler(specta.invoke_handler())
        .setup(move |app| {
            specta.mount_events(app);
            let opening = Opening::begin(home.clone(), announcer(app.handle()));
            app.manage(opening);
            window::open(app.handle(), &home)?;
            watchdog::watch(app.handle().clone(), home.clone());
            Ok(())
        })
        .build(tauri::generate_context!());
    match built {
        Ok(app) => app.run(|app, event| {
            if let RunEvent::Exit = event {
                farewell(app);
            }
        }),
        Err(error) => {
            tracing::error!("the window cannot be opened: {error}");
            if let tauri::Error::PluginInitialization(plugin, _) = &error
                && plugin == "single-instance"
            {
                start_again();
            }
            eprintln!("the window cannot be opened: {error}");
            std::process::exit(1);
        }
    }
}

/// The first window was on its way out when this one asked it to come to the front: a moment later the place is free.
fn start_again() {
    const TRY: &str = "R3MES_START_TRY";
    const TRIES: u32 = 5;
    let tries: u32 = std::env::var(TRY)
        .ok()
        .and_then(|word| word.parse().ok())
        .unwrap_or(0);
    let Ok(own) = std::env::current_exe() else {
        return;
    };
    if tries >= TRIES {
        return;
    }
    std::thread::sleep(Duration::from_secs(1));
    let started = std::process::Command::new(own)
        .args(std::env::args_os().skip(1))
        .env(TRY, (tries + 1).to_string())
        .status();
    if let Ok(status) = started {
        std::process::exit(status.code().unwrap_or(1));
    }
}

/// A second start brings the first window to the front. Each data folder has its own window.
fn single_instance<R: Runtime>(home: &Home) -> tauri::plugin::TauriPlugin<R> {
    let builder = tauri_plugin_single_instance::Builder::new()
        .callback(|app, _arguments, _folder| window::bring_to_front(app));
    let builder = match std::env::var_os("R3MES_HOME") {
        Some(_) => builder.dbus_id(bus_name(home)),
        None => builder,
    };
    builder.build()
}

/// A name on the session bus that differs between data folders.
fn bus_name(home: &Home) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    home.path.hash(&mut hasher);
    format!("org.r3mes.desktop.h{:016x}", hasher.finish())
}

/// Tells the window that something changed.
pub(crate) fn announcer<R: Runtime>(app: &AppHandle<R>) -> r3mes_engine::Announce {
    let app = app.clone();
    Arc::new(move |change: Change| {
        if let Err(error) = bindings::Changed(change).emit(&app) {
            tracing::warn!("a change could not be announced: {error}");
        }
    })
}

fn farewell<R: Runtime>(app: &AppHandle<R>) {
    let Some(desk) = app.state::<Opening>().ready() else {
        return;
    };
    let Desk { chat, jobs, .. } = &*desk;
    jobs.stop_all();
    if !chat.stop_all(FAREWELL) {
        tracing::warn!("an answer was still being made at the end; it is marked at the next start");
    }
    tracing::info!("ended");
}
