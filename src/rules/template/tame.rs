//! A template's instructions with those exchanged that could eat memory, lose digits or hide a
//! missing value.

use super::operators::OPERATORS;
use minijinja::machinery::{Instruction, Instructions};
use minijinja::value::Value as Jinja;

pub(super) const SLICE: &str = "\u{1}slice";
pub(super) const NEGATE: &str = "\u{1}negate";
pub(super) const WEIGH: &str = "\u{1}weigh";
pub(super) const CHECK_SET: &str = "\u{1}set";

/// Exchanges instructions for calls of ours, and moves the jumps along.
pub(super) fn tame<'s>(old: &Instructions<'s>) -> Instructions<'s> {
    let all: Vec<&Instruction<'s>> = (0..).map_while(|at| old.get(at)).collect();
    let mut starts = Vec::with_capacity(all.len() + 1);
    let mut next = 0_u32;
    for instruction in &all {
        starts.push(next);
        next += match instruction {
            Instruction::EmitRaw(_)
            | Instruction::BuildList(_)
            | Instruction::BuildMap(_)
            | Instruction::BuildTuple(_)
            | Instruction::CompareAndPreserve(_) => 2,
            Instruction::SetAttr(_) => 3,
            _ => 1,
        };
    }
    starts.push(next);
    let moved = |target: u32| starts.get(target as usize).copied().unwrap_or(next);
    let mut new = Instructions::new(old.name(), old.source());
    for instruction in all {
        use Instruction as I;
        let call = |name| I::CallFunction(name, Some(2));
        match instruction {
            I::EmitRaw(raw) => {
                new.add(I::LoadConst(Jinja::from(*raw)));
                new.add(I::Emit);
            }
            I::BuildList(_) | I::BuildMap(_) | I::BuildTuple(_) => {
                new.add(instruction.clone());
                new.add(I::CallFunction(WEIGH, Some(1)));
            }
            I::SetAttr(_) => {
                new.add(call(CHECK_SET));
                new.add(I::UnpackList(2));
                new.add(instruction.clone());
            }
            // The value of `x if y` without an else: it prints nothing and is no miss.
            I::LoadConst(value) if value.is_undefined() => {
                new.add(I::LoadConst(Jinja::from("")));
            }
            I::Jump(target) => {
                new.add(I::Jump(moved(*target)));
            }
            I::JumpIfFalse(target) => {
                new.add(I::JumpIfFalse(moved(*target)));
            }
            I::JumpIfFalseOrPop(target) => {
                new.add(I::JumpIfFalseOrPop(moved(*target)));
            }
            I::JumpIfTrueOrPop(target) => {
                new.add(I::JumpIfTrueOrPop(moved(*target)));
            }
            I::Iterate(target) => {
                new.add(I::Iterate(moved(*target)));
            }
            I::BuildMacro(name, target, flags) => {
                new.add(I::BuildMacro(name, moved(*target), *flags));
            }
            I::CompareAndPreserve(op) => {
                // The operator's type is not public, its name is.
                let name = format!("{op:?}");
                let chain =
                    OPERATORS.iter().find(|(call, _)| call.strip_prefix("\u{1}chain_") == Some(&name));
                new.add(call(chain.map_or("\u{1}chain_In", |(call, _)| *call)));
                new.add(I::UnpackList(2));
            }
            I::Add => add(&mut new, "\u{1}add", 2),
            I::Sub => add(&mut new, "\u{1}sub", 2),
            I::Mul => add(&mut new, "\u{1}mul", 2),
            I::Div => add(&mut new, "\u{1}div", 2),
            I::IntDiv => add(&mut new, "\u{1}int_div", 2),
            I::Rem => add(&mut new, "\u{1}rem", 2),
            I::Pow => add(&mut new, "\u{1}pow", 2),
            I::StringConcat => add(&mut new, "\u{1}concat", 2),
            I::Eq => add(&mut new, "\u{1}eq", 2),
            I::Ne => add(&mut new, "\u{1}ne", 2),
            I::Lt => add(&mut new, "\u{1}lt", 2),
            I::Lte => add(&mut new, "\u{1}lte", 2),
            I::Gt => add(&mut new, "\u{1}gt", 2),
            I::Gte => add(&mut new, "\u{1}gte", 2),
            I::In => add(&mut new, "\u{1}in", 2),
            I::Neg => add(&mut new, NEGATE, 1),
            I::Slice => add(&mut new, SLICE, 4),
            other => {
                new.add(other.clone());
            }
        }
    }
    new
}

fn add(new: &mut Instructions<'_>, name: &'static str, arguments: u16) {
    new.add(Instruction::CallFunction(name, Some(arguments)));
}
