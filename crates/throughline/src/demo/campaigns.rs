//! The ad accounts, campaigns, ad groups and ads of the company, and its newsletters.
//!
//! Three platforms, seven accounts, four currencies and zones between them. Two campaigns are
//! renamed halfway. Performance Max has no ads below the campaign, as on the real platform.

use super::calendar::{Calendar, HOUR};
use super::world::{Region, SITE};

/// An ad platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Platform {
    Google,
    Meta,
    LinkedIn,
}

impl Platform {
    /// Name in the files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Google => "google_ads",
            Self::Meta => "meta_ads",
            Self::LinkedIn => "linkedin_ads",
        }
    }
}

/// An ad account.
pub(crate) struct Account {
    pub(crate) platform: Platform,
    pub(crate) id: String,
    pub(crate) name: &'static str,
    pub(crate) currency: &'static str,
    /// What one euro costs in the currency, roughly: prices of clicks are planned in euros.
    pub(crate) factor: f64,
    /// Index in [`super::calendar::ZONES`].
    pub(crate) zone: usize,
}

/// What a campaign is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim {
    /// People who search for the company's name.
    Brand,
    /// People who search for what it sells.
    Search,
    /// Performance Max.
    Shopping,
    /// People who have never been on the site.
    Prospecting,
    /// People who were there.
    Retargeting,
    /// Companies.
    Business,
}

/// A campaign (LinkedIn: a campaign group).
pub(crate) struct Campaign {
    pub(crate) platform: Platform,
    pub(crate) account: usize,
    pub(crate) id: String,
    pub(crate) name: &'static str,
    /// When it was renamed, and its name from then on.
    pub(crate) renamed: Option<(i64, &'static str)>,
    pub(crate) aim: Aim,
    pub(crate) region: Region,
}

/// An ad group (Meta: an ad set, LinkedIn: a campaign).
pub(crate) struct Group {
    pub(crate) campaign: usize,
    pub(crate) id: String,
    pub(crate) name: String,
}

/// An ad (LinkedIn: a creative); for Performance Max the campaign itself.
pub(crate) struct Ad {
    pub(crate) campaign: usize,
    /// Its group; none where the platform tells nothing below the campaign.
    pub(crate) group: Option<usize>,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) landing: Landing,
    pub(crate) click_price_euro: f64,
    pub(crate) click_rate: f64,
}

/// Where an ad or a link leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Landing {
    Home,
    Category(u8),
    Business,
}

impl Landing {
    /// Address of the page.
    pub(crate) fn url(self) -> String {
        match self {
            Self::Home => format!("{SITE}/"),
            Self::Category(index) => {
                format!(
                    "{SITE}/collections/{}",
                    super::catalogue::CATEGORIES[usize::from(index)].1
                )
            }
            Self::Business => format!("{SITE}/business"),
        }
    }
}

/// All that is advertised.
pub(crate) struct AdWorld {
    pub(crate) accounts: Vec<Account>,
    pub(crate) campaigns: Vec<Campaign>,
    pub(crate) groups: Vec<Group>,
    pub(crate) ads: Vec<Ad>,
}

type Plan = (
    usize,
    &'static str,
    Option<&'static str>,
    Aim,
    Region,
    &'static [&'static str],
    Landing,
    f64,
    f64,
);

/// Account, name, later name, aim, region, groups, landing page, click price in euros, click rate.
const CAMPAIGNS: [Plan; 20] = {
    use Aim::{Brand, Business, Prospecting, Retargeting, Search, Shopping};
    use Landing::{Business as ForBusiness, Category, Home};
    use Region::{America, Britain, Europe};
    [
        (
            0,
            "Brand | DACH | Search",
            None,
            Brand,
            Europe,
            &["Exact", "Phrase"],
            Home,
            0.96,
            0.14,
        ),
        (
            0,
            "Backpacks | EU | Search",
            None,
            Search,
            Europe,
            &["Hiking", "City"],
            Category(0),
            2.22,
            0.045,
        ),
        (
            0,
            "Desks | EU | Search",
            Some("Standing Desks | EU | Search"),
            Search,
            Europe,
            &["Standing desk", "Home desk"],
            Category(3),
            3.15,
            0.04,
        ),
        (
            0,
            "Jackets | EU | Search",
            None,
            Search,
            Europe,
            &["Rain", "Down"],
            Category(2),
            2.07,
            0.042,
        ),
        (
            0,
            "PMax | Bestsellers | EU",
            None,
            Shopping,
            Europe,
            &[],
            Home,
            1.56,
            0.012,
        ),
        (
            0,
            "Office B2B | DACH | Search",
            None,
            Business,
            Europe,
            &["Office furniture", "Chairs"],
            ForBusiness,
            7.2,
            0.03,
        ),
        (
            1,
            "Brand | US | Search",
            None,
            Brand,
            America,
            &["Exact"],
            Home,
            1.14,
            0.12,
        ),
        (
            1,
            "Outdoor Gear | US | Search",
            None,
            Search,
            America,
            &["Tents", "Packs"],
            Category(1),
            2.94,
            0.04,
        ),
        (
            1,
            "PMax | US",
            None,
            Shopping,
            America,
            &[],
            Home,
            1.98,
            0.011,
        ),
        (
            2,
            "Brand | UK | Search",
            None,
            Brand,
            Britain,
            &["Exact"],
            Home,
            1.05,
            0.13,
        ),
        (
            2,
            "Backpacks | UK | Search",
            None,
            Search,
            Britain,
            &["Hiking", "City"],
            Category(0),
            2.46,
            0.043,
        ),
        (
            2,
            "PMax | UK",
            None,
            Shopping,
            Britain,
            &[],
            Home,
            1.74,
            0.012,
        ),
        (
            3,
            "Spring Prospecting EU",
            Some("Always-on Prospecting EU"),
            Prospecting,
            Europe,
            &["Hikers 25-44", "Lookalike buyers", "Remote workers"],
            Home,
            1.5,
            0.011,
        ),
        (
            3,
            "Retargeting EU",
            None,
            Retargeting,
            Europe,
            &["Viewed product", "Cart"],
            Home,
            1.7,
            0.016,
        ),
        (
            3,
            "Prospecting US",
            None,
            Prospecting,
            America,
            &["Campers", "Lookalike buyers"],
            Category(1),
            2.11,
            0.01,
        ),
        (
            4,
            "Prospecting UK",
            None,
            Prospecting,
            Britain,
            &["Hikers", "Commuters"],
            Category(0),
            1.7,
            0.011,
        ),
        (
            4,
            "Retargeting UK",
            None,
            Retargeting,
            Britain,
            &["Viewed product"],
            Home,
            1.9,
            0.016,
        ),
        (
            5,
            "Workspace Leads DACH",
            Some("Workspace Leads DACH 2026"),
            Business,
            Europe,
            &["Facility managers", "Procurement", "People leads"],
            ForBusiness,
            10.12,
            0.0055,
        ),
        (
            5,
            "Workspace Awareness UK",
            None,
            Business,
            Britain,
            &["Managing directors"],
            ForBusiness,
            8.58,
            0.005,
        ),
        (
            6,
            "Workspace Leads US",
            None,
            Business,
            America,
            &["Office managers"],
            ForBusiness,
            11.88,
            0.005,
        ),
    ]
};

fn accounts() -> Vec<Account> {
    let account = |platform, id: &str, name, currency, factor, zone| Account {
        platform,
        id: id.to_owned(),
        name,
        currency,
        factor,
        zone,
    };
    use Platform::{Google, LinkedIn, Meta};
    vec![
        account(Google, "4417720031", "Larkfield EU", "EUR", 1.0, 0),
        account(Google, "4417720032", "Larkfield US", "USD", 1.1, 1),
        account(Google, "4417720033", "Larkfield UK", "GBP", 0.86, 2),
        account(Meta, "1200450060070801", "Larkfield Shop", "EUR", 1.0, 0),
        account(
            Meta,
            "1200450060070802",
            "Larkfield Shop UK",
            "GBP",
            0.86,
            2,
        ),
        account(LinkedIn, "508771201", "Larkfield Workspace", "EUR", 1.0, 3),
        account(
            LinkedIn,
            "508771202",
            "Larkfield Workspace US",
            "USD",
            1.1,
            3,
        ),
    ]
}

impl AdWorld {
    /// The accounts and what runs in them over the window.
    pub(crate) fn new(calendar: &Calendar) -> Self {
        let mut world = Self {
            accounts: accounts(),
            campaigns: vec![],
            groups: vec![],
            ads: vec![],
        };
        for (index, plan) in CAMPAIGNS.iter().enumerate() {
            world.add_campaign(index, plan, calendar);
        }
        world
    }

    fn add_campaign(&mut self, index: usize, plan: &Plan, calendar: &Calendar) {
        let (account, name, later, aim, region, groups, landing, price, rate) = *plan;
        let platform = self.accounts[account].platform;
        let number = index as u64;
        let (first, second, third) = match platform {
            Platform::Google => (20_340_000_000, 158_200_000_000, 691_500_000_000),
            Platform::Meta => (
                120_210_000_000_000_000,
                120_211_000_000_000_000,
                120_212_000_000_000_000,
            ),
            Platform::LinkedIn => (640_100_000, 322_400_000, 518_900_000),
        };
        let id = format!("{}", first + number * 7_919 + 311);
        // A rename falls into working hours, on a day of its own for each campaign.
        let day = calendar.days / 3 + (index * 5) % (calendar.days / 3 + 1);
        let renamed = later.map(|later| (calendar.start(day) + 10 * HOUR, later));
        let campaign = Campaign {
            platform,
            account,
            id,
            name,
            renamed,
            aim,
            region,
        };
        if groups.is_empty() {
            self.ads.push(Ad {
                campaign: index,
                group: None,
                id: String::new(),
                name: String::new(),
                landing,
                click_price_euro: price,
                click_rate: rate,
            });
        }
        for (position, group) in groups.iter().enumerate() {
            let serial = number * 8 + position as u64;
            self.groups.push(Group {
                campaign: index,
                id: format!("{}", second + serial * 104_729 + 17),
                name: (*group).to_owned(),
            });
            for version in 0..2u64 {
                let letter = if version == 0 { "A" } else { "B" };
                self.ads.push(Ad {
                    campaign: index,
                    group: Some(self.groups.len() - 1),
                    id: format!("{}", third + (serial * 4 + version) * 15_485 + 29),
                    name: format!("{group} {letter}"),
                    landing,
                    click_price_euro: price
                        * (0.9 + 0.08 * (serial % 3) as f64 + 0.05 * version as f64),
                    click_rate: rate * (1.1 - 0.1 * version as f64),
                });
            }
        }
        self.campaigns.push(campaign);
    }

    /// The campaign of an ad.
    pub(crate) fn campaign_of(&self, ad: &Ad) -> &Campaign {
        &self.campaigns[ad.campaign]
    }

    /// The account of an ad.
    pub(crate) fn account_of(&self, ad: &Ad) -> &Account {
        &self.accounts[self.campaigns[ad.campaign].account]
    }

    /// Ads of a platform for an aim in a region; those of Europe where the region has none.
    pub(crate) fn choices(&self, platform: Platform, aim: Aim, region: Region) -> Vec<usize> {
        let of = |region| -> Vec<usize> {
            self.ads
                .iter()
                .enumerate()
                .filter(|(_, ad)| {
                    let campaign = self.campaign_of(ad);
                    campaign.platform == platform
                        && campaign.aim == aim
                        && campaign.region == region
                })
                .map(|(index, _)| index)
                .collect()
        };
        let own = of(region);
        if own.is_empty() {
            of(Region::Europe)
        } else {
            own
        }
    }
}

impl Campaign {
    /// Its name at an instant.
    pub(crate) fn name_at(&self, at: i64) -> &'static str {
        match self.renamed {
            Some((from, later)) if at >= from => later,
            _ => self.name,
        }
    }

    /// Type as Google calls it.
    pub(crate) fn google_type(&self) -> &'static str {
        if self.aim == Aim::Shopping {
            "PERFORMANCE_MAX"
        } else {
            "SEARCH"
        }
    }
}

/// A name as it stands in a link: lower case, words joined by `_`.
pub(crate) fn slug(name: &str) -> String {
    let words = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("_")
}

/// Newsletters: utm_campaign.
pub(crate) const NEWSLETTERS: [&str; 6] = [
    "spring_trails",
    "desk_week",
    "rain_ready",
    "summer_preview",
    "members_only",
    "repair_not_replace",
];
/// Sites that link to the company: host and path.
pub(crate) const REFERRERS: [&str; 5] = [
    "https://trail-notes.example/best-daypacks/",
    "https://officegeek.example/standing-desks-tested",
    "https://gearforum.example/t/larkfield-tarn-2/1182",
    "https://www.hikingjournal.example/reviews/tents-2026",
    "https://worklife.example/magazine/quiet-offices",
];
/// Partners paid by sale: utm_source.
pub(crate) const PARTNERS: [&str; 3] = ["dealnest", "cashback_club", "gearfinder"];
