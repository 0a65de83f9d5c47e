//! Expressions of a query on the catalogue: their names are resolved, their types found.

use datafusion::sql::sqlparser::ast::{
    AccessExpr, BinaryOperator, Expr, Ident, Subscript, UnaryOperator, Value as Literal,
};

use super::super::oids;
use super::node::{Comparison, Node, Pattern};
use super::plan::{Gathered, Planner, Scope, Typed, ident};
use super::sets;
use super::texts::is_like_text;
use super::types;
use super::value::{Failure, Result, Value};

impl Planner<'_> {
    pub(super) fn expr(
        &mut self,
        expr: &Expr,
        scope: &Scope<'_>,
        gathered: &mut Gathered,
    ) -> Result<Typed> {
        let is = |node: Node| Ok((node, oids::BOOL));
        match expr {
            Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => {
                self.expr(inner, scope, gathered)
            }
            Expr::Identifier(name) => self.column(std::slice::from_ref(name), scope, gathered),
            Expr::CompoundIdentifier(names) => self.column(names, scope, gathered),
            Expr::Value(value) => self.literal(&value.value),
            Expr::TypedString(typed) => {
                let (node, kind) = self.literal(&typed.value.value)?;
                cast((node, kind), &typed.data_type.to_string())
            }
            Expr::Cast {
                expr, data_type, ..
            } => {
                let inner = self.expr(expr, scope, gathered)?;
                cast(self.typed(inner, None), &data_type.to_string())
            }
            Expr::IsNull(inner) => is(Node::IsNull(Box::new(self.expr(inner, scope, gathered)?.0))),
            Expr::IsNotNull(inner) => {
                let inner = Node::IsNull(Box::new(self.expr(inner, scope, gathered)?.0));
                is(Node::Not(Box::new(inner)))
            }
            Expr::IsTrue(inner) | Expr::IsFalse(inner) => {
                let truth = matches!(expr, Expr::IsTrue(_));
                is(Node::Is(
                    Box::new(self.expr(inner, scope, gathered)?.0),
                    truth,
                ))
            }
            Expr::IsNotTrue(inner) | Expr::IsNotFalse(inner) => {
                let truth = matches!(expr, Expr::IsNotTrue(_));
                let inner = Node::Is(Box::new(self.expr(inner, scope, gathered)?.0), truth);
                is(Node::Not(Box::new(inner)))
            }
            Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => {
                let (left, right) = self.both(left, right, scope, gathered)?;
                let node = Node::Distinct(Box::new(left.0), Box::new(right.0));
                is(match expr {
                    Expr::IsDistinctFrom(..) => node,
                    _ => Node::Not(Box::new(node)),
                })
            }
            _ => self.operation(expr, scope, gathered),
        }
    }

    /// Operators and patterns.
    fn operation(
        &mut self,
        expr: &Expr,
        scope: &Scope<'_>,
        gathered: &mut Gathered,
    ) -> Result<Typed> {
        let is = |node: Node| Ok((node, oids::BOOL));
        match expr {
            Expr::UnaryOp { op, expr } => {
                let inner = self.expr(expr, scope, gathered)?;
                match op {
                    UnaryOperator::Not => is(Node::Not(Box::new(inner.0))),
                    UnaryOperator::Plus => Ok(inner),
                    UnaryOperator::Minus => {
                        let zero = Box::new(Node::Value(Value::Int(0)));
                        Ok((Node::Calculate('-', zero, Box::new(inner.0)), inner.1))
                    }
                    _ => Err(Failure::unsupported("this operator")),
                }
            }
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right, scope, gathered),
            Expr::Like { .. } | Expr::ILike { .. } => self.like(expr, scope, gathered),
            Expr::Between {
                expr,
                negated,
                low,
                high,
            } => {
                let (value, low) = self.both(expr, low, scope, gathered)?;
                let high = self.expr(high, scope, gathered)?;
                let high = self.typed(high, Some(value.1));
                let compare = |how, other: Typed| {
                    Box::new(Node::Compare(
                        how,
                        Box::new(value.0.clone()),
                        Box::new(other.0),
                    ))
                };
                let node = Node::And(
                    compare(Comparison::GreaterOrEqual, low),
                    compare(Comparison::LessOrEqual, high),
                );
                is(negate(node, *negated))
            }
            _ => self.larger(expr, scope, gathered),
        }
    }

    /// Expressions with lists, branches, arrays and queries in them.
    fn larger(&mut self, expr: &Expr, scope: &Scope<'_>, gathered: &mut Gathered) -> Result<Typed> {
        match expr {
            Expr::InList {
                expr,
                list,
                negated,
            } => {
                let value = self.expr(expr, scope, gathered)?;
                let mut value = self.typed(value, None);
                let mut nodes = Vec::new();
                for one in list {
                    let one = self.expr(one, scope, gathered)?;
                    if value.1 == oids::UNKNOWN {
                        value = self.typed(value, Some(one.1));
                    }
                    nodes.push(self.typed(one, Some(value.1)).0);
                }
                let node = Node::In(Box::new(value.0), nodes);
                Ok((negate(node, *negated), oids::BOOL))
            }
            Expr::InSubquery {
                expr,
                subquery,
                negated,
            } => {
                let value = self.expr(expr, scope, gathered)?;
                let plan = self.query(subquery, Some(scope))?;
                let value = self.typed(value, plan.kinds.first().copied());
                let node = Node::InQuery(Box::new(value.0), plan);
                Ok((negate(node, *negated), oids::BOOL))
            }
            Expr::Exists { subquery, negated } => {
                let node = Node::Exists(self.query(subquery, Some(scope))?);
                Ok((negate(node, *negated), oids::BOOL))
            }
            Expr::Subquery(subquery) => {
                let plan = self.query(subquery, Some(scope))?;
                let kind = plan.kinds.first().copied().unwrap_or(oids::TEXT);
                Ok((Node::Scalar(plan), kind))
            }
            Expr::AnyOp {
                left,
                compare_op,
                right,
                ..
            } => self.any(left, compare_op, right, false, scope, gathered),
            Expr::AllOp {
                left,
                compare_op,
                right,
            } => self.any(left, compare_op, right, true, scope, gathered),
            _ => self.composed(expr, scope, gathered),
        }
    }

    /// Branches, arrays, rows and calls.
    fn composed(
        &mut self,
        expr: &Expr,
        scope: &Scope<'_>,
        gathered: &mut Gathered,
    ) -> Result<Typed> {
        match expr {
            Expr::Case {
                operand,
                conditions,
                else_result,
                ..
            } => {
                let operand = match operand {
                    Some(operand) => Some(self.expr(operand, scope, gathered)?),
                    None => None,
                };
                let mut branches = Vec::new();
                let mut kind = oids::UNKNOWN;
                for branch in conditions {
                    let condition = self.expr(&branch.condition, scope, gathered)?;
                    let condition = self.typed(condition, operand.as_ref().map(|one| one.1));
                    let result = self.expr(&branch.result, scope, gathered)?;
                    kind = common(kind, result.1);
                    branches.push((condition.0, result.0));
                }
                let otherwise = match else_result {
                    Some(otherwise) => {
                        let result = self.expr(otherwise, scope, gathered)?;
                        kind = common(kind, result.1);
                        Some(Box::new(result.0))
                    }
                    None => None,
                };
                let operand = operand.map(|(node, _)| Box::new(node));
                Ok((Node::Case(operand, branches, otherwise), kind))
            }
            Expr::Array(array) => {
                let (nodes, kind) = self.several(array.elem.iter(), scope, gathered)?;
                Ok((Node::Array(nodes), types::array(kind).unwrap_or(1009)))
            }
            Expr::Tuple(exprs) => {
                let (nodes, _) = self.several(exprs.iter(), scope, gathered)?;
                Ok((Node::Row(nodes), types::RECORD))
            }
            Expr::CompoundFieldAccess { root, access_chain } => {
                self.access(root, access_chain, scope, gathered)
            }
            Expr::Function(function) => self.function_call(function, scope, gathered),
            _ => self.written(expr, scope, gathered),
        }
    }

    /// Functions that SQL writes in words of their own.
    fn written(
        &mut self,
        expr: &Expr,
        scope: &Scope<'_>,
        gathered: &mut Gathered,
    ) -> Result<Typed> {
        match expr {
            Expr::Substring {
                expr,
                substring_from,
                substring_for,
                ..
            } => {
                let one = || Expr::Value(Literal::Number("1".into(), false).with_empty_span());
                let mut exprs = vec![(**expr).clone()];
                exprs.push(
                    substring_from
                        .as_ref()
                        .map_or_else(one, |from| (**from).clone()),
                );
                exprs.extend(substring_for.as_ref().map(|count| (**count).clone()));
                self.named_call("substring", exprs.iter(), scope, gathered)
            }
            Expr::Trim {
                expr,
                trim_where,
                trim_what,
                trim_characters,
            } => {
                let name = match trim_where.map(|side| side.to_string()).as_deref() {
                    Some("LEADING") => "ltrim",
                    Some("TRAILING") => "rtrim",
                    _ => "btrim",
                };
                let what = trim_what.iter().map(|what| &**what);
                let what = what.chain(trim_characters.iter().flatten());
                self.named_call(name, [&**expr].into_iter().chain(what), scope, gathered)
            }
            Expr::Position { expr, r#in } => {
                self.named_call("position", [&**r#in, &**expr].into_iter(), scope, gathered)
            }
            Expr::Ceil { expr, .. } => {
                self.named_call("ceil", [&**expr].into_iter(), scope, gathered)
            }
            Expr::Floor { expr, .. } => {
                self.named_call("floor", [&**expr].into_iter(), scope, gathered)
            }
            other => Err(Failure::unsupported(format!("`{other}`"))),
        }
    }

    /// Several values of one type.
    fn several<'e>(
        &mut self,
        exprs: impl Iterator<Item = &'e Expr>,
        scope: &Scope<'_>,
        gathered: &mut Gathered,
    ) -> Result<(Vec<Node>, u32)> {
        let mut all = Vec::new();
        let mut kind = oids::UNKNOWN;
        for expr in exprs {
            let one = self.expr(expr, scope, gathered)?;
            kind = common(kind, one.1);
            all.push(one);
        }
        let nodes = all
            .into_iter()
            .map(|one| self.typed(one, Some(kind)).0)
            .collect();
        Ok((
            nodes,
            if kind == oids::UNKNOWN {
                oids::TEXT
            } else {
                kind
            },
        ))
    }

    fn literal(&mut self, literal: &Literal) -> Result<Typed> {
        Ok(match literal {
            Literal::Null => (Node::Value(Value::Null), oids::UNKNOWN),
            Literal::Boolean(truth) => (Node::Value((*truth).into()), oids::BOOL),
            Literal::Number(number, _) => {
                let text = number.to_string();
                match (text.parse::<i64>(), text.parse::<f64>()) {
                    (Ok(whole), _) if i32::try_from(whole).is_ok() => {
                        (Node::Value(whole.into()), oids::INT4)
                    }
                    (Ok(whole), _) => (Node::Value(whole.into()), oids::INT8),
                    (_, Ok(number)) => (Node::Value(Value::Float(number)), oids::NUMERIC),
                    _ => return Err(Failure::new("22P02", "invalid number")),
                }
            }
            Literal::Placeholder(name) => {
                let number = name.trim_start_matches('$').parse::<usize>().ok();
                let place = number.and_then(|number| number.checked_sub(1));
                let Some(place) = place.filter(|place| *place < 10_000) else {
                    return Err(Failure::new(
                        "42P02",
                        format!("there is no parameter {name}"),
                    ));
                };
                if self.parameters.len() <= place {
                    self.parameters.resize(place + 1, None);
                }
                let known = self.parameters.get(place).copied().flatten();
                (Node::Parameter(place), known.unwrap_or(oids::UNKNOWN))
            }
            other => match other.clone().into_string() {
                Some(text) => (Node::Value(text.into()), oids::UNKNOWN),
                None => return Err(Failure::unsupported(format!("`{other}`"))),
            },
        })
    }

    /// A value whose type was open, as one of the type that stands beside it.
    pub(super) fn typed(&mut self, typed: Typed, beside: Option<u32>) -> Typed {
        let (node, kind) = typed;
        if kind != oids::UNKNOWN {
            return (node, kind);
        }
        let wanted = beside.filter(|beside| *beside != oids::UNKNOWN);
        if let Node::Parameter(place) = &node {
            let sent = match wanted {
                // The names of things are sent as texts, their numbers as numbers.
                None | Some(oids::NAME | oids::CHAR) => oids::TEXT,
                Some(oids::BOOL | oids::INT2 | oids::INT4 | oids::INT8 | oids::OID) => {
                    wanted.unwrap_or(oids::TEXT)
                }
                Some(array) if types::by_array(array.into()).is_some() => array,
                Some(_) => oids::TEXT,
            };
            if let Some(known) = self.parameters.get_mut(*place)
                && known.is_none()
                && beside.is_some()
            {
                *known = Some(sent);
            }
            return match wanted {
                Some(wanted) if sent == oids::TEXT && !is_like_text(wanted) => {
                    (Node::Cast(Box::new(node), oids::TEXT, wanted), wanted)
                }
                _ => (node, sent),
            };
        }
        match wanted {
            Some(wanted) if !is_like_text(wanted) => {
                (Node::Cast(Box::new(node), oids::UNKNOWN, wanted), wanted)
            }
            _ => (node, kind),
        }
    }

    /// Two values that are compared.
    fn both(
        &mut self,
        left: &Expr,
        right: &Expr,
        scope: &Scope<'_>,
        gathered: &mut Gathered,
    ) -> Result<(Typed, Typed)> {
        let left = self.expr(left, scope, gathered)?;
        let right = self.expr(right, scope, gathered)?;
        let (of_left, of_right) = (left.1, right.1);
        Ok((
            self.typed(left, Some(of_right)),
            self.typed(right, Some(of_left)),
        ))
    }

    fn binary(
        &mut self,
        left: &Expr,
        op: &BinaryOperator,
        right: &Expr,
        scope: &Scope<'_>,
        gathered: &mut Gathered,
    ) -> Result<Typed> {
        let symbol = match op {
            BinaryOperator::PGCustomBinaryOperator(parts) => {
                parts.last().cloned().unwrap_or_default()
            }
            other => other.to_string(),
        };
        if let Some(how) = comparison(&symbol) {
            return self.compared(left, how, right, scope, gathered);
        }
        match op {
            BinaryOperator::And | BinaryOperator::Or => {
                let left = Box::new(self.expr(left, scope, gathered)?.0);
                let right = Box::new(self.expr(right, scope, gathered)?.0);
                let node = match op {
                    BinaryOperator::And => Node::And(left, right),
                    _ => Node::Or(left, right),
                };
                Ok((node, oids::BOOL))
            }
            BinaryOperator::StringConcat => {
                let left = self.expr(left, scope, gathered)?;
                let right = self.expr(right, scope, gathered)?;
                let is_array = |kind: u32| types::element(kind).is_some();
                let kind = match (is_array(left.1), is_array(right.1)) {
                    (true, _) => left.1,
                    (_, true) => right.1,
                    _ => oids::TEXT,
                };
                let left = cast_to_shown(left, kind);
                let right = cast_to_shown(right, kind);
                Ok((Node::Concat(Box::new(left), Box::new(right)), kind))
            }
            BinaryOperator::AtArrow | BinaryOperator::PGOverlap | BinaryOperator::ArrowAt => {
                Err(Failure::unsupported("this operator of arrays"))
            }
            _ => {
                let (left, right) = self.both(left, right, scope, gathered)?;
                let sign = match symbol.as_str() {
                    "<<" => '<',
                    ">>" => '>',
                    one if one.len() == 1 => one.chars().next().unwrap_or(' '),
                    _ => ' ',
                };
                if !"+-*/%&|#<>".contains(sign) {
                    return Err(Failure::unsupported(format!("the operator `{symbol}`")));
                }
                let kind = wider(left.1, right.1);
                Ok((
                    Node::Calculate(sign, Box::new(left.0), Box::new(right.0)),
                    kind,
                ))
            }
        }
    }

    /// Two values and how they are compared.
    fn compared(
        &mut self,
        left: &Expr,
        how: Comparison,
        right: &Expr,
        scope: &Scope<'_>,
        gathered: &mut Gathered,
    ) -> Result<Typed> {
        let (left, right) = match how {
            Comparison::Regex(..) | Comparison::Like(..) => {
                let left = self.expr(left, scope, gathered)?;
                let right = self.expr(right, scope, gathered)?;
                (
                    self.typed(left, Some(oids::TEXT)),
                    self.typed(right, Some(oids::TEXT)),
                )
            }
            _ => self.both(left, right, scope, gathered)?,
        };
        let node = match how {
            Comparison::Regex(any_case, is_negated) => Node::Matches(
                Box::new(left.0),
                made(right.0, false, any_case)?,
                is_negated,
            ),
            Comparison::Like(any_case, is_negated) => {
                Node::Matches(Box::new(left.0), made(right.0, true, any_case)?, is_negated)
            }
            how => Node::Compare(how, Box::new(left.0), Box::new(right.0)),
        };
        Ok((node, oids::BOOL))
    }

    fn like(&mut self, expr: &Expr, scope: &Scope<'_>, gathered: &mut Gathered) -> Result<Typed> {
        let (negated, text, pattern, escape, any_case) = match expr {
            Expr::Like {
                negated,
                expr,
                pattern,
                escape_char,
                ..
            } => (*negated, expr, pattern, escape_char, false),
            Expr::ILike {
                negated,
                expr,
                pattern,
                escape_char,
                ..
            } => (*negated, expr, pattern, escape_char, true),
            _ => return Err(Failure::unsupported("this pattern")),
        };
        let text = self.expr(text, scope, gathered)?;
        let text = self.typed(text, Some(oids::TEXT));
        let pattern = self.expr(pattern, scope, gathered)?;
        let pattern = self.typed(pattern, Some(oids::TEXT));
        let pattern = match escape {
            None => pattern.0,
            Some(escape) => {
                let sign = escape.value.clone().into_string().unwrap_or_default();
                let sign = Node::Value(sign.into());
                Node::Call(sets::with_backslash, true, vec![pattern.0, sign])
            }
        };
        let pattern = made(pattern, true, any_case)?;
        Ok((
            Node::Matches(Box::new(text.0), pattern, negated),
            oids::BOOL,
        ))
    }

    fn any(
        &mut self,
        left: &Expr,
        op: &BinaryOperator,
        right: &Expr,
        is_all: bool,
        scope: &Scope<'_>,
        gathered: &mut Gathered,
    ) -> Result<Typed> {
        let symbol = match op {
            BinaryOperator::PGCustomBinaryOperator(parts) => {
                parts.last().cloned().unwrap_or_default()
            }
            other => other.to_string(),
        };
        let Some(how) = comparison(&symbol) else {
            return Err(Failure::unsupported(format!("`{symbol} any`")));
        };
        let left = self.expr(left, scope, gathered)?;
        let mut inner = right;
        while let Expr::Nested(nested) = inner {
            inner = nested;
        }
        if let Expr::Subquery(query) = inner {
            let plan = self.query(query, Some(scope))?;
            let left = self.typed(left, plan.kinds.first().copied());
            return Ok((
                Node::AnyQuery(how, Box::new(left.0), plan, is_all),
                oids::BOOL,
            ));
        }
        let right = self.expr(inner, scope, gathered)?;
        let left = self.typed(left, types::element(right.1));
        let own = if is_like_text(left.1) {
            oids::TEXT
        } else {
            left.1
        };
        let right = match right {
            (node @ (Node::Value(_) | Node::Parameter(_)), oids::UNKNOWN) => {
                let array = types::array(own).unwrap_or(1009);
                match node {
                    Node::Parameter(_) => self.typed((node, oids::UNKNOWN), Some(array)).0,
                    other => Node::Cast(Box::new(other), oids::UNKNOWN, array),
                }
            }
            (node, _) => node,
        };
        Ok((
            Node::Any(how, Box::new(left.0), Box::new(right), is_all),
            oids::BOOL,
        ))
    }

    fn access(
        &mut self,
        root: &Expr,
        chain: &[AccessExpr],
        scope: &Scope<'_>,
        gathered: &mut Gathered,
    ) -> Result<Typed> {
        // `a.b[1]`: the name may have several parts before the brackets.
        let mut names: Vec<Ident> = match root {
            Expr::Identifier(name) => vec![name.clone()],
            Expr::CompoundIdentifier(names) => names.clone(),
            _ => Vec::new(),
        };
        let mut rest = chain;
        if !names.is_empty() {
            while let [AccessExpr::Dot(Expr::Identifier(name)), more @ ..] = rest {
                names.push(name.clone());
                rest = more;
            }
        }
        let (mut node, mut kind) = match names.is_empty() {
            true => self.expr(root, scope, gathered)?,
            false => self.column(&names, scope, gathered)?,
        };
        for access in rest {
            match access {
                AccessExpr::Dot(Expr::Identifier(name)) => {
                    let name = ident(name);
                    kind = match name.as_str() {
                        "n" => oids::INT4,
                        "x" => oids::INT2,
                        _ => oids::TEXT,
                    };
                    node = Node::Field(Box::new(node), name);
                }
                AccessExpr::Subscript(Subscript::Index { index }) => {
                    let place = self.expr(index, scope, gathered)?.0;
                    let from = i64::from(!matches!(kind, oids::INT2VECTOR | oids::OIDVECTOR));
                    node = Node::Index(Box::new(node), Box::new(place), from);
                    kind = types::element(kind).unwrap_or(oids::TEXT);
                }
                AccessExpr::Subscript(Subscript::Slice {
                    lower_bound,
                    upper_bound,
                    ..
                }) => {
                    let mut bound = |bound: &Option<Expr>| -> Result<Option<Box<Node>>> {
                        match bound {
                            Some(bound) => Ok(Some(Box::new(self.expr(bound, scope, gathered)?.0))),
                            None => Ok(None),
                        }
                    };
                    let (from, to) = (bound(lower_bound)?, bound(upper_bound)?);
                    node = Node::Slice(Box::new(node), from, to);
                }
                AccessExpr::Dot(_) => return Err(Failure::unsupported("this field")),
            }
        }
        Ok((node, kind))
    }

    fn column(
        &mut self,
        names: &[Ident],
        scope: &Scope<'_>,
        gathered: &mut Gathered,
    ) -> Result<Typed> {
        let parts: Vec<String> = names.iter().map(ident).collect();
        let (table, name) = match parts.as_slice() {
            [name] => (None, name),
            [.., table, name] => (Some(table), name),
            [] => return Err(Failure::new("42601", "a name is missing")),
        };
        let mut up = 0;
        let mut inside = Some(scope);
        while let Some(scope) = inside {
            let found = scope.columns.iter().position(|column| {
                column.name == *name
                    && match table {
                        Some(table) => column.table.as_ref() == Some(table),
                        None => !column.is_hidden,
                    }
            });
            if let Some(place) = found {
                self.lowest = self.lowest.min(scope.depth);
                let kind = scope
                    .columns
                    .get(place)
                    .map_or(oids::TEXT, |column| column.kind);
                return Ok((Node::Column(up, place), kind));
            }
            let own = scope
                .tables
                .iter()
                .find(|(own, _)| table.is_none_or(|table| table == own));
            match (name.as_str(), own) {
                ("tableoid", Some((_, oid))) => return Ok((Node::Value((*oid).into()), oids::OID)),
                ("xmin" | "xmax", Some(_)) => return Ok((Node::Value(Value::Int(1)), oids::XID)),
                ("ctid", Some(_)) => return Ok((Node::Value("(0,1)".into()), oids::TEXT)),
                _ => {}
            }
            inside = scope.outer;
            up += 1;
        }
        let is_register = matches!(
            name.as_str(),
            "current_schema"
                | "current_user"
                | "session_user"
                | "user"
                | "current_catalog"
                | "current_role"
        );
        if let (None, true, Some(first)) = (table, is_register, names.first())
            && first.quote_style.is_none()
        {
            return self.named_call(name, std::iter::empty(), scope, gathered);
        }
        Err(Failure::new(
            "42703",
            format!("column \"{}\" does not exist", parts.join(".")),
        ))
    }
}

fn negate(node: Node, is_negated: bool) -> Node {
    match is_negated {
        true => Node::Not(Box::new(node)),
        false => node,
    }
}

/// A pattern that is made ready now, if it is known.
fn made(node: Node, is_like: bool, any_case: bool) -> Result<Pattern> {
    match &node {
        Node::Value(Value::Text(text)) => {
            Ok(Pattern::Known(sets::pattern(text, is_like, any_case)?))
        }
        _ => Ok(Pattern::Made(Box::new(node), is_like, any_case)),
    }
}

fn cast(typed: Typed, name: &str) -> Result<Typed> {
    let Some(kind) = types::by_name(name) else {
        let message = format!("type \"{}\" does not exist", name.to_lowercase());
        return Err(Failure::new("42704", message));
    };
    Ok((Node::Cast(Box::new(typed.0), typed.1, kind), kind))
}

/// A value that is joined to a text, as it is shown.
fn cast_to_shown(typed: Typed, kind: u32) -> Node {
    match kind == oids::TEXT && types::is_number(typed.1) {
        true => Node::Cast(Box::new(typed.0), typed.1, oids::TEXT),
        false => typed.0,
    }
}

/// The type of one of several values.
pub(super) fn common(left: u32, right: u32) -> u32 {
    match (left, right) {
        (oids::UNKNOWN, other) | (other, oids::UNKNOWN) => other,
        (left, right) if types::is_number(left) && types::is_number(right) => wider(left, right),
        (left, right) if left != right && types::is_text(left) && types::is_text(right) => {
            oids::TEXT
        }
        (left, _) => left,
    }
}

fn wider(left: u32, right: u32) -> u32 {
    let rank = |kind: u32| match kind {
        oids::INT2 => 1,
        oids::INT4 => 2,
        oids::INT8 => 3,
        oids::NUMERIC => 4,
        oids::FLOAT4 => 5,
        oids::FLOAT8 => 6,
        oids::UNKNOWN => 0,
        _ => 2,
    };
    if rank(right) > rank(left) {
        right
    } else {
        left
    }
}

fn comparison(symbol: &str) -> Option<Comparison> {
    Some(match symbol {
        "=" => Comparison::Equal,
        "<>" | "!=" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        "~" => Comparison::Regex(false, false),
        "~*" => Comparison::Regex(true, false),
        "!~" => Comparison::Regex(false, true),
        "!~*" => Comparison::Regex(true, true),
        "~~" => Comparison::Like(false, false),
        "~~*" => Comparison::Like(true, false),
        "!~~" => Comparison::Like(false, true),
        "!~~*" => Comparison::Like(true, true),
        _ => return None,
    })
}
