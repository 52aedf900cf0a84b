//! Known troubles of WebKitGTK, worked around by its own environment variables: only where needed, never over a value
//! that the person set.
//!
//! | variable | when | why |
//! |---|---|---|
//! | `WEBKIT_DISABLE_DMABUF_RENDERER=1` | NVIDIA's own driver is loaded, or the last start stayed blank | its buffers cannot be shared with the web process: the window stays blank or the program ends with a GBM error |
//! | the same | there is no device that draws (`/dev/dri`) | the processor then plays the part of one: the first paint took 10 s instead of 1 s on a busy machine |
//! | `WEBKIT_DISABLE_COMPOSITING_MODE=1` | the last start stayed blank | no accelerated compositing at all: slower and safest |
//! | `__NV_DISABLE_EXPLICIT_SYNC=1` | NVIDIA's own driver on Wayland | explicit sync ends the connection with `Error 71 (Protocol error)` |
//!
//! A program cannot change its own environment safely once threads run, so it starts itself again with the new one.

use r3mes_engine::Home;
use std::path::PathBuf;

/// What decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Facts {
    nvidia: bool,
    /// Nothing but the processor draws: a virtual machine, a remote desktop.
    software: bool,
    wayland: bool,
    /// The last start of this version never painted.
    blank: bool,
}

/// Starts the program again with what WebKitGTK needs here, if it needs anything.
pub(crate) fn fix_environment(home: &Home) {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::process::CommandExt;
        let facts = Facts {
            nvidia: std::path::Path::new("/proc/driver/nvidia/version").exists(),
            software: !draws(std::path::Path::new("/dev/dri")),
            wayland: std::env::var_os("WAYLAND_DISPLAY").is_some(),
            blank: was_blank(home),
        };
        let missing = needed(facts, &|name| std::env::var_os(name).is_some());
        if missing.is_empty() {
            return;
        }
        let Ok(own) = std::env::current_exe() else {
            return;
        };
        let error = std::process::Command::new(own)
            .args(std::env::args_os().skip(1))
            .envs(missing)
            .exec();
        // It goes on without them: many machines manage.
        eprintln!("the program could not start itself again: {error}");
    }
    #[cfg(not(target_os = "linux"))]
    let _nothing_to_fix = (home, needed(Facts::default(), &|_| true));
}

/// Whether a device that draws is listed there.
#[cfg(target_os = "linux")]
fn draws(devices: &std::path::Path) -> bool {
    std::fs::read_dir(devices).is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("renderD"))
    })
}

/// The variables to set; one that is set already, to whatever, is the person's own choice.
fn needed(facts: Facts, is_set: &dyn Fn(&str) -> bool) -> Vec<(&'static str, &'static str)> {
    [
        (
            "WEBKIT_DISABLE_DMABUF_RENDERER",
            facts.nvidia || facts.software || facts.blank,
        ),
        ("WEBKIT_DISABLE_COMPOSITING_MODE", facts.blank),
        ("__NV_DISABLE_EXPLICIT_SYNC", facts.nvidia && facts.wayland),
    ]
    .into_iter()
    .filter(|(name, wanted)| *wanted && !is_set(name))
    .map(|(name, _)| (name, "1"))
    .collect()
}

/// Notes that this version stayed blank here, for its next start.
pub(crate) fn remember_blank(home: &Home) {
    if let Err(error) = std::fs::write(mark(home), env!("CARGO_PKG_VERSION")) {
        tracing::warn!("the blank window could not be noted: {error}");
    }
}

fn was_blank(home: &Home) -> bool {
    // Another version may do without.
    std::fs::read_to_string(mark(home)).is_ok_and(|version| version == env!("CARGO_PKG_VERSION"))
}

fn mark(home: &Home) -> PathBuf {
    home.path.join("window-stayed-blank")
}

/// What a person can do about a window that stays blank.
pub(crate) fn advice(home: &Home) -> String {
    let system = match cfg!(target_os = "linux") {
        true => {
            "Start it again: it will then use the slower, safer way of drawing. If that does not help, update the graphics \
             driver and WebKitGTK (webkit2gtk-4.1), or start it with GDK_BACKEND=x11."
        }
        false => "Start it again. If that does not help, update the system's web view.",
    };
    format!(
        "The window could not be drawn.\n\n{system}\n\nYour conversations are safe. What happened is written in {}",
        home.logs().display()
    )
}

#[cfg(test)]
mod tests {
    use super::{Facts, needed};

    #[test]
    fn variables_are_set_only_where_needed_and_never_over_the_persons_own() {
        let calm = Facts::default();
        let nvidia = Facts {
            nvidia: true,
            ..calm
        };
        let software = Facts {
            software: true,
            ..calm
        };
        let wayland = Facts {
            wayland: true,
            ..nvidia
        };
        let blank = Facts {
            blank: true,
            ..calm
        };
        let [dmabuf, compositing, sync] = [
            "WEBKIT_DISABLE_DMABUF_RENDERER",
            "WEBKIT_DISABLE_COMPOSITING_MODE",
            "__NV_DISABLE_EXPLICIT_SYNC",
        ];
        let nothing: &[&str] = &[];
        for (facts, set, expected) in [
            (calm, nothing, nothing),
            (nvidia, nothing, &[dmabuf]),
            (software, nothing, &[dmabuf]),
            (software, &[dmabuf], nothing),
            (wayland, nothing, &[dmabuf, sync]),
            (wayland, &[dmabuf], &[sync]),
            (blank, nothing, &[dmabuf, compositing]),
            (blank, &[dmabuf, compositing], nothing),
        ] {
            let found = needed(facts, &|name| set.contains(&name));
            let names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, expected, "{facts:?}, {set:?} set");
        }
    }
}
