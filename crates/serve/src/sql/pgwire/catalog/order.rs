//! In which order things are joined, and where conditions are checked.

use super::node::{Comparison, Join, Node, Source, Step};

/// Rows that something is taken to have, of which nothing is known.
const ROWS: usize = 20;

/// The places of a row that an expression reads; none if a query in it may read any.
fn reads(node: &Node, places: &mut Vec<usize>) -> bool {
    let mut all = |nodes: &[&Node]| nodes.iter().all(|node| reads(node, places));
    match node {
        Node::Value(_) | Node::Parameter(_) => true,
        Node::Column(up, place) => {
            if *up == 0 {
                places.push(*place);
            }
            true
        }
        Node::Call(_, _, nodes) | Node::Array(nodes) | Node::Row(nodes) | Node::Coalesce(nodes) => {
            nodes.iter().all(|node| reads(node, places))
        }
        Node::And(left, right)
        | Node::Or(left, right)
        | Node::Compare(_, left, right)
        | Node::Calculate(_, left, right)
        | Node::Concat(left, right)
        | Node::Distinct(left, right)
        | Node::Any(_, left, right, _)
        | Node::Index(left, right, _) => all(&[left, right]),
        Node::Not(inner)
        | Node::IsNull(inner)
        | Node::Is(inner, _)
        | Node::Cast(inner, _, _)
        | Node::Field(inner, _)
        | Node::Matches(inner, super::node::Pattern::Known(_), _) => all(&[inner]),
        Node::In(value, list) => {
            reads(value, places) && list.iter().all(|node| reads(node, places))
        }
        _ => false,
    }
}

/// Which side of a step an expression reads: before it, itself, or both.
fn side(node: &Node, step: &Step) -> Option<bool> {
    let mut places = Vec::new();
    if !reads(node, &mut places) || places.is_empty() {
        return None;
    }
    let own = step.start..step.start + step.width;
    match (
        places.iter().all(|place| *place < step.start),
        places.iter().all(|place| own.contains(place)),
    ) {
        (true, _) => Some(false),
        (_, true) => Some(true),
        _ => None,
    }
}

/// A condition as what must be equal before and in a step.
fn key(node: Node, step: &Step) -> std::result::Result<(Node, Node), Node> {
    match node {
        Node::Compare(Comparison::Equal, left, right) => {
            match (side(&left, step), side(&right, step)) {
                (Some(false), Some(true)) => Ok((*left, *right)),
                (Some(true), Some(false)) => Ok((*right, *left)),
                _ => Err(Node::Compare(Comparison::Equal, left, right)),
            }
        }
        other => Err(other),
    }
}

/// Puts a condition of a join where it is checked soonest.
pub(super) fn place_on(node: Node, step: &mut Step) {
    let is_own = side(&node, step) == Some(true);
    match key(node, step) {
        Ok(key) => step.keys.push(key),
        Err(node) if is_own && matches!(step.join, Join::Inner | Join::Left) => step.own.push(node),
        Err(node) => step.on.push(node),
    }
}

/// Puts the steps in an order in which little is read, where any order gives the same rows, and
/// each condition where it is checked soonest; gives those that no step can check.
pub(super) fn arrange(steps: &mut Vec<Step>, conditions: Vec<Node>) -> Vec<Node> {
    let is_free = steps
        .iter()
        .all(|step| step.join == Join::Inner && !step.is_lateral);
    match is_free {
        true => freely(steps, conditions),
        false => {
            let mut filters = Vec::new();
            for node in conditions {
                place(node, steps, &mut filters);
            }
            filters
        }
    }
}

/// The numbers of the steps that a condition reads; none if a query in it may read any.
fn of_steps(node: &Node, steps: &[Step]) -> Option<Vec<usize>> {
    let mut places = Vec::new();
    if !reads(node, &mut places) || places.is_empty() {
        return None;
    }
    let of = |place: &usize| {
        steps
            .iter()
            .position(|step| (step.start..step.start + step.width).contains(place))
    };
    let mut found: Vec<usize> = places.iter().filter_map(of).collect();
    found.sort_unstable();
    found.dedup();
    Some(found)
}

fn freely(steps: &mut Vec<Step>, conditions: Vec<Node>) -> Vec<Node> {
    let mut all = conditions;
    for step in steps.iter_mut() {
        let keys = step
            .keys
            .drain(..)
            .map(|(before, own)| Node::Compare(Comparison::Equal, Box::new(before), Box::new(own)));
        all.extend(keys);
        all.append(&mut step.on);
        all.append(&mut step.own);
    }
    let mut filters = Vec::new();
    let mut known: Vec<(Vec<usize>, Node)> = Vec::new();
    for node in all {
        match of_steps(&node, steps) {
            Some(numbers) => known.push((numbers, node)),
            None => filters.push(node),
        }
    }
    let mut left: Vec<(usize, Step)> = std::mem::take(steps).into_iter().enumerate().collect();
    let mut placed: Vec<usize> = Vec::new();
    while !left.is_empty() {
        let cost = |(number, step): &(usize, Step)| {
            let own = known
                .iter()
                .filter(|(numbers, _)| numbers == &[*number])
                .count();
            let is_joined = known.iter().any(|(numbers, node)| {
                numbers.contains(number)
                    && numbers.len() > 1
                    && numbers
                        .iter()
                        .all(|one| one == number || placed.contains(one))
                    && matches!(node, Node::Compare(Comparison::Equal, ..))
            });
            let rows = rows(&step.source) >> own.min(4);
            (!is_joined && !placed.is_empty(), rows)
        };
        let next = left.iter().enumerate().min_by_key(|(_, one)| cost(one));
        let Some(next) = next.map(|(place, _)| place) else {
            break;
        };
        let (number, mut step) = left.remove(next);
        placed.push(number);
        let (ready, later) = known
            .into_iter()
            .partition(|(numbers, _)| numbers.iter().all(|one| placed.contains(one)));
        known = later;
        let ready: Vec<(Vec<usize>, Node)> = ready;
        for (_, node) in ready {
            settle(node, &mut step);
        }
        steps.push(step);
    }
    filters
}

/// Puts a condition at the step that is the last of those it reads. What stands before may lie
/// anywhere in the row.
fn settle(node: Node, step: &mut Step) {
    let own = |node: &Node| {
        let mut places = Vec::new();
        let is_known = reads(node, &mut places) && !places.is_empty();
        let range = step.start..step.start + step.width;
        let inside = places.iter().filter(|place| range.contains(place)).count();
        is_known.then_some((inside, places.len()))
    };
    match (own(&node), node) {
        (Some((inside, all)), node) if inside == all => step.own.push(node),
        (_, Node::Compare(Comparison::Equal, left, right)) => match (own(&left), own(&right)) {
            (Some((0, _)), Some((inside, all))) if inside == all => step.keys.push((*left, *right)),
            (Some((inside, all)), Some((0, _))) if inside == all => step.keys.push((*right, *left)),
            _ => {
                let node = Node::Compare(Comparison::Equal, left, right);
                step.then.push(node);
            }
        },
        (_, node) => step.then.push(node),
    }
}

/// About how many rows something has.
fn rows(source: &Source) -> usize {
    match source {
        Source::Table(table) => match table.name {
            "pg_attribute" | "columns" => 8_000,
            "pg_description" => 2_000,
            "pg_class" | "tables" | "pg_proc" => 400,
            "pg_type" | "pg_tables" => 150,
            "pg_namespace" | "pg_settings" | "pg_roles" => 10,
            // Most have no rows at all.
            _ => 1,
        },
        Source::Query(_) | Source::Nested(_) => 100,
        Source::Working(_) | Source::Function(..) | Source::Value(..) => ROWS,
    }
}

/// Puts a condition of a `where` where it is checked soonest.
fn place(node: Node, steps: &mut [Step], filters: &mut Vec<Node>) {
    let mut places = Vec::new();
    let is_plain = reads(&node, &mut places);
    let last = places.iter().max().copied();
    let keeps_all = steps
        .iter()
        .any(|step| matches!(step.join, Join::Right | Join::Full));
    let (true, Some(last), false) = (is_plain, last, keeps_all) else {
        filters.push(node);
        return;
    };
    let Some(step) = steps.iter_mut().find(|step| last < step.start + step.width) else {
        filters.push(node);
        return;
    };
    if step.join != Join::Inner || step.is_lateral {
        step.then.push(node);
        return;
    }
    let is_own = side(&node, step) == Some(true);
    match key(node, step) {
        Ok(key) => step.keys.push(key),
        Err(node) if is_own => step.own.push(node),
        Err(node) => step.then.push(node),
    }
}
