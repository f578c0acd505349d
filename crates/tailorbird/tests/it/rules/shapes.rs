//! What a task can be made of, and how much memory a run takes.

use std::process::Command;

use crate::flow::{ANNOUNCE, Flow, OTHER_ACCOUNT, Running, wait_until};
use crate::support::Home;

#[test]
fn a_post_and_then_a_message_about_it_for_each_record() {
    let flow = Flow::new();
    let person = flow.other_account();
    flow.apply(
        &ANNOUNCE
            .replace("select sku, text", "select sku, text, person")
            .replace(
                "  - id: write-back",
                "  - id: message
    call:
      connection: company-x
      operation: send_direct_message
      for_each: post
      key: \"told-{{ sku }}\"
      with: { participant_id: \"{{ person }}\", text: \"See post {{ result.id }} of {{ delivered_at }}\" }
  - id: write-back",
            )
            .replace("from: post", "from: message"),
    );
    for sku in ["A", "B", "C"] {
        flow.sql_with(
            "insert into items (sku, text, person) values (?1, 'New: ' || ?1, ?2)",
            &[sku, &person],
        );
    }
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 3), ("delivered", 6), ("written", 3)]);
    assert_eq!(
        flow.states()
            .iter()
            .filter(|(key, _)| key.starts_with("told-"))
            .count(),
        3
    );
    let told = flow.home.run(&["delivery", "show", "told-A"]).expect(0).json();
    let posted = flow.home.run(&["delivery", "show", "item-A"]).expect(0).json();
    let id = posted["result"]["id"].as_str().unwrap();
    assert!(
        told["request"]
            .to_string()
            .contains(&format!("See post {id} of 20")),
        "{told:#}"
    );
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 3), ("already", 3)]);
    assert_eq!(flow.sandbox.accepted(), 3);
}

#[test]
fn a_call_without_records_goes_once_for_its_key() {
    let flow = Flow::new();
    let once = |key: &str| {
        format!(
            "task: hello\nsteps:\n  - id: hello\n    call:\n      connection: company-x\n      operation: create_post\n      \
             key: \"{key}\"\n      with: {{ text: \"Run {{{{ run.id }}}} of {{{{ account.name }}}}\" }}\n"
        )
    };
    flow.apply(&once("welcome"));
    flow.run_task("hello")
        .expect(0)
        .counted("succeeded", &[("delivered", 1)]);
    flow.run_task("hello")
        .expect(0)
        .counted("succeeded", &[("already", 1)]);
    assert_eq!(flow.sandbox.accepted(), 1);
    assert!(
        flow.sandbox.texts()[0].ends_with("of tailorbird_demo"),
        "{:?}",
        flow.sandbox.texts()
    );
    // A key with the run's name goes once per run.
    flow.home
        .apply("per-run.yaml", &once("report-{{ run.id }}"))
        .refused(2, "TASK-003");
    flow.home.write("per-run.yaml", &once("report-{{ run.id }}"));
    let file = flow.home.file("per-run.yaml").display().to_string();
    flow.home
        .run(&["task", "apply", &file, "--accept-rekey"])
        .expect(0);
    flow.run_task("hello")
        .expect(0)
        .counted("succeeded", &[("delivered", 1)]);
    flow.run_task("hello")
        .expect(0)
        .counted("succeeded", &[("delivered", 1)]);
    assert_eq!(flow.sandbox.accepted(), 3);
}

/// One reading call per record, and its rows go into the very file that the query reads.
#[test]
fn a_reading_call_adds_columns_and_may_write_to_the_file_that_is_read() {
    let flow = Flow::new();
    flow.sql(
        "create table people (name text primary key, person text, shown text);
         create table wanted (id integer primary key, name text);",
    );
    // More rows than are read ahead, so that the file is still being read when the first one is written.
    flow.sql_with(
        "insert into wanted (name) values (?1), ('nobody_here'), ('tailorbird_demo')",
        &[OTHER_ACCOUNT],
    );
    flow.sql(
        "with recursive n(i) as (values(1) union all select i + 1 from n where i < 2500)
         insert into wanted (name) select '' from n;",
    );
    flow.apply(
        "
task: look-up
steps:
  - id: wanted
    query: { database: erp, sql: select name from wanted order by id }
  - id: person
    call:
      connection: company-x
      operation: get_user_by_username
      for_each: wanted
      when: \"{{ name != '' }}\"
      with: { username: \"{{ name }}\" }
  - id: store
    write:
      database: erp
      table: people
      from: person
      key: [name]
      columns: { name: \"{{ name }}\", person: \"{{ result.id }}\", shown: \"{{ result.name }}\" }
",
    );
    let said = flow.run_task("look-up");
    assert_eq!(
        said.json()["state"],
        "succeeded",
        "{}{}",
        said.stdout,
        said.stderr
    );
    assert_eq!(said.json()["counts"]["written"], 2, "{}", said.stdout);
    let person = flow.other_account();
    assert_eq!(
        flow.number(&format!(
            "select count(*) from people where person = '{person}' and name = '{OTHER_ACCOUNT}'"
        )),
        1
    );
}

#[test]
fn records_that_are_not_due_claim_no_key() {
    let flow = Flow::announcing(&["one", "two"]);
    flow.apply(&ANNOUNCE.replace("      with:", "      when: \"{{ text == 'one' }}\"\n      with:"));
    flow.run().expect(0).counted(
        "succeeded",
        &[("read", 2), ("delivered", 1), ("not_due", 1), ("written", 1)],
    );
    assert_eq!(flow.states().len(), 1);
    flow.sql("update items set text = 'one' where sku = 'B'");
    flow.accept_duplicates();
    flow.run().expect(0).counted(
        "succeeded",
        &[("read", 2), ("already", 1), ("delivered", 1), ("written", 1)],
    );
}

#[test]
fn operators_on_money_are_refused_by_the_check() {
    let home = Home::new();
    let check = |expression: &str| {
        let task = ANNOUNCE.replace(
            "text: \"{{ text }}\"",
            &format!("text: \"{{{{ {expression} }}}}\""),
        );
        let file = home.write("task.yaml", &task);
        home.run(&["task", "check", &file])
    };
    for refused in [
        "price * 1.2",
        "price + 1",
        "price - 1",
        "price / 2",
        "price < 10",
        "price >= 10",
        "-price",
    ] {
        let said = check(refused);
        assert_eq!(said.code, 2, "{refused}: {}{}", said.stdout, said.stderr);
    }
    for exact in ["price | times(3)", "price is gt(0)", "price | money('EUR')"] {
        check(exact).expect(0);
    }
}

/// The highest memory a process ever had resident, in kilobytes.
fn peak_of(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Rows flow in chunks of 500, so memory does not grow with the table. Nothing listens at the provider's
/// address: all rows are enrolled, none is sent.
#[test]
#[cfg(target_os = "linux")]
fn twenty_thousand_rows_need_little_memory() {
    let flow = Flow::new();
    // Wide rows: 80 MB of them.
    flow.apply(&ANNOUNCE.replace(
        "select sku, text",
        "select sku, text, printf('%.4000c', '.') as filler",
    ));
    flow.sql(
        "with recursive n(i) as (values(1) union all select i + 1 from n where i < 20000)
         insert into items (sku, text) select 'S' || i, 'New in stock: thing number ' || i from n;",
    );
    let Flow { sandbox, home, .. } = flow;
    drop(sandbox);
    let mut command: Command = home.command(&["task", "run", "announce"]);
    command.env("RUST_LOG", "off");
    let mut running = Running::start(command);
    let mut peak = 0;
    wait_until("the end of the run", || {
        peak = peak_of(running.id()).unwrap_or_default().max(peak);
        running.has_ended()
    });
    running.end().expect(1).counted("failed", &[("read", 20_000)]);
    let pending = home
        .run(&["delivery", "list", "--state", "pending"])
        .expect(0)
        .json();
    assert_eq!(pending.as_array().unwrap().len(), 20_000);
    assert!((10_000..90_000).contains(&peak), "the run took {peak} kB");
}
