//! Temporary tables: of one session, and gone with it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::sql::parser::Statement as EngineStatement;
use datafusion::sql::sqlparser::ast::{
    Ident, ObjectName, ObjectNamePart, Query, Visit, VisitMut, Visitor, VisitorMut,
};

use super::OwnSchemas;
use super::names::{TEMP, word};
use super::relation::Relation;

/// The temporary tables of one session.
#[derive(Debug)]
pub(crate) struct Temp {
    own: Arc<OwnSchemas>,
    tables: Mutex<BTreeMap<String, Arc<Relation>>>,
}

impl Temp {
    pub(crate) fn new(own: Arc<OwnSchemas>) -> Self {
        Self {
            own,
            tables: Mutex::default(),
        }
    }

    fn tables(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Relation>>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.tables().keys().cloned().collect()
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<Relation>> {
        self.tables().get(name).cloned()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.tables().values().map(|table| table.bytes()).sum()
    }

    /// Puts a table under a name; the files of what was there may go.
    pub(crate) fn put(&self, name: &str, table: Relation) {
        let new = Arc::new(table);
        let old = self.tables().insert(name.to_owned(), new.clone());
        if let Some(id) = old.as_ref().and_then(|old| old.id())
            && new.id() != Some(id)
        {
            self.own.leave(id);
        }
    }

    /// Removes a table; false where there is none.
    pub(crate) fn remove(&self, name: &str) -> bool {
        let old = self.tables().remove(name);
        if let Some(id) = old.as_ref().and_then(|old| old.id()) {
            self.own.leave(id);
        }
        old.is_some()
    }

    /// Gives a table another name.
    pub(crate) fn rename(&self, from: &str, to: &str) {
        let mut tables = self.tables();
        if let Some(table) = tables.remove(from) {
            tables.insert(to.to_owned(), table);
        }
    }

    /// Names of a statement that mean temporary tables, with their schema.
    pub(crate) fn qualify(&self, statement: &mut EngineStatement) {
        let known = self.names();
        let EngineStatement::Statement(inner) = statement else {
            return;
        };
        if known.is_empty() {
            return;
        }
        let mut named = Named(vec![]);
        let _ = Visit::visit(&**inner, &mut named);
        let known = known.into_iter().filter(|name| !named.0.contains(name));
        let _ = VisitMut::visit(&mut **inner, &mut Qualify(known.collect()));
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        for table in self.tables().values() {
            if let Some(id) = table.id() {
                self.own.leave(id);
            }
        }
    }
}

/// Names that a statement gives to its own queries.
struct Named(Vec<String>);

impl Visitor for Named {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let with = query.with.iter().flat_map(|with| &with.cte_tables);
        self.0.extend(with.map(|cte| word(&cte.alias.name)));
        ControlFlow::Continue(())
    }
}

struct Qualify(Vec<String>);

impl VisitorMut for Qualify {
    type Break = ();

    fn pre_visit_relation(&mut self, name: &mut ObjectName) -> ControlFlow<()> {
        if let [ObjectNamePart::Identifier(ident)] = name.0.as_slice()
            && self.0.contains(&word(ident))
        {
            let schema = ObjectNamePart::Identifier(Ident::new(TEMP));
            name.0.insert(0, schema);
        }
        ControlFlow::Continue(())
    }
}
