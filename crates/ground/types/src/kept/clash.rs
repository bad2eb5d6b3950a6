//! Keys that could be taken for one another are refused when the program is compiled.

/// Panics, which fails the compilation, where a key begins with another one.
pub(super) const fn refuse(lists: &[&[&str]]) {
    let mut of = 0;
    while of < lists.len() {
        let mut at = 0;
        while at < lists[of].len() {
            refuse_key(lists, of, at);
            at += 1;
        }
        of += 1;
    }
}

/// The same for the key at `at` of the list `of`.
const fn refuse_key(lists: &[&[&str]], of: usize, at: usize) {
    let mut other_of = 0;
    while other_of < lists.len() {
        let mut other_at = 0;
        while other_at < lists[other_of].len() {
            let is_same = of == other_of && at == other_at;
            let (key, other) = (lists[of][at], lists[other_of][other_at]);
            assert!(
                is_same || !begins_with(key.as_bytes(), other.as_bytes()),
                "a key of the catalog begins with another one"
            );
            other_at += 1;
        }
        other_of += 1;
    }
}

const fn begins_with(key: &[u8], start: &[u8]) -> bool {
    if start.len() > key.len() {
        return false;
    }
    let mut at = 0;
    while at < start.len() {
        if key[at] != start[at] {
            return false;
        }
        at += 1;
    }
    true
}
