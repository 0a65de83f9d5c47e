//! What all requests share.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::meter::{Meter, Rate};
use super::repeats::Repeats;
use crate::access::who::Key;
use crate::doors::Doors;

/// What there is to choose.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How much one caller may ask.
    pub rate: Rate,
    /// Longest body of a request, in bytes.
    pub body_bytes: usize,
    /// A body must have come within this time.
    pub body_time: Duration,
    /// Origins whose pages may read answers (`https://bi.example.com`); none without them.
    pub origins: Vec<String>,
    /// Connections that end in their own time after the door has closed.
    pub grace: Duration,
    /// Connections that are held at a time.
    pub connections: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rate: Rate::default(),
            body_bytes: 2 << 20,
            body_time: Duration::from_secs(30),
            origins: vec![],
            grace: Duration::from_secs(5),
            connections: 1_024,
        }
    }
}

/// What all requests share. Cheap to clone.
#[derive(Clone)]
pub(super) struct App {
    shared: Arc<Shared>,
}

/// The parts.
pub(super) struct Shared {
    pub(super) doors: Doors,
    pub(super) settings: Settings,
    pub(super) meter: Meter,
    pub(super) repeats: Repeats,
    /// Signs cursors.
    pub(super) cursor_key: Key,
    /// The OpenAPI document.
    pub(super) document: String,
}

impl App {
    pub(super) fn new(doors: Doors, settings: Settings, document: String) -> Self {
        let shared = Shared {
            cursor_key: doors.who.store().sub_key("rest cursor"),
            meter: Meter::new(settings.rate),
            repeats: Repeats::default(),
            doors,
            settings,
            document,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// What time it is.
    pub(super) fn now(&self) -> DateTime<Utc> {
        (self.shared.doors.clock)()
    }
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}
