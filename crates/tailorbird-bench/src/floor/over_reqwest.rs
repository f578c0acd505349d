//! tokio and reqwest, set up as the program sets it up.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use reqwest::Client;
use tokio::task::JoinSet;

use super::{Shared, id_in, order};

/// As the program's.
const TOTAL_TIMEOUT: Duration = Duration::from_mins(2);
const READ_TIMEOUT: Duration = Duration::from_mins(1);

pub(super) async fn run(shared: &Arc<Shared>, workers: usize) -> Result<()> {
    // Named because it is compiled in without one; nothing here is encrypted.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .http1_only()
        .retry(reqwest::retry::never())
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .read_timeout(READ_TIMEOUT)
        .timeout(TOTAL_TIMEOUT)
        .pool_max_idle_per_host(workers)
        .gzip(true)
        .tls_certs_only([])
        .build()?;
    let mut tasks = JoinSet::new();
    for _ in 0..workers {
        tasks.spawn(work(Arc::clone(shared), client.clone()));
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}

async fn work(shared: Arc<Shared>, client: Client) -> Result<()> {
    let url = format!("{}/orders", shared.root);
    let mut ended = None;
    loop {
        let next = shared.take();
        if ended.is_none() && next.is_none() {
            return Ok(());
        }
        shared.ledger.step(ended.take(), next).await?;
        let Some(number) = next else {
            return Ok(());
        };
        let answer = client
            .post(&url)
            .header("authorization", shared.authorization(number))
            .header("content-type", "application/json")
            .body(order(number))
            .send()
            .await?;
        ensure!(answer.status() == 201, "the mock said {}", answer.status());
        ended = Some((number, id_in(&answer.bytes().await?)?));
    }
}
