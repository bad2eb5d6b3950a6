//! All indexes keep rows in the same way.

use headwater_env::Env;

use super::*;

fn contract(index: &dyn Index) {
    let put = |key: &'static str, value: &'static str| (key.into(), Some(value.into()));
    let rows = |view: &dyn View, from: &str, to: &str, descending: bool| {
        let span = Span {
            from: from.into(),
            to: to.into(),
        };
        let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        let rows = view.range(&span, descending).map(Result::unwrap);
        rows.map(|(key, value)| text(key) + &text(value))
            .collect::<Vec<_>>()
    };
    index
        .write(vec![put("a", "1"), put("b", "2"), put("c", "3")])
        .unwrap();
    let before = index.view();
    index
        .write(vec![("b".into(), None), put("d", "4")])
        .unwrap();
    let after = index.view();
    assert_eq!(before.get(b"b").unwrap().as_deref(), Some(&b"2"[..]));
    assert_eq!(after.get(b"b").unwrap(), None);
    assert_eq!(rows(&*before, "a", "z", false), ["a1", "b2", "c3"]);
    assert_eq!(rows(&*after, "a", "d", false), ["a1", "c3"]);
    assert_eq!(rows(&*after, "b", "e", true), ["d4", "c3"]);
    assert!(rows(&*after, "e", "b", false).is_empty());
    assert_eq!(index.get(b"d").unwrap().as_deref(), Some(&b"4"[..]));
    assert_eq!(index.get(b"b").unwrap(), None);
    index.sync().unwrap();
}

#[test]
fn both_kinds_keep_rows_and_views() {
    contract(&MemoryIndex::default());
    let (disk, dir) = (Env::real().disk, tempfile::tempdir().unwrap());
    {
        let index = FjallIndex::open(&*disk, dir.path()).unwrap();
        contract(&index);
    }
    let index = FjallIndex::open(&*disk, dir.path()).unwrap();
    let found = index.view().get(b"d").unwrap();
    assert_eq!(found.as_deref(), Some(&b"4"[..]));
}

#[test]
fn keys_behind_others() {
    assert_eq!(behind_all(vec![1, 2]), [1, 3]);
    assert_eq!(behind_all(vec![1, 255, 255]), [2]);
    assert_eq!(behind(vec![1]), [1, 0]);
}
#[test]
fn a_late_index_is_made_with_the_first_row() {
    let (disk, dir) = (Env::real().disk, tempfile::tempdir().unwrap());
    let folder = dir.path().join("index");
    let open = || LateIndex::open(disk.clone(), folder.clone()).unwrap();
    let index = open();
    index.write(Batch::new()).unwrap();
    index.sync().unwrap();
    index.health().unwrap();
    let before = index.view();
    assert!(!folder.exists());
    contract(&index);
    assert!(folder.exists());
    assert_eq!(before.get(b"d").unwrap(), None);
    drop(index);
    let found = open().view().get(b"d").unwrap();
    assert_eq!(found.as_deref(), Some(&b"4"[..]));
}
