//! Each command is there with its flags, and its help has an example.

use std::process::Command;

use crate::support::{Home, program};

fn help(path: &[&str]) -> String {
    let output = Command::new(program()).args(path).arg("--help").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{path:?}");
    assert!(
        output.stderr.is_empty(),
        "{path:?}: help is asked for, so it is data"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that a help text lists.
fn listed(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    lines
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| *word != "help")
        .map(str::to_owned)
        .collect()
}

/// All commands that do something, found by walking the help.
fn commands() -> Vec<Vec<String>> {
    let (mut all, mut open) = (Vec::new(), vec![Vec::new()]);
    while let Some(path) = open.pop() {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let below = listed(&help(&words));
        if below.is_empty() {
            all.push(path);
            continue;
        }
        open.extend(below.into_iter().map(|word| [path.clone(), vec![word]].concat()));
    }
    all.sort();
    all
}

#[test]
fn every_command_has_a_help_with_an_example() {
    let commands = commands();
    assert!(commands.len() >= 40, "{commands:?}");
    for command in &commands {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let text = help(&words);
        let example = text
            .split("Example")
            .nth(1)
            .unwrap_or_else(|| panic!("no example: {command:?}"));
        assert!(
            example.contains(&format!("tailorbird {}", command.join(" "))),
            "{command:?}: {example}"
        );
        for everywhere in ["--home <DIR>", "TAILORBIRD_HOME", "--output <OUTPUT>"] {
            assert!(text.contains(everywhere), "{command:?} lacks {everywhere}");
        }
    }
}

#[test]
fn the_commands_and_flags_of_the_table() {
    for (command, flags) in [
        ("demo", "--keep-serving --rows"),
        (
            "sandbox",
            "--listen --tls-listen --ca-out --proxy-listen --legacy-v1 --verify --limits --faults --state",
        ),
        ("service list", ""),
        ("service show", "<NAME>"),
        ("service check", "<FILE>..."),
        ("service add", "<FILE>"),
        ("connection add", "<NAME> --service --set --secrets"),
        ("connection authorize", "<NAME> --start --verifier --callback"),
        ("connection list", ""),
        ("connection show", "<NAME>"),
        ("connection test", "<NAME>"),
        ("connection diagnose", "<NAME>"),
        ("connection export", "<NAME>"),
        ("connection import", "<FILE>"),
        ("connection remove", "<NAME>"),
        (
            "call",
            "<CONNECTION> <OPERATION> --param --body --content-type --dry-run --as-curl",
        ),
        ("oauth1 sign", ""),
        ("database add", "<NAME> --kind --set --writable"),
        ("database list", ""),
        ("database test", "<NAME>"),
        ("database tables", "<NAME>"),
        ("database query", "<NAME> <SQL>"),
        ("task check", "<FILE>..."),
        ("task apply", "<FILE>... --accept-rekey"),
        ("task list", ""),
        ("task show", "<NAME>"),
        ("task run", "<NAME>"),
        ("task enable", "<NAME>"),
        ("task disable", "<NAME>"),
        ("run list", ""),
        ("run show", "<ID>"),
        ("run cancel", "<ID>"),
        ("run pause", "<ID>"),
        ("run resume", "<ID>"),
        ("run retry", "<ID>"),
        ("delivery list", "--state --task"),
        ("delivery show", "<KEY_OR_ID>"),
        ("delivery resolve", "[KEY_OR_ID] --as --result"),
        ("doctor", ""),
        ("explain", "[CODE]"),
        ("completions", "<SHELL>"),
    ] {
        let text = help(&command.split(' ').collect::<Vec<_>>());
        for flag in flags.split_whitespace() {
            assert!(text.contains(flag), "`{command}` lacks {flag}:\n{text}");
        }
    }
    let text = help(&["delivery", "resolve"]);
    assert!(
        ["sent", "again", "skip"].iter().all(|word| text.contains(word)),
        "{text}"
    );
    let text = help(&["sandbox"]);
    let defaults = [
        "127.0.0.1:7081",
        "[default: open]",
        "[default: strict]",
        "[default: x]",
        "closed",
        "lenient",
        "off",
    ];
    for word in defaults {
        assert!(text.contains(word), "{word}: {text}");
    }
}

/// A secret in a flag stands in the shell's history and in the list of processes.
#[test]
fn no_flag_takes_a_secret() {
    for command in commands() {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let text = help(&words);
        for flag in text.split_whitespace().filter(|word| word.starts_with("--")) {
            let name = flag.trim_matches(|c: char| !c.is_alphanumeric());
            let secretive = ["secret", "token", "password", "private", "client-key"]
                .iter()
                .any(|word| name.contains(word));
            assert!(!secretive || name == "secrets", "{command:?} has {flag}");
        }
    }
    let home = Home::new();
    home.run(&[
        "connection",
        "add",
        "crm",
        "--service",
        "x",
        "--set",
        "client_secret=hush",
    ])
    .refused(2, "CONN-002")
    .says(&["--secrets"]);
}

#[test]
fn usage_errors_exit_2_and_say_what_is_valid() {
    let home = Home::new();
    for (arguments, word) in [
        (&["nonsense"][..], "nonsense"),
        (&["call"], "<CONNECTION>"),
        (&["call", "c", "get_me", "--content-type", "text/plain"], "--body"),
        (&["call", "c", "get_me", "--dry-run", "--as-curl"], "--as-curl"),
        (
            &["connection", "authorize", "c", "--start", "--verifier", "1"],
            "--verifier",
        ),
        (&["delivery", "resolve", "k"], "--as"),
        (&["delivery", "resolve", "k", "--as", "gone"], "sent, again, skip"),
        (&["sandbox", "--verify", "lax"], "strict, lenient"),
        (&["sandbox", "--listen", "nowhere"], "--listen"),
        (&["database", "add", "d", "--kind", "abacus"], "sqlite"),
        (&["demo", "--rows", "0"], "--rows"),
        (&["completions", "tcl"], "bash"),
    ] {
        home.run(arguments).refused(2, "USE-001").says(&[word]);
        let said = home.run_as_text(arguments).expect(2);
        assert_eq!(said.stdout, "", "{arguments:?}");
        assert!(said.stderr.contains(word), "{arguments:?}: {}", said.stderr);
    }
    assert!(!home.path().exists());
}
