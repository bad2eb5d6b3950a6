//! Statements and what they mean. Conditions and updates are told by the expressions that mean the same.

use std::collections::BTreeMap;

use headwater_expressions::{Condition, Placeholders, Projection};
use headwater_items::{Item, Value};

use super::{number, read, text};
use crate::{Order, Returning, Select, Statement};

fn select(text: &str) -> Select {
    match read(text).unwrap() {
        Statement::Select(select) => select,
        other => panic!("{text} is {other:?}"),
    }
}

/// What an expression's `:values` stand for.
fn placeholders() -> Placeholders {
    let values = [
        (":x", text("x")),
        (":y", text("y")),
        (":s", text("S")),
        (":n", number("1")),
        (":m", number("-1.5e3")),
        (":l", Value::List(vec![number("1"), text("x")])),
        (":ss", Value::StringSet(["x".to_owned()].into())),
        (":true", Value::Bool(true)),
        (":null", Value::Null),
    ];
    let values = values.map(|(name, value)| (name.to_owned(), value));
    let names = [("#o".to_owned(), "order".to_owned())];
    Placeholders::new(names.into(), values.into())
}

fn condition(text: &str) -> Condition {
    headwater_expressions::condition(text, &mut placeholders()).unwrap()
}

#[test]
fn conditions_mean_what_expressions_mean() {
    for (partiql, expression) in [
        ("a = 'x'", "a = :x"),
        ("a != 'x' or b<>1", "a <> :x OR b <> :n"),
        ("'x' < a AND NOT b >= -1.5E3", ":x < a AND NOT b >= :m"),
        ("a=1 AND b=1 OR c=1", "(a = :n AND b = :n) OR c = :n"),
        ("a=1 AND (b=1 OR c=1)", "a = :n AND (b = :n OR c = :n)"),
        ("NOT a=1 AND b=1", "(NOT a = :n) AND b = :n"),
        (
            "a BETWEEN 1 AND 1 AND b = 1",
            "a BETWEEN :n AND :n AND b = :n",
        ),
        ("a NOT BETWEEN 1 AND 1", "NOT a BETWEEN :n AND :n"),
        ("a IN ['x', 1]", "a IN (:x, :n)"),
        ("a NOT IN ('x')", "NOT a IN (:x)"),
        ("a IS MISSING", "attribute_not_exists(a)"),
        ("a.b IS NOT MISSING", "NOT attribute_not_exists(a.b)"),
        (
            "attribute_exists(a) AND ATTRIBUTE_NOT_EXISTS (b)",
            "attribute_exists(a) AND attribute_not_exists(b)",
        ),
        ("begins_with(\"order\", 'x')", "begins_with(#o, :x)"),
        ("contains(a[1].b, 'x')", "contains(a[1].b, :x)"),
        ("size(a) > 1", "size(a) > :n"),
        ("attribute_type(a, 'S')", "attribute_type(a, :s)"),
        ("a['b'].\"c\" = true", "a.b.c = :true"),
        ("(a) = (null)", "a = :null"),
        ("a = [1, 'x'] AND b = <<'x'>>", "a = :l AND b = :ss"),
        (
            "a = - - 1 -- one\n AND /* two */ b = 'x'",
            "a = :n AND b = :x",
        ),
    ] {
        let statement = format!("SELECT * FROM t WHERE {partiql}");
        let read = select(&statement).condition;
        assert_eq!(read, Some(condition(expression)), "{partiql}");
    }
}

#[test]
fn null_is_a_kind_and_not_a_value_that_is_missing() {
    let holds = |partiql: &str, item: &Item| {
        let select = select(&format!("SELECT * FROM t WHERE {partiql}"));
        select.condition.unwrap().holds(item)
    };
    let item = Item::from([
        ("a".to_owned(), Value::Null),
        ("m".to_owned(), Value::Map(Item::new())),
    ]);
    assert!(holds("a IS NULL", &item) && !holds("b IS NULL", &item));
    assert!(holds("b IS NOT NULL", &item) && holds("m IS STRUCT", &item));
}

#[test]
fn updates_mean_what_expressions_mean() {
    for (partiql, expression) in [
        ("SET a = 'x', b.c = 1", "SET a = :x, b.c = :n"),
        ("SET a = 'x' SET b = a", "SET a = :x, b = a"),
        ("SET a = a+1 SET b = 1 - b", "SET a = a + :n, b = :n - b"),
        (
            "SET a = list_append(a, [1, 'x'])",
            "SET a = list_append(a, :l)",
        ),
        ("REMOVE a, b[0] REMOVE c.d", "REMOVE a, b[0], c.d"),
        ("SET a = SET_ADD(a, <<'x'>>)", "ADD a :ss"),
        ("SET a.b = set_delete(a.b, <<'x'>>)", "DELETE a.b :ss"),
    ] {
        let statement = format!("UPDATE t {partiql} WHERE p = 'x'");
        let Statement::Update(update) = read(&statement).unwrap() else {
            panic!("{statement} is no update");
        };
        let meant = headwater_expressions::update(expression, &mut placeholders()).unwrap();
        assert_eq!(update.changes, meant, "{partiql}");
        assert_eq!(update.condition, Some(condition("p = :x")));
    }
}

#[test]
fn selects_name_columns_tables_and_orders() {
    let all = select("select * from \"a table\".\"an index\";");
    assert!(all.columns.is_empty() && all.condition.is_none() && all.order.is_empty());
    assert_eq!(all.from.table, "a table");
    assert_eq!(all.from.index.as_deref(), Some("an index"));
    let some = select("SELECT a, b.c, \"k\"[0] FROM t WHERE p = 'x' ORDER BY p, s DESC");
    let paths = headwater_expressions::projection("a, b.c, k[0]", &mut placeholders());
    assert_eq!(Projection(some.columns.clone()), paths.unwrap());
    let order = |attribute: &str, descending| Order {
        attribute: attribute.to_owned(),
        descending,
    };
    assert_eq!(some.order, [order("p", false), order("s", true)]);
    let item = Item::from([
        (
            "b".to_owned(),
            Value::Map(Item::from([("c".to_owned(), text("c"))])),
        ),
        ("k".to_owned(), Value::List(vec![text("k")])),
        ("z".to_owned(), text("z")),
    ]);
    let shown = BTreeMap::from([("c".to_owned(), text("c")), ("k[0]".to_owned(), text("k"))]);
    assert_eq!(some.shown(item.clone()), shown);
    assert_eq!(all.shown(item.clone()), item);
}

#[test]
fn inserts_have_items_and_deletions_show_them() {
    let insert = "INSERT INTO \"t\" VALUE {'p': ?, 'it''s': {'a': [1, {}]}, 'n': -.5e1, 'set': <<1, 2>>, 'b': TRUE}";
    let insert = insert.replace("-.5e1", "-0.5e1");
    let Statement::Insert(insert) = crate::statement(&insert, vec![text("x")]).unwrap() else {
        panic!("no insert");
    };
    let inner = Value::List(vec![number("1"), Value::Map(Item::new())]);
    let item = [
        ("p", text("x")),
        ("it's", Value::Map(Item::from([("a".to_owned(), inner)]))),
        ("n", number("-5")),
        ("set", Value::NumberSet([1, 2].map(Into::into).into())),
        ("b", Value::Bool(true)),
    ];
    let item: Item = item.map(|(name, value)| (name.to_owned(), value)).into();
    assert_eq!(insert.item, item);
    for (returning, meant) in [
        ("", None),
        ("RETURNING ALL OLD *", Some(Returning::AllOld)),
        ("RETURNING MODIFIED OLD *", Some(Returning::ModifiedOld)),
        ("RETURNING ALL NEW *", Some(Returning::AllNew)),
        ("returning modified new *", Some(Returning::ModifiedNew)),
    ] {
        let update = read(&format!("UPDATE t REMOVE a WHERE p = 'x' {returning}"));
        assert_eq!(update.unwrap().returning(), meant);
    }
    let delete = read("DELETE FROM t WHERE p = 'x' RETURNING ALL OLD *").unwrap();
    assert_eq!(delete.returning(), Some(Returning::AllOld));
    let exists = read("EXISTS(SELECT * FROM t WHERE p = 'x' AND a IS MISSING)").unwrap();
    assert!(matches!(exists, Statement::Exists(_)) && !exists.reads());
}

#[test]
fn parameters_come_in_order_and_are_all_used() {
    let read =
        |parameters| crate::statement("SELECT * FROM t WHERE a = ? AND b IN [?, 1]", parameters);
    assert!(read(vec![text("x"), text("y")]).is_ok());
    let wrong = "Number of parameters in request and statement don't match.";
    for parameters in [vec![], vec![text("x"); 1], vec![text("x"); 3]] {
        assert_eq!(read(parameters).unwrap_err().to_string(), wrong);
    }
}
