//! The names that columns without one of their own have.

use datafusion::sql::sqlparser::ast::{Expr, SelectItem, SetExpr, Statement};

/// The name of a column, as PostgreSQL gives it.
pub(super) fn output_name(expr: &Expr) -> String {
    known(expr).unwrap_or_else(|| "?column?".to_owned())
}

fn known(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(name) => Some(folded(name)),
        Expr::CompoundIdentifier(names) => names.last().map(folded),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => known(inner),
        Expr::Cast {
            expr, data_type, ..
        } => known(expr).or_else(|| Some(type_name(&data_type.to_string()))),
        Expr::TypedString(typed) => Some(type_name(&typed.data_type.to_string())),
        Expr::Function(function) => {
            let name = function.name.0.last().and_then(|part| part.as_ident());
            name.map(folded)
        }
        Expr::Case { else_result, .. } => {
            let otherwise = else_result.as_ref().and_then(|expr| known(expr));
            Some(otherwise.unwrap_or_else(|| "case".to_owned()))
        }
        Expr::Exists { .. } => Some("exists".to_owned()),
        Expr::Array(_) => Some("array".to_owned()),
        Expr::Subquery(query) => match &*query.body {
            SetExpr::Select(select) => match select.projection.as_slice() {
                [SelectItem::UnnamedExpr(expr)] => known(expr),
                [SelectItem::ExprWithAlias { alias, .. }] => Some(folded(alias)),
                _ => None,
            },
            _ => None,
        },
        Expr::Extract { .. } => Some("extract".to_owned()),
        Expr::Substring { .. } => Some("substring".to_owned()),
        Expr::Trim { .. } => Some("btrim".to_owned()),
        Expr::Position { .. } => Some("position".to_owned()),
        Expr::Ceil { .. } => Some("ceil".to_owned()),
        Expr::Floor { .. } => Some("floor".to_owned()),
        Expr::CompoundFieldAccess { root, access_chain } => {
            use datafusion::sql::sqlparser::ast::AccessExpr;
            let field = access_chain.iter().rev().find_map(|access| match access {
                AccessExpr::Dot(Expr::Identifier(name)) => Some(folded(name)),
                _ => None,
            });
            field.or_else(|| known(root))
        }
        _ => None,
    }
}

fn folded(name: &datafusion::sql::sqlparser::ast::Ident) -> String {
    match name.quote_style {
        Some(_) => name.value.clone(),
        None => name.value.to_lowercase(),
    }
}

/// A type's own name, as a cast to it is called.
fn type_name(written: &str) -> String {
    let bare = written.to_lowercase();
    let bare = bare.split('(').next().unwrap_or_default().trim();
    let bare = bare.rsplit('.').next().unwrap_or_default();
    match bare {
        "integer" | "int" => "int4",
        "bigint" => "int8",
        "smallint" => "int2",
        "boolean" => "bool",
        "double precision" | "float" | "double" => "float8",
        "real" => "float4",
        "decimal" => "numeric",
        "character varying" => "varchar",
        "timestamp with time zone" => "timestamptz",
        "timestamp without time zone" => "timestamp",
        other => other,
    }
    .to_owned()
}

/// For each column of a statement's result the name that PostgreSQL gives it, where the statement
/// gives none; nothing if which columns there are is not plain to see.
pub(super) fn output_names(statement: &Statement) -> Option<Vec<Option<String>>> {
    let Statement::Query(query) = statement else {
        return None;
    };
    let mut body = &*query.body;
    loop {
        match body {
            SetExpr::Select(select) => {
                let names = select.projection.iter().map(|item| match item {
                    SelectItem::UnnamedExpr(Expr::Identifier(_) | Expr::CompoundIdentifier(_)) => {
                        Some(None)
                    }
                    SelectItem::UnnamedExpr(expr) => Some(Some(output_name(expr))),
                    SelectItem::ExprWithAlias { .. } => Some(None),
                    _ => None,
                });
                return names.collect();
            }
            SetExpr::SetOperation { left, .. } => body = left,
            SetExpr::Query(inner) => body = &inner.body,
            _ => return None,
        }
    }
}
