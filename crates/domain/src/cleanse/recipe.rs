//! Recipes: the rules that a column declares, in their order, with what each is told.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{Country, Format, Outcome, RULES, Rule, Takes, country, find};

/// What the project and the stream say where a rule is told nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    /// Country of telephone numbers without one: ISO 3166, two letters.
    pub country: Option<String>,
    /// Sign before the decimals in the stream's amounts.
    pub decimal: Option<char>,
}

/// What is wrong with a recipe as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The word that is wrong.
    pub word: String,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub hint: String,
}

/// One rule of a recipe.
#[derive(Debug)]
pub struct Step {
    /// The rule.
    pub rule: &'static Rule,
    /// Words that it is told, in small letters.
    pub(super) words: Vec<String>,
    /// Formats that it is told.
    pub(super) formats: Vec<Format>,
    /// The country that it is told, or the default.
    pub(super) country: Option<&'static Country>,
    /// The decimal sign that it is told: values are read with it.
    pub(super) sign: Option<char>,
    /// The stream's decimal sign: values are written with it.
    pub(super) decimal: Option<char>,
}

/// The rules of a column.
#[derive(Debug)]
pub struct Recipe {
    /// What runs, in order.
    pub steps: Vec<Step>,
    spec: String,
}

/// What a rule did to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It is another one.
    Changed,
    /// It is null.
    Emptied,
    /// It could not be mended and stays.
    Flagged,
}

impl Effect {
    /// Its name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Emptied => "emptied",
            Self::Flagged => "flagged",
        }
    }
}

impl Recipe {
    /// A recipe as a file says it: a rule's name, or a list of names and `{name: argument}`.
    ///
    /// # Errors
    /// A rule is unknown, or is told what it does not take.
    pub fn new(declared: &Value, defaults: &Defaults) -> Result<Self, Mistake> {
        let list = match declared {
            Value::Array(list) => list.as_slice(),
            one => std::slice::from_ref(one),
        };
        let steps: Result<Vec<Step>, Mistake> =
            list.iter().map(|rule| step(rule, defaults)).collect();
        let steps = steps?;
        let mut spec = Map::new();
        spec.insert("rules".into(), Value::Array(list.to_vec()));
        // Only what some rule looks at: another home country changes nothing for a date.
        let takes = |wanted: Takes| steps.iter().any(|step| step.rule.takes == wanted);
        if let Some(country) = defaults.country.as_ref().filter(|_| takes(Takes::Country)) {
            spec.insert("country".into(), country.as_str().into());
        }
        if let Some(decimal) = defaults.decimal.filter(|_| takes(Takes::Sign)) {
            spec.insert("decimal".into(), decimal.to_string().into());
        }
        Ok(Self {
            steps,
            spec: Value::Object(spec).to_string(),
        })
    }

    /// A recipe as [`Recipe::spec`] gives it, or names with commas between.
    ///
    /// # Errors
    /// As [`Recipe::new`].
    pub fn from_spec(spec: &str) -> Result<Self, Mistake> {
        let Ok(Value::Object(map)) = serde_json::from_str::<Value>(spec) else {
            let names = spec.split(',').map(|name| Value::from(name.trim()));
            return Self::new(&Value::Array(names.collect()), &Defaults::default());
        };
        let text = |name: &str| map.get(name).and_then(Value::as_str);
        let defaults = Defaults {
            country: text("country").map(str::to_owned),
            decimal: text("decimal").and_then(|sign| sign.chars().next()),
        };
        Self::new(map.get("rules").unwrap_or(&Value::Null), &defaults)
    }

    /// The recipe with its defaults as one text.
    pub fn spec(&self) -> &str {
        &self.spec
    }

    /// The value after all rules; none where it stands for no value.
    pub fn clean<'a>(&self, value: &'a str) -> Option<Cow<'a, str>> {
        self.trace(value, |_, _, _, _| ())
    }

    /// As [`Recipe::clean`], telling of each rule that did something: the rule, the value before
    /// it, the value after it, and what it did.
    pub fn trace<'a>(
        &self,
        value: &'a str,
        mut tell: impl FnMut(&Step, &str, Option<&str>, Effect),
    ) -> Option<Cow<'a, str>> {
        let mut value = Cow::Borrowed(value);
        for step in &self.steps {
            match (step.rule.apply)(&value, step) {
                Outcome::Same => {}
                Outcome::Changed(after) => {
                    tell(step, &value, Some(&after), Effect::Changed);
                    value = Cow::Owned(after);
                }
                Outcome::Emptied => {
                    tell(step, &value, None, Effect::Emptied);
                    return None;
                }
                Outcome::Flagged => tell(step, &value, Some(&value), Effect::Flagged),
            }
        }
        Some(value)
    }
}

fn step(declared: &Value, defaults: &Defaults) -> Result<Step, Mistake> {
    let (name, argument) = match declared {
        Value::String(name) => (name.as_str(), None),
        Value::Object(map) if map.len() == 1 => {
            let (name, argument) = map.iter().next().unwrap_or((&EMPTY, &Value::Null));
            (name.as_str(), Some(argument))
        }
        other => {
            return Err(Mistake {
                word: other.to_string(),
                what: format!("`{other}` is no cleansing rule"),
                hint: "write names, `[trim, lower]`, or a name with an argument, \
                       `[{date: dd.mm.yyyy}]`"
                    .into(),
            });
        }
    };
    let rule = find(name).ok_or_else(|| unknown(name))?;
    let mut step = Step {
        rule,
        words: Vec::new(),
        formats: Vec::new(),
        country: None,
        sign: None,
        decimal: defaults.decimal,
    };
    let told = argument.filter(|argument| !argument.is_null());
    match (rule.takes, told) {
        (Takes::Nothing, Some(told)) => return Err(wrong(rule, told, "nothing beside the value")),
        (Takes::Formats, None) => {
            let hint = "a format, `{date: dd.mm.yyyy}`, or a list of them";
            return Err(wrong(rule, &Value::Null, hint));
        }
        (Takes::Country, None) => step.country = defaults.country.as_deref().and_then(country),
        (_, None) => {}
        (Takes::Country, Some(told)) => {
            let found = told.as_str().and_then(country);
            let hint = "a country by its two letters of ISO 3166, as `DE`";
            step.country = Some(found.ok_or_else(|| wrong(rule, told, hint))?);
        }
        (Takes::Sign, Some(told)) => match told.as_str() {
            Some(",") => step.sign = Some(','),
            Some(".") => step.sign = Some('.'),
            _ => return Err(wrong(rule, told, "the decimal sign, \",\" or \".\"")),
        },
        (Takes::Words, Some(told)) => {
            let hint = "a list of words, `[\"k. A.\", offen]`";
            step.words = texts(told).ok_or_else(|| wrong(rule, told, hint))?;
            for word in &mut step.words {
                *word = word.trim().to_lowercase();
            }
        }
        (Takes::Formats, Some(told)) => {
            let hint = "formats of `d`, `dd`, `m`, `mm`, `mon`, `yy`, `yyyy` with signs between, \
                        as `dd.mm.yyyy`, or `excel`";
            let formats: Option<Vec<Format>> =
                texts(told).and_then(|all| all.iter().map(|text| Format::new(text)).collect());
            step.formats = formats
                .filter(|formats| !formats.is_empty())
                .ok_or_else(|| wrong(rule, told, hint))?;
        }
    }
    Ok(step)
}

static EMPTY: String = String::new();

/// One text, or a list of them.
fn texts(value: &Value) -> Option<Vec<String>> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match value {
        Value::Array(list) => list.iter().map(text).collect(),
        one => Some(vec![text(one)?]),
    }
}

fn unknown(name: &str) -> Mistake {
    let names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    Mistake {
        word: name.to_owned(),
        what: format!("there is no cleansing rule `{name}`"),
        hint: format!("the rules are {}", names.join(", ")),
    }
}

fn wrong(rule: &Rule, told: &Value, wanted: &str) -> Mistake {
    let what = match told {
        Value::Null => format!(
            "the cleansing rule `{}` needs to be told something",
            rule.name
        ),
        told => format!("the cleansing rule `{}` cannot be told `{told}`", rule.name),
    };
    Mistake {
        word: rule.name.to_owned(),
        what,
        hint: format!("`{}` takes {wanted}", rule.name),
    }
}
