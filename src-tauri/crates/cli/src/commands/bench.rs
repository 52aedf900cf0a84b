//! `bench`: what this machine reaches with a model.

use super::open;
use crate::arguments::BenchArguments;
use crate::interrupt::Interrupt;
use crate::output::{Status, print, print_json};
use crate::stop::{Done, Stop};
use crate::table::table;
use crate::units;
use r3mes_engine::Cancel;
use r3mes_engine::api::{BenchOptions, BenchReport};
use std::path::PathBuf;

pub fn run(
    home: Option<PathBuf>,
    arguments: BenchArguments,
    interrupt: &Interrupt,
) -> Result<Done, Stop> {
    let engine = open(home, &arguments.run)?;
    let options = BenchOptions {
        prompt_tokens: arguments.prompt,
        generate_tokens: arguments.generate,
        depth_tokens: arguments.depth,
        repeat: arguments.repeat as usize,
        adapters: arguments.adapters,
    };
    let cancel = Cancel::new();
    let mut status = Status::new();
    let report = interrupt.guard(&cancel, || {
        engine.bench(&options, &cancel, &mut |doing| status.update(doing))
    })?;
    drop(status);
    let Some(report) = report else {
        return Err(Stop::Interrupted);
    };
    if arguments.output.json {
        print_json(&report)?;
    } else {
        print(&table(&rows(&report)))?;
    }
    Ok(Done)
}

fn rows(report: &BenchReport) -> Vec<Vec<String>> {
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let per_second = |bytes: f64| format!("{}/s", units::bytes(bytes as u64));
    let mut rows = vec![
        row("model", report.model.clone()),
        row(
            "threads",
            format!("{}, {}, cache in {}", report.threads, report.isa, report.kv),
        ),
        row("load", format!("{:.0} ms", report.load_ms)),
        row(
            "prefill",
            format!(
                "{:.1} tokens/s over {} tokens",
                report.prefill_tokens_per_second, report.prompt_tokens
            ),
        ),
        row(
            "decode",
            format!(
                "{:.1} tokens/s over {} tokens after {}",
                report.decode_tokens_per_second, report.generate_tokens, report.depth_tokens
            ),
        ),
        row(
            "peak memory",
            report
                .peak_rss_bytes
                .map_or("not known".into(), units::bytes),
        ),
        row(
            "bytes per token",
            format!(
                "{} (weights {}, head {}, adapters {}, keys and values {})",
                units::bytes(report.bytes_per_token),
                units::bytes(report.weight_bytes_per_token),
                units::bytes(report.head_bytes_per_token),
                units::bytes(report.adapter_bytes_per_token),
                units::bytes(report.kv_bytes_per_token)
            ),
        ),
        row(
            "memory bandwidth",
            per_second(report.memory_bandwidth_bytes_per_second),
        ),
        row(
            "share of it",
            format!("{:.0} %", report.decode_bandwidth_share * 100.0),
        ),
    ];
    if let Some(with) = &report.with_adapters {
        let adapters = report.adapters;
        rows.push(row(
            "adapters",
            format!(
                "{adapters} of {}: decode at {:.3} of the base model's {:.1} tokens/s",
                units::bytes(with.resident_bytes),
                with.decode_ratio,
                with.base_decode_tokens_per_second
            ),
        ));
        rows.push(row(
            "swap",
            format!(
                "{:.3} ms in memory, {:.1} ms from disk, {:.0} ms the first time",
                with.swap_resident_ms, with.swap_from_disk_ms, with.first_load_ms
            ),
        ));
    }
    rows
}
