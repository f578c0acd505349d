//! Rows out: the floors, the program and the scripts in turns, so that they share whatever the machine does.

use std::fs;
use std::path::absolute;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value, json};

use super::{Bench, Lines};
use crate::floor::Client;
use crate::peers::Script;
use crate::report::{Line, median, round};
use crate::{machine, process, say, source};

/// Requests that the Node script has in flight.
const NODE_IN_FLIGHT: usize = 16;

/// What the ratios are taken against.
const FLOORS: [Client; 3] = [Client::Reqwest, Client::Hyper, Client::Bare];

pub(super) fn run(bench: &Bench<'_>) -> Result<Value> {
    let plan = bench.plan;
    let mut lines = Lines::default();
    let mut ratios = Map::new();
    say::line("\nRows out, in turns")?;
    for concurrency in &plan.concurrency {
        let mut of_program: Vec<f64> = Vec::new();
        let mut of_others: Vec<(String, Vec<f64>)> = Vec::new();
        for round in 1..=plan.rounds {
            say::talk(&format!(
                "round {round} of {}, concurrency {concurrency}",
                plan.rounds
            ));
            let mut others = Vec::new();
            if !plan.no_floors {
                for client in FLOORS {
                    others.push(floor(bench, client, *concurrency)?);
                    lines.add(others.last().context("just added")?.clone())?;
                }
            }
            let (home, line) = bench.program("out", plan.rows, *concurrency)?;
            drop(home);
            of_program.push(line.a_second());
            lines.add(line.clone())?;
            if !plan.no_scripts {
                for script in scripts(bench)? {
                    others.push(by_hand(bench, &script)?);
                    lines.add(others.last().context("just added")?.clone())?;
                }
            }
            for other in others {
                let ratio = line.a_second() / other.a_second();
                match of_others.iter_mut().find(|(who, _)| *who == other.who) {
                    Some((_, ratios)) => ratios.push(ratio),
                    None => of_others.push((other.who, vec![ratio])),
                }
            }
        }
        say::line(&format!(
            "tailorbird at concurrency {concurrency}: {:.0} rows/s (middle of {} rounds)",
            median(of_program),
            plan.rounds
        ))?;
        let mut here = Map::new();
        for (who, found) in of_others {
            let (least, most) = found.iter().fold((f64::MAX, f64::MIN), |(least, most), ratio| {
                (least.min(*ratio), most.max(*ratio))
            });
            let middle = median(found);
            say::line(&format!(
                "  {middle:>6.2} times the rate of: {who} ({least:.2} to {most:.2})"
            ))?;
            here.insert(
                who,
                json!({ "middle": round(middle, 3), "least": round(least, 3), "most": round(most, 3) }),
            );
        }
        ratios.insert(concurrency.to_string(), Value::Object(here));
    }
    Ok(json!({ "runs": lines.json(), "ratios": ratios }))
}

fn scripts(bench: &Bench<'_>) -> Result<Vec<Script>> {
    let mut scripts = Vec::new();
    if let Some(node) = &bench.plan.node {
        let node = absolute(node)?;
        scripts.extend([NODE_IN_FLIGHT, 1].map(|in_flight| Script::Node(node.clone(), in_flight)));
    }
    if let Some(python) = &bench.plan.python {
        scripts.push(Script::Python(absolute(python)?));
    }
    Ok(scripts)
}

fn floor(bench: &Bench<'_>, client: Client, concurrency: usize) -> Result<Line> {
    let rows = bench.plan.rows;
    let folder = bench.folder("floor")?;
    bench.mock.reset()?;
    let word = match client {
        Client::Bare => "bare",
        Client::Hyper => "hyper",
        Client::Reqwest => "reqwest",
    };
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args([
            "floor",
            word,
            &bench.mock.root,
            &rows.to_string(),
            &concurrency.to_string(),
        ])
        .arg(folder.join("ledger.db"));
    let took = process::measure(&mut command, &folder)?;
    let counted = bench.mock.has_each_once(client.name(), rows)?;
    let ended: Value = serde_json::from_str(&took.stdout)?;
    let number = |name: &str| ended.get(name).and_then(Value::as_u64).unwrap_or_default();
    ensure!(
        number("delivered") == rows,
        "{} kept {} of {rows} rows",
        client.name(),
        number("delivered")
    );
    Ok(Line {
        who: client.name().to_owned(),
        rows,
        concurrency,
        wall: took.wall,
        cpu: took.cpu,
        peak: took.peak,
        commits: number("commits"),
        connections: counted.connections,
        load: machine::load(),
    })
}

fn by_hand(bench: &Bench<'_>, script: &Script) -> Result<Line> {
    let rows = bench.plan.rows;
    let folder = bench.folder("script")?;
    let database = folder.join("erp.db");
    source::make(&database, 1, rows)?;
    bench.mock.reset()?;
    let mut command = script.command(&folder, &database, &bench.mock.root)?;
    let took = process::measure(&mut command, &folder)?;
    let counted = bench.mock.has_each_once(&script.name(), rows)?;
    fs::remove_dir_all(&folder)?;
    Ok(Line {
        who: script.name(),
        rows,
        concurrency: match script {
            Script::Node(_, in_flight) => *in_flight,
            Script::Python(_) => 1,
        },
        wall: took.wall,
        cpu: took.cpu,
        peak: took.peak,
        // One a row.
        commits: rows,
        connections: counted.connections,
        load: machine::load(),
    })
}
