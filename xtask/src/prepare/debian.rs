//! Debian packages: looked for by what they bring, installed only when that is missing.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{run, say};

/// What the tests call, how to see whether it is there, and the package that brings it.
const NEEDED: &[Needed] = &[
    Needed {
        package: "build-essential",
        probe: &["cc", "--version"],
    },
    Needed {
        package: "chromium",
        probe: &["chromium", "--version"],
    },
    Needed {
        package: "faketime",
        probe: &["faketime", "--version"],
    },
    Needed {
        package: "git",
        probe: &["git", "--version"],
    },
    Needed {
        package: "nodejs",
        probe: &["node", "--version"],
    },
    Needed {
        package: "npm",
        probe: &["npm", "--version"],
    },
    Needed {
        package: "python3-venv",
        probe: &["python3", "-c", "import ensurepip, venv"],
    },
    Needed {
        package: "strace",
        probe: &["strace", "-V"],
    },
];

struct Needed {
    package: &'static str,
    probe: &'static [&'static str],
}

impl Needed {
    fn is_there(&self) -> bool {
        let Some((program, arguments)) = self.probe.split_first() else {
            return false;
        };
        run::works(Command::new(program).args(arguments))
    }
}

fn missing() -> Vec<&'static str> {
    NEEDED
        .iter()
        .filter(|needed| !needed.is_there())
        .map(|needed| needed.package)
        .collect()
}

/// Installs the missing packages by `apt-get`, as root or through `sudo`.
pub(super) fn install() -> Result<()> {
    let packages = missing();
    if packages.is_empty() {
        return Ok(());
    }
    let list = packages.join(" ");
    say::note(&format!("missing Debian packages: {list}"));
    if !run::works(Command::new("apt-get").arg("--version")) {
        bail!("the tests need {list}, and there is no apt-get here; install them by this system's own means");
    }
    let root = run::read(Command::new("id").arg("-u"))?.trim() == "0";
    if !root && !run::works(Command::new("sudo").args(["-n", "true"])) {
        bail!("the tests need Debian packages; install them with\n    sudo apt-get install {list}");
    }
    let apt = |arguments: &[&str]| {
        let mut command = if root {
            Command::new("env")
        } else {
            let mut sudo = Command::new("sudo");
            sudo.args(["-n", "env"]);
            sudo
        };
        command
            .args(["DEBIAN_FRONTEND=noninteractive", "apt-get"])
            .args(arguments);
        command
    };
    run::show(&mut apt(&["update", "--quiet"]))?;
    run::show(apt(&["install", "--quiet", "--yes", "--no-install-recommends"]).args(&packages))?;
    match missing().as_slice() {
        [] => Ok(()),
        still => bail!(
            "these packages were installed and what they bring is still not found: {}",
            still.join(" ")
        ),
    }
}
