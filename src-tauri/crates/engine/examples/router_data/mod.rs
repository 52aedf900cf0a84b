//! Rows for fitting and judging the router, from the project's data folder (`router`, `qa`, `corpus`, `retrieval`, each `*.jsonl.xz`).
//!
//! Needs the program `xz`.
#![allow(dead_code, reason = "each example uses a part")]

use r3mes_engine::router::CLASS_NAMES;
use r3mes_engine::router::fit::{Kind, Row};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// Most questions of one source and field from the question–answer files, beside those of the router's own file.
const MOST_QUESTIONS: usize = 3000;
/// The same for glossaries, where each row is another term.
const MOST_TERMS: usize = 6000;
/// Most sentences of one source and field.
const MOST_PASSAGES: usize = 4000;
const MOST_ANSWERS: usize = 2500;
const MOST_TITLES: usize = 1500;
/// Bytes of a sentence that is taken.
const SENTENCE: std::ops::RangeInclusive<usize> = 25..=250;

/// A row, and whether it is for judging only.
pub struct Read {
    pub rows: Vec<Row>,
    pub dev: Vec<bool>,
    /// Whether a row is of the router's own train file.
    pub routed: Vec<bool>,
}

/// Everything: labelled questions, weak labels, terms chosen by hand.
pub fn read(data: &Path, terms: &Path) -> Read {
    let mut all = Read {
        rows: Vec::new(),
        dev: Vec::new(),
        routed: Vec::new(),
    };
    let mut seen = HashSet::new();
    for (file, dev) in [("train", false), ("dev", true)] {
        for value in lines(&data.join(format!("router/{file}.jsonl.xz"))) {
            let text = text(&value, "text");
            seen.insert(hash(text));
            let class = class(self::text(&value, "domain"));
            all.add(
                text,
                class,
                self::text(&value, "source"),
                Kind::Question,
                dev,
            );
            all.routed.pop();
            all.routed.push(!dev);
        }
    }
    for (class, name) in CLASS_NAMES.iter().enumerate() {
        all.questions(data, class, name, &mut seen);
        all.passages(data, class, name);
        all.terms(terms, class, name);
    }
    let mut titles: Vec<String> = lines(&data.join("retrieval/scifact/corpus.jsonl.xz"))
        .map(|value| text(&value, "title").to_owned())
        .collect();
    some(&mut titles, MOST_TITLES);
    for title in titles {
        all.add(
            &title,
            class("medical"),
            "corpus:scifact",
            Kind::Passage,
            false,
        );
    }
    all
}

/// Sources that hold the same texts as a source: what is left out with it.
pub fn same_texts(source: &str) -> Vec<String> {
    let mut all = vec![source.to_owned(), format!("answers:{source}")];
    let corpus = match source {
        "cuad" => "corpus:cuad-contracts",
        "thquad" | "tquad" => "corpus:thquad-contexts",
        "quac-first" => "corpus:quac-passages",
        "tatoeba-tr" => "corpus:tatoeba-pairs",
        _ => return all,
    };
    all.push(corpus.to_owned());
    all
}

impl Read {
    fn add(&mut self, text: &str, class: usize, source: &str, kind: Kind, dev: bool) {
        self.rows.push(Row {
            text: text.to_owned(),
            class,
            source: source.to_owned(),
            kind,
        });
        self.dev.push(dev);
        self.routed.push(false);
    }

    fn questions(&mut self, data: &Path, class: usize, name: &str, seen: &mut HashSet<u64>) {
        let mut prompts: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut answers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for value in lines(&data.join(format!("qa/{name}.jsonl.xz"))) {
            if text(&value, "split") != "train" {
                continue;
            }
            let source = text(&value, "source").to_owned();
            let prompt = text(&value, "prompt");
            if seen.insert(hash(prompt)) {
                prompts
                    .entry(source.clone())
                    .or_default()
                    .push(prompt.to_owned());
            }
            // Answers about code are code, Turkish ones name no field.
            if name != "coding" && name != "turkish" {
                let all = answers.entry(source).or_default();
                all.extend(sentences(text(&value, "response")));
                all.extend(sentences(text(&value, "context")));
            }
        }
        for (source, mut texts) in answers {
            some(&mut texts, MOST_ANSWERS);
            for text in texts {
                self.add(
                    &text,
                    class,
                    &format!("answers:{source}"),
                    Kind::Passage,
                    false,
                );
            }
        }
        for (source, mut texts) in prompts {
            let most = match source.as_str() {
                "openstax-glossary" => MOST_TERMS,
                _ => MOST_QUESTIONS,
            };
            some(&mut texts, most);
            for text in texts {
                self.add(&text, class, &source, Kind::Question, false);
            }
        }
    }

    fn passages(&mut self, data: &Path, class: usize, name: &str) {
        let mut by_source: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for value in lines(&data.join(format!("corpus/{name}.jsonl.xz"))) {
            if text(&value, "split") != "train" {
                continue;
            }
            let texts = by_source
                .entry(text(&value, "source").to_owned())
                .or_default();
            let title = text(&value, "title");
            if title.len() >= 6 {
                texts.push(title.to_owned());
            }
            texts.extend(sentences(text(&value, "text")));
        }
        for (source, mut texts) in by_source {
            some(&mut texts, MOST_PASSAGES);
            for text in texts {
                self.add(
                    &text,
                    class,
                    &format!("corpus:{source}"),
                    Kind::Passage,
                    false,
                );
            }
        }
    }

    /// Terms chosen by hand, and sentences made of two of them, so that the words around a term say nothing.
    fn terms(&mut self, terms: &Path, class: usize, name: &str) {
        let path = terms.join(format!("{name}.txt"));
        let file = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("cannot read `{}`: {error}", path.display()));
        let all: Vec<&str> = file
            .lines()
            .filter(|line| !line.starts_with('#'))
            .flat_map(|line| line.split(','))
            .map(str::trim)
            .filter(|term| !term.is_empty())
            .collect();
        for (at, term) in all.iter().enumerate() {
            self.add(term, class, "terms", Kind::Term, false);
            let plain = term.trim_matches('*');
            let other = all[(at * 7919 + 13) % all.len()].trim_matches('*');
            for text in [
                format!("What is {plain}?"),
                format!("How can I {plain} with {other}?"),
                format!("Why does {plain} {other}"),
            ] {
                self.add(&text, class, "terms", Kind::Made, false);
            }
        }
    }
}

fn class(name: &str) -> usize {
    CLASS_NAMES
        .iter()
        .position(|known| *known == name)
        .unwrap_or_else(|| panic!("unknown field `{name}`, expected one of {CLASS_NAMES:?}"))
}

fn sentences(text: &str) -> impl Iterator<Item = String> {
    text.split(['\n', '.'])
        .map(str::trim)
        .filter(|sentence| SENTENCE.contains(&sentence.len()))
        .map(str::to_owned)
}

/// The first `most` of a fixed random order, each once.
fn some(texts: &mut Vec<String>, most: usize) {
    texts.sort_by_cached_key(|text| (hash(text), text.clone()));
    texts.dedup();
    texts.truncate(most);
}

fn hash(text: &str) -> u64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash ^ (hash >> 29)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn lines(path: &Path) -> impl Iterator<Item = Value> {
    let mut child = Command::new("xz")
        .arg("-dc")
        .arg(path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start `xz`: {error}"));
    let out = BufReader::new(child.stdout.take().expect("it is piped"));
    let path = path.to_owned();
    out.lines().map(move |line| {
        // The child is kept until all is read.
        let _child = &mut child;
        let line = line.unwrap_or_else(|error| panic!("cannot read `{}`: {error}", path.display()));
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("`{}`: {error}", path.display()))
    })
}
