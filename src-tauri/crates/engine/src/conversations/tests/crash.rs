//! The program is killed at any moment. What it had said was stored is there.

use super::*;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Names the data folder of the process that is killed.
const FOLDER: &str = "R3MES_TEST_KILLED_HOME";
const ROUNDS: u64 = 50;

/// Does nothing unless the other test runs it as a process of its own: asks, and keeps a growing answer until it is killed.
#[test]
fn the_process_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let home = Home {
        path: folder.into(),
        reason: "a test",
    };
    let store = Conversations::open(&home).expect("a store");
    for round in 0.. {
        let id = store.create().expect("created").id;
        let asked = store
            .ask(&id, None, &format!("soru {round}"), "tiny")
            .expect("stored");
        println!("\nasked {id} {round}");
        let mut text = String::new();
        for part in 0..20 {
            text.push_str(&format!("parça {part} "));
            store
                .checkpoint_answer(&asked.answer.id, &text)
                .expect("kept");
            println!("kept {id} {}", text.len());
        }
        store
            .finish_answer(&asked.answer.id, &whole(&text))
            .expect("finished");
    }
}

/// The last line of each kind that the process said.
#[derive(Default)]
struct Said {
    asked: Option<(String, String)>,
    kept: Option<(String, usize)>,
}

impl Said {
    fn hear(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["asked", id, round] => {
                self.asked = Some((id.into(), round.into()));
                self.kept = None;
            }
            ["kept", id, bytes] => self.kept = bytes.parse().ok().map(|bytes| (id.into(), bytes)),
            _ => {}
        }
    }
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_stored() {
    let folder = Folder::new();
    let mut conversations = 0;
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args([
                "--exact",
                "conversations::tests::crash::the_process_that_is_killed",
                "--nocapture",
            ])
            .env(FOLDER, folder.home().path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut said = Said::default();
        while said.asked.is_none() {
            said.hear(&lines.next().expect("it asks").expect("readable"));
        }
        // From here on it is killed after 0 to 49 ms, in the middle of whatever it does.
        let until = Instant::now() + Duration::from_millis(round * 31 % 50);
        while Instant::now() < until {
            said.hear(&lines.next().expect("it goes on").expect("readable"));
        }
        child.kill().expect("killed");
        child.wait().expect("ended");
        for line in lines.map_while(Result::ok) {
            said.hear(&line);
        }
        let store = folder.open();
        let list = store.list().expect("a list");
        assert!(list.len() > conversations, "round {round}");
        conversations = list.len();
        let (id, text) = said.asked.expect("it asked");
        let loaded = store.load(&id).expect("the conversation that was asked in");
        assert_eq!(loaded.messages[0].content, format!("soru {text}"));
        let answer = &loaded.messages[1];
        assert_ne!(answer.state, MessageState::Running);
        if let Some((_, bytes)) = said.kept {
            assert!(
                answer.content.len() >= bytes,
                "round {round}: {} of {bytes}",
                answer.content.len()
            );
        }
        assert_whole(&store);
    }
}
