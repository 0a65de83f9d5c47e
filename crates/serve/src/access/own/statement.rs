//! Which statements may change something in an own schema: read from their text, before anything
//! is looked up.

use datafusion::sql::sqlparser::ast::{
    AlterTable, AlterTableOperation, Assignment, AssignmentTarget, ColumnDef, ColumnOption,
    CommentObject, CreateIndex, CreateTable, CreateView, Delete, Expr, FromTable, Insert,
    ObjectName, ObjectType, Query, RenameTableNameKind, SchemaName, SetExpr, Statement,
    TableFactor, TableObject, TableWithJoins, Update as UpdateStatement, UpdateTableFromKind,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::names::{self, Name, word};
use super::update::Update;
use crate::access::error::{AccessError, Reason, Result};
use crate::access::session::statement::read_only;

/// Levels that the parser goes down.
const LEVELS: usize = 50;

/// What a statement would change.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Wanted {
    CreateSchema {
        name: String,
        if_not_exists: bool,
    },
    DropSchema {
        names: Vec<String>,
        if_exists: bool,
        cascade: bool,
    },
    CreateView {
        name: Name,
        or_replace: bool,
        columns: Vec<String>,
        query: String,
    },
    CreateTable {
        new: NewTable,
        columns: Vec<Typed>,
    },
    CreateTableAs {
        new: NewTable,
        columns: Vec<String>,
        query: String,
    },
    Insert {
        name: Name,
        columns: Vec<String>,
        query: String,
        is_values: bool,
    },
    Delete {
        name: Name,
        alias: Option<String>,
        condition: Option<String>,
    },
    Update(Update),
    Truncate {
        names: Vec<Name>,
        if_exists: bool,
    },
    Drop {
        is_view: bool,
        names: Vec<Name>,
        if_exists: bool,
        cascade: bool,
    },
    Rename {
        is_view: bool,
        name: Name,
        if_exists: bool,
        to: String,
    },
    Alter {
        name: Name,
        if_exists: bool,
        steps: Vec<Step>,
    },
    Comment {
        on: Commented,
        text: Option<String>,
    },
    CreateIndex {
        on: Name,
    },
}

/// A table to be made.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NewTable {
    pub(super) name: Name,
    pub(super) if_not_exists: bool,
    pub(super) or_replace: bool,
    pub(super) is_temporary: bool,
}

/// A column and its type, as SQL.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Typed {
    pub(super) name: String,
    pub(super) kind: String,
}

/// A change of a table's columns.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Add { column: Typed, if_not_exists: bool },
    Drop { column: String, if_exists: bool },
    Rename { from: String, to: String },
}

/// What a comment is about.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Commented {
    Relation(Name),
    Column(Name, String),
}

impl Wanted {
    /// The command's tag in PostgreSQL, without numbers of rows.
    pub(super) fn action(&self) -> &'static str {
        match self {
            Self::CreateSchema { .. } => "CREATE SCHEMA",
            Self::DropSchema { .. } => "DROP SCHEMA",
            Self::CreateView { .. } => "CREATE VIEW",
            Self::CreateTable { .. } => "CREATE TABLE",
            Self::CreateTableAs { .. } => "CREATE TABLE AS",
            Self::Insert { .. } => "INSERT",
            Self::Delete { .. } => "DELETE",
            Self::Update(_) => "UPDATE",
            Self::Truncate { .. } => "TRUNCATE TABLE",
            Self::Drop { is_view: true, .. } => "DROP VIEW",
            Self::Drop { .. } => "DROP TABLE",
            Self::Rename { is_view: true, .. } => "ALTER VIEW",
            Self::Rename { .. } | Self::Alter { .. } => "ALTER TABLE",
            Self::Comment { .. } => "COMMENT",
            Self::CreateIndex { .. } => "CREATE INDEX",
        }
    }

    /// The schemas that it makes or removes.
    pub(super) fn schemas(&self) -> Vec<&str> {
        match self {
            Self::CreateSchema { name, .. } => vec![name],
            Self::DropSchema { names, .. } => names.iter().map(String::as_str).collect(),
            _ => vec![],
        }
    }

    /// The tables and views that it changes.
    pub(super) fn names(&self) -> Vec<&Name> {
        match self {
            Self::CreateSchema { .. } | Self::DropSchema { .. } => vec![],
            // A temporary one is in nobody's schema.
            Self::CreateTable { new, .. } | Self::CreateTableAs { new, .. } => {
                let name = (!new.is_temporary).then_some(&new.name);
                name.into_iter().collect()
            }
            Self::CreateView { name, .. }
            | Self::Insert { name, .. }
            | Self::Delete { name, .. }
            | Self::Update(Update { name, .. })
            | Self::Rename { name, .. }
            | Self::Alter { name, .. }
            | Self::CreateIndex { on: name } => vec![name],
            Self::Truncate { names, .. } | Self::Drop { names, .. } => names.iter().collect(),
            Self::Comment {
                on: Commented::Relation(name) | Commented::Column(name, _),
                ..
            } => vec![name],
        }
    }

    /// What it is about, for the audit.
    pub(super) fn object(&self) -> String {
        let temporary = match self {
            Self::CreateTable { new, .. } | Self::CreateTableAs { new, .. } => Some(&new.name),
            _ => None,
        };
        let schemas = self.schemas().into_iter().map(str::to_owned);
        let names = self
            .names()
            .into_iter()
            .chain(temporary)
            .map(Name::to_string);
        let mut all: Vec<String> = schemas.chain(names).collect();
        all.dedup();
        all.join(", ")
    }
}

/// Reads one statement.
///
/// # Errors
/// It cannot be parsed, or is none that a user may run.
pub(super) fn read(sql: &str) -> Result<Wanted> {
    let syntax = |error: &dyn std::fmt::Display| {
        AccessError::new(
            Reason::Syntax,
            format!("the statement cannot be parsed: {error}"),
        )
    };
    let dialect = PostgreSqlDialect {};
    let tokens = Tokenizer::new(&dialect, sql).tokenize();
    let mut tokens = tokens.map_err(|error| syntax(&error))?;
    let is_alter_view = plainer(&mut tokens);
    let parsed = Parser::new(&dialect)
        .with_recursion_limit(LEVELS)
        .with_tokens(tokens)
        .parse_statements();
    let mut parsed = parsed.map_err(|error| syntax(&error))?;
    match (parsed.pop(), parsed.is_empty()) {
        (Some(statement), true) => wanted(statement, is_alter_view),
        _ => Err(AccessError::new(
            Reason::Syntax,
            "this is not one statement",
        )),
    }
}

/// Writes a statement as the parser knows it: `alter view` as `alter table`, a comment's text in
/// plain quotes; leaves `unlogged` out, which means nothing here. True if it was `alter view`.
fn plainer(tokens: &mut Vec<Token>) -> bool {
    let keyword = |token: &Token| match token {
        Token::Word(word) => word.keyword,
        _ => Keyword::NoKeyword,
    };
    let meant = |token: &&usize, tokens: &[Token]| {
        !matches!(tokens.get(**token), Some(Token::Whitespace(_)))
    };
    let places: Vec<usize> = (0..tokens.len()).collect();
    let mut places = places.iter().filter(|at| meant(at, tokens));
    let (Some(first), Some(second)) = (places.next(), places.next()) else {
        return false;
    };
    let verb = tokens.get(*first).map(keyword);
    let Some(Token::Word(object)) = tokens.get_mut(*second) else {
        return false;
    };
    match (verb, object.keyword) {
        (Some(Keyword::ALTER), Keyword::VIEW) => {
            object.value = "TABLE".to_owned();
            object.keyword = Keyword::TABLE;
            true
        }
        (Some(Keyword::CREATE), _) if object.value.eq_ignore_ascii_case("unlogged") => {
            tokens.remove(*second);
            false
        }
        (Some(Keyword::COMMENT), _) => {
            for token in tokens {
                if let Token::DollarQuotedString(text) = token {
                    *token = Token::SingleQuotedString(text.value.clone());
                }
            }
            false
        }
        _ => false,
    }
}

fn wanted(statement: Statement, is_alter_view: bool) -> Result<Wanted> {
    Ok(match statement {
        Statement::CreateSchema {
            schema_name: SchemaName::Simple(name),
            if_not_exists,
            ..
        } => Wanted::CreateSchema {
            name: names::schema(&name)?,
            if_not_exists,
        },
        Statement::CreateSchema { .. } => {
            return Err(refused("`authorization` is not known here"));
        }
        Statement::CreateView(view) => create_view(view)?,
        Statement::CreateTable(table) => create_table(table)?,
        Statement::Insert(insert) => insert_into(insert)?,
        Statement::Delete(delete) => delete_from(delete)?,
        Statement::Update(update) => update_of(update)?,
        Statement::Truncate(truncate) => Wanted::Truncate {
            names: truncate
                .table_names
                .iter()
                .map(|target| names::table(&target.name))
                .collect::<Result<_>>()?,
            if_exists: truncate.if_exists,
        },
        Statement::Drop {
            object_type,
            if_exists,
            names,
            cascade,
            ..
        } => drop_of(object_type, if_exists, &names, cascade)?,
        Statement::AlterTable(alter) => alter_of(alter, is_alter_view)?,
        Statement::Comment {
            object_type,
            object_name,
            comment,
            ..
        } => Wanted::Comment {
            on: commented(object_type, &object_name)?,
            text: comment,
        },
        Statement::CreateIndex(CreateIndex { table_name, .. }) => Wanted::CreateIndex {
            on: names::table(&table_name)?,
        },
        Statement::Grant(_) | Statement::Revoke(_) | Statement::Deny(_) => {
            let message = "rights are not given by statements";
            return Err(AccessError::new(Reason::Denied, message)
                .hint("who may read what is said in `access.yml` in the project"));
        }
        Statement::Merge(_) => {
            return Err(refused("`merge` is not known here")
                .hint("`delete` and `insert` do the same: in dbt the strategy `delete+insert`"));
        }
        _ => return Err(read_only()),
    })
}

/// The answer to what is no statement of a user.
pub(super) fn read_only_error() -> AccessError {
    read_only()
}

pub(super) fn refused(message: impl Into<String>) -> AccessError {
    AccessError::new(Reason::Unsupported, message)
}

fn create_view(view: CreateView) -> Result<Wanted> {
    if view.materialized {
        return Err(refused("there are no materialized views").hint("make a table"));
    }
    if view.temporary {
        return Err(
            refused("there are no temporary views").hint("make a temporary table, or use `with`")
        );
    }
    Ok(Wanted::CreateView {
        name: names::table(&view.name)?,
        or_replace: view.or_replace,
        columns: view
            .columns
            .iter()
            .map(|column| word(&column.name))
            .collect(),
        query: asked(&view.query)?,
    })
}

fn create_table(table: CreateTable) -> Result<Wanted> {
    let is_odd = table.external
        || table.location.is_some()
        || table.file_format.is_some()
        || table.like.is_some()
        || table.clone.is_some()
        || table.inherits.is_some()
        || table.partition_of.is_some()
        || table.partition_by.is_some();
    if is_odd {
        return Err(read_only());
    }
    let new = NewTable {
        name: names::table(&table.name)?,
        if_not_exists: table.if_not_exists,
        or_replace: table.or_replace,
        is_temporary: table.temporary,
    };
    if let Some(query) = &table.query {
        return Ok(Wanted::CreateTableAs {
            new,
            columns: table
                .columns
                .iter()
                .map(|column| word(&column.name))
                .collect(),
            query: asked(query)?,
        });
    }
    if !table.constraints.is_empty() {
        return Err(no_constraints());
    }
    let columns = table
        .columns
        .iter()
        .map(typed)
        .collect::<Result<Vec<_>>>()?;
    if columns.is_empty() {
        return Err(AccessError::new(
            Reason::Syntax,
            "a table has a column at least",
        ));
    }
    Ok(Wanted::CreateTable { new, columns })
}

fn no_constraints() -> AccessError {
    refused("constraints and defaults are not kept")
        .hint("leave them out, and test the table: in dbt by `not_null` and `unique`")
}

fn typed(column: &ColumnDef) -> Result<Typed> {
    let is_plain = |option: &ColumnOption| matches!(option, ColumnOption::Null);
    if !column.options.iter().all(|option| is_plain(&option.option)) {
        return Err(no_constraints());
    }
    Ok(Typed {
        name: word(&column.name),
        kind: column.data_type.to_string(),
    })
}

/// A query that reads, as text.
fn asked(query: &Query) -> Result<String> {
    match &*query.body {
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
            Err(read_only())
        }
        _ => Ok(query.to_string()),
    }
}

fn insert_into(insert: Insert) -> Result<Wanted> {
    let TableObject::TableName(table) = &insert.table else {
        return Err(read_only());
    };
    if insert.on.is_some() {
        return Err(
            refused("`on conflict` is not known here: tables have no keys")
                .hint("`delete` what is there, then `insert`"),
        );
    }
    if insert.returning.is_some() {
        return Err(refused("`returning` is not known here"));
    }
    let Some(query) = &insert.source else {
        return Err(refused("`default values` are not known here"));
    };
    let columns = insert.columns.iter().map(|column| {
        let mut words = names::words(column)?;
        let last = words.pop();
        last.ok_or_else(|| AccessError::new(Reason::Syntax, "a column has no name"))
    });
    Ok(Wanted::Insert {
        name: names::table(table)?,
        columns: columns.collect::<Result<_>>()?,
        is_values: matches!(&*query.body, SetExpr::Values(_)),
        query: asked(query)?,
    })
}

/// The one table of a statement, and what it is called there.
fn one_table(table: &TableWithJoins) -> Result<(Name, Option<String>)> {
    match &table.relation {
        TableFactor::Table { name, alias, .. } if table.joins.is_empty() => {
            let alias = alias.as_ref().map(|alias| alias.name.to_string());
            Ok((names::table(name)?, alias))
        }
        _ => Err(refused("only rows of one table are changed at a time")),
    }
}

fn delete_from(delete: Delete) -> Result<Wanted> {
    let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
    let is_plain = delete.using.is_none()
        && delete.returning.is_none()
        && delete.limit.is_none()
        && delete.tables.is_empty();
    match (from.as_slice(), is_plain) {
        ([table], true) => {
            let (name, alias) = one_table(table)?;
            Ok(Wanted::Delete {
                name,
                alias,
                condition: delete.selection.as_ref().map(condition),
            })
        }
        _ => Err(refused("`delete` takes one table and a condition here")
            .hint("ask other tables in the condition: `where id in (select …)`")),
    }
}

fn update_of(update: UpdateStatement) -> Result<Wanted> {
    let many = || {
        refused("`update` takes one table, values from one other, and a condition here")
            .hint("ask other tables in the values and the condition")
    };
    if update.returning.is_some() || update.limit.is_some() {
        return Err(many());
    }
    let other = match &update.from {
        None => None,
        Some(UpdateTableFromKind::BeforeSet(all) | UpdateTableFromKind::AfterSet(all)) => {
            match all.as_slice() {
                [one] if one.joins.is_empty() => Some(other_table(one).ok_or_else(many)?),
                _ => return Err(many()),
            }
        }
    };
    let (name, alias) = one_table(&update.table)?;
    let set = update
        .assignments
        .iter()
        .map(|Assignment { target, value }| match target {
            AssignmentTarget::ColumnName(column) => {
                let last = names::words(column)?.pop().unwrap_or_default();
                Ok((last, value.to_string()))
            }
            AssignmentTarget::Tuple(_) => Err(refused("columns are set one by one here")),
        });
    Ok(Wanted::Update(Update {
        name,
        alias,
        set: set.collect::<Result<_>>()?,
        other,
        condition: update.selection.as_ref().map(condition),
    }))
}

/// A table or query that an update takes values from, called `o__`, and what the update calls it.
fn other_table(table: &TableWithJoins) -> Option<(String, String)> {
    let (shown, alias, own) = match &table.relation {
        TableFactor::Table { name, alias, .. } => {
            let own = name.0.last()?.to_string();
            (name.to_string(), alias, Some(own))
        }
        TableFactor::Derived {
            subquery, alias, ..
        } => (format!("({subquery})"), alias, None),
        _ => return None,
    };
    let columns = alias.iter().flat_map(|alias| &alias.columns);
    let columns: Vec<String> = columns.map(ToString::to_string).collect();
    let columns = match columns.is_empty() {
        true => String::new(),
        false => format!(" ({})", columns.join(", ")),
    };
    let called = alias.as_ref().map(|alias| alias.name.to_string()).or(own)?;
    Some((format!("{shown} as o__{columns}"), called))
}

/// A condition as text. `(a, b) in (select …)` is written as the engine knows it.
fn condition(expr: &Expr) -> String {
    let Expr::InSubquery {
        expr: keys,
        subquery,
        negated: false,
    } = expr
    else {
        return match expr {
            Expr::BinaryOp { left, op, right } if op.to_string() == "AND" => {
                format!("({}) AND ({})", condition(left), condition(right))
            }
            _ => expr.to_string(),
        };
    };
    let Expr::Tuple(keys) = &**keys else {
        return expr.to_string();
    };
    let columns: Vec<String> = (1..=keys.len()).map(|at| format!("k{at}")).collect();
    let same: Vec<String> = keys
        .iter()
        .zip(&columns)
        .map(|(key, column)| format!("keys__.{column} = {key}"))
        .collect();
    format!(
        "EXISTS (SELECT 1 FROM ({subquery}) AS keys__({}) WHERE {})",
        columns.join(", "),
        same.join(" AND ")
    )
}

fn drop_of(
    object: ObjectType,
    if_exists: bool,
    all: &[ObjectName],
    cascade: bool,
) -> Result<Wanted> {
    let is_view = match object {
        ObjectType::Schema => {
            return Ok(Wanted::DropSchema {
                names: all.iter().map(names::schema).collect::<Result<_>>()?,
                if_exists,
                cascade,
            });
        }
        ObjectType::Table => false,
        ObjectType::View => true,
        ObjectType::Index | ObjectType::MaterializedView => {
            return Err(refused("there are no indexes and no materialized views"));
        }
        _ => return Err(read_only()),
    };
    Ok(Wanted::Drop {
        is_view,
        names: all.iter().map(names::table).collect::<Result<_>>()?,
        if_exists,
        cascade,
    })
}

fn alter_of(alter: AlterTable, is_view: bool) -> Result<Wanted> {
    let name = names::table(&alter.name)?;
    if let [AlterTableOperation::RenameTable { table_name }] = alter.operations.as_slice() {
        let (RenameTableNameKind::To(to) | RenameTableNameKind::As(to)) = table_name;
        let to = names::table(to)?;
        if to.schema.is_some() && to.schema != name.schema {
            return Err(refused("a table stays in its schema"));
        }
        return Ok(Wanted::Rename {
            is_view,
            name,
            if_exists: alter.if_exists,
            to: to.name,
        });
    }
    if is_view {
        return Err(refused("a view can be renamed or replaced")
            .hint("`create or replace view` gives it other columns"));
    }
    let mut steps = Vec::new();
    for operation in &alter.operations {
        match operation {
            AlterTableOperation::AddColumn {
                if_not_exists,
                column_def,
                ..
            } => steps.push(Step::Add {
                column: typed(column_def)?,
                if_not_exists: *if_not_exists,
            }),
            AlterTableOperation::DropColumn {
                column_names,
                if_exists,
                ..
            } => steps.extend(column_names.iter().map(|column| Step::Drop {
                column: word(column),
                if_exists: *if_exists,
            })),
            AlterTableOperation::RenameColumn {
                old_column_name,
                new_column_name,
            } => steps.push(Step::Rename {
                from: word(old_column_name),
                to: word(new_column_name),
            }),
            _ => {
                return Err(refused("this change of a table is not known here")
                    .hint("tables can be renamed, columns added, dropped and renamed"));
            }
        }
    }
    Ok(Wanted::Alter {
        name,
        if_exists: alter.if_exists,
        steps,
    })
}

fn commented(object: CommentObject, name: &ObjectName) -> Result<Commented> {
    match object {
        CommentObject::Table | CommentObject::View => Ok(Commented::Relation(names::table(name)?)),
        CommentObject::Column => {
            let mut parts = name.0.clone();
            let column = match parts.pop() {
                Some(last) => names::words(&ObjectName(vec![last]))?
                    .pop()
                    .unwrap_or_default(),
                None => String::new(),
            };
            Ok(Commented::Column(names::table(&ObjectName(parts))?, column))
        }
        _ => Err(refused("only tables, views and columns have comments")),
    }
}
