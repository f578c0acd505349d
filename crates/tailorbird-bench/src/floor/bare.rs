//! A thread and a socket for each worker.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use anyhow::{Context as _, Result, anyhow, ensure};

use super::ledger::Job;
use super::{Shared, id_in, order};

pub(super) fn run(shared: &Arc<Shared>, workers: usize) -> Result<()> {
    let threads: Vec<_> = (0..workers)
        .map(|_| {
            let shared = Arc::clone(shared);
            std::thread::spawn(move || work(&shared))
        })
        .collect();
    for thread in threads {
        thread
            .join()
            .map_err(|_| anyhow!("a worker ended by a panic"))??;
    }
    Ok(())
}

fn work(shared: &Shared) -> Result<()> {
    let stream = TcpStream::connect(&shared.place)?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    let (done, wait) = sync_channel(1);
    let mut ended = None;
    loop {
        let next = shared.take();
        if ended.is_none() && next.is_none() {
            return Ok(());
        }
        let done = done.clone();
        shared.ledger.hand_in(Job {
            ended: ended.take(),
            next,
            done: Box::new(move || _ = done.send(())),
        })?;
        wait.recv()?;
        let Some(number) = next else {
            return Ok(());
        };
        let body = order(number);
        let request = format!(
            "POST /orders HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            shared.place,
            shared.authorization(number),
            body.len()
        );
        writer.write_all(request.as_bytes())?;
        ended = Some((number, id_in(&answer(&mut reader)?)?));
    }
}

fn answer(reader: &mut BufReader<TcpStream>) -> Result<Vec<u8>> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    ensure!(line.starts_with("HTTP/1.1 201"), "the mock said {line:?}");
    let mut length = 0_usize;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let header = line.trim_end();
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':').context("a header without a colon")?;
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(body)
}
