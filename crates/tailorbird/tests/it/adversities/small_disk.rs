//! A disk of a few megabytes that can be filled and freed.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system in memory; it is unmounted with the test.
pub(super) struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts one at a folder, which is made. None where this user may not mount; the test says so and passes,
    /// because there is nothing to try it with.
    pub(super) fn mount(folder: &Path, megabytes: u32) -> Option<Self> {
        std::fs::create_dir_all(folder).unwrap();
        let mounted = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={megabytes}m"),
                "tailorbird-test",
            ])
            .arg(folder)
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self {
                folder: folder.to_owned(),
            });
        }
        super::skipped("a small disk can only be mounted by root");
        None
    }

    /// Fills it up to `left` bytes.
    pub(super) fn fill(&self, left: usize) {
        let mut ballast = File::create(self.folder.join("ballast")).unwrap();
        let block = [0_u8; 4096];
        while ballast.write_all(&block).is_ok() {}
        drop(ballast.sync_all());
        let size = std::fs::metadata(self.folder.join("ballast")).unwrap().len();
        let keep = size.saturating_sub(left.try_into().unwrap());
        ballast.set_len(keep).unwrap();
    }

    /// Makes room again.
    pub(super) fn free(&self) {
        std::fs::remove_file(self.folder.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(&self.folder).output());
    }
}
