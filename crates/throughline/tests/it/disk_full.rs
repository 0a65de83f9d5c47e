//! No room to write: the run says so and stops, no table holds anything half-done, and the next run
//! with room goes on to the same tables.

use std::process::{Command, Output};

use testkit::{Project, text};

use crate::lake_on_s3::STATE;

/// The run failed for want of room, and said what to do.
fn assert_full(out: &Output) {
    assert_eq!(out.status.code(), Some(1), "{}", text(out));
    for part in ["there is no room to write", "hint: free space"] {
        assert!(text(out).contains(part), "{}", text(out));
    }
}

/// All tables that are there can be read whole; then a run with room completes them.
fn assert_goes_on(project: &Project) {
    crate::kill::contents(project);
    project.json(&["run"], 0);
    let (found, wanted) = (
        crate::kill::contents(project),
        crate::kill::contents(&crate::kill::COMPANY),
    );
    assert_eq!(found, wanted);
    assert_eq!(project.json(&["run"], 0)["built"], 0);
}

#[test]
fn a_disk_that_fills_up_stops_the_run_and_harms_no_table() {
    if !cfg!(debug_assertions) {
        return testkit::skip("faults are compiled with debug assertions only");
    }
    let project = crate::kill::COMPANY.copy(&STATE);
    // Full while raw is loaded, then again and again later, each time a little further.
    for room in ["300000", "600000", "900000"] {
        let faults = format!("full_after={room}");
        let out = project
            .command(&["run"])
            .env("THROUGHLINE_FAULTS", faults)
            .output()
            .unwrap();
        assert_full(&out);
    }
    assert_goes_on(&project);
}

/// The kernel itself refuses: no file may grow beyond a limit.
#[test]
fn a_limit_on_the_size_of_files_stops_the_run_and_harms_no_table() {
    let project = crate::kill::COMPANY.copy(&STATE);
    let mut shell = Command::new("bash");
    // Ignored, the signal becomes an error of the write.
    shell.args(["-c", "trap '' XFSZ; ulimit -f 100; exec \"$0\" run"]);
    shell.arg(crate::PROGRAM).current_dir(project.dir());
    let out = shell.output().unwrap();
    assert_full(&out);
    assert_goes_on(&project);
}

/// A real disk of a few megabytes, where a namespace of its own may mount one.
#[test]
fn a_small_disk_stops_the_run_and_harms_no_table() {
    let project = crate::kill::COMPANY.copy(&STATE);
    let state = project.dir().join(".throughline");
    let kept = project.path("kept");
    std::fs::create_dir(&state).unwrap();
    // What lies on the small disk is copied away before it goes with its namespace.
    let script = "mount -t tmpfs -o size=1200k tmpfs \"$1\" || exit 77; \
                  \"$0\" run; status=$?; cp -r \"$1\" \"$2\"; exit $status";
    let out = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
        .arg(crate::PROGRAM)
        .args([&state, &kept])
        .current_dir(project.dir())
        .output();
    let out = match out {
        Ok(out) if kept.exists() => out,
        _ => return testkit::skip("a tmpfs of one's own cannot be mounted here"),
    };
    assert_full(&out);
    std::fs::remove_dir(&state).unwrap();
    testkit::copy_folder(&kept, &state);
    assert_goes_on(&project);
}
