//! The grammar of statements.

use headwater_expressions::{Condition, Path};
use headwater_items::Value;

use crate::{
    Delete, From, Insert, Order, Refused, Returning, Select, Statement, Update, limits,
    reader::Reader, statement::column, tokens::TokenKind,
};

const TWO_TABLES: &str = "Only select from a single table or index is supported.";
const NO_INDEX: &str = "This operation is not supported on an index";
const NO_STRUCT: &str = "Unsupported format in item expression. Please use struct format {...} to express item values for \
                         insert statement.";
const MANY_ITEMS: &str = "Unsupported operation: Inserting multiple items in a single statement is not supported, use \"INSERT \
                          INTO tableName VALUE item\" instead";
const NOT_RETURNING: &str =
    "Expected '*' after ( MODIFIED | ALL ) ( NEW | OLD ) in RETURNING clause";
/// What may stand behind a table in SQL, and not here.
const FOREIGN_CLAUSES: [&str; 6] = ["LIMIT", "OFFSET", "GROUP", "HAVING", "UNION", "LET"];
const JOINS: [&str; 6] = ["JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS"];

/// The statement that a text is; its `?` stand for these values.
///
/// # Errors
/// It is none.
pub fn statement(text: &str, parameters: Vec<Value>) -> Result<Statement, Refused> {
    if text.chars().count() > limits::STATEMENT_CHARACTERS {
        return Refused::told("The statement is too long");
    }
    let mut reader = Reader::new(text, parameters)?;
    let statement = reader.statement()?;
    reader.end()?;
    Ok(statement)
}

impl Reader<'_> {
    fn statement(&mut self) -> Result<Statement, Refused> {
        if self.eat_word("SELECT")? {
            return self.select().map(Statement::Select);
        }
        if self.eat_word("INSERT")? {
            return self.insert().map(Statement::Insert);
        }
        if self.eat_word("UPDATE")? {
            return self.update().map(Statement::Update);
        }
        if self.eat_word("DELETE")? {
            return self.delete().map(Statement::Delete);
        }
        if self.at_word("EXISTS") {
            return self.exists();
        }
        match self.at_word("FROM") {
            true => {
                Refused::told("Statements that begin with FROM are not supported here; use UPDATE")
            }
            false => Err(Refused::malformed("Expected data manipulation")),
        }
    }

    fn select(&mut self) -> Result<Select, Refused> {
        let columns = self.columns()?;
        if !self.eat_word("FROM")? {
            return Err(Refused::malformed("Expected FROM"));
        }
        if !self.at_name() {
            return Err(self.unexpected());
        }
        let from = self.from()?;
        if self.at(",") || JOINS.iter().any(|join| self.at_word(join)) {
            return Refused::told(TWO_TABLES);
        }
        self.no_alias()?;
        let condition = match self.eat_word("WHERE")? {
            true => Some(self.condition()?),
            false => None,
        };
        let order = self.order()?;
        if let Some(clause) = FOREIGN_CLAUSES.iter().find(|clause| self.at_word(clause)) {
            self.bump()?;
            return Err(self.told(format_args!("Unsupported clause: {clause}")));
        }
        Ok(Select {
            columns,
            from,
            condition,
            order,
        })
    }

    /// The wanted paths; none where a star stands for all.
    fn columns(&mut self) -> Result<Vec<Path>, Refused> {
        if self.at_word("VALUE") || self.at_word("PIVOT") {
            return Refused::told("Select projection doesn't support value or pivot keywords");
        }
        if self.at_word("DISTINCT") {
            return Err(self.told("Unsupported clause: DISTINCT"));
        }
        let (mut columns, mut names) = (Vec::new(), Vec::new());
        let mut star = false;
        loop {
            if self.at_call()? && !self.at_word("FROM") {
                return Err(self.told("Unexpected path component"));
            }
            match self.eat("*")? {
                true => star = true,
                false => {
                    let path = self.path()?;
                    let name = column(&path);
                    if names.contains(&name) {
                        return Refused::told(format!(
                            "Duplicate identifiers in select clause: {name}"
                        ));
                    }
                    names.push(name);
                    columns.push(path);
                }
            }
            if self.at_word("AS") {
                return Refused::told("Aliasing is not supported");
            }
            if !self.eat(",")? {
                break;
            }
        }
        match star && !columns.is_empty() {
            true => Refused::told(
                "Other attributes should not be present in the projection when '*' is used.",
            ),
            false => Ok(columns),
        }
    }

    /// A table, and maybe an index.
    fn from(&mut self) -> Result<From, Refused> {
        if !self.at_name() {
            return Err(Refused::malformed("Expected identifier for simple path"));
        }
        let table = self.name()?;
        let mut index = None;
        while self.eat(".")? {
            if !self.at_name() {
                return Err(Refused::malformed("Invalid path dot component"));
            }
            if index.replace(self.name()?).is_some() {
                return Refused::told("A path may contain at most 2 components in the FROM clause");
            }
        }
        Ok(From { table, index })
    }

    /// A table whose items are changed.
    fn table(&mut self, otherwise: &str) -> Result<String, Refused> {
        let From { table, index } = self.from()?;
        match index {
            None => Ok(table),
            Some(_) => Refused::told(otherwise),
        }
    }

    fn no_alias(&self) -> Result<(), Refused> {
        match self.at_name() || self.at_word("AS") {
            true => Refused::told("Aliasing is not supported"),
            false => Ok(()),
        }
    }

    fn order(&mut self) -> Result<Vec<Order>, Refused> {
        let mut order = Vec::new();
        if !self.eat_word("ORDER")? {
            return Ok(order);
        }
        if !self.eat_word("BY")? {
            return Err(Refused::malformed("Expected BY"));
        }
        loop {
            let path = self.path()?;
            if !path.steps.is_empty() {
                return Refused::told(
                    "Argument to ORDER BY must be of type VariableReference. Type: Path",
                );
            }
            let descending = self.eat_word("DESC")?;
            if !descending {
                self.eat_word("ASC")?;
            }
            order.push(Order {
                attribute: path.root.to_string(),
                descending,
            });
            if !self.eat(",")? {
                return Ok(order);
            }
        }
    }

    fn insert(&mut self) -> Result<Insert, Refused> {
        if !self.eat_word("INTO")? {
            return Err(Refused::malformed("Expected INTO"));
        }
        let table = self.table(
            "FROM clause may only contain a single table name in data manipulation statements",
        )?;
        if self.at_word("VALUES") {
            return Refused::told(MANY_ITEMS);
        }
        if !self.eat_word("VALUE")? {
            return Err(Refused::malformed("Unexpected token after expression"));
        }
        if self.at("<<") || self.at("[") {
            return Refused::told(MANY_ITEMS);
        }
        if self.at_end() {
            return Err(self.unexpected());
        }
        if !self.at("{") {
            return Refused::told(NO_STRUCT);
        }
        let item = self.item()?;
        if self.at_word("RETURNING") {
            return Refused::told("RETURNING is not supported in INSERT");
        }
        if self.at_word("ON") {
            return Refused::told("ON CONFLICT is not supported here");
        }
        Ok(Insert { table, item })
    }

    fn update(&mut self) -> Result<Update, Refused> {
        let table = self.table(NO_INDEX)?;
        self.no_alias()?;
        let changes = self.changes()?;
        Ok(Update {
            table,
            changes,
            condition: self.which()?,
            returning: self.returning()?,
        })
    }

    fn delete(&mut self) -> Result<Delete, Refused> {
        if !self.eat_word("FROM")? {
            return Err(Refused::malformed("Expected FROM"));
        }
        let table = self.table(NO_INDEX)?;
        self.no_alias()?;
        let condition = self.which()?;
        let returning = self.returning()?;
        let shown = match returning {
            None | Some(Returning::AllOld) => {
                return Ok(Delete {
                    table,
                    condition,
                    returning,
                });
            }
            Some(Returning::ModifiedOld) => "MODIFIED OLD",
            Some(Returning::AllNew) => "ALL NEW",
            Some(Returning::ModifiedNew) => "MODIFIED NEW",
        };
        Refused::told(format!(
            "Invalid returning clause: RETURNING {shown} *. Only RETURNING ALL OLD * is allowed in DELETE statements."
        ))
    }

    /// Which item is changed.
    fn which(&mut self) -> Result<Option<Condition>, Refused> {
        match self.eat_word("WHERE")? {
            true => self.condition().map(Some),
            false => Ok(None),
        }
    }

    fn returning(&mut self) -> Result<Option<Returning>, Refused> {
        if !self.eat_word("RETURNING")? {
            return Ok(None);
        }
        let all = self.eat_word("ALL")?;
        if !all && !self.eat_word("MODIFIED")? {
            return Refused::told(NOT_RETURNING);
        }
        let old = self.eat_word("OLD")?;
        if !old && !self.eat_word("NEW")? {
            return Refused::told(NOT_RETURNING);
        }
        if !self.eat("*")? {
            return Refused::told(NOT_RETURNING);
        }
        if self.at(",") {
            return Refused::told(
                "Invalid syntax with multiple returning elements in RETURNING clause",
            );
        }
        Ok(Some(match (all, old) {
            (true, true) => Returning::AllOld,
            (true, false) => Returning::AllNew,
            (false, true) => Returning::ModifiedOld,
            (false, false) => Returning::ModifiedNew,
        }))
    }

    fn exists(&mut self) -> Result<Statement, Refused> {
        self.bump()?;
        self.expect("(", "LEFT_PAREN")?;
        if self.kind() != TokenKind::Word || !self.eat_word("SELECT")? {
            return Err(self.unexpected());
        }
        let select = self.select()?;
        self.expect(")", "RIGHT_PAREN")?;
        Ok(Statement::Exists(select))
    }
}
