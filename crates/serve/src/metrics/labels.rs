//! Tables of dimensions beside the rows of a subject: one join for each key, whatever is shown.

use domain::metrics::{Layer, Subject};

use super::sql;

/// A dimension's table, joined by its key.
pub(super) struct Join {
    /// The table.
    pub(super) table: String,
    /// Its key.
    pub(super) key: String,
    /// What the subject has of it, as SQL.
    pub(super) own: String,
    /// Name of the join.
    pub(super) alias: String,
    /// Columns that are shown, and names for them that no fact has.
    pub(super) columns: Vec<(String, String)>,
}

/// Name of a joined table's key, which no fact has.
pub(super) const KEY: &str = "the key";

/// The dimensions of a request, over the rows of a subject.
pub(super) struct Labels<'a> {
    layer: &'a Layer,
    subject: &'a Subject,
    /// The tables that are joined.
    pub(super) joins: Vec<Join>,
}

impl<'a> Labels<'a> {
    /// Of these dimensions; a dimension that the subject does not have is left out.
    pub(super) fn of<'n>(
        layer: &'a Layer,
        subject: &'a Subject,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Self {
        let mut labels = Self {
            layer,
            subject,
            joins: vec![],
        };
        for name in names {
            labels.add(name);
        }
        labels
    }

    fn add(&mut self, name: &str) {
        let (Some(own), Some(dimension)) = (
            self.subject.dimension(name),
            self.layer.dimensions.get(name),
        ) else {
            return;
        };
        if own.is_label {
            return;
        }
        let (Some(table), Some(key), Some(column)) =
            (&dimension.table, &dimension.key, &dimension.column)
        else {
            return;
        };
        let own = sql::own_column(own);
        let known = self
            .joins
            .iter()
            .position(|join| join.table == *table && join.key == *key && join.own == own);
        let at = known.unwrap_or_else(|| {
            self.joins.push(Join {
                table: table.clone(),
                key: key.clone(),
                own,
                alias: format!("label_{}", self.joins.len() + 1),
                columns: vec![],
            });
            self.joins.len() - 1
        });
        let shown = (column.clone(), shown(name));
        if !self.joins[at].columns.contains(&shown) {
            self.joins[at].columns.push(shown);
        }
    }

    /// A dimension's value, as SQL over the joined rows.
    pub(super) fn value(&self, name: &str) -> String {
        let Some(own) = self.subject.dimension(name) else {
            return "null".into();
        };
        let dimension = self.layer.dimensions.get(name);
        let joined = dimension.is_some_and(|dimension| dimension.table.is_some());
        if own.is_label || !joined {
            return sql::own_column(own);
        }
        let shown = shown(name);
        let having = |join: &&Join| join.columns.iter().any(|(_, known)| *known == shown);
        match self.joins.iter().find(having) {
            Some(join) => format!("{}.{}", join.alias, sql::quoted(&shown)),
            None => "null".into(),
        }
    }
}

impl Join {
    /// The join as SQL.
    pub(super) fn text(&self) -> String {
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|(column, shown)| format!("{} as {}", sql::quoted(column), sql::quoted(shown)))
            .collect();
        let (key, alias) = (sql::quoted(KEY), &self.alias);
        format!(
            "left join (select {} as {key}, {} from {}) as {alias}\n        on {} = {alias}.{key}",
            sql::quoted(&self.key),
            columns.join(", "),
            sql::table(&self.table),
            self.own,
        )
    }
}

fn shown(name: &str) -> String {
    format!("the {name}")
}
