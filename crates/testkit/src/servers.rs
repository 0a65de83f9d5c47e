//! Servers that tests talk to on the loopback, and the Python that runs other readers.
//!
//! `make tools` puts both into `target/tools`. Where they are not, a test that needs one is skipped
//! and says so; with `THROUGHLINE_REQUIRE_SERVERS=1` it fails instead.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Says that a test is skipped, and why; or fails it where nothing may be skipped.
pub fn skip(why: &str) {
    if std::env::var("THROUGHLINE_REQUIRE_SERVERS").is_ok_and(|value| value == "1") {
        panic!("{why}\nhint: `make tools` installs what tests need");
    }
    // Past the test runner's capture: what was skipped is to be seen.
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// Where `make setup` puts what only tests need.
fn tools() -> PathBuf {
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into());
    crate::repository().join(target).join("tools")
}

/// The Python with the packages of `tests/readers/requirements.txt`, if it is there.
pub fn python() -> Option<PathBuf> {
    let python = tools().join("python/bin/python");
    if python.exists() {
        return Some(python);
    }
    skip("target/tools/python is not here");
    None
}

/// dbt with its adapter for PostgreSQL, as in `tests/dbt/requirements.txt`, if it is there.
pub fn dbt() -> Option<PathBuf> {
    let dbt = tools().join("dbt/bin/dbt");
    if dbt.exists() {
        return Some(dbt);
    }
    skip("target/tools/dbt is not here");
    None
}

/// schemathesis, as in `tests/rest/requirements.txt`, if it is there.
pub fn schemathesis() -> Option<PathBuf> {
    let program = tools().join("rest/bin/schemathesis");
    if program.exists() {
        return Some(program);
    }
    skip("target/tools/rest is not here");
    None
}

/// redocly and spectral, which lint OpenAPI documents, if they are there.
pub fn linters() -> Option<[PathBuf; 2]> {
    let folder = tools().join("linters/node_modules/.bin");
    let both = ["redocly", "spectral"].map(|name| folder.join(name));
    if both.iter().all(|program| program.exists()) {
        return Some(both);
    }
    skip("target/tools/linters is not here");
    None
}

/// Starts moto, and ends it when its standard input ends: with the test's process, however that
/// ends.
const MOTO: &str = "
import os, sys, threading
from moto.server import main
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
main(['-H', '127.0.0.1', '-p', '0'])
";

/// The Python with Spark, and the folder with Delta's jars for it, if they are there. They are
/// large, and nobody need have them: `scripts/tools.sh spark` installs them.
pub fn spark() -> Option<(PathBuf, PathBuf)> {
    let home = tools().join("spark");
    if home.join(".done").exists() {
        return Some((home.join("bin/python"), home.join("jars")));
    }
    let _ = writeln!(std::io::stderr(), "skipped: target/tools/spark is not here");
    None
}

/// The JDBC driver for Arrow Flight SQL, if it is there and something to run it with.
pub fn flight_sql_jdbc() -> Option<PathBuf> {
    let driver = tools().join("jdbc/flight-sql-jdbc-driver.jar");
    let java = Command::new("java").arg("-version").output();
    if driver.exists() && java.is_ok_and(|out| out.status.success()) {
        return Some(driver);
    }
    skip("target/tools/jdbc or java is not here");
    None
}

/// A server of a test, which ends with it.
pub struct Server {
    child: Child,
    /// `host:port`.
    address: String,
}

impl Server {
    /// S3 as Amazon keeps it, in memory (moto), with an empty bucket `lake`.
    pub fn moto() -> Option<Self> {
        let mut child = Command::new(python()?)
            .args(["-c", MOTO])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("moto starts");
        let said = child.stderr.take().expect("its messages");
        let address = wait_for(said, "Running on http://");
        let server = Self { child, address };
        server.put("/lake");
        Some(server)
    }

    /// S3 that overwrites what it was told to keep (s3rver), with an empty bucket `lake` whose
    /// objects lie in `folder`.
    pub fn s3rver(folder: &Path) -> Option<Self> {
        let program = tools().join("node/node_modules/.bin/s3rver");
        if !program.exists() {
            skip("target/tools/node is not here");
            return None;
        }
        let mut child = Command::new(program)
            .args(["-a", "127.0.0.1", "-p", "0", "--configure-bucket", "lake"])
            .arg("-d")
            .arg(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("s3rver starts");
        let said = child.stdout.take().expect("its messages");
        let address = wait_for(said, "listening on ");
        Some(Self { child, address })
    }

    /// `http://host:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn put(&self, path: &str) {
        let mut stream = TcpStream::connect(&self.address).expect("the server answers");
        let host = &self.address;
        let request = format!(
            "PUT {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads what a server says until it names its address, and goes on reading so that it never
/// waits for us.
fn wait_for(said: impl Read + Send + 'static, before: &str) -> String {
    let mut lines = BufReader::new(said).lines();
    let mut heard = String::new();
    let address = loop {
        let Some(Ok(line)) = lines.next() else {
            panic!("the server did not start:\n{heard}");
        };
        if let Some((_, rest)) = line.split_once(before) {
            let end = |c: char| !(c.is_ascii_alphanumeric() || ".:".contains(c));
            break rest.split(end).next().unwrap_or_default().to_owned();
        }
        heard.push_str(&line);
        heard.push('\n');
    };
    std::thread::spawn(move || lines.for_each(drop));
    address
}
