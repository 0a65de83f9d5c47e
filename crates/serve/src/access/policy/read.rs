//! From the text of `access.yml` to a [`Policy`], with all that is wrong in it at once.

use std::collections::{BTreeMap, BTreeSet};

use transform::project::ProjectError;
use transform::project::problem::{Place, Problem, suggestion, unless};

use super::super::own::is_reserved;
use super::condition::Condition;
use super::raw::{self, Many, TagOf};
use super::target::{OwnPattern, Pattern, TablePattern, TagMatch, Target};
use super::{
    ADMIN, CLOSED, DenyRule, Expression, FILE, FilterRule, Mask, MaskRule, Policy, Role, Rules,
};

/// The format that this program knows.
const FORMAT: u64 = 1;
const BUILT_IN: &str = include_str!("builtin.yml");
/// Stands for all canonical entities in the name of a table.
const ENTITIES: &str = "<entity>";
const MASKS: [&str; 4] = ["null", "hash", "last_four", "sql"];

pub(super) fn built_in() -> Policy {
    // The file is part of the program and a test reads it: an error here cannot reach a user.
    let raw: raw::File = serde_yaml_ng::from_str(BUILT_IN).unwrap_or_default();
    let mut policy = Reader::new(BUILT_IN).policy(raw, BTreeMap::new());
    for role in policy.roles.values_mut() {
        role.is_built_in = true;
    }
    policy
}

pub(super) fn parse(text: &str) -> Result<Policy, ProjectError> {
    let raw: raw::File = match serde_yaml_ng::from_str::<Option<raw::File>>(text) {
        Ok(raw) => raw.unwrap_or_default(),
        Err(error) => return Err(ProjectError::Invalid(vec![yaml_problem(text, &error)])),
    };
    let mut reader = Reader::new(text);
    let policy = reader.policy(raw, built_in().roles);
    unless(reader.problems)?;
    Ok(policy)
}

/// A YAML error, at its place.
fn yaml_problem(text: &str, error: &serde_yaml_ng::Error) -> Problem {
    let message = error.to_string();
    let plain = message.split(" at line ").next().unwrap_or(&message);
    let mut problem = Problem::new(format!("`{FILE}` cannot be understood")).why(plain);
    if let Some(at) = error.location() {
        problem = problem.at(Place::of_line(FILE, text, at.line()));
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    match quoted.next() {
        Some(unknown) if message.contains("unknown field") => {
            let known: Vec<&str> = quoted.collect();
            problem.hint(suggestion(unknown, known, "such key"))
        }
        _ => problem.hint("every key is described in docs/reference/access.md"),
    }
}

struct Reader<'a> {
    text: &'a str,
    /// The line on which the role begins that is being read.
    line: usize,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            line: 1,
            problems: vec![],
        }
    }

    fn policy(&mut self, raw: raw::File, mut roles: BTreeMap<String, Role>) -> Policy {
        if let Some(version) = raw.version
            && version != FORMAT
        {
            let what = format!("`{FILE}` is of format {version}, this program knows {FORMAT}");
            self.say(Problem::new(what).hint("write `version: 1`"), "version");
        }
        let mut includes = BTreeMap::new();
        for (name, role) in raw.roles {
            self.line = Place::of_word(FILE, self.text, &name).line;
            if name == ADMIN {
                let what = format!("the role `{ADMIN}` cannot be described");
                let problem = Problem::new(what).why("it sees everything, whatever a file says");
                self.say(problem.hint("describe a role with another name"), &name);
                continue;
            }
            includes.insert(name.clone(), role.includes.list());
            let read = self.role(role);
            roles.insert(name, read);
        }
        self.include(&mut roles, &includes);
        self.line = Place::of_word(FILE, self.text, "policies").line;
        let everywhere = self.rules(
            &raw.policies.deny,
            &raw.policies.row_filters,
            &raw.policies.masks,
        );
        self.line = Place::of_word(FILE, self.text, "groups").line;
        let mut groups = BTreeMap::new();
        for (group, bring) in &raw.groups {
            groups.insert(
                group.clone(),
                bring.list().into_iter().collect::<BTreeSet<_>>(),
            );
        }
        let named: Vec<String> = groups.values().flatten().cloned().collect();
        let all_rules = roles.values().map(|role| &role.rules).chain([&everywhere]);
        let excepted: Vec<String> = all_rules.flat_map(Rules::excepted).collect();
        self.line = 1;
        for name in named.iter().chain(&excepted) {
            self.known_role(name, &roles);
        }
        Policy {
            roles,
            everywhere,
            groups,
            oidc: raw.oidc,
        }
    }

    fn role(&mut self, raw: raw::Role) -> Role {
        let grants = raw.grants.iter().filter_map(|grant| {
            let tables = self.tables(&grant.schema, &grant.table)?;
            self.open(&tables);
            if tables.is_empty() {
                let problem = Problem::new("a grant names no schema and no table");
                self.say(
                    problem.hint("write `- schema: marts` or `- table: star.fct_order`"),
                    "grants",
                );
                return None;
            }
            Some(Target {
                tables: Some(tables),
                columns: columns(grant.columns.as_ref()),
                tag: None,
            })
        });
        let grants = grants.collect();
        let own = raw.own_schemas.list();
        let own = own.iter().filter_map(|text| self.own_schema(text));
        let own = own.collect();
        Role {
            own,
            description: raw.description,
            is_built_in: false,
            includes: BTreeSet::new(),
            grants,
            rules: self.rules(&raw.deny, &raw.row_filters, &raw.masks),
        }
    }

    /// A schema in which tables and views may be made.
    fn own_schema(&mut self, text: &str) -> Option<OwnPattern> {
        if text.is_empty() || is_reserved(text) {
            let problem = Problem::new(format!("`{text}` cannot be an own schema"))
                .why("its tables are the program's")
                .hint("choose a name of your own: `own_schemas: [dbt, \"dbt_{{ user.name }}\"]`");
            self.say(problem, text);
            return None;
        }
        match OwnPattern::parse(text) {
            Ok(pattern) => Some(pattern),
            Err(why) => {
                let problem = Problem::new(format!("`{text}` cannot be an own schema")).why(why);
                let hint = "`{{ user.name }}` stands for who makes it, `*` for anything";
                self.say(problem.hint(hint), text);
                None
            }
        }
    }

    /// Refuses grants on what is closed.
    fn open(&mut self, tables: &[TablePattern]) {
        for closed in CLOSED {
            // `*` alone means every schema that can be granted.
            let named = tables.iter().find(|table| table.schema.0 == closed);
            if named.is_some() {
                let problem = Problem::new(format!("`{closed}` cannot be granted"))
                    .why("it holds rows as they came, before any check and any hashing")
                    .hint(format!("who has to read it needs the role `{ADMIN}`"));
                self.say(problem, closed);
            }
        }
    }

    fn rules(
        &mut self,
        deny: &[raw::Deny],
        filters: &[raw::RowFilter],
        masks: &[raw::Mask],
    ) -> Rules {
        let mut rules = Rules::default();
        for raw in deny {
            let on = self.target(
                &raw.schema,
                &raw.table,
                raw.columns.as_ref(),
                raw.tag.as_ref(),
            );
            let Some(on) = on else { continue };
            if on == Target::default() {
                self.say(Problem::new("a denial says of nothing"), "deny");
                continue;
            }
            rules.deny.push(DenyRule {
                on,
                except: raw.except.list().into_iter().collect(),
            });
        }
        for raw in filters {
            let on = self.target(&raw.schema, &raw.table, None, raw.tag.as_ref());
            let condition = Condition::parse(&raw.condition, false);
            match (on, condition) {
                (Some(on), Ok(condition)) => rules.filters.push(FilterRule {
                    on,
                    having: raw.having.list().into_iter().map(Pattern).collect(),
                    condition,
                    except: raw.except.list().into_iter().collect(),
                }),
                (_, Err(why)) => self.no_condition(&raw.condition, &why),
                (None, _) => {}
            }
        }
        for raw in masks {
            let on = self.target(
                &raw.schema,
                &raw.table,
                raw.columns.as_ref(),
                raw.tag.as_ref(),
            );
            if let (Some(on), Some(mask)) = (on, self.mask(raw)) {
                if on.is_whole() {
                    let problem = Problem::new("a mask names no column and no tag");
                    self.say(
                        problem.hint("write `columns: [phone]` or `tag: {pii: phone}`"),
                        "masks",
                    );
                    continue;
                }
                rules.masks.push(MaskRule {
                    on,
                    mask,
                    except: raw.except.list().into_iter().collect(),
                });
            }
        }
        rules
    }

    fn mask(&mut self, raw: &raw::Mask) -> Option<Mask> {
        // `mask: null` is YAML for nothing, and means the mask of that name.
        let kind = raw.mask.as_deref().unwrap_or("null");
        match (kind, &raw.sql) {
            ("null", None) => Some(Mask::Null),
            ("hash", None) => Some(Mask::Hash {
                joinable: raw.joinable,
            }),
            ("last_four", None) => Some(Mask::LastFour),
            ("sql", Some(sql)) | ("null", Some(sql)) => match Condition::parse(sql, true) {
                Ok(condition) => Some(Mask::Sql(Expression(condition))),
                Err(why) => {
                    self.no_condition(sql, &why);
                    None
                }
            },
            ("sql", None) => {
                let problem = Problem::new("`mask: sql` lacks its expression");
                self.say(
                    problem.hint("write `sql: left({{ column }}, 2)` beside it"),
                    "sql",
                );
                None
            }
            (other, _) => {
                let problem = Problem::new(format!("there is no mask `{other}`"));
                self.say(problem.hint(suggestion(other, MASKS, "mask")), other);
                None
            }
        }
    }

    fn no_condition(&mut self, sql: &str, why: &str) {
        let word = sql.lines().next().unwrap_or_default().trim();
        let problem = Problem::new(format!("`{word}` cannot be used")).why(why);
        let hint = "an SQL expression; attributes as `{{ user.country }}`, without quotes";
        let place = self.text.find(word).map_or_else(
            || Place::of_line(FILE, self.text, self.line),
            |at| Place::of_range(FILE, self.text, at..at + word.len()),
        );
        self.problems.push(problem.at(place).hint(hint));
    }

    fn target(
        &mut self,
        schema: &Many,
        table: &Many,
        on_columns: Option<&Many>,
        tag: Option<&TagOf>,
    ) -> Option<Target> {
        let tables = self.tables(schema, table)?;
        Some(Target {
            tables: (!tables.is_empty()).then_some(tables),
            columns: columns(on_columns),
            tag: match tag {
                Some(tag) => Some(self.tag(tag)?),
                None => None,
            },
        })
    }

    fn tag(&mut self, tag: &TagOf) -> Option<TagMatch> {
        let (name, value) = match tag {
            TagOf::Name(name) => {
                let tag = crate::access::tags::Tag::parse(name);
                (tag.name, Some(tag.value).filter(|value| !value.is_empty()))
            }
            TagOf::Pair(pair) => match pair.iter().next() {
                Some((name, value)) if pair.len() == 1 => (name.clone(), Some(value.clone())),
                _ => {
                    let problem = Problem::new("`tag` asks for more or less than one tag");
                    self.say(
                        problem.hint("write `tag: pii` or `tag: {pii: email}`"),
                        "tag",
                    );
                    return None;
                }
            },
        };
        Some(TagMatch { name, value })
    }

    fn tables(&mut self, schema: &Many, table: &Many) -> Option<Vec<TablePattern>> {
        let whole = schema.list().into_iter().map(|schema| TablePattern {
            schema: Pattern(schema),
            table: Pattern("*".to_owned()),
        });
        let mut tables: Vec<TablePattern> = whole.collect();
        for name in table.list() {
            let Some((schema, table)) = name.split_once('.') else {
                let problem = Problem::new(format!("`{name}` is no table"));
                self.say(
                    problem.hint("write schema and name: `star.fct_order`"),
                    &name,
                );
                return None;
            };
            let pattern = |table: &str| TablePattern {
                schema: Pattern(schema.to_owned()),
                table: Pattern(table.to_owned()),
            };
            if table == ENTITIES {
                let entities = domain::entity::entities().iter();
                tables.extend(entities.map(|entity| pattern(&entity.name)));
            } else {
                tables.push(pattern(table));
            }
        }
        Some(tables)
    }

    /// Adds to each role what it includes, and what that includes.
    fn include(
        &mut self,
        roles: &mut BTreeMap<String, Role>,
        includes: &BTreeMap<String, Vec<String>>,
    ) {
        for (name, direct) in includes {
            for other in direct {
                self.line = Place::of_word(FILE, self.text, name).line;
                self.known_role(other, roles);
            }
        }
        let names: Vec<String> = roles.keys().cloned().collect();
        for name in names {
            let mut all = BTreeSet::from([name.clone()]);
            let mut open = vec![name.clone()];
            while let Some(next) = open.pop() {
                for other in includes.get(&next).into_iter().flatten() {
                    if all.insert(other.clone()) {
                        open.push(other.clone());
                    }
                }
            }
            if let Some(role) = roles.get_mut(&name) {
                role.includes = all;
            }
        }
    }

    fn known_role(&mut self, name: &str, roles: &BTreeMap<String, Role>) {
        if name != ADMIN && !roles.contains_key(name) {
            let known = roles.keys().map(String::as_str).chain([ADMIN]);
            let hint = suggestion(name, known, "role");
            self.say(
                Problem::new(format!("there is no role `{name}`")).hint(hint),
                name,
            );
        }
    }

    fn say(&mut self, problem: Problem, word: &str) {
        let place = Place::of_word_from(FILE, self.text, word, self.line);
        self.problems.push(problem.at(place));
    }
}

impl Rules {
    fn excepted(&self) -> Vec<String> {
        let denied = self.deny.iter().map(|rule| &rule.except);
        let filtered = self.filters.iter().map(|rule| &rule.except);
        let masked = self.masks.iter().map(|rule| &rule.except);
        denied
            .chain(filtered)
            .chain(masked)
            .flatten()
            .cloned()
            .collect()
    }
}

fn columns(of: Option<&Many>) -> Option<Vec<Pattern>> {
    of.map(|many| many.list().into_iter().map(Pattern).collect())
}
