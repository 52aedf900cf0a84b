//! Runs the binary with a data folder of its own.

use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Far more than any of these commands needs on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A data folder whose path has spaces and letters beyond ASCII, as people's folders do.
pub struct Home {
    folder: TempDir,
    hub: Option<String>,
}

/// What a run left.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Home {
    /// An empty data folder.
    pub fn new() -> Home {
        Home {
            folder: TempDir::with_prefix("Şükrü Öğüt ").expect("a temporary folder"),
            hub: None,
        }
    }

    /// An empty data folder whose hub answers at `endpoint`, with short waits.
    pub fn with_hub(endpoint: &str) -> Home {
        let mut home = Home::new();
        home.hub = Some(endpoint.to_owned());
        home.write_settings(
            r#"{"download": {"stall_seconds": 0.5, "first_wait_seconds": 0.01, "longest_wait_seconds": 0.05, "tries": 4}}"#,
        );
        home
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn write_settings(&self, json: &str) {
        std::fs::write(self.path().join("settings.json"), json).expect("settings are written");
    }

    /// The binary with this data folder and none of the caller's settings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_r3mes"));
        command.args(arguments).stdin(Stdio::null());
        for name in [
            "R3MES_MODEL",
            "R3MES_EMBEDDER",
            "R3MES_THREADS",
            "R3MES_KV",
            "R3MES_ISA",
            "HF_TOKEN",
            "HUGGING_FACE_HUB_TOKEN",
            "HF_HUB_OFFLINE",
            "ALL_PROXY",
            "all_proxy",
            "HTTPS_PROXY",
            "https_proxy",
            "HTTP_PROXY",
            "http_proxy",
            "NO_PROXY",
            "no_proxy",
        ] {
            command.env_remove(name);
        }
        command.env("R3MES_HOME", self.path());
        command.env("HF_HOME", self.path().join("no hub folder"));
        // Without a stand-in nothing may leave this computer.
        command.env(
            "HF_ENDPOINT",
            self.hub.as_deref().unwrap_or("http://127.0.0.1:9"),
        );
        command
    }

    /// Runs to the end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().expect("the binary starts"))
    }

    /// Runs to the end with `input` on stdin.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut stdin = child.stdin.take().expect("stdin is piped");
        stdin.write_all(input.as_bytes()).expect("the binary reads");
        drop(stdin);
        Ran::of(child.wait_with_output().expect("the binary ends"))
    }

    /// Runs, expects success, and reads stdout as JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}\n{}", ran.stderr);
        ran.json()
    }

    /// Starts and leaves running.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts")
    }
}

impl Ran {
    pub fn of(output: Output) -> Ran {
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!(
                "{error} in stdout:\n{}\nstderr:\n{}",
                self.stdout, self.stderr
            )
        })
    }
}

/// A tiny random model, written once for all tests.
pub fn tiny_model() -> PathBuf {
    static MODEL: OnceLock<TempDir> = OnceLock::new();
    let folder = MODEL.get_or_init(|| {
        let folder = TempDir::new().expect("a temporary folder");
        let out = folder.path().join("tiny");
        let out = out.to_str().expect("temporary paths are UTF-8");
        let ran = Home::new().run(&[
            "debug", "synth", "--shape", "tiny", "--seed", "1", "--out", out,
        ]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        folder
    });
    folder.path().join("tiny")
}

/// Its path as an argument.
pub fn tiny() -> String {
    tiny_model()
        .to_str()
        .expect("temporary paths are UTF-8")
        .to_owned()
}

/// A tiny random encoder, kept with the vectors that it should give.
pub fn tiny_embedder() -> PathBuf {
    let kept = "../../../tests/reference/embedding/tiny-bert";
    Path::new(env!("CARGO_MANIFEST_DIR")).join(kept)
}

/// Waits until `found` gives something.
pub fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(found) = found() {
            return found;
        }
        std::thread::yield_now();
    }
    panic!("{what} did not come within {PATIENCE:?}");
}
