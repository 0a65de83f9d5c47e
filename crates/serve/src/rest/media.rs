//! In which form an answer is given: by `format`, or by what `Accept` would rather have.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};

use super::problem::Problem;

/// The form of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Media {
    /// One object, with the rows as objects in it.
    #[default]
    Json,
    /// A JSON object a line.
    Ndjson,
    /// Comma separated, with a header.
    Csv,
    /// A Parquet file.
    Parquet,
    /// An Arrow IPC stream.
    Arrow,
}

impl Media {
    /// All, the first for whoever takes anything.
    pub(super) const ALL: [Self; 5] = [
        Self::Json,
        Self::Ndjson,
        Self::Csv,
        Self::Parquet,
        Self::Arrow,
    ];

    /// As `Content-Type` says it.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Parquet => "application/vnd.apache.parquet",
            Self::Arrow => "application/vnd.apache.arrow.stream",
        }
    }

    /// The media type without its parameters.
    pub(super) fn essence(self) -> &'static str {
        let full = self.content_type();
        full.split_once(';').map_or(full, |(essence, _)| essence)
    }

    /// As the parameter `format` names it; also the end of a file's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
        }
    }

    /// Whether it is a file that leaves the warehouse.
    pub(super) fn is_file(self) -> bool {
        matches!(self, Self::Csv | Self::Parquet | Self::Arrow)
    }

    /// What a request asks for.
    ///
    /// # Errors
    /// None of what there is: 406.
    pub(super) fn asked(
        headers: &HeaderMap,
        format: Option<&str>,
        offered: &[Self],
    ) -> Result<Self, Problem> {
        if let Some(format) = format {
            let found = offered.iter().find(|media| media.name() == format);
            let names: Vec<&str> = offered.iter().map(|media| media.name()).collect();
            return found.copied().ok_or_else(|| {
                Problem::bad("there is no such `format`")
                    .hint(format!("one of {}", names.join(", ")))
            });
        }
        let accept = headers.get_all(header::ACCEPT).iter();
        let accept: Vec<&str> = accept.filter_map(|value| value.to_str().ok()).collect();
        let accept = accept.join(",");
        if accept.trim().is_empty() {
            return offered
                .first()
                .copied()
                .ok_or_else(|| not_acceptable(offered));
        }
        let ranges: Vec<Range> = accept.split(',').filter_map(Range::parse).collect();
        let mut best: Option<(Self, u32)> = None;
        for media in offered {
            let weight = weight(&ranges, media.essence());
            if weight > best.map_or(0, |(_, weight)| weight) {
                best = Some((*media, weight));
            }
        }
        best.map(|(media, _)| media)
            .ok_or_else(|| not_acceptable(offered))
    }
}

fn not_acceptable(offered: &[Media]) -> Problem {
    let names: Vec<&str> = offered.iter().map(|media| media.essence()).collect();
    let problem = Problem::new(
        StatusCode::NOT_ACCEPTABLE,
        "`Accept` has nothing that there is",
    );
    problem.hint(format!("there is {}", names.join(", ")))
}

/// A media range of `Accept`, with its weight in thousandths.
struct Range<'a> {
    essence: &'a str,
    weight: u32,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let essence = parts.next().filter(|essence| essence.contains('/'))?;
        let mut weight = 1_000;
        for part in parts {
            if let Some((name, value)) = part.split_once('=')
                && name.trim().eq_ignore_ascii_case("q")
            {
                let value: f64 = value.trim().parse().ok()?;
                weight = (value.clamp(0.0, 1.0) * 1_000.0) as u32;
            }
        }
        Some(Self { essence, weight })
    }

    /// How closely it names a type; none: not at all.
    fn fits(&self, essence: &str) -> Option<u8> {
        if self.essence.eq_ignore_ascii_case(essence) {
            return Some(2);
        }
        let (kind, _) = essence.split_once('/')?;
        match self.essence.split_once('/')? {
            ("*", "*") => Some(0),
            (known, "*") if known.eq_ignore_ascii_case(kind) => Some(1),
            _ => None,
        }
    }
}

/// The weight of a type: that of the range that names it most closely.
fn weight(ranges: &[Range<'_>], essence: &str) -> u32 {
    let fitting = ranges
        .iter()
        .filter_map(|range| Some((range.fits(essence)?, range.weight)));
    fitting.max().map_or(0, |(_, weight)| weight)
}

impl<S: Sync> FromRequestParts<S> for Media {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(parts.extensions.get::<Self>().copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn asked(accept: &str) -> Option<Media> {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(accept).expect("a value");
        headers.insert(header::ACCEPT, value);
        Media::asked(&headers, None, &Media::ALL).ok()
    }

    #[test]
    fn accept_is_weighed() {
        assert_eq!(asked("*/*"), Some(Media::Json));
        assert_eq!(asked("text/*"), Some(Media::Csv));
        assert_eq!(asked("TEXT/CSV;header=present"), Some(Media::Csv));
        assert_eq!(
            asked("application/json;q=0.1, text/csv;q=0.2"),
            Some(Media::Csv)
        );
        assert_eq!(asked("text/csv;q=0, */*;q=0.1"), Some(Media::Json));
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert_eq!(asked(browser), Some(Media::Json));
        assert_eq!(
            asked("application/vnd.apache.parquet"),
            Some(Media::Parquet)
        );
        assert_eq!(asked("application/xml"), None);
        assert_eq!(asked("*/*;q=0"), None);
        assert_eq!(asked("nonsense"), None);
        assert_eq!(asked("application/json;q=0, */*"), Some(Media::Ndjson));
        assert_eq!(
            Media::asked(&HeaderMap::new(), None, &Media::ALL).ok(),
            Some(Media::Json)
        );
        let format = Media::asked(&HeaderMap::new(), Some("arrow"), &Media::ALL);
        assert_eq!(format.ok(), Some(Media::Arrow));
        assert!(Media::asked(&HeaderMap::new(), Some("xlsx"), &Media::ALL).is_err());
    }
}
