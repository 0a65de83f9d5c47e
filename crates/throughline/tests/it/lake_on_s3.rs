//! The lake in a bucket: by settings alone, the same tables as on disk, and no bucket that would
//! lose commits.

use std::sync::LazyLock;

use testkit::{Project, Server, text};

/// The secret that must not be seen anywhere.
const SECRET: &str = "a-secret-that-nobody-may-see";

/// Settings of a lake in this server's bucket.
pub(crate) fn settings(server: &Server, prefix: &str) -> String {
    format!(
        "lake:\n  location: s3://lake/{prefix}\n  endpoint: {}\n  region: us-east-1\n  \
         allow_http: true\n",
        server.url()
    )
}

/// The project with its lake in the server's bucket.
pub(crate) fn in_bucket(project: Project, server: &Server, prefix: &str) -> Project {
    project.set(&settings(server, prefix));
    project
        .with_env("AWS_ACCESS_KEY_ID", "somebody")
        .with_env("AWS_SECRET_ACCESS_KEY", SECRET)
}

/// Nothing of the lake: what a copy of a project leaves behind.
pub(crate) const STATE: [&str; 2] = [".throughline", "target"];

/// A small company in a bucket.
pub(crate) struct Company {
    pub(crate) server: Server,
    pub(crate) project: Project,
    /// What the program printed while it built it.
    said: String,
}

/// The prefix of its lake.
pub(crate) const PREFIX: &str = "company";

/// Built once for all tests, none of which changes it.
pub(crate) static COMPANY: LazyLock<Option<Company>> = LazyLock::new(|| {
    let server = Server::moto()?;
    let project = crate::kill::COMPANY.copy(&STATE);
    let project = in_bucket(project, &server, PREFIX);
    let ran = project.run(&["-vv", "run"]);
    assert!(ran.status.success(), "{}", text(&ran));
    Some(Company {
        server,
        project,
        said: text(&ran),
    })
});

#[test]
fn a_bucket_holds_what_a_folder_holds() {
    let Some(company) = COMPANY.as_ref() else {
        return;
    };
    let (on_s3, on_disk) = (&company.project, &*crate::kill::COMPANY);
    assert!(!company.said.contains(SECRET));
    assert!(!on_s3.dir().join(".throughline/lake").exists());
    assert_eq!(crate::kill::contents(on_s3), crate::kill::contents(on_disk));
    assert_eq!(on_s3.json(&["plan"], 0)["build"], serde_json::json!([]));
    assert_eq!(on_s3.json(&["run"], 0)["built"], 0);
}

/// A crash at points spread over a run, each time on the state that the last one left.
#[test]
fn a_run_that_crashes_over_a_bucket_is_carried_on() {
    let Some(server) = Server::moto() else { return };
    let project = in_bucket(crate::what_is_dirty::project(), &server, "crashes");
    let wanted = project.copy(&STATE);
    wanted.set("lake: {}");
    wanted.json(&["run"], 0);
    let mut crashes = 0;
    loop {
        let out = project
            .command(&["run"])
            .env(lake::crash::VARIABLE, "*:40")
            .output()
            .unwrap();
        if out.status.success() {
            break;
        }
        assert_eq!(out.status.code(), None, "{}", text(&out));
        crashes += 1;
        assert!(crashes < 100, "the run never ends");
    }
    assert!(crashes >= 2, "{crashes} crashes");
    let table = crate::what_is_dirty::table;
    assert_eq!(table(&project), table(&wanted));
    assert_eq!(project.json(&["run"], 0)["built"], 0);
}

#[test]
fn a_store_that_overwrites_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let Some(server) = Server::s3rver(folder.path()) else {
        return;
    };
    let project = crate::what_is_dirty::project();
    project.set(&settings(&server, "shop"));
    let project = project
        .with_env("AWS_ACCESS_KEY_ID", "S3RVER")
        .with_env("AWS_SECRET_ACCESS_KEY", "S3RVER");
    for command in ["run", "doctor"] {
        let out = project.run(&[command]);
        assert_eq!(out.status.code(), Some(1), "{}", text(&out));
        for part in ["If-None-Match", "overwrite each other's commits", "hint:"] {
            assert!(text(&out).contains(part), "{}", text(&out));
        }
    }
    let objects = std::fs::read_dir(folder.path().join("lake/shop")).map(Iterator::count);
    assert_eq!(objects.unwrap_or(0), 0, "nothing is left in the bucket");
}

#[test]
fn settings_of_the_lake_that_are_wrong_say_what_to_do_and_show_no_secret() {
    let project = crate::what_is_dirty::project();
    let refused = |lake: &str, wanted: &[&str]| {
        project.set(&format!("lake: {lake}"));
        let out = project.run(&["run"]);
        assert_eq!(out.status.code(), Some(1), "{}", text(&out));
        for part in wanted.iter().chain(&["hint:"]) {
            assert!(text(&out).contains(part), "{lake}\n{}", text(&out));
        }
        assert!(!text(&out).contains(SECRET), "{}", text(&out));
    };
    let keyed = format!("{{location: 's3://lake', secret_access_key: {SECRET}}}");
    refused(&keyed, &["secret_access_key", "environment"]);
    let signed = format!("{{location: 's3://key:{SECRET}@lake/a'}}");
    refused(&signed, &["credentials", "AWS_SECRET_ACCESS_KEY"]);
    refused("{location: 'gs://lake/a'}", &["s3://bucket/prefix"]);
    let plain = "{location: 's3://lake', endpoint: 'http://127.0.0.1:9'}";
    refused(plain, &["plain HTTP", "allow_http: true"]);
    // A port at which nobody listens: told within a second or so, not after half a minute.
    let nobody = "{location: 's3://lake', endpoint: 'http://127.0.0.1:9', allow_http: true}";
    refused(nobody, &["s3://lake", "lake.endpoint"]);
}
