//! A project with its doors open, as a test's clients use it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Project;

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// `throughline serve` at work. It ends with the test.
pub struct Doors {
    child: Child,
    said: Value,
}

/// An answer of REST.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers, as they came.
    pub head: String,
    /// Its body.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Doors {
    /// Opens all doors at free addresses, with further arguments.
    pub fn open(project: &Project, arguments: &[&str]) -> Self {
        let free = "127.0.0.1:0";
        let mut all = vec!["--json", "--quiet", "serve"];
        for door in ["--http", "--postgres", "--flight"] {
            if !arguments.contains(&door) {
                all.extend([door, free]);
            }
        }
        all.extend(arguments);
        let mut child = project
            .command(&all)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("standard output"));
        out.read_line(&mut line).expect("a line");
        let said = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("the doors do not open: {error}: {line}"));
        Self { child, said }
    }

    /// What the program said when it started.
    pub fn said(&self) -> &Value {
        &self.said
    }

    /// Where a door is: `host:port` of `http`, `postgres` or `flight`.
    pub fn address(&self, door: &str) -> String {
        self.said[door].as_str().expect("an address").to_owned()
    }

    /// The number of the program's process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Asks REST. `token`: empty for nobody.
    pub fn ask(&self, method: &str, path: &str, token: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address("http")).expect("the door is open");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time");
        // HTTP/1.0: an answer ends where the connection does.
        let mut request = format!("{method} {path} HTTP/1.0\r\nHost: localhost\r\n");
        if !token.is_empty() {
            request += &format!("Authorization: Bearer {token}\r\n");
        }
        if !body.is_empty() {
            request += "Content-Type: application/json\r\n";
        }
        request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|text| text.parse().ok());
        Answer {
            status: status.unwrap_or_else(|| panic!("no answer: {answer}")),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    /// Asks REST for something.
    pub fn get(&self, path: &str, token: &str) -> Answer {
        self.ask("GET", path, token, "")
    }

    /// Runs a statement by REST.
    pub fn sql(&self, statement: &str, token: &str) -> Answer {
        let body = serde_json::json!({"statement": statement}).to_string();
        self.ask("POST", "/api/v1/sql", token, &body)
    }

    /// Ends the program as a service manager does; gives its exit status.
    pub fn end(mut self) -> Option<i32> {
        let process = self.child.id().to_string();
        let told = std::process::Command::new("kill")
            .args(["-TERM", &process])
            .status();
        assert!(told.expect("kill").success());
        eventually("the program ends", || {
            self.child.try_wait().expect("a state")
        })
        .code()
    }
}

impl Drop for Doors {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks until there is an answer, and fails after a long time.
pub fn eventually<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, what, ask)
}

/// Asks until there is an answer, and fails after `time`.
pub fn within<T>(time: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(began.elapsed() < time, "in vain: {what}");
        std::thread::yield_now();
    }
}
