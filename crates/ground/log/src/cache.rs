//! A small cache with a budget: what was used lately stays, what was not goes in one sweep.

use std::{collections::HashMap, hash::Hash};

use parking_lot::Mutex;

/// Keeps values up to a total weight. Two generations: a value that is used moves to the young one, and when the
/// young one has half of the budget, the old one is dropped and they change places.
pub struct Cache<K, V> {
    budget: usize,
    generations: Mutex<Generations<K, V>>,
}

struct Generations<K, V> {
    young: HashMap<K, (V, usize)>,
    old: HashMap<K, (V, usize)>,
    young_weight: usize,
}

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    /// A cache for values of `budget` in all.
    pub fn new(budget: usize) -> Self {
        let generations = Generations {
            young: HashMap::new(),
            old: HashMap::new(),
            young_weight: 0,
        };
        Self {
            budget,
            generations: Mutex::new(generations),
        }
    }

    /// The value of `key`, or the one that `make` makes with its weight.
    pub fn get_or<E>(&self, key: K, make: impl FnOnce() -> Result<(V, usize), E>) -> Result<V, E> {
        if let Some(value) = self.get(&key) {
            return Ok(value);
        }
        // Two callers may make the same value: better than making one wait behind the other's read of the disk.
        let (value, weight) = make()?;
        self.insert(key, value.clone(), weight);
        Ok(value)
    }

    fn get(&self, key: &K) -> Option<V> {
        let mut generations = self.generations.lock();
        if let Some((value, _)) = generations.young.get(key) {
            return Some(value.clone());
        }
        let (key, (value, weight)) = generations.old.remove_entry(key)?;
        generations.insert(key, value.clone(), weight, self.budget);
        Some(value)
    }

    /// Keeps a value that was not asked for yet.
    pub fn insert(&self, key: K, value: V, weight: usize) {
        self.generations
            .lock()
            .insert(key, value, weight, self.budget);
    }

    /// The weight of all that is kept.
    pub fn weight(&self) -> usize {
        let generations = self.generations.lock();
        let old: usize = generations.old.values().map(|(_, weight)| weight).sum();
        generations.young_weight + old
    }

    /// Forgets the values whose key `is_stale`.
    pub fn forget(&self, is_stale: impl Fn(&K) -> bool) {
        let mut generations = self.generations.lock();
        generations.old.retain(|key, _| !is_stale(key));
        generations.young.retain(|key, _| !is_stale(key));
        generations.young_weight = generations.young.values().map(|(_, weight)| weight).sum();
    }
}

impl<K: Eq + Hash, V> Generations<K, V> {
    fn insert(&mut self, key: K, value: V, weight: usize, budget: usize) {
        if let Some((_, replaced)) = self.young.insert(key, (value, weight)) {
            self.young_weight -= replaced;
        }
        self.young_weight += weight;
        if self.young_weight > budget / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_weight = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let cache = Cache::new(100);
        let hot = |made: &mut u32| {
            cache
                .get_or(0, || Ok::<_, ()>((*made, 10)).inspect(|_| *made += 1))
                .unwrap()
        };
        let mut made = 0;
        for key in 1..100 {
            hot(&mut made);
            cache.get_or(key, || Ok::<_, ()>((0, 10))).unwrap();
        }
        assert_eq!(made, 1);
        assert!((50..=100).contains(&cache.weight()));
        assert!(cache.get(&1).is_none() && cache.get(&99).is_some());
        cache.forget(|key| *key == 99);
        assert!(cache.get(&99).is_none());
    }
}
