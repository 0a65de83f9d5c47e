//! The standing parts of the demo company: markets, names, pages, what it is called.
//!
//! The company, Larkfield, sells outdoor and office goods to people in a web shop and furnishes
//! offices for companies. All domains are reserved ones (`.example`), all people are invented.

use super::calendar::Calendar;
use super::campaigns::AdWorld;
use super::catalogue::Product;

/// The website.
pub(crate) const SITE: &str = "https://www.larkfield.example";
/// Host of the website.
pub(crate) const HOST: &str = "www.larkfield.example";
/// Payment providers that customers are sent to.
pub(crate) const PAYMENT_REFERRERS: [&str; 2] =
    ["https://www.paypal.com/", "https://checkout.stripe.com/"];
/// The stream of the website in GA4.
pub(crate) const STREAM_ID: &str = "4410028811";
/// The account of the company in HubSpot.
pub(crate) const PORTAL_ID: &str = "26118804";
/// Vendor on all products.
pub(crate) const VENDOR: &str = "Larkfield";

/// Everything that a part of the generator needs to know to make its piece.
pub(crate) struct World {
    /// Where all chance comes from.
    pub(crate) seed: u64,
    /// The window of days.
    pub(crate) calendar: Calendar,
    /// What is sold.
    pub(crate) products: Vec<Product>,
    /// Accounts, campaigns and ads.
    pub(crate) ads: AdWorld,
}

impl World {
    /// The world of a seed over so many days.
    pub(crate) fn new(seed: u64, days: usize) -> Self {
        let calendar = Calendar::new(days);
        let ads = AdWorld::new(&calendar);
        Self {
            seed,
            products: super::catalogue::products(seed),
            ads,
            calendar,
        }
    }
}

/// A part of the world with ad accounts of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Region {
    /// Euro and Swiss franc.
    Europe,
    /// Pound.
    Britain,
    /// Dollar.
    America,
}

/// A country that the company sells to.
pub(crate) struct Market {
    pub(crate) country: &'static str,
    pub(crate) code: &'static str,
    pub(crate) continent: &'static str,
    pub(crate) sub_continent: &'static str,
    pub(crate) currency: &'static str,
    /// Price of one euro in the currency, as the price list rounds it.
    pub(crate) price_factor: f64,
    pub(crate) language: &'static str,
    pub(crate) tax_percent: i64,
    /// Prices include tax.
    pub(crate) tax_included: bool,
    pub(crate) region: Region,
    /// Share of all visitors.
    pub(crate) weight: f64,
    pub(crate) dial: &'static str,
    /// City, region as GA4 names it, code of the region, postal code.
    pub(crate) cities: &'static [(&'static str, &'static str, &'static str, &'static str)],
}

macro_rules! market {
    ($country:literal, $code:literal, $continent:literal, $sub:literal, $currency:literal,
     $factor:literal, $language:literal, $tax:literal, $included:literal, $region:ident,
     $weight:literal, $dial:literal, $cities:expr) => {
        Market {
            country: $country,
            code: $code,
            continent: $continent,
            sub_continent: $sub,
            currency: $currency,
            price_factor: $factor,
            language: $language,
            tax_percent: $tax,
            tax_included: $included,
            region: Region::$region,
            weight: $weight,
            dial: $dial,
            cities: $cities,
        }
    };
}

/// The countries.
pub(crate) const MARKETS: [Market; 7] = [
    market!(
        "Germany",
        "DE",
        "Europe",
        "Western Europe",
        "EUR",
        1.0,
        "de-de",
        19,
        true,
        Europe,
        48.0,
        "+49",
        &[
            ("Berlin", "Berlin", "BE", "10115"),
            ("Hamburg", "Hamburg", "HH", "20095"),
            ("Munich", "Bavaria", "BY", "80331"),
            ("Cologne", "North Rhine-Westphalia", "NW", "50667"),
            ("Leipzig", "Saxony", "SN", "04109"),
            ("Freiburg", "Baden-Württemberg", "BW", "79098"),
        ]
    ),
    market!(
        "Austria",
        "AT",
        "Europe",
        "Western Europe",
        "EUR",
        1.0,
        "de-at",
        20,
        true,
        Europe,
        8.0,
        "+43",
        &[
            ("Vienna", "Vienna", "W", "1010"),
            ("Innsbruck", "Tyrol", "T", "6020")
        ]
    ),
    market!(
        "Switzerland",
        "CH",
        "Europe",
        "Western Europe",
        "CHF",
        0.97,
        "de-ch",
        8,
        true,
        Europe,
        6.0,
        "+41",
        &[
            ("Zurich", "Zurich", "ZH", "8001"),
            ("Geneva", "Geneva", "GE", "1201")
        ]
    ),
    market!(
        "France",
        "FR",
        "Europe",
        "Western Europe",
        "EUR",
        1.0,
        "fr-fr",
        20,
        true,
        Europe,
        8.0,
        "+33",
        &[
            ("Lyon", "Auvergne-Rhone-Alpes", "ARA", "69001"),
            ("Paris", "Ile-de-France", "IDF", "75001")
        ]
    ),
    market!(
        "Netherlands",
        "NL",
        "Europe",
        "Western Europe",
        "EUR",
        1.0,
        "nl-nl",
        21,
        true,
        Europe,
        7.0,
        "+31",
        &[
            ("Utrecht", "Utrecht", "UT", "3511"),
            ("Rotterdam", "South Holland", "ZH", "3011")
        ]
    ),
    market!(
        "United Kingdom",
        "GB",
        "Europe",
        "Northern Europe",
        "GBP",
        0.86,
        "en-gb",
        20,
        true,
        Britain,
        13.0,
        "+44",
        &[
            ("London", "England", "ENG", "EC1A 1BB"),
            ("Manchester", "England", "ENG", "M1 1AE"),
            ("Edinburgh", "Scotland", "SCT", "EH1 1YZ")
        ]
    ),
    market!(
        "United States",
        "US",
        "Americas",
        "Northern America",
        "USD",
        1.1,
        "en-us",
        7,
        false,
        America,
        10.0,
        "+1",
        &[
            ("Denver", "Colorado", "CO", "80202"),
            ("Seattle", "Washington", "WA", "98101"),
            ("Boston", "Massachusetts", "MA", "02108"),
            ("Portland", "Oregon", "OR", "97201")
        ]
    ),
];

/// First names.
pub(crate) const FIRST_NAMES: [&str; 40] = [
    "Anna", "Ben", "Clara", "David", "Elena", "Felix", "Greta", "Henry", "Ida", "Jonas", "Katja",
    "Leon", "Mara", "Nils", "Olga", "Paul", "Rosa", "Simon", "Tessa", "Uwe", "Vera", "Willem",
    "Yara", "Zoe", "Amir", "Bianca", "Carlos", "Daria", "Emil", "Fatma", "Gabor", "Hanna", "Igor",
    "Julie", "Kofi", "Lucia", "Marek", "Noor", "Owen", "Priya",
];

/// Last names.
pub(crate) const LAST_NAMES: [&str; 48] = [
    "Abel",
    "Brandt",
    "Castell",
    "Dorn",
    "Ebert",
    "Fischer",
    "Gruber",
    "Hoffmann",
    "Imhof",
    "Jansen",
    "Keller",
    "Lindner",
    "Maier",
    "Nowak",
    "Ortega",
    "Petit",
    "Quast",
    "Richter",
    "Sommer",
    "Thaler",
    "Ullmann",
    "Vogt",
    "Weber",
    "Xander",
    "Young",
    "Zimmer",
    "Ashby",
    "Bell",
    "Cole",
    "Dawson",
    "Ellis",
    "Ford",
    "Grant",
    "Hale",
    "Ivers",
    "Judd",
    "Kemp",
    "Lowe",
    "Marsh",
    "Nash",
    "Oakley",
    "Price",
    "Reed",
    "Shaw",
    "Todd",
    "Underhill",
    "Vance",
    "Wells",
];

/// First words of company names.
pub(crate) const COMPANY_WORDS: [&str; 32] = [
    "Amber",
    "Birch",
    "Cobalt",
    "Delta",
    "Ember",
    "Falcon",
    "Granit",
    "Harbor",
    "Iris",
    "Juniper",
    "Kestrel",
    "Linden",
    "Meridian",
    "Nordlicht",
    "Orion",
    "Pioneer",
    "Quarz",
    "Rhein",
    "Saffron",
    "Tangent",
    "Umbra",
    "Vertex",
    "Willow",
    "Xenon",
    "Yarrow",
    "Zenith",
    "Aurora",
    "Basalt",
    "Cirrus",
    "Dune",
    "Elbe",
    "Fjord",
];

/// Last words of company names, with the industry as HubSpot lists it.
pub(crate) const COMPANY_KINDS: [(&str, &str); 12] = [
    ("Software", "COMPUTER_SOFTWARE"),
    ("Logistics", "LOGISTICS_AND_SUPPLY_CHAIN"),
    ("Consulting", "MANAGEMENT_CONSULTING"),
    ("Architects", "ARCHITECTURE_PLANNING"),
    ("Media", "MEDIA_PRODUCTION"),
    ("Robotics", "INDUSTRIAL_AUTOMATION"),
    ("Foods", "FOOD_PRODUCTION"),
    ("Insurance", "INSURANCE"),
    ("Energy", "RENEWABLES_ENVIRONMENT"),
    ("Clinics", "HOSPITAL_HEALTH_CARE"),
    ("Design", "DESIGN"),
    ("Travel", "LEISURE_TRAVEL_TOURISM"),
];

/// Job titles of people who buy for companies.
pub(crate) const JOB_TITLES: [&str; 10] = [
    "Office Manager",
    "Head of Workplace",
    "Procurement Lead",
    "Facility Manager",
    "CFO",
    "People Operations Lead",
    "Team Assistant",
    "Managing Director",
    "IT Lead",
    "Project Manager",
];

/// Sales people: owner id, first name, last name.
pub(crate) const OWNERS: [(u64, &str, &str); 4] = [
    (71_002_001, "Lena", "Holt"),
    (71_002_002, "Marc", "Ives"),
    (71_002_003, "Petra", "Lang"),
    (71_002_004, "Sam", "Okoye"),
];

/// Titles of the articles on the site.
pub(crate) const ARTICLES: [(&str, &str); 8] = [
    ("hut-to-hut-packing-list", "Hut to hut: the packing list"),
    (
        "standing-desk-height",
        "The right height for a standing desk",
    ),
    (
        "waterproof-or-water-repellent",
        "Waterproof or water-repellent?",
    ),
    ("quiet-office", "Seven ways to a quiet office"),
    ("first-tent", "Your first tent"),
    ("home-office-ergonomics", "Ergonomics at home"),
    ("repair-a-zip", "How to repair a zip"),
    ("hybrid-work-floor-plan", "A floor plan for hybrid work"),
];
