//! The one integration-test binary: the program run as a user runs it.
//!
//! Add a file by what it proves, not by what it calls. Tests of real data skip, and say so, where
//! the folder with it is not there.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests fail by panicking and say what they came to"
)]

mod ad_exports;
mod attribution_settings;
mod b2b;
mod backup;
mod bad_input;
mod channels;
mod cleansing;
mod command_line;
mod dbt;
mod demo_company;
mod disk_full;
mod doors;
mod downloads;
mod downloads_more;
mod event_touches;
mod first_steps;
mod fitted;
mod flight_clients;
mod gate;
mod guides;
mod history;
mod hubspot_languages;
mod identity;
mod kill;
mod lake_on_s3;
mod layouts;
mod linkability;
mod loading;
mod maintain;
mod metrics;
mod other_readers;
mod own_sources;
mod parts_and_keys;
mod pg_clients;
mod probable_links;
mod real_exports;
mod reconcile;
mod reconcile_languages;
mod rest_api;
mod sample_exports;
mod snowplow_own_figures;
mod spend;
mod state_lost;
mod store_that_fails;
mod torture;
mod two_writers;
mod unprepared_sources;
mod upgrades;
mod users_and_tokens;
mod utm_audit;
mod what_is_dirty;
mod worth;

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_throughline");
