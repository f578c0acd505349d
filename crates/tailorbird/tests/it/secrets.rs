//! Canary secrets: planted once, then everything is run, the failures too; they may be in no output, no log and
//! no file but sealed ones.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Home, Said, Sandbox, program, sql};

/// Everything that was said, and the secrets that may not be in it.
struct Ears {
    canaries: Vec<(String, String)>,
}

impl Ears {
    /// A secret. Where it has signs that are encoded on the way, once or twice, its longest plain part is
    /// looked for.
    fn plant(&mut self, name: &str, secret: &str) {
        let parts = secret.split(|c: char| !c.is_ascii_alphanumeric());
        let core = parts.max_by_key(|part| part.len()).unwrap();
        assert!(core.len() >= 7, "too short to be told from chance: {core}");
        self.canaries.push((name.to_owned(), core.to_owned()));
    }

    fn check(&self, what: &str, text: &[u8]) {
        for (name, secret) in &self.canaries {
            // A number of seven digits stands in many a longer one by chance; that is no leak.
            let is_number = secret.bytes().all(|byte| byte.is_ascii_digit());
            let digit = |at: Option<usize>| {
                is_number && at.and_then(|at| text.get(at)).is_some_and(u8::is_ascii_digit)
            };
            let found = (0..text.len()).find(|at| {
                text[*at..].starts_with(secret.as_bytes())
                    && !digit(at.checked_sub(1))
                    && !digit(Some(at + secret.len()))
            });
            if let Some(at) = found {
                let from = at.saturating_sub(200);
                let around = String::from_utf8_lossy(&text[from..text.len().min(at + 100)]).into_owned();
                panic!("{name} is in {what}: …{around}…");
            }
        }
    }

    fn heard(&self, what: &str, said: &Said) {
        self.check(&format!("standard output of {what}"), said.stdout.as_bytes());
        self.check(&format!("standard error of {what}"), said.stderr.as_bytes());
    }

    /// Looks through every file below a folder, byte for byte.
    fn search(&self, folder: &Path, except: &str) -> usize {
        let (mut count, mut open) = (0, vec![folder.to_owned()]);
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(
                    std::fs::read_dir(&path)
                        .unwrap()
                        .map(|entry| entry.unwrap().path()),
                );
            } else if path.file_name().unwrap() != except {
                self.check(&path.display().to_string(), &std::fs::read(&path).unwrap());
                count += 1;
            }
        }
        count
    }
}

/// Runs a command with the whole log on, in both output forms, and listens.
fn loud(ears: &Ears, home: &Home, arguments: &[&str]) -> Said {
    let mut as_text = Command::new(program());
    as_text
        .arg("--home")
        .arg(home.path())
        .args(arguments)
        .env("NO_COLOR", "1");
    let [_, said] = [as_text, home.command(arguments)].map(|mut command| {
        command
            .env("RUST_LOG", "trace")
            .env("RUST_BACKTRACE", "full")
            .stdin(Stdio::null());
        let heard: Said = command.output().unwrap().into();
        ears.heard(&arguments.join(" "), &heard);
        heard
    });
    said
}

fn give(ears: &Ears, home: &Home, name: &str, secrets: &Value) {
    let mut command = home.command(&["connection", "add", name, "--secrets", "-"]);
    command
        .env("RUST_LOG", "trace")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), secrets.to_string().as_bytes()).unwrap();
    let said: Said = child.wait_with_output().unwrap().into();
    ears.heard("connection add", &said);
    said.expect(0);
}

/// What anybody may do with a connection, whether it works or not.
fn use_it(ears: &Ears, home: &Home, name: &str) {
    for arguments in [
        &["connection", "show", name][..],
        &["connection", "list"],
        &["connection", "test", name],
        &["connection", "diagnose", name],
        &["connection", "export", name],
        &["connection", "authorize", name, "--start"],
        &[
            "connection",
            "authorize",
            name,
            "--start",
            "--callback",
            "loopback",
        ],
        &["connection", "authorize", name, "--verifier", "0000000"],
        &["call", name, "GET /2/users/me"],
        &["call", name, "GET /2/users/me", "--dry-run"],
        &["call", name, "GET /2/users/me", "--as-curl"],
        &["call", name, "POST /2/tweets", "--param", "text=x", "--dry-run"],
        &["call", name, "POST /2/tweets", "--param", "text=x"],
        &["call", name, "GET /oauth/request_token"],
        &["doctor"],
    ] {
        loud(ears, home, arguments);
    }
}

fn ears(secrets: &Value) -> Ears {
    let mut ears = Ears { canaries: Vec::new() };
    for (name, value) in secrets.as_object().unwrap() {
        if name != "client_key" && name != "token" {
            ears.plant(name, value.as_str().unwrap());
        }
    }
    ears
}

/// All secrets of the provider's making: client secret, request token's secret, PIN, token and its secret.
#[test]
fn nothing_of_a_whole_life_leaks() {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    let keys = sandbox.application("read_write");
    let mut ears = ears(&keys);
    let root = format!("root_url={}", sandbox.api);
    loud(
        &ears,
        &home,
        &["connection", "add", "company-x", "--service", "x", "--set", &root],
    );
    give(&ears, &home, "company-x", &keys);

    // The PIN: a wrong one first, then the right one.
    let started = loud(&ears, &home, &["connection", "authorize", "company-x", "--start"])
        .expect(0)
        .json();
    let pin = sandbox.approve(started["authorize_url"].as_str().unwrap());
    ears.plant("the PIN", &pin);
    loud(
        &ears,
        &home,
        &["connection", "authorize", "company-x", "--verifier", "0000000"],
    );
    let finished = home
        .command(&["connection", "authorize", "company-x", "--verifier", &pin])
        .env("RUST_LOG", "trace")
        .output()
        .unwrap();
    let finished: Said = finished.into();
    ears.heard("authorize --verifier", &finished);
    finished.expect(0);
    // The token itself is public by OAuth's book; it is sealed and masked all the same.
    let token = sandbox
        .get("requests")
        .as_array()
        .unwrap()
        .iter()
        .find_map(access_token)
        .unwrap();
    ears.plant("the token", &token);

    home.database("erp", "create table products (sku text, name text); insert into products values ('A', 'Kettle'), ('B', 'Mug'), ('C', 'Mug');
        create table product_posts (sku text primary key, post_id text, posted_at text)");
    home.apply(
        "announce.yaml",
        &crate::support::announce("product-{{ sku }}", "{{ name }}"),
    )
    .expect(0);
    sandbox.post("faults", &json!([{"match": "POST /2/tweets", "nth": 1, "do": "lose_answer"}, {"match": "GET /2/users", "nth": 9, "do": "503"}]));
    loud(&ears, &home, &["task", "run", "announce"]);
    for arguments in [
        &["task", "list"][..],
        &["task", "show", "announce"],
        &["run", "list"],
        &["delivery", "list"],
        &["delivery", "show", "product-A"],
        &["delivery", "show", "product-C"],
        &["database", "query", "erp", "select * from product_posts"],
    ] {
        loud(&ears, &home, arguments);
    }
    use_it(&ears, &home, "company-x");
    let files = ears.search(&home.path(), "sealing.key");
    assert!(files >= 2, "ledger and its log were read: {files}");
    // Down, and with a service that is closed.
    drop(sandbox);
    use_it(&ears, &home, "company-x");
    ears.search(&home.path(), "sealing.key");
    // Removed means gone from the file, too.
    sql(&home.path().join("ledger.db"), "pragma wal_checkpoint(truncate)");
    ears.search(&home.path(), "sealing.key");
}

/// The access token that the provider gave, out of the requests that carried it.
fn access_token(request: &Value) -> Option<String> {
    if request["path"] != "/2/users/me" {
        return None;
    }
    let headers = request["headers"].as_array()?;
    let header = headers.iter().find(|h| h[0] == "authorization")?[1]
        .as_str()?
        .to_owned();
    let token = header
        .split("oauth_token=\"")
        .nth(1)?
        .split('"')
        .next()?
        .to_owned();
    Some(token)
}

/// Secrets of a person's making, refused by the provider, over each signature method and placement.
fn refused(connections: &[(&str, &[&str])]) {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    let pem = rsa_key();
    let secrets = json!({
        "client_key": "canaryless-key", "client_secret": "a&CANARYclientsecret/+1",
        "token": "canaryless-token", "token_secret": "b&CANARYtokensecret/+2", "rsa_private_key": pem,
    });
    let mut ears = ears(&secrets);
    for line in pem.lines().filter(|line| !line.starts_with("-----")).take(3) {
        ears.plant("a line of the RSA key", line);
    }
    let api = &sandbox.api;
    let settings = [
        format!("root_url={api}"),
        format!("temporary_credentials_url={api}/oauth/request_token"),
        format!("authorization_url={api}/oauth/authorize"),
        format!("token_url={api}/oauth/access_token"),
    ];
    for (name, more) in connections {
        let mut arguments = vec!["connection", "add", name, "--service", "generic-oauth1"];
        for setting in settings.iter().map(String::as_str).chain(more.iter().copied()) {
            arguments.extend(["--set", setting]);
        }
        loud(&ears, &home, &arguments);
        give(&ears, &home, name, &secrets);
        use_it(&ears, &home, name);
    }
    assert!(ears.search(&home.path(), "sealing.key") >= 2);
}

#[test]
fn nothing_leaks_where_hmac_is_refused() {
    refused(&[
        ("query", &["signature_method=HMAC-SHA256", "placement=query"]),
        ("body", &["signature_method=HMAC-SHA512", "placement=body"]),
    ]);
}

/// PLAINTEXT sends the secrets themselves, so a signature that is shown would be a leak.
#[test]
fn nothing_leaks_where_plaintext_is_refused() {
    refused(&[
        ("plain", &["signature_method=PLAINTEXT"]),
        ("query", &["signature_method=PLAINTEXT", "placement=query"]),
    ]);
}

#[test]
fn nothing_leaks_where_rsa_is_refused() {
    refused(&[("rsa", &["signature_method=RSA-SHA256"])]);
}

/// What cannot be read is not repeated.
#[test]
fn nothing_leaks_of_secrets_that_cannot_be_read() {
    let home = Home::new();
    let pem = rsa_key();
    let mut ears = ears(&json!({"client_secret": "a&CANARYclientsecret/+1"}));
    for line in pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .skip(1)
        .take(3)
    {
        ears.plant("a line of the RSA key", line);
    }
    let rsa = [
        "connection",
        "add",
        "rsa",
        "--service",
        "generic-oauth1",
        "--set",
        "signature_method=RSA-SHA1",
    ];
    loud(
        &ears,
        &home,
        &[&rsa[..], &["--set", "root_url=http://127.0.0.1:9"]].concat(),
    );
    let broken = json!({"client_key": "k", "token": "t", "token_secret": "s",
                        "rsa_private_key": pem.replacen("MII", "MIJ", 1)});
    give(&ears, &home, "rsa", &broken);
    use_it(&ears, &home, "rsa");
    for text in [
        "{\"client_secret\":\"a&CANARYclientsecret/+1\",}",
        "{\"client_secret\":{\"x\":\"a&CANARYclientsecret/+1\"}}",
        "a&CANARYclientsecret/+1",
    ] {
        let path = home.write("secrets.json", text);
        loud(&ears, &home, &["connection", "add", "rsa", "--secrets", &path]);
    }
    ears.search(&home.path(), "sealing.key");
}

/// A password in an address is a secret, too: `https://user:password@host/`.
#[test]
fn a_password_in_an_address_is_told_nowhere() {
    let home = Home::new();
    let ears = ears(&json!({"password": "CANARYpassword"}));
    let said = loud(
        &ears,
        &home,
        &[
            "connection",
            "add",
            "crm",
            "--service",
            "generic-oauth1",
            "--set",
            "root_url=http://anna:CANARYpassword@127.0.0.1:9/1",
        ],
    );
    if said.code == 0 {
        use_it(&ears, &home, "crm");
    } else {
        said.refused(2, "CONN-002").says(&["root_url"]);
    }
    if home.path().exists() {
        ears.search(&home.path(), "sealing.key");
    }
}

/// The judge can fail: it finds what is there, in each of its places.
#[test]
fn the_ears_hear() {
    let folder = tempfile::tempdir().unwrap();
    let ears = ears(&json!({"client_secret": "a+CANARYofears"}));
    for text in ["before a+CANARYofears after", "oauth=a%252BCANARYofears"] {
        let path: PathBuf = folder.path().join("file");
        std::fs::write(&path, text).unwrap();
        assert!(
            std::panic::catch_unwind(|| ears.search(folder.path(), "other")).is_err(),
            "{text}"
        );
        assert_eq!(ears.search(folder.path(), "file"), 0);
    }
}

/// A published test key; it protects nothing.
fn rsa_key() -> String {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tailorbird-oauth/conformance/keys");
    std::fs::read_to_string(keys.join("own-rsa-2048.private.pem")).unwrap()
}
