//! What is kept between two calls of a client: statements to be run, and prepared ones.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::seal::Id;
use crate::access::PrincipalId;

/// What may be kept for one principal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    /// So many.
    pub(super) count: usize,
    /// So many bytes of statements and parameters.
    pub(super) bytes: usize,
    /// The oldest give way to new ones; otherwise new ones are refused.
    pub(super) oldest_go: bool,
}

/// Something that is kept.
#[derive(Debug)]
pub(super) struct Entry<T> {
    /// Whose it is.
    pub(super) owner: PrincipalId,
    /// The log-in that it was made in.
    pub(super) login: u64,
    /// The state of the tables that it is about; empty: the newest.
    pub(super) snapshot: String,
    /// Until when, in microseconds.
    until: AtomicI64,
    bytes: AtomicUsize,
    /// What it is.
    pub(super) value: T,
}

impl<T> Entry<T> {
    /// Of a principal in a log-in, of about so many bytes.
    pub(super) fn new(owner: PrincipalId, login: u64, bytes: usize, value: T) -> Self {
        Self {
            owner,
            login,
            snapshot: String::new(),
            until: AtomicI64::new(i64::MAX),
            bytes: AtomicUsize::new(bytes),
            value,
        }
    }

    /// The same about a state of the tables, until a time in microseconds.
    pub(super) fn holding(mut self, snapshot: &str, until: i64) -> Self {
        snapshot.clone_into(&mut self.snapshot);
        self.until = AtomicI64::new(until);
        self
    }

    /// Keeps it longer.
    pub(super) fn keep_until(&self, until: i64) {
        self.until.fetch_max(until, Ordering::Relaxed);
    }

    fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    fn is_over(&self, now: i64) -> bool {
        self.until.load(Ordering::Relaxed) <= now
    }
}

/// All that is kept of one kind.
#[derive(Debug)]
pub(super) struct Kept<T> {
    most: Most,
    all: Mutex<HashMap<Id, Arc<Entry<T>>>>,
}

impl<T> Kept<T> {
    pub(super) fn new(most: Most) -> Self {
        Self {
            most,
            all: Mutex::default(),
        }
    }

    /// Keeps something; false if its owner has too much already.
    pub(super) fn insert(&self, id: Id, entry: Entry<T>, now: i64) -> bool {
        if entry.bytes() > self.most.bytes {
            return false;
        }
        let mut all = self.all();
        all.retain(|_, kept| !kept.is_over(now));
        let mut own: Vec<(i64, Id, usize)> = all
            .iter()
            .filter(|(_, kept)| kept.owner == entry.owner)
            .map(|(id, kept)| (kept.until.load(Ordering::Relaxed), *id, kept.bytes()))
            .collect();
        own.sort_unstable();
        let mut count = own.len() + 1;
        let mut bytes = entry.bytes() + own.iter().map(|(_, _, bytes)| bytes).sum::<usize>();
        for (_, oldest, freed) in own {
            if count <= self.most.count && bytes <= self.most.bytes {
                break;
            }
            if !self.most.oldest_go {
                return false;
            }
            all.remove(&oldest);
            count -= 1;
            bytes -= freed;
        }
        all.insert(id, Arc::new(entry));
        true
    }

    /// Notes that something takes so many bytes now; false if that is too much for its owner.
    pub(super) fn resize(&self, entry: &Entry<T>, bytes: usize) -> bool {
        let all = self.all();
        let own = all.values().filter(|kept| kept.owner == entry.owner);
        let before: usize = own.map(|kept| kept.bytes()).sum();
        let fits = before.saturating_sub(entry.bytes()).saturating_add(bytes) <= self.most.bytes;
        if fits {
            entry.bytes.store(bytes, Ordering::Relaxed);
        }
        fits
    }

    /// What is kept under this name.
    pub(super) fn get(&self, id: &Id, now: i64) -> Option<Arc<Entry<T>>> {
        let found = self.all().get(id).cloned();
        found.filter(|entry| !entry.is_over(now))
    }

    /// Keeps it no longer.
    pub(super) fn remove(&self, id: &Id) -> Option<Arc<Entry<T>>> {
        self.all().remove(id)
    }

    /// Keeps nothing of a log-in any longer; gives what was kept.
    pub(super) fn end(&self, login: u64) -> Vec<Arc<Entry<T>>> {
        let mut all = self.all();
        let ended = all
            .extract_if(|_, kept| kept.login == login)
            .map(|(_, kept)| kept);
        ended.collect()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Id, Arc<Entry<T>>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Principal;

    fn kept(oldest_go: bool) -> Kept<&'static str> {
        Kept::new(Most {
            count: 2,
            bytes: 100,
            oldest_go,
        })
    }

    fn entry(name: &str, until: i64, bytes: usize) -> Entry<&'static str> {
        let owner = Principal::user(name, []).id();
        Entry::new(owner, 1, bytes, "x").holding("", until)
    }

    #[test]
    fn each_principal_has_its_own_share() {
        let all = kept(false);
        for number in 0..2 {
            assert!(all.insert([number; 16], entry("ana", 10, 10), 0));
        }
        assert!(!all.insert([2; 16], entry("ana", 10, 10), 0));
        assert!(all.insert([3; 16], entry("bob", 10, 10), 0));
        assert!(!all.insert([4; 16], entry("bob", 10, 91), 0), "bytes");
        let bob = all.get(&[3; 16], 9).expect("kept");
        assert!(!all.resize(&bob, 101) && all.resize(&bob, 100) && !all.resize(&bob, 101));
        // What is over makes room.
        assert!(all.get(&[0; 16], 9).is_some());
        assert!(all.get(&[0; 16], 10).is_none());
        assert!(all.insert([5; 16], entry("ana", 20, 10), 10));
    }

    #[test]
    fn the_oldest_give_way() {
        let all = kept(true);
        for number in 0..4 {
            let until = 10 + i64::from(number);
            assert!(all.insert([number; 16], entry("ana", until, 10), 0));
        }
        let left = |number: u8| all.get(&[number; 16], 0).is_some();
        assert_eq!([0, 1, 2, 3].map(left), [false, false, true, true]);
        assert!(
            !all.insert([9; 16], entry("ana", 10, 101), 0),
            "never so much"
        );
        assert!(all.insert([9; 16], entry("ana", 10, 1), 0));
        assert_eq!(all.end(1).len(), 2);
        assert!(all.end(1).is_empty());
    }
}
