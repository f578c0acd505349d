//! tokio, and a hyper connection that each worker keeps: the lighter client that reqwest is measured against.

use std::sync::Arc;

use anyhow::{Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{Shared, id_in, order};

pub(super) async fn run(shared: &Arc<Shared>, workers: usize) -> Result<()> {
    let mut tasks = JoinSet::new();
    for _ in 0..workers {
        tasks.spawn(work(Arc::clone(shared)));
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}

async fn work(shared: Arc<Shared>) -> Result<()> {
    let stream = TcpStream::connect(&shared.place).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let mut ended = None;
    loop {
        let next = shared.take();
        if ended.is_none() && next.is_none() {
            break;
        }
        shared.ledger.step(ended.take(), next).await?;
        let Some(number) = next else {
            break;
        };
        let request = Request::post("/orders")
            .header("host", &shared.place)
            .header("authorization", shared.authorization(number))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(order(number))))?;
        sender.ready().await?;
        let answer = sender.send_request(request).await?;
        ensure!(answer.status() == 201, "the mock said {}", answer.status());
        let body = answer.into_body().collect().await?.to_bytes();
        ended = Some((number, id_in(&body)?));
    }
    drop(sender);
    driver.await??;
    Ok(())
}
