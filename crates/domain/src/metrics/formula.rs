//! Arithmetic between measures: `revenue - setting.revenue.subtract_refunds * refunds`.

use super::written::Ratio;

/// The name of a measure, with its subject where it says it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// The subject, if it is named.
    pub subject: Option<String>,
    /// The measure.
    pub measure: String,
}

impl Name {
    /// `measure` or `subject.measure`.
    pub fn parse(text: &str) -> Self {
        match text.split_once('.') {
            Some((subject, measure)) => Self {
                subject: Some(subject.to_owned()),
                measure: measure.to_owned(),
            },
            None => Self {
                subject: None,
                measure: text.to_owned(),
            },
        }
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(subject) = &self.subject {
            write!(out, "{subject}.")?;
        }
        write!(out, "{}", self.measure)
    }
}

/// What stands between two parts of a formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Sum.
    Plus,
    /// Difference.
    Minus,
    /// Product.
    Times,
    /// Quotient: null where the divisor is zero.
    Per,
}

/// A formula.
#[derive(Debug, Clone, PartialEq)]
pub enum Formula {
    /// A measure.
    Measure(Name),
    /// A number as written.
    Number(String),
    /// A setting of the project; true is 1, false is 0.
    Setting(String),
    /// Two parts.
    Of(Box<Formula>, Operator, Box<Formula>),
    /// The part, null where it is zero.
    NullIfZero(Box<Formula>),
}

impl Formula {
    /// Reads a formula.
    ///
    /// # Errors
    /// It cannot be understood; the text says why.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words = words(text)?;
        let mut reader = Reader {
            words: &words,
            at: 0,
        };
        let formula = reader.sum()?;
        match reader.next() {
            None => Ok(formula),
            Some(word) => Err(format!("`{word}` stands where nothing should follow")),
        }
    }

    /// The formula that a ratio is.
    pub fn of_ratio(ratio: &Ratio) -> Self {
        let mut of = Self::Measure(Name::parse(&ratio.of));
        if ratio.null_if_nothing {
            of = Self::NullIfZero(Box::new(of));
        }
        if ratio.times != 1 {
            let factor = Self::Number(ratio.times.to_string());
            of = Self::Of(Box::new(factor), Operator::Times, Box::new(of));
        }
        let per = Self::Measure(Name::parse(&ratio.per));
        Self::Of(Box::new(of), Operator::Per, Box::new(per))
    }

    /// The measures that it names.
    pub fn names(&self) -> Vec<&Name> {
        match self {
            Self::Measure(name) => vec![name],
            Self::Number(_) | Self::Setting(_) => vec![],
            Self::Of(left, _, right) => [left.names(), right.names()].concat(),
            Self::NullIfZero(part) => part.names(),
        }
    }

    /// Whether anything is divided by a measure.
    pub fn divides(&self) -> bool {
        match self {
            Self::Of(left, operator, right) => {
                (*operator == Operator::Per && !right.names().is_empty())
                    || left.divides()
                    || right.divides()
            }
            Self::NullIfZero(part) => part.divides(),
            _ => false,
        }
    }

    /// Whether a measure is multiplied by a measure.
    pub fn multiplies(&self) -> bool {
        match self {
            Self::Of(left, operator, right) => {
                (*operator == Operator::Times
                    && !left.names().is_empty()
                    && !right.names().is_empty())
                    || left.multiplies()
                    || right.multiplies()
            }
            Self::NullIfZero(part) => part.multiplies(),
            _ => false,
        }
    }

    /// The same with every measure that `with` knows put in its place.
    #[must_use]
    pub fn replaced(&self, with: &mut dyn FnMut(&Name) -> Formula) -> Self {
        match self {
            Self::Measure(name) => with(name),
            Self::Number(_) | Self::Setting(_) => self.clone(),
            Self::Of(left, operator, right) => Self::Of(
                Box::new(left.replaced(with)),
                *operator,
                Box::new(right.replaced(with)),
            ),
            Self::NullIfZero(part) => Self::NullIfZero(Box::new(part.replaced(with))),
        }
    }
}

/// Names, numbers and signs.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_whitespace() {
            continue;
        }
        let mut word = letter.to_string();
        if letter.is_ascii_alphanumeric() || letter == '_' {
            while let Some(next) =
                letters.next_if(|c| c.is_ascii_alphanumeric() || *c == '_' || *c == '.')
            {
                word.push(next);
            }
        } else if !"+-*/()".contains(letter) {
            return Err(format!(
                "`{letter}` is no part of a formula: it has names of measures, numbers, + - * / and \
                 parentheses"
            ));
        }
        words.push(word);
    }
    Ok(words)
}

struct Reader<'a> {
    words: &'a [String],
    at: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<&str> {
        let word = self.words.get(self.at)?;
        self.at += 1;
        Some(word)
    }

    fn is(&mut self, signs: &str) -> Option<char> {
        let word = self.words.get(self.at)?;
        let sign = signs.chars().find(|sign| *word == sign.to_string())?;
        self.at += 1;
        Some(sign)
    }

    fn sum(&mut self) -> Result<Formula, String> {
        let mut left = self.product()?;
        while let Some(sign) = self.is("+-") {
            let operator = if sign == '+' {
                Operator::Plus
            } else {
                Operator::Minus
            };
            left = Formula::Of(Box::new(left), operator, Box::new(self.product()?));
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Formula, String> {
        let mut left = self.part()?;
        while let Some(sign) = self.is("*/") {
            let operator = if sign == '*' {
                Operator::Times
            } else {
                Operator::Per
            };
            left = Formula::Of(Box::new(left), operator, Box::new(self.part()?));
        }
        Ok(left)
    }

    fn part(&mut self) -> Result<Formula, String> {
        if self.is("(").is_some() {
            let inner = self.sum()?;
            return match self.is(")") {
                Some(_) => Ok(inner),
                None => Err("a parenthesis is not closed".into()),
            };
        }
        let Some(word) = self.next() else {
            return Err("it ends where a measure or a number should follow".into());
        };
        if let Some(setting) = word.strip_prefix("setting.") {
            return Ok(Formula::Setting(setting.to_owned()));
        }
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            let is_number = word.chars().all(|c| c.is_ascii_digit() || c == '.')
                && word.matches('.').count() <= 1
                && !word.ends_with('.');
            return match is_number {
                true => Ok(Formula::Number(word.to_owned())),
                false => Err(format!("`{word}` is no number")),
            };
        }
        if word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && !word.ends_with('.') {
            return Ok(Formula::Measure(Name::parse(word)));
        }
        Err(format!(
            "`{word}` stands where a measure or a number should"
        ))
    }
}
