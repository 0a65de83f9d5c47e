//! Exchange rates in the wide layout of the European Central Bank, the newest day first.
//!
//! One euro in each currency, on banking days only; currencies that are no more are `N/A`.

use std::path::Path;

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::calendar::easter;
use super::files;
use super::random::{Dice, Purpose};
use super::world::World;

/// Currency, rate on the first day (0: no longer quoted), decimals.
const CURRENCIES: [(&str, f64, usize); 22] = [
    ("USD", 1.1012, 4),
    ("JPY", 171.42, 2),
    ("BGN", 0.0, 4),
    ("CZK", 24.85, 3),
    ("DKK", 7.4604, 4),
    ("GBP", 0.8611, 5),
    ("HUF", 381.2, 2),
    ("PLN", 4.2615, 4),
    ("RON", 5.0421, 4),
    ("SEK", 10.982, 4),
    ("CHF", 0.9452, 4),
    ("ISK", 141.8, 2),
    ("NOK", 11.614, 4),
    ("HRK", 0.0, 4),
    ("RUB", 0.0, 4),
    ("TRY", 49.117, 4),
    ("AUD", 1.7043, 4),
    ("BRL", 6.1244, 4),
    ("CAD", 1.5521, 4),
    ("CNY", 7.9012, 4),
    ("INR", 95.481, 4),
    ("ZAR", 19.943, 4),
];

/// Days before the window for which there are rates.
const BEFORE: u64 = 14;

/// Writes the rates.
pub(crate) fn write(world: &World, out: &Path) -> anyhow::Result<()> {
    let first = world.calendar.first - Days::new(BEFORE);
    let last = world.calendar.day(world.calendar.days + 1);
    let mut dice = Dice::new(world.seed, Purpose::World, &[2]);
    let mut rates: Vec<f64> = CURRENCIES.iter().map(|(_, rate, _)| *rate).collect();
    let mut lines = Vec::new();
    let mut day = first;
    while day <= last {
        if is_banking_day(day) {
            let mut line = day.to_string();
            for (rate, (_, _, digits)) in rates.iter_mut().zip(CURRENCIES) {
                *rate *= 1.0 + (dice.share() - 0.5) * 0.008;
                line.push(',');
                if *rate == 0.0 {
                    line.push_str("N/A");
                } else {
                    line.push_str(&format!("{rate:.digits$}"));
                }
            }
            line.push_str(",\n");
            lines.push(line);
        }
        day = day + Days::new(1);
    }
    lines.reverse();
    let mut text = String::from("Date");
    for (currency, _, _) in CURRENCIES {
        text.push(',');
        text.push_str(currency);
    }
    text.push_str(",\n");
    text.push_str(&lines.concat());
    files::write(&out.join("exchange_rates/eurofxref.csv"), &text)
}

fn is_banking_day(day: NaiveDate) -> bool {
    let sunday = easter(day.year());
    let moved = [sunday - Days::new(2), sunday + Days::new(1)];
    let fixed = [(1, 1), (5, 1), (12, 25), (12, 26)];
    !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
        && !moved.contains(&day)
        && !fixed.contains(&(day.month(), day.day()))
}
