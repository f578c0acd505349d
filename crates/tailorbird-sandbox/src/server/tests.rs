//! The places of connections.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

const CONNECT: &[u8] = b"CONNECT api.x.com:443 HTTP/1.1\r\nHost: api.x.com:443\r\n\r\n";

async fn connect(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(CONNECT).await.unwrap();
    stream
}

async fn answered(stream: &mut TcpStream, within: Duration) -> bool {
    let mut start = [0_u8; 12];
    match tokio::time::timeout(within, stream.read_exact(&mut start)).await {
        Ok(read) => {
            read.unwrap();
            assert_eq!(&start, b"HTTP/1.1 200");
            true
        }
        Err(_) => false,
    }
}

#[tokio::test]
async fn a_tunnel_keeps_its_place_until_it_ends() {
    let running = start(Settings::default()).await.unwrap();
    let (listener, address) = listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let (stop, stopping) = watch::channel(false);
    let door = Door {
        kind: Kind::Proxy(Identity::new().unwrap().acceptor),
        pipeline: running.pipeline.clone(),
        stop: stopping,
        slots: Arc::new(Semaphore::new(1)),
    };
    let accepting = tokio::spawn(door.accept(listener));
    let mut first = connect(address).await;
    assert!(answered(&mut first, Duration::from_secs(5)).await);
    let mut second = connect(address).await;
    assert!(
        !answered(&mut second, Duration::from_millis(300)).await,
        "the tunnel gave its place away"
    );
    drop(first);
    assert!(answered(&mut second, Duration::from_secs(5)).await);
    drop(second);
    stop.send_replace(true);
    accepting.await.unwrap();
    running.stop().await;
}
