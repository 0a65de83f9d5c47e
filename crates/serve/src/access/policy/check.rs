//! Whether a policy fits the tables there are: rules that mean nothing, expressions that fail.

use datafusion::catalog::SchemaProvider;
use datafusion::prelude::SessionContext;

use super::condition::{Condition, quoted};
use super::rights::{Seen, applies};
use super::target::Target;
use super::{Expression, Mask, Policy, Rules};
use crate::access::tags::TagMap;

/// A table or view of the owner.
pub(super) struct Table {
    pub(super) schema: String,
    pub(super) name: String,
    columns: Vec<String>,
}

/// What does not fit, as sentences; nothing where all does.
pub(crate) async fn check(policy: &Policy, owner: &SessionContext, tags: &TagMap) -> Vec<String> {
    let tables = tables(owner).await;
    let mut said = Vec::new();
    for (name, role) in policy.roles.iter().filter(|(_, role)| !role.is_built_in) {
        for grant in &role.grants {
            if !tables.iter().any(|table| is_about(grant, table, tags)) {
                said.push(format!(
                    "role `{name}`: {} is not there (yet)",
                    shown(grant)
                ));
            }
        }
        let of = format!("role `{name}`");
        said.extend(rules(&of, &role.rules, owner, &tables, tags).await);
    }
    said.extend(rules("policies", &policy.everywhere, owner, &tables, tags).await);
    said
}

async fn rules(
    of: &str,
    rules: &Rules,
    owner: &SessionContext,
    tables: &[Table],
    tags: &TagMap,
) -> Vec<String> {
    let mut said = Vec::new();
    let mut unmet = |target: &Target, what: &str| {
        if !tables.iter().any(|table| is_about(target, table, tags)) {
            said.push(format!(
                "{of}: {what} of {} is about nothing",
                shown(target)
            ));
        }
    };
    for rule in &rules.deny {
        unmet(&rule.on, "the denial");
    }
    for rule in &rules.masks {
        unmet(&rule.on, "the mask");
    }
    for rule in &rules.filters {
        let mut about = Vec::new();
        for table in tables {
            if applies(rule, &table.schema, &table.name, &seen(table, tags)) {
                about.push(table);
            }
        }
        if about.is_empty() {
            said.push(format!(
                "{of}: the row filter of {} is about nothing",
                shown(&rule.on)
            ));
        }
        for table in about {
            let why = fails(owner, table, &rule.condition, "").await;
            said.extend(why.map(|why| {
                format!(
                    "{of}: the row filter fails on `{}.{}`: {why}",
                    table.schema, table.name
                )
            }));
        }
    }
    for rule in &rules.masks {
        let Mask::Sql(Expression(condition)) = &rule.mask else {
            continue;
        };
        for table in tables
            .iter()
            .filter(|table| is_about(&rule.on, table, tags))
        {
            let columns = seen(table, tags);
            let masked = columns
                .iter()
                .find(|column| rule.on.has_column(column.name, &column.tags));
            if let Some(column) = masked
                && let Some(why) = fails(owner, table, condition, column.name).await
            {
                let place = format!("{}.{}.{}", table.schema, table.name, column.name);
                said.push(format!("{of}: the mask fails on `{place}`: {why}"));
            }
        }
    }
    said
}

/// Why an expression cannot be planned over a table.
async fn fails(
    owner: &SessionContext,
    table: &Table,
    condition: &Condition,
    column: &str,
) -> Option<String> {
    let name = format!("{}.{}", quoted(&table.schema), quoted(&table.name));
    let sql = condition.unbound(column);
    let sql = match column {
        "" => format!("select 1 from {name} where ({sql})"),
        _ => format!("select ({sql}) from {name}"),
    };
    let planned = owner.state().create_logical_plan(&sql).await;
    planned.err().map(|error| error.strip_backtrace())
}

fn is_about(target: &Target, table: &Table, tags: &TagMap) -> bool {
    let columns = seen(table, tags);
    target.has_table(&table.schema, &table.name)
        && columns
            .iter()
            .any(|column| target.has_column(column.name, &column.tags))
}

pub(super) fn seen<'a>(table: &'a Table, tags: &TagMap) -> Vec<Seen<'a>> {
    let columns = table.columns.iter().map(|name| Seen {
        name,
        tags: tags.column(&table.schema, &table.name, name),
    });
    columns.collect()
}

fn shown(target: &Target) -> String {
    let mut parts = Vec::new();
    for table in target.tables.iter().flatten() {
        parts.push(format!("{}.{}", table.schema.0, table.table.0));
    }
    for column in target.columns.iter().flatten() {
        parts.push(format!("column {}", column.0));
    }
    if let Some(tag) = &target.tag {
        let value = tag.value.as_deref().unwrap_or("*");
        parts.push(format!("tag {}: {value}", tag.name));
    }
    format!("`{}`", parts.join(", "))
}

pub(super) async fn tables(owner: &SessionContext) -> Vec<Table> {
    let mut tables = Vec::new();
    let Some(catalog) = owner.catalog("throughline") else {
        return tables;
    };
    for schema in catalog.schema_names() {
        let Some(provider) = catalog.schema(&schema) else {
            continue;
        };
        for name in provider.table_names() {
            if let Ok(Some(table)) = SchemaProvider::table(&*provider, &name).await {
                let fields = table.schema();
                let columns = fields.fields().iter().map(|field| field.name().clone());
                tables.push(Table {
                    schema: schema.clone(),
                    name,
                    columns: columns.collect(),
                });
            }
        }
    }
    tables
}
