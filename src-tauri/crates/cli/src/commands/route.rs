//! `route`: which experts a question concerns, by every stage, and why.

use crate::arguments::RouteOptions;
use crate::commands::open_with;
use crate::output::{print, print_json};
use crate::stop::{Done, Stop};
use crate::table::table;
use r3mes_engine::api::Route;
use r3mes_engine::router::Router;
use serde::Deserialize;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// The longest line, in bytes.
const MOST_LINE_BYTES: u64 = 64 << 20;
/// Scores below this are not shown to people.
const WORTH_SHOWING: f32 = 0.005;

pub fn run(home: Option<PathBuf>, options: RouteOptions) -> Result<Done, Stop> {
    let engine = open_with(home, None)?;
    match (&options.input.query, &options.input.jsonl) {
        (Some(query), _) if options.output.json => print_json(&engine.route(query)?)?,
        (Some(query), _) => print(&shown(&engine.route(query)?))?,
        (None, Some(file)) => lines(&engine.router()?, file)?,
        (None, None) => return Err(Stop::Usage("a question or --jsonl is needed".into())),
    }
    Ok(Done)
}

/// One line of input.
#[derive(Deserialize)]
struct Line {
    id: Value,
    text: String,
}

/// A line of output for each line of input, at once.
fn lines(router: &Router, file: &Path) -> Result<(), Stop> {
    let mut reader = BufReader::new(source(file)?);
    let mut number = 0;
    let mut bytes = Vec::new();
    loop {
        number += 1;
        bytes.clear();
        let read = (&mut reader)
            .take(MOST_LINE_BYTES + 1)
            .read_until(b'\n', &mut bytes)
            .map_err(|error| unreadable(file, &error))?;
        if read == 0 {
            return Ok(());
        }
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let refuse = |found: &str| {
            Stop::Failed(format!(
                "`{}`, line {number}: {found}, expected `{{\"id\": …, \"text\": \"…\"}}`",
                file.display()
            ))
        };
        if bytes.len() as u64 > MOST_LINE_BYTES {
            return Err(refuse("more than 64 MiB"));
        }
        let line: Line =
            serde_json::from_slice(&bytes).map_err(|error| refuse(&error.to_string()))?;
        let route = router.route(&line.text);
        let answer = json!({
            "id": line.id,
            "experts": route.candidates,
            "scores": route.scores,
            "used_fast_path": route.used_fast_path,
            "keyword_ms": route.keyword_ms,
            "semantic_ms": route.semantic_ms,
            "reason": route.reason,
            "reason_text": route.reason_text,
            "language": route.language,
        });
        print(&format!("{answer}\n"))?;
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
    Stop::Failed(format!("cannot read `{}`: {error}", file.display()))
}

fn shown(route: &Route) -> String {
    let chosen = match route.candidates.as_slice() {
        [] => "base model".to_owned(),
        candidates => {
            let each = candidates
                .iter()
                .map(|one| format!("{} {:.2}", one.expert_id, one.weight));
            each.collect::<Vec<_>>().join(" + ")
        }
    };
    let mut rows = vec![
        ["expert", "keyword", "semantic", "fused", "why"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for score in route
        .scores
        .iter()
        .filter(|score| score.fused >= WORTH_SHOWING)
    {
        rows.push(vec![
            score.expert_id.clone(),
            format!("{:.2}", score.keyword),
            match route.used_fast_path {
                true => "–".to_owned(),
                false => format!("{:.2}", score.semantic),
            },
            format!("{:.2}", score.fused),
            score.why.join("; "),
        ]);
    }
    format!(
        "{chosen}\n{}\n\n{}\nkeyword stage {:.3} ms, semantic stage {:.3} ms\n",
        route.reason_text,
        table(&rows),
        route.keyword_ms,
        route.semantic_ms
    )
}
