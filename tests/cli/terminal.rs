//! `chat` at a real terminal: editing a line, stopping an answer, and the ways to leave.

use crate::support::{Home, PATIENCE, tiny, wait_for};
use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";
const BACKSPACE: &str = "\x7f";
const UP: &str = "\x1b[A";
const LEFT: &str = "\x1b[D";

/// A person in front of a terminal that shows `chat` with the tiny model.
struct Person {
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    screen: Receiver<Vec<u8>>,
    /// What appeared since the last thing that was waited for.
    unread: Vec<u8>,
}

impl Person {
    /// Begins a conversation whose answers have `max_tokens` at most, and waits for the prompt.
    fn begins(home: &Home, max_tokens: &str) -> Person {
        let model = tiny();
        let said = home.command(&[
            "chat",
            "--model",
            &model,
            "--temperature",
            "0",
            "--max-tokens",
            max_tokens,
        ]);
        let mut command = CommandBuilder::new(said.get_program());
        command.args(said.get_args());
        command.env("TERM", "xterm");
        for (name, value) in said.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            }
        }
        let terminal = native_pty_system()
            .openpty(PtySize::default())
            .expect("a terminal");
        let child = terminal
            .slave
            .spawn_command(command)
            .expect("the binary starts");
        let mut output = terminal.master.try_clone_reader().expect("a reader");
        let keyboard = terminal.master.take_writer().expect("a writer");
        let (show, screen) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Reading from a terminal whose program has ended is an error on Linux and the end elsewhere.
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                if show.send(bytes[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        let mut person = Person {
            child,
            keyboard,
            screen,
            unread: Vec::new(),
        };
        person.sees("/help lists commands");
        person.sees_prompt();
        person
    }

    fn types(&mut self, keys: &str) {
        let typed = self.keyboard.write_all(keys.as_bytes());
        typed
            .and_then(|()| self.keyboard.flush())
            .expect("a terminal takes keys");
    }

    /// Waits for `text`; what came before it.
    fn sees(&mut self, text: &str) -> String {
        self.sees_when(text, |unread| {
            unread.find(text).map(|start| start + text.len())
        })
    }

    fn sees_prompt(&mut self) -> String {
        self.sees("> ")
    }

    /// Waits until enough of an answer is there that it cannot be a line about progress.
    fn sees_a_long_answer(&mut self) {
        self.sees_when("a long answer", |unread| {
            let start = unread.rfind("\x1b[2K").unwrap_or(0);
            (unread.len() - start > 200).then_some(unread.len())
        });
    }

    /// Waits until `end` finds where what it looks for ends; takes everything up to there.
    fn sees_when(&mut self, what: &str, end: impl Fn(&str) -> Option<usize>) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let unread = String::from_utf8_lossy(&self.unread).into_owned();
            if let Some(end) = end(&unread) {
                let (seen, rest) = unread.split_at(end);
                self.unread = rest.as_bytes().to_vec();
                return seen.to_owned();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.screen.recv_timeout(left) {
                Ok(bytes) => self.unread.extend(bytes),
                Err(error) => panic!("{what} did not appear ({error}) after {unread:?}"),
            }
        }
    }

    /// Waits for the end of the program; its exit code.
    fn leaves(mut self) -> u32 {
        let child = &mut self.child;
        let status = wait_for("the end", || child.try_wait().expect("a child"));
        status.exit_code()
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        // Most have left by themselves.
        let _ended = self.child.kill();
    }
}

/// What `chat` answers to `lines` without a terminal.
fn piped(max_tokens: &str, lines: &str) -> String {
    let model = tiny();
    let flags = ["chat", "--model", &model, "--temperature", "0"];
    let flags = [&flags[..], &["--max-tokens", max_tokens]].concat();
    let ran = Home::new().run_with_input(&flags, lines);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    ran.stdout.trim_end().replace('\n', "\r\n")
}

#[test]
fn a_line_is_edited_before_it_is_said_and_comes_back_with_the_up_key() {
    let home = Home::new();
    let mut person = Person::begins(&home, "4");
    person.types(&format!(
        "Hğllx{BACKSPACE}o{LEFT}{LEFT}{LEFT}{BACKSPACE}e\r"
    ));
    let answer = piped("4", "Hello\n");
    person.sees(&answer);
    person.sees_prompt();
    person.types("/new\r");
    person.sees("a new conversation");
    person.sees_prompt();
    person.types(&format!("{UP}{UP}\r"));
    person.sees(&answer);
    person.sees_prompt();
    person.types("/exit\r");
    assert_eq!(person.leaves(), 0);
    let history = std::fs::read_to_string(home.path().join("chat-history.txt"));
    assert!(history.is_ok_and(|lines| lines.contains("Hello")));
    let mut next = Person::begins(&home, "4");
    next.types(&format!("{UP}{UP}{UP}\r"));
    next.sees("a new conversation");
    next.sees_prompt();
    next.types(CTRL_D);
    assert_eq!(next.leaves(), 0);
}

#[test]
fn ctrl_c_stops_the_answer_and_keeps_the_conversation() {
    let mut person = Person::begins(&Home::new(), "1000000");
    person.types("Tell me everything\r");
    person.sees_a_long_answer();
    person.types(CTRL_C);
    person.sees("stopped]");
    person.sees_prompt();
    person.types("/set max_tokens 3\r");
    person.sees_prompt();
    person.types("Go on\r");
    person.sees(" 3 tokens");
    person.types("/undo\r");
    person.sees("taken back: Go on");
    person.types("/undo\r");
    person.sees("taken back: Tell me everything");
    person.types("/exit\r");
    assert_eq!(person.leaves(), 0);
}

#[test]
fn ctrl_c_at_the_prompt_clears_the_line_and_twice_on_an_empty_one_leaves_with_130() {
    let mut person = Person::begins(&Home::new(), "4");
    for _ in 0..2 {
        person.types("not this");
        person.sees("not this");
        person.types(CTRL_C);
        person.types("/stats\r");
        person.sees("no answer yet");
        person.sees_prompt();
    }
    person.types(CTRL_C);
    person.sees("Ctrl-C again leaves");
    person.sees_prompt();
    person.types("/stats\r");
    person.sees("no answer yet");
    person.sees_prompt();
    person.types(CTRL_C);
    person.sees("Ctrl-C again leaves");
    person.sees_prompt();
    person.types(CTRL_C);
    assert_eq!(person.leaves(), 130);
}

#[test]
fn a_failed_line_at_a_terminal_does_not_change_the_exit_code() {
    let mut person = Person::begins(&Home::new(), "4");
    person.types("/nonsense\r");
    person.sees("unknown command `/nonsense`");
    person.sees_prompt();
    person.types(CTRL_D);
    assert_eq!(person.leaves(), 0);
}
