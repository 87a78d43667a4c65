//! A template's text taken apart: constant pieces, plain paths, expressions, and every name in it.

use super::engine::explain;
use super::walk::Walk;
use crate::model::path::{Path, Segment};
use minijinja::machinery::ast::{Expr, Stmt};
use minijinja::machinery::{Token, parse, tokenize};
use minijinja::syntax::SyntaxConfig;

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
    pub(super) fn new(at: usize, message: impl Into<String>) -> Self {
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
pub(super) fn constant_path(expr: &Expr<'_>) -> Option<(Path, usize)> {
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
