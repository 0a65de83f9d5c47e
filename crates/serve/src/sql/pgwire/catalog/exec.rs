//! A query on the catalogue is answered, row by row.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering as Atomic};
use std::time::Instant;

use super::node::Node;
use super::node::{
    Body, Comparison, Group, Join, QueryPlan, SelectPlan, SetFunction, SetOperation, Source, Step,
    WindowCall,
};
use super::value::{Failure, Result, Row, Value};
use super::world::World;
use super::{aggregate, eval};

/// Steps that one query may take.
const STEPS: u64 = 200_000_000;
/// Values that the rows of a part of it may have together.
const VALUES: usize = 8_000_000;
/// Rounds of a query that reads itself.
const ROUNDS: usize = 1_000;

/// A query that is being answered.
pub(in crate::sql::pgwire) struct Run<'a> {
    pub(super) world: &'a World,
    pub(super) parameters: &'a [Value],
    deadline: Instant,
    is_cancelled: &'a AtomicBool,
    steps: Cell<u64>,
    tables: RefCell<HashMap<(&'static str, &'static str), Arc<Vec<Row>>>>,
    results: RefCell<HashMap<usize, Arc<Vec<Row>>>>,
    working: RefCell<HashMap<usize, Arc<Vec<Row>>>>,
}

/// The row that an expression is evaluated on, and the rows of the queries around it.
#[derive(Clone, Copy)]
pub(in crate::sql::pgwire) struct Frame<'a> {
    pub(super) row: &'a [Value],
    /// Place of the row's first column.
    pub(super) start: usize,
    pub(super) sets: &'a [Value],
    pub(super) aggregates: &'a [Value],
    pub(super) windows: &'a [Value],
    pub(super) outer: Option<&'a Frame<'a>>,
}

impl<'a> Frame<'a> {
    pub(super) fn new(row: &'a [Value], outer: Option<&'a Frame<'a>>) -> Self {
        Self {
            row,
            start: 0,
            sets: &[],
            aggregates: &[],
            windows: &[],
            outer,
        }
    }
}

type Outer<'a> = Option<&'a Frame<'a>>;

impl<'a> Run<'a> {
    pub(in crate::sql::pgwire) fn new(
        world: &'a World,
        parameters: &'a [Value],
        deadline: Instant,
        is_cancelled: &'a AtomicBool,
    ) -> Self {
        Self {
            world,
            parameters,
            deadline,
            is_cancelled,
            steps: Cell::new(0),
            tables: RefCell::default(),
            results: RefCell::default(),
            working: RefCell::default(),
        }
    }

    /// One step more.
    pub(super) fn step(&self) -> Result<()> {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        if steps.is_multiple_of(1_024) {
            if self.is_cancelled.load(Atomic::Relaxed) {
                return Err(Failure::new("57014", "the query was cancelled"));
            }
            if steps > STEPS || Instant::now() > self.deadline {
                let message = "the query on the catalogue took longer than it may";
                return Err(Failure::new("57014", message));
            }
        }
        Ok(())
    }

    fn bound(rows: &[Row]) -> Result<()> {
        let width = rows.first().map_or(1, Vec::len).max(1);
        match rows.len() > VALUES / width {
            true => Err(Failure::new(
                "54000",
                "the query on the catalogue has too many rows",
            )),
            false => Ok(()),
        }
    }

    /// The rows of a query; those of one that reads nothing around it are remembered.
    pub(in crate::sql::pgwire) fn query(
        &self,
        plan: &QueryPlan,
        outer: Option<&Frame<'_>>,
    ) -> Result<Arc<Vec<Row>>> {
        if plan.is_alone
            && let Some(known) = self.results.borrow().get(&plan.id)
        {
            return Ok(known.clone());
        }
        let mut rows = self.body(&plan.body, outer)?;
        if !plan.order.is_empty() {
            rows.sort_by(|left, right| by_places(left, right, &plan.order));
        }
        let frame = Frame::new(&[], outer);
        let count = |node: &Option<Node>| -> Result<Option<usize>> {
            let Some(node) = node else {
                return Ok(None);
            };
            let count = eval::eval(self, node, &frame)?.int();
            Ok(count.map(|count| usize::try_from(count).unwrap_or(0)))
        };
        if let Some(offset) = count(&plan.offset)? {
            rows.drain(..offset.min(rows.len()));
        }
        if let Some(limit) = count(&plan.limit)? {
            rows.truncate(limit);
        }
        for row in &mut rows {
            row.truncate(plan.names.len());
        }
        let rows = Arc::new(rows);
        if plan.is_alone {
            self.results.borrow_mut().insert(plan.id, rows.clone());
        }
        Ok(rows)
    }

    fn body(&self, body: &Body, outer: Outer<'_>) -> Result<Vec<Row>> {
        match body {
            Body::Select(select) => self.select(select, outer),
            Body::Nested(plan) => Ok(self.query(plan, outer)?.to_vec()),
            Body::Values(rows) => {
                let frame = Frame::new(&[], outer);
                let row = |nodes: &Vec<Node>| eval::all(self, nodes, &frame);
                rows.iter().map(row).collect()
            }
            Body::Union(left, right, operation, is_all) => {
                let left = self.query(left, outer)?;
                let right = self.query(right, outer)?;
                let rows = combine(&left, &right, *operation, *is_all);
                Self::bound(&rows)?;
                Ok(rows)
            }
            Body::Recursive(first, next, id, is_all) => {
                let mut new = self.query(first, outer)?.to_vec();
                let mut rows = Vec::new();
                let mut seen = HashSet::new();
                for _ in 0..ROUNDS {
                    if !is_all {
                        new.retain(|row| seen.insert(key(row)));
                    }
                    if new.is_empty() {
                        break;
                    }
                    rows.extend(new.iter().cloned());
                    Self::bound(&rows)?;
                    self.working.borrow_mut().insert(*id, Arc::new(new));
                    new = self.query(next, outer)?.to_vec();
                }
                Ok(rows)
            }
        }
    }

    /// The rows that a `select` reads, joined and filtered.
    fn read(&self, select: &SelectPlan, outer: Outer<'_>) -> Result<Vec<Row>> {
        // Each step fills its part of the row, in whatever order they come.
        let mut rows: Vec<Row> = vec![vec![Value::Null; select.width]];
        for step in &select.steps {
            if rows.is_empty() && matches!(step.join, Join::Inner | Join::Left) {
                continue;
            }
            rows = self.join(rows, step, select.width, outer)?;
            Self::bound(&rows)?;
            if !step.then.is_empty() {
                rows = self.kept(rows, &step.then, 0, outer)?;
            }
        }
        self.kept(rows, &select.filters, 0, outer)
    }

    fn kept(
        &self,
        rows: Vec<Row>,
        conditions: &[Node],
        start: usize,
        outer: Outer<'_>,
    ) -> Result<Vec<Row>> {
        if conditions.is_empty() {
            return Ok(rows);
        }
        let mut kept = Vec::new();
        for row in rows {
            let frame = Frame {
                start,
                ..Frame::new(&row, outer)
            };
            if eval::hold(self, conditions, &frame)? {
                kept.push(row);
            }
        }
        Ok(kept)
    }

    fn source(&self, source: &Source, frame: &Frame<'_>) -> Result<Arc<Vec<Row>>> {
        match source {
            Source::Table(table) => {
                let name = (table.schema, table.name);
                if let Some(known) = self.tables.borrow().get(&name) {
                    return Ok(known.clone());
                }
                let rows = Arc::new(table.rows(self.world));
                self.tables.borrow_mut().insert(name, rows.clone());
                Ok(rows)
            }
            Source::Query(plan) => self.query(plan, Some(frame)),
            Source::Working(id) => {
                let known = self.working.borrow().get(id).cloned();
                Ok(known.unwrap_or_default())
            }
            Source::Nested(select) => Ok(Arc::new(self.read(select, frame.outer)?)),
            Source::Value(node, is_numbered) => {
                let value = eval::eval(self, node, frame)?;
                Ok(Arc::new(numbered(vec![vec![value]], *is_numbered)))
            }
            Source::Function(function, arguments, is_numbered) => {
                let arguments = eval::all(self, arguments, frame)?;
                let rows = self
                    .set(*function, &arguments)?
                    .into_iter()
                    .map(fields)
                    .collect();
                Ok(Arc::new(numbered(rows, *is_numbered)))
            }
        }
    }

    fn join(
        &self,
        rows: Vec<Row>,
        step: &Step,
        width: usize,
        outer: Outer<'_>,
    ) -> Result<Vec<Row>> {
        let filtered = |frame: &Frame<'_>| -> Result<Vec<Row>> {
            let found = self.source(&step.source, frame)?;
            self.kept(found.to_vec(), &step.own, step.start, outer)
        };
        let alone = match step.is_lateral {
            true => Vec::new(),
            false => filtered(&Frame::new(&[], outer))?,
        };
        let index = self.index(step, &alone, outer)?;
        let mut used = vec![false; alone.len()];
        let mut joined = Vec::new();
        for row in rows {
            self.step()?;
            let frame = Frame::new(&row, outer);
            let here = match step.is_lateral {
                true => filtered(&frame)?,
                false => Vec::new(),
            };
            let hits: Vec<usize> = match (step.is_lateral, step.keys.is_empty()) {
                (true, _) => (0..here.len()).collect(),
                (false, true) => (0..alone.len()).collect(),
                (false, false) => {
                    let keys = step.keys.iter().map(|(before, _)| before);
                    let key = self.join_key(keys, &frame)?;
                    key.and_then(|key| index.get(&key).cloned())
                        .unwrap_or_default()
                }
            };
            let candidates = if step.is_lateral { &here } else { &alone };
            let mut has_any = false;
            for place in hits {
                self.step()?;
                let Some(own) = candidates.get(place) else {
                    continue;
                };
                let mut both = row.clone();
                fill(&mut both, step.start, own);
                let frame = Frame::new(&both, outer);
                if eval::hold(self, &step.on, &frame)? && self.lateral_keys(step, &frame)? {
                    has_any = true;
                    if let Some(used) = used.get_mut(place) {
                        *used = true;
                    }
                    joined.push(both);
                }
            }
            if !has_any && matches!(step.join, Join::Left | Join::Full) {
                joined.push(row);
            }
            Self::bound(&joined)?;
        }
        if matches!(step.join, Join::Right | Join::Full) {
            for (row, _) in alone.iter().zip(used).filter(|(_, is_used)| !is_used) {
                let mut both = vec![Value::Null; width];
                fill(&mut both, step.start, row);
                joined.push(both);
            }
        }
        Ok(joined)
    }

    /// The rows of a step by what must be equal.
    fn index(
        &self,
        step: &Step,
        rows: &[Row],
        outer: Outer<'_>,
    ) -> Result<HashMap<String, Vec<usize>>> {
        let mut index: HashMap<String, Vec<usize>> = HashMap::new();
        if step.keys.is_empty() {
            return Ok(index);
        }
        for (place, row) in rows.iter().enumerate() {
            let frame = Frame {
                start: step.start,
                ..Frame::new(row, outer)
            };
            let keys = step.keys.iter().map(|(_, own)| own);
            if let Some(key) = self.join_key(keys, &frame)? {
                index.entry(key).or_default().push(place);
            }
        }
        Ok(index)
    }

    /// What must be equal, where no index could be asked.
    fn lateral_keys(&self, step: &Step, frame: &Frame<'_>) -> Result<bool> {
        if !step.is_lateral {
            return Ok(true);
        }
        for (before, own) in &step.keys {
            let order = eval::eval(self, before, frame)?.compare(&eval::eval(self, own, frame)?);
            if order != Some(Ordering::Equal) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn join_key<'n>(
        &self,
        nodes: impl Iterator<Item = &'n Node>,
        frame: &Frame<'_>,
    ) -> Result<Option<String>> {
        let mut text = String::new();
        for node in nodes {
            self.step()?;
            let value = eval::eval(self, node, frame)?;
            if value.is_null() {
                return Ok(None);
            }
            value.key(&mut text);
        }
        Ok(Some(text))
    }

    fn select(&self, select: &SelectPlan, outer: Outer<'_>) -> Result<Vec<Row>> {
        let rows = self.read(select, outer)?;
        let empty = Vec::new();
        let groups: Vec<(Row, Vec<Value>)> = match &select.group {
            Some(group) => self.groups(rows, group, select.width, outer)?,
            None => rows.into_iter().map(|row| (row, empty.clone())).collect(),
        };
        let windows = self.windows(&select.windows, &groups, outer)?;
        let mut out = Vec::new();
        for (place, (row, aggregates)) in groups.iter().enumerate() {
            let frame = Frame {
                aggregates,
                windows: windows.get(place).map_or(&[], Vec::as_slice),
                ..Frame::new(row, outer)
            };
            if select.sets.is_empty() {
                out.push(eval::all(self, &select.columns, &frame)?);
                continue;
            }
            let mut sets = Vec::new();
            for (function, arguments) in &select.sets {
                let arguments = eval::all(self, arguments, &frame)?;
                sets.push(self.set(*function, &arguments)?);
            }
            let longest = sets.iter().map(Vec::len).max().unwrap_or(0);
            for turn in 0..longest {
                let value = |set: &Vec<Row>| {
                    let row = set.get(turn).and_then(|row| row.first());
                    row.cloned().unwrap_or(Value::Null)
                };
                let values: Vec<Value> = sets.iter().map(value).collect();
                let frame = Frame {
                    sets: &values,
                    ..frame
                };
                out.push(eval::all(self, &select.columns, &frame)?);
            }
            Self::bound(&out)?;
        }
        if select.is_distinct {
            let mut seen = HashSet::new();
            out.retain(|row| seen.insert(key(row.get(..select.shown).unwrap_or(row))));
        }
        Ok(out)
    }

    fn groups(
        &self,
        rows: Vec<Row>,
        group: &Group,
        width: usize,
        outer: Outer<'_>,
    ) -> Result<Vec<(Row, Vec<Value>)>> {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut members: Vec<Vec<Row>> = Vec::new();
        for row in rows {
            let frame = Frame::new(&row, outer);
            let key = key(&eval::all(self, &group.keys, &frame)?);
            let place = *places.entry(key).or_insert_with(|| {
                members.push(Vec::new());
                members.len() - 1
            });
            if let Some(rows) = members.get_mut(place) {
                rows.push(row);
            }
        }
        if group.keys.is_empty() && members.is_empty() {
            members.push(Vec::new());
        }
        let mut out = Vec::new();
        for rows in members {
            let mut values = Vec::new();
            for call in &group.aggregates {
                values.push(aggregate::value(self, call, &rows, outer)?);
            }
            let row = rows
                .into_iter()
                .next()
                .unwrap_or_else(|| vec![Value::Null; width]);
            if let Some(having) = &group.having {
                let frame = Frame {
                    aggregates: &values,
                    ..Frame::new(&row, outer)
                };
                if eval::eval(self, having, &frame)?.truth() != Some(true) {
                    continue;
                }
            }
            out.push((row, values));
        }
        Ok(out)
    }

    /// For each row the values of its windows.
    fn windows(
        &self,
        calls: &[WindowCall],
        rows: &[(Row, Vec<Value>)],
        outer: Outer<'_>,
    ) -> Result<Vec<Vec<Value>>> {
        let mut all =
            vec![vec![Value::Null; calls.len()]; if calls.is_empty() { 0 } else { rows.len() }];
        for (number, call) in calls.iter().enumerate() {
            let mut parts: HashMap<String, Vec<(usize, Vec<Value>)>> = HashMap::new();
            for (place, (row, aggregates)) in rows.iter().enumerate() {
                let frame = Frame {
                    aggregates,
                    ..Frame::new(row, outer)
                };
                let part = key(&eval::all(self, &call.partition, &frame)?);
                let order = call
                    .order
                    .iter()
                    .map(|(node, _, _)| eval::eval(self, node, &frame));
                let order = order.collect::<Result<Vec<_>>>()?;
                parts.entry(part).or_default().push((place, order));
            }
            for mut part in parts.into_values() {
                let order = call.order.iter().enumerate();
                let order: Vec<_> = order
                    .map(|(place, (_, is_down, nulls_first))| (place, *is_down, *nulls_first))
                    .collect();
                part.sort_by(|left, right| by_places(&left.1, &right.1, &order));
                rank(call.name, number, &part, &mut all);
            }
        }
        Ok(all)
    }

    /// The rows of a function that gives several.
    fn set(&self, function: SetFunction, arguments: &[Value]) -> Result<Vec<Row>> {
        let rows = super::sets::rows(function, arguments)?;
        Self::bound(&rows)?;
        Ok(rows)
    }
}

/// Writes a step's values into their part of a row.
fn fill(row: &mut [Value], start: usize, own: &[Value]) {
    for (slot, value) in row.iter_mut().skip(start).zip(own) {
        slot.clone_from(value);
    }
}

/// Writes the numbers of a window's rows to their places.
fn rank(name: &str, number: usize, part: &[(usize, Vec<Value>)], all: &mut [Vec<Value>]) {
    let (mut rank, mut dense) = (1_i64, 1_i64);
    let total = i64::try_from(part.len()).unwrap_or(i64::MAX);
    for (at, (place, keys)) in (1_i64..).zip(part) {
        let before = usize::try_from(at - 2)
            .ok()
            .and_then(|before| part.get(before));
        if before.is_some_and(|(_, before)| key(before) != key(keys)) {
            rank = at;
            dense += 1;
        }
        let value = match name {
            "rank" => rank,
            "dense_rank" => dense,
            "count" => total,
            _ => at,
        };
        if let Some(slot) = all.get_mut(*place).and_then(|row| row.get_mut(number)) {
            *slot = Value::Int(value);
        }
    }
}

/// A text that is the same for equal rows.
fn key(row: &[Value]) -> String {
    let mut text = String::new();
    row.iter().for_each(|value| value.key(&mut text));
    text
}

pub(super) fn by_places(
    left: &[Value],
    right: &[Value],
    order: &[(usize, bool, bool)],
) -> Ordering {
    for (place, is_down, nulls_first) in order {
        let (Some(left), Some(right)) = (left.get(*place), right.get(*place)) else {
            continue;
        };
        let order = match (left.is_null(), right.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) if *nulls_first => Ordering::Less,
            (true, false) => Ordering::Greater,
            (false, true) if *nulls_first => Ordering::Greater,
            (false, true) => Ordering::Less,
            _ if *is_down => right.order(left),
            _ => left.order(right),
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

fn combine(left: &[Row], right: &[Row], operation: SetOperation, is_all: bool) -> Vec<Row> {
    let others: HashSet<String> = right.iter().map(|row| key(row)).collect();
    let mut rows: Vec<Row> = match operation {
        SetOperation::Union => left.iter().chain(right).cloned().collect(),
        SetOperation::Intersect => left
            .iter()
            .filter(|row| others.contains(&key(row)))
            .cloned()
            .collect(),
        SetOperation::Except => left
            .iter()
            .filter(|row| !others.contains(&key(row)))
            .cloned()
            .collect(),
    };
    if !is_all {
        let mut seen = HashSet::new();
        rows.retain(|row| seen.insert(key(row)));
    }
    rows
}

/// The fields of a row's one record, each in a column of its own.
fn fields(row: Row) -> Row {
    match row.as_slice() {
        [Value::Record(fields)] => fields.iter().map(|(_, value)| value.clone()).collect(),
        _ => row,
    }
}

fn numbered(rows: Vec<Row>, is_numbered: bool) -> Vec<Row> {
    if !is_numbered {
        return rows;
    }
    let rows = (1_i64..).zip(rows).map(|(number, mut row)| {
        row.push(Value::Int(number));
        row
    });
    rows.collect()
}

/// Whether two values compare so; none if that is not known.
pub(super) fn compares(how: Comparison, left: &Value, right: &Value) -> Result<Option<bool>> {
    if let Comparison::Regex(any_case, is_negated) | Comparison::Like(any_case, is_negated) = how {
        let (Some(text), Some(pattern)) = (left.text(), right.text()) else {
            return Ok(None);
        };
        let is_like = matches!(how, Comparison::Like(..));
        let regex = super::sets::pattern(&pattern, is_like, any_case)?;
        return Ok(Some(regex.is_match(&text) != is_negated));
    }
    Ok(left.compare(right).map(|order| match how {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        _ => order.is_ge(),
    }))
}
