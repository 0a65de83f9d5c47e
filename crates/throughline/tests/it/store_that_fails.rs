//! A store below the whole program that fails one call in five, or is full: the tables are those of
//! a sound store, or as they were.

use testkit::{Project, Server, text};

use crate::lake_on_s3::{STATE, in_bucket};

/// Makes the store below the lake fail, in builds with debug assertions.
const FAULTS: &str = "THROUGHLINE_FAULTS";

/// Seeds of the faults of a bucket.
const SEEDS: u64 = 1;

/// How many faults a run of the project met; it must end well all the same.
fn run_with_faults(project: &Project, faults: &str) -> usize {
    let out = project
        .command(&["-vv", "run"])
        .env(FAULTS, faults)
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", text(&out));
    text(&out).matches("injected into").count()
}

#[test]
fn a_disk_that_fails_one_call_in_five_gives_the_same_tables() {
    if !cfg!(debug_assertions) {
        return testkit::skip("faults are compiled with debug assertions only");
    }
    let sound = &*crate::kill::COMPANY;
    let faulty = sound.copy(&STATE);
    let faults = run_with_faults(&faulty, "seed=7,rate=0.2");
    assert!(faults > 500, "{faults} faults");
    assert_eq!(crate::kill::contents(&faulty), crate::kill::contents(sound));
    assert_eq!(faulty.json(&["run"], 0)["built"], 0);
}

#[test]
fn a_bucket_that_fails_one_call_in_five_gives_the_same_tables() {
    if !cfg!(debug_assertions) {
        return testkit::skip("faults are compiled with debug assertions only");
    }
    let Some(server) = Server::moto() else { return };
    let sound = crate::what_is_dirty::project();
    sound.json(&["run"], 0);
    let table = crate::what_is_dirty::table;
    for seed in 1..=SEEDS {
        let faulty = in_bucket(sound.copy(&STATE), &server, &format!("faults-{seed}"));
        let faults = run_with_faults(&faulty, &format!("seed={seed},rate=0.2"));
        assert!(faults > 20, "seed {seed}: {faults} faults");
        assert_eq!(table(&faulty), table(&sound), "seed {seed}");
        assert_eq!(faulty.json(&["run"], 0)["built"], 0, "seed {seed}");
    }
}
