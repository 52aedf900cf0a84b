//! `embed`: texts in, vectors out, a line for each text or all in one JSON value.

use crate::arguments::EmbedOptions;
use crate::commands::open_with;
use crate::output::{print, print_json, tell};
use crate::stop::{Done, Stop};
use crate::units;
use r3mes_engine::Engine;
use r3mes_engine::api::Embeddings;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Texts that are embedded together at most.
const BATCH: usize = 256;
/// Bytes of a pipe that are read ahead: as much as most systems keep in one.
const READ_AHEAD: usize = 1 << 16;
/// The longest line, in bytes.
const MOST_LINE_BYTES: u64 = 64 << 20;

pub fn run(home: Option<PathBuf>, options: EmbedOptions) -> Result<Done, Stop> {
    let engine = open_with(home, options.embedder.clone())?;
    let mut report = Report::default();
    match (&options.input.jsonl, &options.input.texts) {
        (Some(file), _) => lines(&engine, file, &mut report)?,
        (None, Some(file)) => list(&engine, file, options.output.json, &mut report)?,
        (None, None) => return Err(Stop::Usage("--jsonl or --texts is needed".into())),
    }
    report.tell();
    Ok(Done)
}

/// One line of input.
#[derive(Deserialize)]
struct Line {
    id: Value,
    text: String,
}

/// A line of output for each line of input, as soon as no further line is waiting.
fn lines(engine: &Engine, file: &Path, report: &mut Report) -> Result<(), Stop> {
    let mut reader = BufReader::with_capacity(READ_AHEAD, source(file)?);
    let mut waiting = Vec::new();
    let mut number = 0;
    loop {
        number += 1;
        let next = next_line(&mut reader, file, number);
        let goes_on = matches!(next, Ok(Next::Line(_) | Next::Blank));
        let ended = match next {
            Ok(Next::Line(line)) => {
                waiting.push(line);
                Ok(())
            }
            Ok(Next::Blank | Next::End) => Ok(()),
            Err(stop) => Err(stop),
        };
        // A program that waits for an answer before it writes the next line gets it.
        let more = goes_on && reader.buffer().contains(&b'\n');
        if !more || waiting.len() >= BATCH {
            answer(engine, &mut waiting, report)?;
        }
        if !goes_on {
            return ended;
        }
    }
}

/// Embeds and prints the waiting lines.
fn answer(engine: &Engine, waiting: &mut Vec<Line>, report: &mut Report) -> Result<(), Stop> {
    let lines = std::mem::take(waiting);
    let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    let embedded = engine.embed(&texts)?;
    report.add(&embedded);
    print_rows(
        lines.iter().map(|line| line.id.clone()),
        &embedded.embeddings,
    )
}

/// One line of output.
#[derive(Serialize)]
struct Row<'a> {
    id: Value,
    vector: &'a [f32],
}

/// What reading a line brought.
enum Next {
    Line(Line),
    Blank,
    End,
}

fn list(engine: &Engine, file: &Path, as_json: bool, report: &mut Report) -> Result<(), Stop> {
    let mut bytes = Vec::new();
    source(file)?
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(file, &error))?;
    let texts: Vec<String> = serde_json::from_slice(&bytes).map_err(|error| {
        Stop::Usage(format!(
            "`{}`: {error}, expected a JSON list of strings",
            file.display()
        ))
    })?;
    let mut rows = Vec::new();
    for (batch, texts) in texts.chunks(BATCH).enumerate() {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let embedded = engine.embed(&texts)?;
        report.add(&embedded);
        if as_json {
            rows.extend(embedded.embeddings);
        } else {
            let ids = (batch * BATCH..).map(Value::from);
            print_rows(ids, &embedded.embeddings)?;
        }
    }
    if as_json {
        // An empty list is embedded too, so that an embedder that cannot be opened is told of.
        let about = engine.embed(&[])?;
        print_json(&Embeddings {
            embeddings: rows,
            tokens: report.tokens,
            tokens_per_second: report.tokens_per_second(),
            ..about
        })?;
    }
    Ok(())
}

/// The next line of a file of texts.
fn next_line(reader: &mut impl BufRead, file: &Path, number: usize) -> Result<Next, Stop> {
    let mut bytes = Vec::new();
    reader
        .take(MOST_LINE_BYTES + 1)
        .read_until(b'\n', &mut bytes)
        .map_err(|error| unreadable(file, &error))?;
    let refuse = |found: &str| {
        Err(Stop::Usage(format!(
            "`{}`, line {number}: {found}, expected `{{\"id\": …, \"text\": \"…\"}}`",
            file.display()
        )))
    };
    if bytes.is_empty() {
        return Ok(Next::End);
    }
    if bytes.len() as u64 > MOST_LINE_BYTES {
        return refuse("more than 64 MiB");
    }
    if bytes.trim_ascii().is_empty() {
        return Ok(Next::Blank);
    }
    match serde_json::from_slice(&bytes) {
        Ok(line) => Ok(Next::Line(line)),
        Err(error) => refuse(&error.to_string()),
    }
}

fn source(file: &Path) -> Result<Box<dyn Read>, Stop> {
    match file == Path::new("-") {
        true => Ok(Box::new(io::stdin().lock())),
        false => match File::open(file) {
            Ok(opened) => Ok(Box::new(opened)),
            Err(error) => Err(unreadable(file, &error)),
        },
    }
}

fn unreadable(file: &Path, error: &io::Error) -> Stop {
    Stop::Usage(format!("cannot read `{}`: {error}", file.display()))
}

fn print_rows(ids: impl Iterator<Item = Value>, rows: &[Vec<f32>]) -> Result<(), Stop> {
    let mut lines = String::new();
    for (id, vector) in ids.zip(rows) {
        let line = serde_json::to_string(&Row { id, vector });
        let line = line.map_err(|error| Stop::Failed(format!("cannot write JSON: {error}")))?;
        lines.push_str(&line);
        lines.push('\n');
    }
    print(&lines)
}

/// What was done, for the person.
#[derive(Default)]
struct Report {
    embedder: String,
    dimension: usize,
    texts: usize,
    tokens: usize,
    seconds: f64,
}

impl Report {
    fn add(&mut self, embedded: &Embeddings) {
        self.embedder.clone_from(&embedded.embedder);
        self.dimension = embedded.dimension;
        self.texts += embedded.embeddings.len();
        self.tokens += embedded.tokens;
        self.seconds += embedded.tokens as f64 / embedded.tokens_per_second.max(1e-9);
    }

    fn tokens_per_second(&self) -> f64 {
        self.tokens as f64 / self.seconds.max(1e-9)
    }

    fn tell(&self) {
        tell(&format!(
            "{} texts, {} tokens, {} tokens/s; embedder `{}`, {} numbers a vector",
            self.texts,
            self.tokens,
            units::count(self.tokens_per_second() as u64),
            self.embedder,
            self.dimension
        ));
    }
}
