//! What the window hands to other programs: links and folders. Nothing else is ever opened.

use crate::desk::Failure;
use std::path::Path;
use tauri::{AppHandle, Runtime, Url};
use tauri_plugin_shell::ShellExt;

/// Shows a folder in the system's file browser; it is made when it is not there yet.
///
/// # Errors
/// If it cannot be made, or the system has no program for it.
pub(crate) fn open_folder<R: Runtime>(app: &AppHandle<R>, folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| {
        Failure::new(format!(
            "cannot make the folder `{}`: {error}",
            folder.display()
        ))
    })?;
    open(app, folder.to_string_lossy().into_owned())
}

/// Opens a link in the system's browser or mail program.
///
/// # Errors
/// If it is not a link to a page or a mail address, or the system has no program for it.
pub(crate) fn open_link<R: Runtime>(app: &AppHandle<R>, url: &str) -> Result<(), Failure> {
    let url = allowed(url).ok_or_else(|| {
        Failure::refused("link: not opened, expected an http, https or mailto address")
    })?;
    open(app, url.into())
}

#[expect(
    deprecated,
    reason = "its successor is a further plugin; this one is asked for here"
)]
fn open<R: Runtime>(app: &AppHandle<R>, target: String) -> Result<(), Failure> {
    app.shell()
        .open(target, None)
        .map_err(|error| Failure::new(format!("the system could not open it: {error}")))
}

fn allowed(url: &str) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    match url.scheme() {
        "http" | "https" => url.host_str().filter(|host| !host.is_empty())?,
        "mailto" => url.path(),
        _ => return None,
    };
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn only_pages_and_mail_addresses_are_opened() {
        for (url, expected) in [
            ("https://example.org/a?b#c", true),
            ("http://localhost:1/", true),
            ("mailto:someone@example.org", true),
            ("HTTPS://EXAMPLE.ORG", true),
            ("file:///etc/passwd", false),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("smb://host/share", false),
            ("ms-settings:", false),
            ("/usr/bin/true", false),
            ("--help", false),
            ("", false),
        ] {
            assert_eq!(allowed(url).is_some(), expected, "{url}");
        }
    }
}
