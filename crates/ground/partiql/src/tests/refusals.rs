//! Texts that are no statements. Most words are as recorded on AWS by dynamodb-conformance (`partiqlFunctions`,
//! `partiqlGrammar`) and floci.

use super::{read, refusal, text};

const MALFORMED: &str = "Statement wasn't well formed, can't be processed: ";
const TERM: &str = "Unexpected term";
const LEFTOVER: &str = "Unexpected token after expression";

#[test]
fn what_is_not_well_formed_is_told() {
    for (statement, why) in [
        ("", "Expected data manipulation"),
        ("SLECT * FROM t", "Expected data manipulation"),
        ("UPDATE a-b SET x = 1", "Expected data manipulation"),
        ("SELECT * FROM t WHERE", TERM),
        ("SELECT * FROM t WHERE;", TERM),
        ("SELECT * FROM", TERM),
        ("SELECT * FROM t WHERE NOT", TERM),
        ("SELECT * FROM t WHERE (", TERM),
        ("DELETE FROM t WHERE", TERM),
        ("UPDATE t SET a = 1 WHERE", TERM),
        ("SELECT * FROM t WHERE ORDER BY p", "Unexpected keyword"),
        ("SELECT * FROM t WHERE IS NULL", "Unexpected operator"),
        ("SELECT * FROM t WHERE p = LIKE", "Unexpected operator"),
        (
            "SELECT * FROM t WHERE p = 'x' AND",
            "Missing right-hand side expression of infix operator",
        ),
        (
            "SELECT * FROM t WHERE p = 'x' OR",
            "Missing right-hand side expression of infix operator",
        ),
        ("SELECT * FROM t WHERE p IS FOO", "Expected type name"),
        ("SELECT * FROM t WHERE (p = 'x'", "Expected RIGHT_PAREN"),
        (
            "SELECT * FROM t WHERE m.inner = 1",
            "Invalid path dot component",
        ),
        ("SELECT order FROM t", "Unexpected keyword"),
        ("DELETE FROM", "Expected identifier for simple path"),
        (
            "DELETE FROM WHERE p = 'x'",
            "Expected identifier for simple path",
        ),
        ("SELECT * FROM t WHERE p = 1 foo", LEFTOVER),
        ("SELECT * FROM t WHERE p = 1 e5", LEFTOVER),
        ("SELECT * FROM t WHERE p = 1)", LEFTOVER),
        ("SELECT * FROM t ORDER BY p WHERE p = 1", LEFTOVER),
        ("DELETE FROM t WHERE p = 1 ORDER BY p", LEFTOVER),
        ("INSERT INTO t VALUE {'p': 1} foo", LEFTOVER),
        ("INSERT INTO t u VALUE {'p': 1}", LEFTOVER),
        ("SELECT * FROM t WHERE p = 1e2147483648", ""),
        ("SELECT * FROM t WHERE p = 1 # note", ""),
        ("SELECT * FROM t WHERE p = 1 /* note", ""),
        ("SELECT * FROM t WHERE p = 'x", ""),
    ] {
        assert_eq!(
            refusal(statement),
            format!("{MALFORMED}{why}"),
            "{statement}"
        );
    }
}

#[test]
fn what_the_language_does_not_have_is_told() {
    let two = "Only select from a single table or index is supported.";
    let alias = "Aliasing is not supported";
    for (statement, why) in [
        ("SELECT * FROM t u WHERE p = 'x'", alias),
        ("SELECT * FROM t AS u", alias),
        ("UPDATE t u SET a = 3", alias),
        ("DELETE FROM t u", alias),
        ("SELECT * FROM t, u", two),
        ("SELECT * FROM t JOIN u", two),
        (
            "SELECT id FROM dbimp_page LIMIT 5",
            "Unsupported clause: LIMIT at 1:33:1",
        ),
        (
            "SELECT *, a FROM t",
            "Other attributes should not be present in the projection when '*' is used.",
        ),
        (
            "SELECT a, b.a FROM t",
            "Duplicate identifiers in select clause: a",
        ),
        (
            "SELECT COUNT(*) FROM t",
            "Unexpected path component at 1:8:5",
        ),
        (
            "SELECT l[-1] FROM t",
            "List index is not within the allowable range; index: [-1] at 1:11:1",
        ),
        (
            "SELECT * FROM a.b.c",
            "A path may contain at most 2 components in the FROM clause",
        ),
        (
            "SELECT * FROM \"\"",
            "Path component cannot be an empty string",
        ),
        (
            "UPDATE t.i SET a = 1",
            "This operation is not supported on an index",
        ),
        (
            "DELETE FROM t.i",
            "This operation is not supported on an index",
        ),
        (
            "INSERT INTO t.i VALUE {}",
            "FROM clause may only contain a single table name in data manipulation statements",
        ),
        (
            "INSERT INTO t VALUE {'p': 1} RETURNING ALL OLD *",
            "RETURNING is not supported in INSERT",
        ),
        (
            "DELETE FROM t WHERE p = 'x' RETURNING MODIFIED OLD *",
            "Invalid returning clause: RETURNING MODIFIED OLD *. Only RETURNING ALL OLD * is allowed in DELETE statements.",
        ),
        (
            "SELECT * FROM t WHERE a",
            "WHERE clause must contain an expression that resolves to a boolean",
        ),
        (
            "SELECT * FROM t WHERE a LIKE 'x'",
            "Unsupported operator in Condition Expression. Operator: like",
        ),
        (
            "SELECT * FROM t WHERE a + 1 > 2",
            "Unsupported operator in Condition Expression. Operator: +",
        ),
        (
            "SELECT * FROM t WHERE a = MISSING",
            "MISSING must be compared using IS operator",
        ),
        (
            "SELECT * FROM t WHERE a = `1`",
            "Ion Literals are not supported",
        ),
        (
            "SELECT * FROM t WHERE EXISTS(ss)",
            "Unrecognized function: exists at 1:23:6",
        ),
        (
            "SELECT * FROM t WHERE\nset_add(a, 1) = a",
            "Unrecognized function: set_add at 2:1:7",
        ),
    ] {
        assert_eq!(refusal(statement), why, "{statement}");
    }
}

#[test]
fn values_that_cannot_be_are_told_with_the_way_to_them() {
    let overflow = "Number overflow. Attempting to store a number with magnitude larger than supported range under root";
    for (value, why) in [
        ("1e126", overflow.to_owned()),
        ("{'x': 1e126}", format!("{overflow}.x")),
        ("[1, 1e126]", format!("{overflow}[1]")),
        ("<<>>", "Empty bags are not supported".to_owned()),
        (
            "<<1, 'a'>>",
            "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags".to_owned(),
        ),
        (
            "<<'x', 'x'>>",
            "One or more parameter values were invalid: Input collection [x, x] contains duplicates.".to_owned(),
        ),
        (
            "<<2, 2.0>>",
            "One or more parameter values were invalid: Input collection [2, 2.0] contains duplicates! under root".to_owned(),
        ),
        ("[?]", "Unsupported data type: Parameter under key root[0] at 1:35:1".to_owned()),
        ("{'k': ?}", "Unsupported data type: Parameter under key root.k at 1:40:1".to_owned()),
        ("set_add(1)", "Unsupported data type: set_add under key root at 1:34:7".to_owned()),
        ("{'k': 1, 'k': 2}", "Duplicate keys in tuple. Key: k under root".to_owned()),
    ] {
        assert_eq!(refusal(&format!("INSERT INTO t VALUE {{'p':'x','v':{value}}}")), why);
    }
    let deep = |levels: usize| {
        format!(
            "UPDATE t SET d = {}1{}",
            "{'a':".repeat(levels),
            "}".repeat(levels)
        )
    };
    assert!(read(&deep(31)).is_ok());
    let too_deep = format!(
        "Nesting Levels have exceeded supported limits under root{}",
        ".a".repeat(32)
    );
    assert_eq!(refusal(&deep(32)), too_deep);
}

#[test]
fn operands_that_do_not_fit_are_told() {
    let kind = "Incorrect operand type for operator or function; operator or function: ";
    for (condition, why) in [
        ("a < true", format!("{kind}<, operand type: BOOL")),
        ("a BETWEEN true AND false", format!("{kind}BETWEEN, operand type: BOOL")),
        ("attribute_type(a, 1)", format!("{kind}attribute_type, operand type: N")),
        (
            "attribute_exists('a')",
            "Operator or function requires a document path; operator or function: attribute_exists".to_owned(),
        ),
        (
            "attribute_exists()",
            "Incorrect number of operands for operator or function; operator or function: attribute_exists, number of \
             operands: 0"
                .to_owned(),
        ),
        (
            "size(a, b) = 1",
            "Incorrect number of operands for operator or function; operator or function: size, number of operands: 2"
                .to_owned(),
        ),
        (
            "a IN []",
            "IN operator must have a left hand argument of type Variable Reference and right hand argument of type Seq with \
             at least one member"
                .to_owned(),
        ),
        (
            "attribute_exists(a) = true",
            "Conditions are not supported as operands here; operator or function: =".to_owned(),
        ),
    ] {
        assert_eq!(refusal(&format!("SELECT * FROM t WHERE {condition}")), why);
    }
    let in_many = format!("SELECT * FROM t WHERE a IN [{}1]", "1,".repeat(100));
    assert_eq!(
        refusal(&in_many),
        "The IN operator is provided with too many operands; number of operands: 101"
    );
}

#[test]
fn updates_that_cannot_be_are_told() {
    for (set, why) in [
        (
            "t = set_add(ss, <<'x'>>)",
            "The first argument to SET_ADD must equal the assignment value at 1:18:7",
        ),
        (
            "ss = set_add(ss)",
            "SET_ADD must have exactly two arguments at 1:19:7",
        ),
        (
            "ss = set_delete(ss, ['x'])",
            "The second argument to SET_DELETE must be a value with type SET at 1:30:2",
        ),
        (
            "a = if_not_exists(a, 1)",
            "Unrecognized function: if_not_exists at 1:18:13",
        ),
        (
            "a = 'a' + 1",
            "Incorrect operand type for operator or function; operator or function: +, operand type: S",
        ),
        (
            "a = 1, a.b = 2",
            "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: \
             [a, b]",
        ),
    ] {
        assert_eq!(refusal(&format!("UPDATE t SET {set}")), why);
    }
}

#[test]
fn statements_are_bounded() {
    let long = format!("SELECT * FROM t WHERE a = '{}'", "x".repeat(8192));
    assert_eq!(refusal(&long), "The statement is too long");
    let deep = format!("SELECT * FROM t WHERE {}a = 1", "(".repeat(4000));
    assert_eq!(refusal(&deep), "The expression is nested too deeply");
    let wide = format!("SELECT * FROM t WHERE a = ?{}", " OR a = ?".repeat(400));
    let read = crate::statement(&wide, vec![text("x"); 401]);
    assert_eq!(
        read.unwrap_err().to_string(),
        "The expression contains too many operators; operator count: 301"
    );
}
