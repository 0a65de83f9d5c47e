//! The first pass: how many units make the events asked for, and what of them falls on which day.
//!
//! Units are made, counted and forgotten. What stays is small: sixteen bytes a session, a few for
//! each order, one counter for each ad and day. Later passes make the units again by their index.

use std::collections::HashMap;
use std::ops::Range;

use rayon::prelude::*;

use super::campaigns::Platform;
use super::model::{Origin, Unit, Visibility};
use super::units;
use super::world::World;

/// A session, or one of its events, to be written into a day's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SessionRef {
    pub(crate) start: i64,
    pub(crate) unit: u32,
    pub(crate) session: u16,
    /// Only the event that is delivered again.
    pub(crate) is_duplicate: bool,
}

/// A version of an order to be written into a day's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OrderRef {
    pub(crate) at: i64,
    pub(crate) unit: u32,
    pub(crate) order: u8,
    pub(crate) version: u8,
}

/// What the first pass found.
#[derive(Default)]
pub(crate) struct Plan {
    /// Units of the world.
    pub(crate) units: u32,
    /// Lines in the event files, without the malformed ones.
    pub(crate) events: u64,
    pub(crate) sessions: u64,
    /// By day of delivery.
    pub(crate) session_days: Vec<Vec<SessionRef>>,
    /// By day of the change.
    pub(crate) order_days: Vec<Vec<OrderRef>>,
    /// Clicks on Google's ads, by day in the account's zone.
    pub(crate) click_days: Vec<Vec<(u32, u16)>>,
    /// Units with something new in the CRM, by week.
    pub(crate) crm_weeks: Vec<Vec<u32>>,
    /// Clicks by ad and day: `ad * days + day`.
    pub(crate) clicks: Vec<u32>,
    /// Count of orders in the order of their placing, by unit and order.
    order_numbers: HashMap<(u32, u8), u32>,
    placed: Vec<(i64, u32, u8)>,
}

/// Days of a week of deliveries from the CRM.
pub(crate) const WEEK: usize = 7;

/// Units in a piece of work.
pub(crate) const CHUNK: u32 = 512;

impl Plan {
    /// Plans a world of about `target` events. `tell` hears how many are planned.
    pub(crate) fn new(world: &World, target: u64, tell: &(dyn Fn(u64) + Sync)) -> Self {
        let mut plan = Self::empty(world);
        let mut next = 0u32;
        while plan.events < target {
            let chunks: Vec<Range<u32>> = (0..32)
                .map(|piece| next + piece * CHUNK..next + (piece + 1) * CHUNK)
                .collect();
            next += 32 * CHUNK;
            let parts: Vec<(Self, Vec<u64>)> = chunks
                .into_par_iter()
                .map(|range| Self::part(world, range))
                .collect();
            for (part, counts) in parts {
                let first = plan.units;
                if plan.events + part.events < target {
                    plan.add(part);
                } else {
                    let mut sum = plan.events;
                    let wanted = counts
                        .iter()
                        .take_while(|count| {
                            let goes_on = sum < target;
                            sum += **count;
                            goes_on
                        })
                        .count();
                    plan.add(Self::part(world, first..first + wanted as u32).0);
                    break;
                }
            }
            tell(plan.events);
        }
        plan.finish();
        plan
    }

    fn empty(world: &World) -> Self {
        let days = world.calendar.days;
        Self {
            session_days: vec![vec![]; days],
            order_days: vec![vec![]; days],
            click_days: vec![vec![]; days],
            crm_weeks: vec![vec![]; days.div_ceil(WEEK)],
            clicks: vec![0; world.ads.ads.len() * days],
            ..Self::default()
        }
    }

    fn part(world: &World, range: Range<u32>) -> (Self, Vec<u64>) {
        let mut plan = Self::empty(world);
        let counts = range
            .map(|index| {
                let before = plan.events;
                plan.take(world, &units::build(world, index));
                plan.events - before
            })
            .collect();
        (plan, counts)
    }

    fn add(&mut self, other: Self) {
        fn append<T>(own: &mut [Vec<T>], new: Vec<Vec<T>>) {
            for (own, mut new) in own.iter_mut().zip(new) {
                own.append(&mut new);
            }
        }
        self.units += other.units;
        self.events += other.events;
        self.sessions += other.sessions;
        append(&mut self.session_days, other.session_days);
        append(&mut self.order_days, other.order_days);
        append(&mut self.click_days, other.click_days);
        append(&mut self.crm_weeks, other.crm_weeks);
        for (own, new) in self.clicks.iter_mut().zip(other.clicks) {
            *own += new;
        }
        self.placed.extend(other.placed);
    }

    fn finish(&mut self) {
        self.session_days
            .par_iter_mut()
            .for_each(|day| day.sort_unstable());
        self.order_days
            .par_iter_mut()
            .for_each(|day| day.sort_unstable());
        self.placed.sort_unstable();
        self.order_numbers = std::mem::take(&mut self.placed)
            .into_iter()
            .enumerate()
            .map(|(number, (_, unit, order))| ((unit, order), number as u32))
            .collect();
    }

    fn take(&mut self, world: &World, unit: &Unit) {
        self.units += 1;
        for index in 0..unit.sessions.len() {
            self.take_session(world, unit, index);
        }
        for (index, order) in unit.orders.iter().enumerate() {
            self.placed.push((order.placed_at, unit.index, index as u8));
            for (version, at) in order.versions().into_iter().enumerate() {
                self.order_days[world.calendar.index(at)].push(OrderRef {
                    at,
                    unit: unit.index,
                    order: index as u8,
                    version: version as u8,
                });
            }
        }
        let mut weeks: Vec<usize> = super::hubspot::changes(unit)
            .into_iter()
            .map(|at| world.calendar.index(at) / WEEK)
            .collect();
        weeks.sort_unstable();
        weeks.dedup();
        for week in weeks {
            self.crm_weeks[week].push(unit.index);
        }
    }

    fn take_session(&mut self, world: &World, unit: &Unit, index: usize) {
        let session = &unit.sessions[index];
        let calendar = &world.calendar;
        self.sessions += 1;
        if let Origin::Ad(ad) = session.origin {
            let zone = world.ads.account_of(&world.ads.ads[usize::from(ad)]).zone;
            let day = calendar.index_in(zone, session.start);
            self.clicks[usize::from(ad) * calendar.days + day] += 1;
            let campaign = world.ads.campaign_of(&world.ads.ads[usize::from(ad)]);
            if campaign.platform == Platform::Google && session.has_click_id {
                self.click_days[day].push((unit.index, index as u16));
            }
        }
        if session.visibility == Visibility::Hidden {
            return;
        }
        let mut reference = SessionRef {
            start: session.start,
            unit: unit.index,
            session: index as u16,
            is_duplicate: false,
        };
        let mut last = usize::MAX;
        for event in &session.events {
            let day = super::ga4::delivery_day(world, session, event);
            self.events += 1;
            if day != last {
                self.session_days[day].push(reference);
                last = day;
            }
        }
        if let Some((event, later)) = session.duplicate {
            let event = &session.events[usize::from(event)];
            let day = super::ga4::delivery_day(world, session, event) + usize::from(later);
            reference.is_duplicate = true;
            self.events += 1;
            self.session_days[day.min(calendar.days - 1)].push(reference);
        }
    }

    /// Orders of the shop.
    pub(crate) fn orders(&self) -> usize {
        self.order_numbers.len()
    }

    /// The number that people call an order by.
    pub(crate) fn order_number(&self, unit: u32, order: usize) -> u32 {
        1001 + self
            .order_numbers
            .get(&(unit, order as u8))
            .copied()
            .unwrap_or_default()
    }

    /// The shop's id of an order.
    pub(crate) fn order_id(&self, unit: u32, order: usize) -> u64 {
        5_610_000_000_000 + u64::from(self.order_number(unit, order)) * 32_768
    }

    /// Clicks on an ad on a day of its account.
    pub(crate) fn clicks_on(&self, world: &World, ad: usize, day: usize) -> u32 {
        self.clicks[ad * world.calendar.days + day]
    }
}
