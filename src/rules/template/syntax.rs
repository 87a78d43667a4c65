//! A template's text taken apart: constant pieces, plain paths, expressions, and every name in it.

use super::engine::{FILTERS, FUNCTIONS, TESTS, explain};
use crate::model::path::{Path, Segment};
use crate::rules::near::closest;
use minijinja::machinery::ast::{BinOpKind, CallArg, CallType, Expr, Stmt};
use minijinja::machinery::{Token, parse, tokenize};
use minijinja::syntax::SyntaxConfig;
use std::collections::HashSet;

/// Bytes of a template that is more than constant text.
pub(crate) const MAX_TEMPLATE: usize = 16 << 10;
/// Words and signs of one expression.
const MAX_TOKENS: usize = 400;
/// Tags (`{% … %}`) of one template.
const MAX_TAGS: usize = 200;

/// A template, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parsed {
    /// How it is rendered.
    pub(crate) shape: Shape,
    /// The paths that it looks at, in order of appearance.
    pub(crate) references: Vec<Reference>,
}

/// How a template is rendered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// Constant text and inserts; a single insert keeps its value's type.
    Pieces(Vec<Piece>),
    /// Text with statements.
    Statements(String),
}

/// A part of a template without statements.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece {
    /// Constant text.
    Raw(String),
    /// `{{ … }}`
    Insert(Insert),
}

/// An insert.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Insert {
    /// What is evaluated; without the final `safe`.
    pub(crate) source: String,
    /// Set where it is a plain path, which needs no engine.
    pub(crate) path: Option<Path>,
    /// It ends in `| safe`: not encoded in a URL.
    pub(crate) safe: bool,
    /// It is made of `config` values or `webhook_urls` alone.
    pub(crate) settled: bool,
    /// The paths that it looks at and that a `default` does not catch.
    pub(crate) needs: Vec<Path>,
}

/// A path that a template looks at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reference {
    /// As far as it is constant.
    pub(crate) path: Path,
    /// Byte offset in the template.
    pub(crate) at: usize,
    /// Under `default(…)` or `is defined`.
    pub(crate) guarded: bool,
}

/// A mistake in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Byte offset in the template.
    pub(crate) at: usize,
    /// What is wrong and what to write.
    pub(crate) message: String,
}

impl Mistake {
    fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}

/// Takes a template apart.
///
/// # Errors
/// Every mistake in it; of a syntax error the first.
pub(crate) fn parse_template(source: &str) -> Result<Parsed, Vec<Mistake>> {
    if !["{{", "{%", "{#"].iter().any(|sign| source.contains(sign)) {
        let shape = Shape::Pieces(vec![Piece::Raw(source.to_owned())]);
        return Ok(Parsed { shape, references: Vec::new() });
    }
    if source.len() > MAX_TEMPLATE {
        return Err(vec![Mistake::new(
            0,
            "a template is at most 16 KiB long: move its parts into `set` steps",
        )]);
    }
    let inserts = count_tokens(source)?;
    let tree = parse(source, "template", SyntaxConfig::default())
        .map_err(|error| vec![syntax_mistake(&error, source)])?;
    let Stmt::Template(root) = &tree else {
        return Err(vec![Mistake::new(0, "it is no template")]);
    };
    let mut walk = Walk::default();
    walk.statements(&root.children);
    if !walk.mistakes.is_empty() {
        return Err(walk.mistakes);
    }
    let plain = root.children.iter().all(|child| matches!(child, Stmt::EmitRaw(_) | Stmt::EmitExpr(_)));
    let shape = if plain {
        Shape::Pieces(pieces(&root.children, source, &inserts))
    } else {
        Shape::Statements(source.to_owned())
    };
    Ok(Parsed { shape, references: walk.references })
}

/// Where each `{{ … }}` begins and ends; refuses what would nest too deep for a stack.
fn count_tokens(source: &str) -> Result<Vec<(usize, usize)>, Vec<Mistake>> {
    let (mut inserts, mut begun, mut tokens, mut tags) = (Vec::new(), 0, 0, 0);
    for token in tokenize(source, false, SyntaxConfig::default()) {
        // A mistake here is told better by the parser.
        let Ok((token, span)) = token else { break };
        let (from, to) = (span.start_offset as usize, span.end_offset as usize);
        match token {
            Token::VariableStart => (begun, tokens) = (to, 0),
            Token::BlockStart => (tokens, tags) = (0, tags + 1),
            Token::VariableEnd => inserts.push((begun, from)),
            _ => tokens += 1,
        }
        if tokens > MAX_TOKENS {
            return Err(vec![Mistake::new(
                from,
                "the expression is too long: move its parts into `set` steps",
            )]);
        }
        if tags > MAX_TAGS {
            return Err(vec![Mistake::new(
                from,
                "the template has over 200 tags: move its parts into `set` steps",
            )]);
        }
    }
    Ok(inserts)
}

fn syntax_mistake(error: &minijinja::Error, source: &str) -> Mistake {
    let at = error.range().map_or_else(
        || {
            let line = error.line().unwrap_or(1).saturating_sub(1);
            source.split_inclusive('\n').take(line).map(str::len).sum()
        },
        |range| range.start,
    );
    Mistake::new(at.min(source.len()), format!("the template is wrong here: {}", explain(error)))
}

fn pieces(children: &[Stmt<'_>], source: &str, inserts: &[(usize, usize)]) -> Vec<Piece> {
    let mut inserts = inserts.iter();
    let mut pieces = Vec::new();
    for child in children {
        match child {
            Stmt::EmitRaw(raw) => pieces.push(Piece::Raw(raw.raw.to_owned())),
            Stmt::EmitExpr(emit) => {
                let (from, to) = inserts.next().copied().unwrap_or((0, 0));
                let text = source.get(from..to).unwrap_or_default();
                let mut walk = Walk::default();
                walk.expression(&emit.expr, false);
                let settled = !walk.references.is_empty()
                    && walk
                        .references
                        .iter()
                        .all(|found| matches!(found.path.root(), "config" | "webhook_urls"));
                let needs = walk.references.iter().filter(|found| !found.guarded);
                let (expr, safe) = match &emit.expr {
                    Expr::Filter(filter) if filter.name == "safe" && filter.args.is_empty() => {
                        (filter.expr.as_ref(), true)
                    }
                    expr => (Some(expr), false),
                };
                pieces.push(Piece::Insert(Insert {
                    source: text.to_owned(),
                    path: expr.and_then(constant_path).map(|(path, _)| path),
                    safe,
                    settled,
                    needs: needs.map(|found| found.path.clone()).collect(),
                }));
            }
            _ => {}
        }
    }
    pieces
}

/// A path of constant keys, and where it begins.
fn constant_path(expr: &Expr<'_>) -> Option<(Path, usize)> {
    match expr {
        Expr::Var(var) => {
            Some((Path(vec![Segment::Key(var.id.to_owned())]), var.span().start_offset as usize))
        }
        Expr::GetAttr(attr) => {
            let (mut path, at) = constant_path(&attr.expr)?;
            path.0.push(Segment::Key(attr.name.to_owned()));
            Some((path, at))
        }
        Expr::GetItem(item) => {
            let (mut path, at) = constant_path(&item.expr)?;
            let Expr::Const(key) = &item.subscript_expr else { return None };
            path.0.push(match key.value.as_str() {
                Some(key) => Segment::Key(key.to_owned()),
                None if key.value.is_integer() => Segment::Index(key.value.as_usize()?),
                None => return None,
            });
            Some((path, at))
        }
        _ => None,
    }
}

#[derive(Default)]
struct Walk {
    locals: Vec<HashSet<String>>,
    references: Vec<Reference>,
    mistakes: Vec<Mistake>,
}

impl Walk {
    fn is_local(&self, name: &str) -> bool {
        self.locals.iter().any(|names| names.contains(name))
    }

    fn assign(&mut self, target: &Expr<'_>) {
        match target {
            Expr::Var(var) => {
                if self.locals.is_empty() {
                    self.locals.push(HashSet::new());
                }
                if let Some(names) = self.locals.last_mut() {
                    names.insert(var.id.to_owned());
                }
            }
            Expr::List(list) => list.items.iter().for_each(|item| self.assign(item)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.assign(item)),
            Expr::GetAttr(attr) => self.expression(&attr.expr, false),
            _ => {}
        }
    }

    fn scoped(&mut self, names: &[&str], inside: impl FnOnce(&mut Self)) {
        self.locals.push(names.iter().map(|name| (*name).to_owned()).collect());
        inside(self);
        self.locals.pop();
    }

    fn statements(&mut self, all: &[Stmt<'_>]) {
        for statement in all {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Stmt<'_>) {
        match statement {
            Stmt::Template(template) => self.statements(&template.children),
            Stmt::EmitExpr(emit) => self.expression(&emit.expr, false),
            Stmt::EmitRaw(_) => {}
            Stmt::ForLoop(each) => {
                self.expression(&each.iter, false);
                self.scoped(&["loop"], |walk| {
                    walk.assign(&each.target);
                    if let Some(filter) = &each.filter_expr {
                        walk.expression(filter, false);
                    }
                    walk.statements(&each.body);
                });
                self.scoped(&[], |walk| walk.statements(&each.else_body));
            }
            Stmt::IfCond(condition) => {
                self.expression(&condition.expr, true);
                // Names set inside are seen after it, as in Jinja.
                self.statements(&condition.true_body);
                self.statements(&condition.false_body);
            }
            Stmt::WithBlock(with) => self.scoped(&[], |walk| {
                for (target, value) in &with.assignments {
                    walk.expression(value, false);
                    walk.assign(target);
                }
                walk.statements(&with.body);
            }),
            Stmt::Set(set) => {
                self.expression(&set.expr, true);
                self.assign(&set.target);
            }
            Stmt::SetBlock(set) => {
                self.scoped(&[], |walk| walk.statements(&set.body));
                if let Some(filter) = &set.filter {
                    self.expression(filter, false);
                }
                self.assign(&set.target);
            }
            Stmt::AutoEscape(escape) => self.statements(&escape.body),
            Stmt::FilterBlock(block) => {
                self.expression(&block.filter, false);
                self.statements(&block.body);
            }
            Stmt::Macro(declared) => {
                if self.locals.is_empty() {
                    self.locals.push(HashSet::new());
                }
                if let Some(names) = self.locals.last_mut() {
                    names.insert(declared.name.to_owned());
                }
                self.declared(declared);
            }
            Stmt::CallBlock(call) => {
                self.call_arguments(&call.call.args, false);
                self.expression(&call.call.expr, false);
                self.declared(&call.macro_decl);
            }
            Stmt::Do(call) => {
                self.call_arguments(&call.call.args, false);
                self.expression(&call.call.expr, false);
            }
            Stmt::Block(block) => self.alone("block", block.span().start_offset),
            Stmt::Import(import) => self.alone("import", import.span().start_offset),
            Stmt::FromImport(import) => self.alone("import", import.span().start_offset),
            Stmt::Extends(extends) => self.alone("extends", extends.span().start_offset),
            Stmt::Include(include) => self.alone("include", include.span().start_offset),
        }
    }

    fn declared(&mut self, declared: &minijinja::machinery::ast::Macro<'_>) {
        for default in &declared.defaults {
            self.expression(default, false);
        }
        self.scoped(&["caller", "varargs", "kwargs"], |walk| {
            for argument in &declared.args {
                walk.assign(argument);
            }
            walk.statements(&declared.body);
        });
    }

    fn alone(&mut self, what: &str, at: u32) {
        let message = format!("`{what}` is not possible: a template stands alone");
        self.mistakes.push(Mistake::new(at as usize, message));
    }

    fn call_arguments(&mut self, args: &[CallArg<'_>], guarded: bool) {
        for arg in args {
            let (CallArg::Pos(value)
            | CallArg::Kwarg(_, value)
            | CallArg::PosSplat(value)
            | CallArg::KwargSplat(value)) = arg;
            self.expression(value, guarded);
        }
    }

    fn known(&mut self, what: &str, name: &str, all: &[&str], at: u32) {
        if !all.contains(&name) {
            let mut message = format!("there is no {what} {name:?}");
            if let Some(near) = closest(name, all.iter().copied()) {
                message.push_str(&format!("; did you mean {near:?}?"));
            }
            self.mistakes.push(Mistake::new(at as usize, message));
        }
    }

    fn expression(&mut self, expr: &Expr<'_>, guarded: bool) {
        if let Some((path, at)) = constant_path(expr) {
            if !self.is_local(path.root()) {
                self.references.push(Reference { path, at, guarded });
            }
            return;
        }
        match expr {
            Expr::Var(_) | Expr::Const(_) => {}
            Expr::Slice(slice) => {
                self.expression(&slice.expr, guarded);
                for part in [&slice.start, &slice.stop, &slice.step].into_iter().flatten() {
                    self.expression(part, guarded);
                }
            }
            Expr::UnaryOp(op) => self.expression(&op.expr, guarded),
            Expr::BinOp(op) => {
                if matches!(op.op, BinOpKind::Mul) && !bounded_product(&op.left, &op.right) {
                    let message = "a constant text or list is repeated at most 1,000 times";
                    self.mistakes.push(Mistake::new(op.span().start_offset as usize, message));
                }
                let guarded = guarded || matches!(op.op, BinOpKind::ScOr | BinOpKind::ScAnd);
                self.expression(&op.left, guarded);
                self.expression(&op.right, guarded);
            }
            Expr::Compare(compare) => {
                self.expression(&compare.expr, guarded);
                for op in &compare.ops {
                    self.expression(&op.expr, guarded);
                }
            }
            Expr::IfExpr(choice) => {
                self.expression(&choice.test_expr, true);
                self.expression(&choice.true_expr, guarded);
                if let Some(other) = &choice.false_expr {
                    self.expression(other, guarded);
                }
            }
            Expr::Filter(filter) => {
                self.known("filter", filter.name, FILTERS, filter.span().start_offset);
                let default = matches!(filter.name, "default" | "d");
                if let Some(value) = &filter.expr {
                    self.expression(value, guarded || default);
                }
                self.call_arguments(&filter.args, guarded);
            }
            Expr::Test(test) => {
                self.known("test", test.name, TESTS, test.span().start_offset);
                self.expression(&test.expr, true);
                self.call_arguments(&test.args, guarded);
            }
            Expr::GetAttr(attr) => self.expression(&attr.expr, guarded),
            Expr::GetItem(item) => {
                self.expression(&item.expr, guarded);
                self.expression(&item.subscript_expr, guarded);
            }
            Expr::Call(call) => {
                match call.identify_call() {
                    CallType::Function(name) => {
                        let local = self.is_local(name) || matches!(name, "caller" | "loop");
                        if !local {
                            self.known("function", name, FUNCTIONS, call.span().start_offset);
                        }
                    }
                    CallType::Method(object, name) => {
                        self.expression(object, guarded);
                        // `loop.cycle`, a macro in a namespace; values have no methods.
                        if !matches!(name, "cycle" | "changed") {
                            let message = format!("values have no methods: write `| {name}` for a filter");
                            self.mistakes.push(Mistake::new(call.span().start_offset as usize, message));
                        }
                    }
                    CallType::Block(_) => self.alone("block", call.span().start_offset),
                    CallType::Object(object) => self.expression(object, guarded),
                }
                self.call_arguments(&call.args, guarded);
            }
            Expr::List(list) => list.items.iter().for_each(|item| self.expression(item, guarded)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.expression(item, guarded)),
            Expr::Map(map) => {
                map.keys.iter().chain(&map.values).for_each(|item| self.expression(item, guarded));
            }
        }
    }
}

/// The engine carries out constant expressions while it compiles, before any bound of ours counts.
fn bounded_product(left: &Expr<'_>, right: &Expr<'_>) -> bool {
    if !(is_constant(left) && is_constant(right)) {
        return true;
    }
    let long = |expr: &Expr<'_>| holds_text(expr);
    match (long(left), long(right)) {
        (false, false) => true,
        (true, false) => small(left) && count(right),
        (false, true) => small(right) && count(left),
        (true, true) => false,
    }
}

fn small(expr: &Expr<'_>) -> bool {
    matches!(expr, Expr::Const(_) | Expr::List(_) | Expr::Tuple(_))
}

fn count(expr: &Expr<'_>) -> bool {
    matches!(expr, Expr::Const(number) if number.value.as_usize().is_some_and(|number| number <= 1_000))
}

fn holds_text(expr: &Expr<'_>) -> bool {
    match expr {
        Expr::Const(constant) => !constant.value.is_number(),
        Expr::UnaryOp(op) => holds_text(&op.expr),
        Expr::BinOp(op) => {
            matches!(op.op, BinOpKind::Concat) || holds_text(&op.left) || holds_text(&op.right)
        }
        Expr::Compare(_) => false,
        _ => true,
    }
}

fn is_constant(expr: &Expr<'_>) -> bool {
    match expr {
        Expr::Const(_) => true,
        Expr::UnaryOp(op) => is_constant(&op.expr),
        Expr::BinOp(op) => is_constant(&op.left) && is_constant(&op.right),
        Expr::Compare(compare) => {
            is_constant(&compare.expr) && compare.ops.iter().all(|op| is_constant(&op.expr))
        }
        Expr::List(list) => list.items.iter().all(is_constant),
        Expr::Tuple(tuple) => tuple.items.iter().all(is_constant),
        Expr::Map(map) => map.keys.iter().chain(&map.values).all(is_constant),
        _ => false,
    }
}
