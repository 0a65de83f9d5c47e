//! What the company sells: products with variants and a price in each currency.
//!
//! Prices are whole cents of the market's currency, rounded to ten cents as a price list is.

use super::random::{Dice, Purpose};
use super::world::Market;

/// A product.
pub(crate) struct Product {
    /// Id in the shop.
    pub(crate) id: u64,
    pub(crate) title: &'static str,
    pub(crate) category: &'static str,
    /// Path segment of the product's page.
    pub(crate) handle: String,
    pub(crate) price_euro_cents: i64,
    pub(crate) variants: Vec<Variant>,
}

/// A variant of a product.
pub(crate) struct Variant {
    pub(crate) id: u64,
    pub(crate) sku: String,
    pub(crate) title: &'static str,
}

/// Categories, with the path segment of their page.
pub(crate) const CATEGORIES: [(&str, &str); 6] = [
    ("Backpacks", "backpacks"),
    ("Tents", "tents"),
    ("Jackets", "jackets"),
    ("Desks", "desks"),
    ("Chairs", "chairs"),
    ("Lighting", "lighting"),
];

const TITLES: [(&str, usize, i64, &[&str]); 36] = [
    ("Ridge 28 Daypack", 0, 8990, &["Moss", "Slate"]),
    ("Ridge 40 Pack", 0, 12990, &["Moss", "Slate"]),
    ("Summit 65 Trekking Pack", 0, 21990, &["M", "L"]),
    ("Commuter Roll-top", 0, 10990, &["Black", "Sand"]),
    ("Courier Messenger Bag", 0, 7990, &["Black"]),
    ("Stow Packable Daypack", 0, 3490, &["Red", "Blue"]),
    ("Drift Waist Pack", 0, 2990, &["Black", "Moss"]),
    ("Tarn 1 Solo Tent", 1, 24990, &["Green"]),
    ("Tarn 2 Tent", 1, 32990, &["Green", "Ochre"]),
    ("Fell 4 Family Tent", 1, 54990, &["Ochre"]),
    ("Shelter Tarp", 1, 8490, &["Green"]),
    ("Groundsheet", 1, 3990, &["Universal"]),
    ("Peg Set", 1, 1990, &["12 pieces"]),
    ("Squall Rain Jacket", 2, 17990, &["S", "M", "L"]),
    ("Ember Down Jacket", 2, 22990, &["S", "M", "L"]),
    ("Breeze Wind Shirt", 2, 8990, &["S", "M", "L"]),
    ("Loden Softshell", 2, 14990, &["M", "L"]),
    ("Harbour Parka", 2, 27990, &["M", "L"]),
    ("Merino Base Layer", 2, 6990, &["S", "M", "L"]),
    ("Lift One Standing Desk", 3, 49900, &["Oak", "White"]),
    ("Lift Pro Standing Desk", 3, 74900, &["Oak", "Walnut"]),
    ("Fold Home Desk", 3, 22900, &["Oak"]),
    ("Bench Desk for Four", 3, 159_000, &["White"]),
    ("Cable Tray", 3, 3990, &["Black"]),
    ("Monitor Arm", 3, 8990, &["Black", "White"]),
    ("Perch Stool", 4, 14900, &["Grey"]),
    ("Poise Task Chair", 4, 34900, &["Black", "Grey"]),
    ("Poise Pro Chair", 4, 59900, &["Black", "Grey"]),
    ("Gather Meeting Chair", 4, 18900, &["Grey", "Blue"]),
    ("Lounge Chair", 4, 44900, &["Green"]),
    ("Footrest", 4, 4990, &["Birch"]),
    ("Beam Desk Lamp", 5, 8990, &["Black", "White"]),
    ("Camp Lantern", 5, 3990, &["Yellow"]),
    ("Trail Head Torch", 5, 4990, &["Grey"]),
    ("Halo Floor Lamp", 5, 18900, &["Black"]),
    ("Clip Reading Light", 5, 2490, &["White"]),
];

/// All products.
pub(crate) fn products(seed: u64) -> Vec<Product> {
    let mut dice = Dice::new(seed, Purpose::World, &[1]);
    let base = 8_300_000_000_000 + dice.below(100_000_000) as u64;
    TITLES
        .iter()
        .enumerate()
        .map(|(index, (title, category, price, variants))| Product {
            id: base + index as u64 * 32_768,
            title,
            category: CATEGORIES[*category].0,
            handle: title.to_lowercase().replace(' ', "-"),
            price_euro_cents: *price,
            variants: variants
                .iter()
                .enumerate()
                .map(|(number, name)| Variant {
                    id: base + 38_000_000_000_000 + (index * 8 + number) as u64 * 32_768,
                    sku: format!("LF-{:03}-{}", index + 101, number + 1),
                    title: name,
                })
                .collect(),
        })
        .collect()
}

impl Product {
    /// Price in cents of the market's currency, as the shop shows it.
    pub(crate) fn price(&self, market: &Market) -> i64 {
        ((self.price_euro_cents as f64 * market.price_factor) / 10.0).round() as i64 * 10
    }

    /// Index of its category in [`CATEGORIES`].
    pub(crate) fn category_index(&self) -> usize {
        CATEGORIES
            .iter()
            .position(|(name, _)| *name == self.category)
            .unwrap_or(0)
    }
}

/// Cents as `12.34`.
pub(crate) fn cents(amount: i64) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", amount.abs() / 100, amount.abs() % 100)
}
