//! The bounds of a query: steps, and bytes of the values that it makes.
//!
//! The interpreter has bounds of neither sort. Steps are counted where it looks its terms up. For bytes, a query is
//! rewritten before it is compiled, and jq's own definitions with it: behind every term that makes a value, or gives
//! many, stands a filter that counts what comes by, as large as it would be if it shared nothing. So a value that
//! refers to the same one often, which is small until it is written, is as large as it looks. In front of the
//! interpreter's own functions, some of which make a hundred bytes of one, stands a filter that lets no long text or
//! list pass.

use std::{cell::Cell, collections::HashSet, panic::resume_unwind};

use jaq_core::{
    Ctx, Cv, DataT, Error, Exn, Lut, Native, ValXs, Vars,
    box_iter::box_once,
    data::HasLut,
    load::{
        lex::StrPart,
        parse::{BinaryOp, Def, Pattern, Term},
    },
    native::{Fun, bome},
    ops::Math,
    path::{Part, Path},
};
use jaq_json::{Val, read};

use super::scan::scan;
use crate::limits::{QUERY_BYTES_MAX, QUERY_LIST_MAX, QUERY_STEPS_MAX, QUERY_TEXT_BYTES_MAX};

/// Filters and a variable of ours; no query can name them.
const COUNTED: &str = "@counted";
const SHORT: &str = "@short";
const ADDED: &str = "$@added";

/// A query's evaluation that is counted.
pub struct Counted;

/// The steps and bytes that are left to a query.
pub struct QueryBudget {
    steps: Cell<u32>,
    bytes: Cell<usize>,
}

/// The state that the interpreter carries along.
#[derive(Clone)]
pub struct Shared<'a> {
    lut: &'a Lut<Counted>,
    left: &'a QueryBudget,
}

impl DataT for Counted {
    type V<'a> = Val;
    type Data<'a> = Shared<'a>;
}

impl<'a> HasLut<'a, Counted> for Shared<'a> {
    fn lut(&self) -> &'a Lut<Counted> {
        match self.left.steps.get().checked_sub(1) {
            Some(left) => self.left.steps.set(left),
            None => end(),
        }
        self.lut
    }
}

/// The only way out of the interpreter: a panic, which its caller catches.
fn end() -> ! {
    resume_unwind(Box::new(()))
}

impl QueryBudget {
    /// All that a query may take over one record.
    pub fn new() -> Self {
        Self {
            steps: Cell::new(QUERY_STEPS_MAX),
            bytes: Cell::new(QUERY_BYTES_MAX),
        }
    }

    /// The context of an evaluation that takes of it.
    pub fn context<'a>(&'a self, lut: &'a Lut<Counted>) -> Ctx<'a, Counted> {
        Ctx::new(Shared { lut, left: self }, Vars::new([]))
    }

    /// Takes what `value` is worth.
    pub fn take(&self, value: &Val) {
        if !is_within(value, &self.bytes) {
            self.bytes.set(0);
            end();
        }
    }

    /// The resource of which an evaluation that was ended took too much.
    pub fn lacks(&self) -> Option<&'static str> {
        match (self.steps.get(), self.bytes.get()) {
            (0, _) => Some("The query takes too many steps."),
            (_, 0) => Some("The query makes too much of the record."),
            _ => None,
        }
    }
}

/// Takes what a value holds in memory, about, with all in it, from what is left; false where it is more.
fn is_within(value: &Val, left: &Cell<usize>) -> bool {
    let own = match value {
        Val::Null | Val::Bool(_) => 16,
        Val::Num(_) => 64,
        Val::TStr(text) | Val::BStr(text) => 64 + text.len(),
        Val::Arr(_) => 64,
        Val::Obj(members) => 192 + 32 * members.len(),
    };
    let Some(less) = left.get().checked_sub(own) else {
        return false;
    };
    left.set(less);
    match value {
        Val::Arr(values) => values.iter().all(|value| is_within(value, left)),
        Val::Obj(members) => members
            .iter()
            .all(|(key, value)| is_within(key, left) && is_within(value, left)),
        _ => true,
    }
}

/// The functions that bounded terms use, besides the interpreter's own.
pub fn functions() -> [Fun<Counted>; 3] {
    let counted = Native::new(|(ctx, value): Cv<'_, Counted>| {
        ctx.data().left.take(&value);
        box_once(Ok(value))
    });
    let short = Native::new(|(_, value)| {
        bome(if is_short(&value) {
            Ok(value)
        } else {
            Err(too_long())
        })
    });
    let no_arguments = || [].into();
    [
        (COUNTED, no_arguments(), transparent(counted)),
        (SHORT, no_arguments(), transparent(short)),
        (
            "fromjson",
            no_arguments(),
            Native::new(|(_, value)| from_json(&value)),
        ),
    ]
}

/// A filter in whose place nothing might stand where paths are asked for.
fn transparent(filter: Native<Counted>) -> Native<Counted> {
    filter
        .with_paths(|(_, found)| box_once(Ok(found)))
        .with_update(|(_, value), update| update(value))
}

fn is_short(value: &Val) -> bool {
    match value {
        Val::TStr(text) | Val::BStr(text) => text.len() <= QUERY_TEXT_BYTES_MAX,
        Val::Arr(values) => values.len() <= QUERY_LIST_MAX,
        Val::Obj(members) => members.len() <= QUERY_LIST_MAX,
        Val::Null | Val::Bool(_) | Val::Num(_) => true,
    }
}

fn too_long() -> Error<Val> {
    Error::str("the query works on a text or a list that is too long")
}

/// The interpreter's own recurses as deep as the text says.
fn from_json<'a>(value: &Val) -> ValXs<'a, Val> {
    let parsed = match value {
        Val::TStr(text) if scan(text).is_none() => read::parse_single(text)
            .map_err(|error| Error::str(format_args!("cannot parse text as JSON: {error}"))),
        _ => Err(Error::str("cannot parse as JSON")),
    };
    box_once(parsed.map_err(Exn::from))
}

/// Puts filters that count into terms.
pub struct Bounds(HashSet<&'static str>);

type Text<'s> = Term<&'s str>;

impl Bounds {
    /// For terms that may call the functions of these names.
    pub fn of(natives: impl IntoIterator<Item = &'static str>) -> Self {
        Self(natives.into_iter().collect())
    }

    /// A definition whose body is counted.
    pub fn definition<'s>(&self, def: Def<&'s str>) -> Def<&'s str> {
        Def {
            body: self.term(def.body),
            ..def
        }
    }

    /// A term that does the same, and is counted.
    pub fn term<'s>(&self, term: Text<'s>) -> Text<'s> {
        match term {
            Term::Id | Term::Num(_) | Term::Var(_) | Term::Break(_) => term,
            Term::Recurse => counted(term),
            Term::Str(format, parts) => counted(Term::Str(
                format,
                parts.into_iter().map(|part| self.part(part)).collect(),
            )),
            Term::Arr(items) => counted(Term::Arr(items.map(|items| self.boxed(*items)))),
            Term::Obj(members) => {
                let member = |(key, value): (_, Option<_>)| {
                    (self.term(key), value.map(|value| self.term(value)))
                };
                counted(Term::Obj(members.into_iter().map(member).collect()))
            }
            Term::Neg(of) => Term::Neg(self.boxed(*of)),
            Term::BinOp(left, op, right) => self.operation(*left, op, *right),
            Term::Label(name, of) => Term::Label(name, self.boxed(*of)),
            Term::Fold(name, of, pattern, terms) => Term::Fold(
                name,
                self.boxed(*of),
                self.pattern(pattern),
                self.terms(terms),
            ),
            Term::TryCatch(of, catch) => {
                Term::TryCatch(self.boxed(*of), catch.map(|catch| self.boxed(*catch)))
            }
            Term::IfThenElse(cases, otherwise) => {
                let case = |(when, then)| (self.term(when), self.term(then));
                Term::IfThenElse(
                    cases.into_iter().map(case).collect(),
                    otherwise.map(|of| self.boxed(*of)),
                )
            }
            Term::Def(defs, of) => Term::Def(
                defs.into_iter().map(|def| self.definition(def)).collect(),
                self.boxed(*of),
            ),
            Term::Call(name, arguments) => {
                let call = Term::Call(name, self.terms(arguments));
                if self.0.contains(name) {
                    counted(pipe(Term::Call(SHORT, Vec::new()), call))
                } else {
                    call
                }
            }
            Term::Path(of, Path(parts)) => {
                let ranges = parts
                    .iter()
                    .any(|(part, _)| matches!(part, Part::Range(..)));
                let parts = parts
                    .into_iter()
                    .map(|(part, opt)| (self.path(part), opt))
                    .collect();
                let path = Term::Path(self.boxed(*of), Path(parts));
                if ranges { counted(path) } else { path }
            }
        }
    }

    fn operation<'s>(&self, left: Text<'s>, op: BinaryOp<&'s str>, right: Text<'s>) -> Text<'s> {
        let (left, right) = (self.term(left), self.term(right));
        let binary = |left, op, right| Term::BinOp(Box::new(left), op, Box::new(right));
        match op {
            BinaryOp::Pipe(pattern) => binary(
                left,
                BinaryOp::Pipe(pattern.map(|pattern| self.pattern(pattern))),
                right,
            ),
            BinaryOp::Comma | BinaryOp::Alt | BinaryOp::Or | BinaryOp::And | BinaryOp::Cmp(_) => {
                binary(left, op, right)
            }
            BinaryOp::Math(Math::Div) => counted(binary(
                pipe(left, Term::Call(SHORT, Vec::new())),
                BinaryOp::Math(Math::Div),
                right,
            )),
            BinaryOp::Math(_) | BinaryOp::Assign | BinaryOp::Update | BinaryOp::UpdateAlt => {
                counted(binary(left, op, right))
            }
            // As jq's manual defines it, so that each sum is counted.
            BinaryOp::UpdateMath(math) => {
                let sum = self.operation(Term::Id, BinaryOp::Math(math), Term::Var(ADDED));
                let update = counted(binary(left, BinaryOp::Update, sum));
                binary(right, BinaryOp::Pipe(Some(Pattern::Var(ADDED))), update)
            }
        }
    }

    fn boxed<'s>(&self, term: Text<'s>) -> Box<Text<'s>> {
        Box::new(self.term(term))
    }

    fn terms<'s>(&self, terms: Vec<Text<'s>>) -> Vec<Text<'s>> {
        terms.into_iter().map(|term| self.term(term)).collect()
    }

    fn part<'s>(&self, part: StrPart<&'s str, Text<'s>>) -> StrPart<&'s str, Text<'s>> {
        match part {
            StrPart::Term(term) => StrPart::Term(self.term(term)),
            StrPart::Str(_) | StrPart::Char(_) => part,
        }
    }

    fn pattern<'s>(&self, pattern: Pattern<&'s str>) -> Pattern<&'s str> {
        match pattern {
            Pattern::Var(_) => pattern,
            Pattern::Arr(items) => {
                Pattern::Arr(items.into_iter().map(|item| self.pattern(item)).collect())
            }
            Pattern::Obj(members) => {
                let member = |(key, value)| (self.term(key), self.pattern(value));
                Pattern::Obj(members.into_iter().map(member).collect())
            }
        }
    }

    fn path<'s>(&self, part: Part<Text<'s>>) -> Part<Text<'s>> {
        match part {
            Part::Index(at) => Part::Index(self.term(at)),
            Part::Range(from, to) => {
                Part::Range(from.map(|from| self.term(from)), to.map(|to| self.term(to)))
            }
        }
    }
}

fn counted(term: Text<'_>) -> Text<'_> {
    pipe(term, Term::Call(COUNTED, Vec::new()))
}

fn pipe<'s>(left: Text<'s>, right: Text<'s>) -> Text<'s> {
    Term::BinOp(Box::new(left), BinaryOp::Pipe(None), Box::new(right))
}
