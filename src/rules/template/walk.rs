//! A walk over a template's syntax tree: every path that it looks at, and what it may not do.

use super::filters::{FILTERS, FUNCTIONS, TESTS};
use super::syntax::{Mistake, Reference, constant_path};
use crate::rules::near::closest;
use minijinja::machinery::ast::{BinOpKind, CallArg, CallType, Expr, Stmt};
use std::collections::HashSet;
use std::fmt::Write;

/// A walk over a template, with the names that it sets itself.
#[derive(Default)]
pub(super) struct Walk {
    locals: Vec<HashSet<String>>,
    /// In order of appearance.
    pub(super) references: Vec<Reference>,
    /// What is not possible, in order.
    pub(super) mistakes: Vec<Mistake>,
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

    /// Walks statements.
    pub(super) fn statements(&mut self, all: &[Stmt<'_>]) {
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
                let _ = write!(message, "; did you mean {near:?}?");
            }
            self.mistakes.push(Mistake::new(at as usize, message));
        }
    }

    /// Walks an expression.
    pub(super) fn expression(&mut self, expr: &Expr<'_>, guarded: bool) {
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
