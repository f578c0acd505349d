//! Rule 22: the sync comes before the first request byte. Shown by the trace of system calls.

use std::fs;
use std::process::Command;

use tailorbird_store::Home;

use crate::crash::child;

#[test]
fn the_intent_is_synced_before_the_first_byte() {
    if !Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .status()
        .is_ok_and(|status| status.success())
    {
        println!("skipped: strace is not installed or may not trace here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let home = Home::create(folder.path().join("home")).unwrap();
    let trace = folder.path().join("trace");
    let wrapper = [
        "strace",
        "-f",
        "-y",
        "-e",
        "trace=pwrite64,fdatasync,fsync,openat",
        "-o",
    ]
    .map(Into::into)
    .into_iter()
    .chain([trace.clone().into_os_string()])
    .collect::<Vec<_>>();
    let status = child("first_byte", home.path(), &wrapper).wait().unwrap();
    assert!(status.success(), "{status}");
    let trace = fs::read_to_string(&trace).unwrap();
    let calls: Vec<&str> = trace.lines().collect();
    let first_byte = calls
        .iter()
        .position(|call| call.contains("openat") && call.contains("first-byte"))
        .expect("the first byte is in the trace");
    let before = &calls[..first_byte];
    let last = |names: &[&str]| {
        before
            .iter()
            .rposition(|call| call.contains("ledger.db-wal") && names.iter().any(|name| call.contains(name)))
    };
    let written = last(&["pwrite64("]).expect("the log is written");
    let synced = last(&["fdatasync(", "fsync("]).expect("the log is synced");
    assert!(
        synced > written,
        "the last write of the log is synced before the first byte leaves"
    );
}
