//! What functions know beside their arguments: settings of the project and its seeds.
//!
//! A model that calls such a function must be built anew when one of these changes, although its
//! SQL reads as before. The same holds where the function itself comes to mean something else:
//! its edition counts up.

use std::fmt::Write as _;

use domain::config::{ProjectConfig, SessionPolicy};

use crate::project::Project;

/// What a function's result depends on.
struct Meaning {
    /// The function, as it is called.
    call: &'static str,
    /// Counts up when it comes to mean something else.
    edition: u32,
    /// The settings that it knows.
    settings: fn(&ProjectConfig) -> String,
    /// The seeds that it knows.
    seeds: &'static [&'static str],
}

const MEANINGS: [Meaning; 14] = [
    Meaning {
        call: "sessionize(",
        edition: 2,
        settings: |config| {
            let sessions = &config.sessions;
            let mut text = format!("{} {}", sessions.timeout_minutes, sessions.hours_max);
            // What a project need not say adds nothing: it reads as it did before it could be said.
            if sessions.policy == SessionPolicy::Ua {
                let _ = write!(text, " ua {}", config.reporting.zone);
            } else if !sessions.keeps_tracker_ids() {
                text.push_str(" without tracker ids");
            }
            text
        },
        seeds: &[],
    },
    Meaning {
        call: "attribute(",
        edition: 2,
        settings: |config| {
            let attribution = &config.attribution;
            format!(
                "{:?} {} {:?} {:?} {:?} {:?}",
                attribution.lookback_days,
                attribution.half_life_days,
                attribution.models,
                attribution.custom,
                attribution.path_transforms,
                attribution.path_restart
            )
        },
        seeds: &[],
    },
    Meaning {
        call: "fit_attribution(",
        edition: 1,
        settings: |config| {
            let fitted = &config.attribution.fitted;
            format!("{:?} {}", fitted.models, fitted.collapse_channels_first)
        },
        seeds: &[],
    },
    Meaning {
        call: "funnel(",
        edition: 1,
        settings: |_| String::new(),
        seeds: &[],
    },
    Meaning {
        call: "path_at(",
        edition: 1,
        settings: |_| String::new(),
        seeds: &[],
    },
    Meaning {
        call: "paths(",
        edition: 1,
        settings: |_| String::new(),
        seeds: &[],
    },
    Meaning {
        call: "retention(",
        edition: 1,
        settings: |config| {
            let reporting = &config.reporting;
            format!("{} {:?}", reporting.zone, reporting.week_start)
        },
        seeds: &[],
    },
    Meaning {
        call: "probable_links(",
        edition: 1,
        settings: |_| String::new(),
        seeds: &[],
    },
    Meaning {
        call: "connected_components(",
        edition: 2,
        settings: |config| {
            let identity = &config.identity;
            format!(
                "{} {} {:?} {:?}",
                identity.degree_max, identity.emails_max, identity.limits, identity.limits_by
            )
        },
        seeds: &[],
    },
    Meaning {
        call: "is_blocked_identifier(",
        edition: 1,
        settings: |config| format!("{:?}", config.identity.blocked_values),
        seeds: &[],
    },
    Meaning {
        call: "traffic_source(",
        edition: 1,
        settings: |config| {
            let site = &config.site;
            format!("{:?} {:?}", site.domains, site.payment_referrals)
        },
        seeds: &["referrer_host", "click_id"],
    },
    Meaning {
        call: "has_traffic_parameter(",
        edition: 1,
        settings: |_| String::new(),
        seeds: &["click_id"],
    },
    Meaning {
        call: "channel_group(",
        edition: 1,
        settings: |_| String::new(),
        seeds: &["channel_rule", "channel_source"],
    },
    Meaning {
        call: "is_bot(",
        edition: 1,
        settings: |_| String::new(),
        seeds: &["bot_pattern"],
    },
];

/// What the functions that a model calls know beside their arguments, as one text. `sql` is in
/// lower case.
pub(crate) fn meaning(project: &Project, sql: &str) -> String {
    let mut text = String::new();
    for meaning in MEANINGS.iter().filter(|known| sql.contains(known.call)) {
        let settings = (meaning.settings)(&project.config);
        let _ = writeln!(text, "{}{} {settings}", meaning.call, meaning.edition);
        let seeds = meaning.seeds.iter();
        for seed in seeds.filter_map(|name| project.seeds.get(*name)) {
            let _ = writeln!(text, "{}", seed.text);
        }
    }
    text
}
