//! `update`: all rows of a table are written again, those that are meant with other values.

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;

use super::change::{Changed, Target, no_column};
use super::content::{count, from};
use super::names::Name;
use crate::access::error::Result;
use crate::access::policy::condition::quoted;
use crate::access::session::Session;

/// What an `update` says, as SQL.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Update {
    pub(super) name: Name,
    pub(super) alias: Option<String>,
    pub(super) set: Vec<(String, String)>,
    /// A table or query that it takes values from, as `o__`, and what that is called.
    pub(super) other: Option<(String, String)>,
    pub(super) condition: Option<String>,
}

/// Says of a row of the other table that there is one.
const HIT: &str = "hit__";

impl Session {
    pub(super) async fn update(
        &self,
        target: &Target,
        update: &Update,
        sql: &str,
    ) -> Result<Changed> {
        let (known, _lock) = self.locked(target).await?;
        self.whole(target).await?;
        for (column, _) in &update.set {
            if !known.columns.iter().any(|known| known.name == *column) {
                return Err(no_column(target, column));
            }
        }
        let own = from(target, update.alias.as_deref());
        let condition = update.condition.as_deref().unwrap_or("true");
        let (rows, is_meant, hits) = match &update.other {
            None => {
                let hits = format!("{own} where ({condition})");
                (own, format!("({condition})"), hits)
            }
            Some((other, name)) => {
                let other = format!("(select o__.*, true as {HIT} from {other}) as {name}");
                let hits = format!("{own} join {other} on ({condition})");
                let rows = format!("{own} left join {other} on ({condition})");
                (rows, format!("{name}.{HIT}"), hits)
            }
        };
        // What is meant has to be said where the other table has a column of the same name.
        let of = match &update.alias {
            Some(alias) => alias.clone(),
            None => format!("{}.{}", quoted(&target.schema), quoted(&target.name)),
        };
        let columns = known.columns.iter().map(|column| {
            let name = quoted(&column.name);
            match update.set.iter().find(|(set, _)| *set == column.name) {
                Some((_, value)) => {
                    format!("case when {is_meant} then ({value}) else {of}.{name} end as {name}")
                }
                None => format!("{of}.{name}"),
            }
        });
        let columns: Vec<String> = columns.collect();
        let counted = format!("select count(*) from {hits}");
        let counted = self.query(&counted).await?.collect().await?;
        let changed = counted.first().map_or(0, |batch| {
            let counts = batch.column(0).as_primitive_opt::<Int64Type>();
            let counts = counts.and_then(|counts| counts.iter().next().flatten());
            counts.map_or(0, i64::unsigned_abs)
        });
        if changed > 0 {
            let query = format!("select {} from {rows}", columns.join(", "));
            let exactly = Some(count(&known));
            self.rewritten(target, &known, &query, sql, exactly).await?;
        }
        Ok(Changed::rows("UPDATE", changed))
    }
}
