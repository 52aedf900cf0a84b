//! `logs/` in the data folder: a file a day, seven of them. No text of a conversation is ever written there.

use r3mes_engine::Home;
use std::panic::PanicHookInfo;
use tracing::Level;
use tracing_appender::rolling::{Builder, Rotation};

const PREFIX: &str = "r3mes-desktop";
const KEPT: usize = 7;

/// Begins to write; a folder that cannot be written leaves the program without a log, not without a start.
pub(crate) fn begin(home: &Home) {
    // The writer complains aloud about a folder that is not there yet; one that cannot be made it reports below.
    let _made = std::fs::create_dir_all(home.logs());
    let appender = Builder::new()
        .rotation(Rotation::DAILY)
        .filename_prefix(PREFIX)
        .filename_suffix("log")
        .max_log_files(KEPT)
        .build(home.logs());
    match appender {
        Ok(appender) => {
            let subscriber = tracing_subscriber::fmt()
                .with_writer(std::sync::Mutex::new(appender))
                .with_ansi(false)
                .with_max_level(Level::INFO)
                .finish();
            if tracing::subscriber::set_global_default(subscriber).is_err() {
                eprintln!("a log is being written already");
            }
        }
        Err(error) => eprintln!("no log: {error}"),
    }
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        os = std::env::consts::OS,
        arch = std::env::consts::ARCH,
        "started"
    );
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        tracing::error!("panicked: {}", described(info));
        before(info);
    }));
}

/// Where it happened and the message, if it was written by us: a formatted one may hold text of a conversation.
fn described(info: &PanicHookInfo<'_>) -> String {
    let message = info.payload().downcast_ref::<&str>();
    let message = message.copied().unwrap_or("(message withheld)");
    match info.location() {
        Some(at) => format!("{}:{}: {message}", at.file(), at.line()),
        None => message.to_owned(),
    }
}
