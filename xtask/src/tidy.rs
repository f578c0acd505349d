//! The rules that no compiler checks. Each check returns what is wrong as sentences that say what to do;
//! each is a test of this crate, and `cargo xtask tidy` runs them all.

mod codes;
mod edges;
mod exposure;
mod floor;
mod licences;
mod links;
mod machine;
mod sizes;
mod targets;
mod unused;
mod words;

use anyhow::{Result, bail};

use crate::say;

/// A rule: its name and what finds the places that break it.
struct Check {
    name: &'static str,
    problems: fn() -> Result<Vec<String>>,
}

const CHECKS: &[Check] = &[
    Check {
        name: "crates use only what their floor allows",
        problems: edges::problems,
    },
    Check {
        name: "the floor without a world stays so",
        problems: floor::problems,
    },
    Check {
        name: "each error code has its page and its use",
        problems: codes::problems,
    },
    Check {
        name: "secrets are exposed only where listed",
        problems: exposure::problems,
    },
    Check {
        name: "files stay short and no test is switched off",
        problems: sizes::problems,
    },
    Check {
        name: "links in the documentation resolve",
        problems: links::problems,
    },
    Check {
        name: "nothing names this machine or a registry",
        problems: machine::problems,
    },
    Check {
        name: "licences of dependencies are allowed",
        problems: licences::problems,
    },
    Check {
        name: "each parser of outside input is asked by a fuzz target",
        problems: targets::problems,
    },
    Check {
        name: "each dependency is used",
        problems: unused::problems,
    },
];

/// Runs every check and reports all problems at once.
pub(crate) fn run() -> Result<()> {
    let mut count = 0_usize;
    for check in CHECKS {
        let problems = (check.problems)()?;
        say::line(&format!(
            "{} {}",
            if problems.is_empty() { "ok  " } else { "FAIL" },
            check.name
        ));
        for problem in &problems {
            say::line(&format!("     {problem}"));
        }
        count = count.saturating_add(problems.len());
    }
    if count > 0 {
        bail!("{count} places break a rule of the house");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    /// A test for each check, so that a broken rule is a named failure of the suite.
    macro_rules! holds {
        ($($name:ident)*) => {$(
            #[test]
            fn $name() {
                let problems = super::$name::problems().unwrap();
                assert!(problems.is_empty(), "\n{}", problems.join("\n"));
            }
        )*};
    }
    holds! { codes edges exposure floor licences links machine sizes targets unused }

    #[test]
    fn every_check_is_a_test() {
        assert_eq!(
            super::CHECKS.len(),
            10,
            "add the new check to `holds!`, then raise this number"
        );
    }
}
