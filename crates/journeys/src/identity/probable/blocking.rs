//! Which pairs are compared: those that share a blocking key.
//!
//! Each rule is a key by record. A block of more records than allowed is left out and counted:
//! what a thousand records share says little, and its pairs are half a million.

use std::collections::HashMap;

use super::ProbableSettings;
use super::records::{NONE, Records, pairs_of};

/// Most rules that are made of fields.
pub(super) const RULES_MAX: usize = 16;
/// A rule that is made of fields gives at most so many pairs a record, all of them so many.
const RULE_PAIRS: f64 = 10.0;
const ALL_PAIRS: f64 = 40.0;
/// So many pairs are few for any number of records.
const FEW_PAIRS: f64 = 20_000.0;

/// One blocking pass.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: String,
    /// Fields that all pairs of a block agree in.
    pub(super) fields: Vec<usize>,
    /// The key by record.
    keys: Vec<u32>,
    /// Records by key; those without one are not there.
    members: Vec<u32>,
    /// Where the block of a key begins among the members, and after the last key, where it ends.
    starts: Vec<u32>,
    /// Most records of a block that is used.
    size_max: u32,
}

/// What a blocking pass found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockingRow {
    /// The rule: the fields or the given key that the pairs share.
    pub rule: String,
    /// Blocks of at least two records.
    pub block_count: u64,
    /// Pairs in those that were used.
    pub pair_count: u64,
    /// Records of the largest block that was used.
    pub size_max: u64,
    /// Blocks that were left out because they are too large.
    pub left_out_block_count: u64,
    /// Records in them.
    pub left_out_record_count: u64,
}

impl Rule {
    fn new(name: String, fields: Vec<usize>, keys: Vec<u32>, size_max: u32) -> Self {
        let most = keys.iter().max().copied().unwrap_or(NONE) as usize;
        let mut starts = vec![0_u32; most + 2];
        for key in keys.iter().filter(|key| **key != NONE) {
            starts[*key as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let count = starts.last().copied().unwrap_or_default() as usize;
        let mut members = vec![0; count];
        for (record, key) in keys.iter().enumerate().filter(|(_, key)| **key != NONE) {
            let place = &mut next[*key as usize];
            // Records are at most 2^32.
            members[*place as usize] = u32::try_from(record).unwrap_or(u32::MAX);
            *place += 1;
        }
        Self {
            name,
            fields,
            keys,
            members,
            starts,
            size_max,
        }
    }

    /// Leaves out the largest blocks, so that no more pairs than these are left.
    fn narrowed(mut self, pairs_max: f64) -> Self {
        let largest = self.blocks().map(<[u32]>::len).max().unwrap_or(0);
        let largest = largest.min(self.size_max as usize);
        let mut by_size = vec![0.0; largest + 1];
        for block in self.blocks().filter(|block| block.len() <= largest) {
            by_size[block.len()] += pairs_of(block.len() as u64);
        }
        let mut sum = 0.0;
        let fitting = by_size.iter().take_while(|pairs| {
            sum += **pairs;
            sum <= pairs_max
        });
        let size_max = fitting.count().saturating_sub(1);
        self.size_max = u32::try_from(size_max).unwrap_or(u32::MAX);
        self
    }

    fn block(&self, key: u32) -> &[u32] {
        let (from, to) = (self.starts[key as usize], self.starts[key as usize + 1]);
        &self.members[from as usize..to as usize]
    }

    fn blocks(&self) -> impl Iterator<Item = &[u32]> {
        (1..self.starts.len().saturating_sub(1)).map(|key| {
            let (from, to) = (self.starts[key], self.starts[key + 1]);
            &self.members[from as usize..to as usize]
        })
    }

    fn is_used(&self, block: &[u32]) -> bool {
        block.len() as u64 <= u64::from(self.size_max)
    }

    /// The pass brings these two together.
    fn joins(&self, a: usize, b: usize) -> bool {
        let key = self.keys[a];
        key != NONE && key == self.keys[b] && self.is_used(self.block(key))
    }

    pub(super) fn row(&self) -> BlockingRow {
        let mut row = BlockingRow {
            rule: self.name.clone(),
            block_count: 0,
            pair_count: 0,
            size_max: 0,
            left_out_block_count: 0,
            left_out_record_count: 0,
        };
        for block in self.blocks().filter(|block| block.len() > 1) {
            let size = block.len() as u64;
            row.block_count += 1;
            if self.is_used(block) {
                row.pair_count += size * (size - 1) / 2;
                row.size_max = row.size_max.max(size);
            } else {
                row.left_out_block_count += 1;
                row.left_out_record_count += size;
            }
        }
        row
    }

    pub(super) fn pair_count(&self) -> f64 {
        let used = self.blocks().filter(|block| self.is_used(block));
        used.map(|block| pairs_of(block.len() as u64)).sum()
    }
}

/// The passes over the records: those of the keys that are given, else those made of the fields.
pub(super) fn rules(records: &Records, settings: &ProbableSettings) -> Vec<Rule> {
    if records.layout.blocks.is_empty() {
        return rules_of_fields(records, settings.block_max);
    }
    let given = records.layout.blocks.iter().zip(&records.blocks);
    let rules = given.map(|(name, keys)| {
        // A key is taken to be made of the fields that it is named after.
        let fields = records.layout.fields.iter().enumerate();
        let named = fields.filter(|(_, field)| is_named(name, &field.name));
        let fields = named.map(|(place, _)| place).collect();
        Rule::new(name.clone(), fields, keys.clone(), settings.block_max)
    });
    rules.collect()
}

/// `last_birth_year` is named after `last`, and after `birth_year`.
fn is_named(key: &str, field: &str) -> bool {
    format!("_{key}_").contains(&format!("_{field}_"))
}

/// A field alone where it brings few pairs together, else two of those that do not, their largest
/// blocks left out where even these are many.
fn rules_of_fields(records: &Records, block_max: u32) -> Vec<Rule> {
    let per_record = |pairs: f64| (pairs * records.len() as f64).max(FEW_PAIRS);
    let (most, most_of_all) = (per_record(RULE_PAIRS), per_record(ALL_PAIRS));
    let mut found = Vec::new();
    let mut broad = Vec::new();
    for field in 0..records.columns.len() {
        let keys = records.columns[field].blocking_key().to_vec();
        let rule = Rule::new(named(records, &[field]), vec![field], keys, block_max);
        // Judged by all blocks: a rule that would leave much out is better made narrower.
        if all_pairs(&rule) <= most {
            found.push(rule);
        } else {
            broad.push(field);
        }
    }
    for (place, first) in broad.iter().enumerate() {
        for second in &broad[place + 1..] {
            let keys = both(
                records.columns[*first].blocking_key(),
                records.columns[*second].blocking_key(),
            );
            let fields = vec![*first, *second];
            let rule = Rule::new(named(records, &fields), fields, keys, block_max);
            found.push(rule.narrowed(most));
            keep_best(&mut found);
        }
    }
    keep_best(&mut found);
    if found.is_empty() {
        // Whatever there is, its large blocks left out.
        let rules = broad.iter().map(|field| {
            let keys = records.columns[*field].blocking_key().to_vec();
            Rule::new(named(records, &[*field]), vec![*field], keys, block_max).narrowed(most)
        });
        return rules.collect();
    }
    let mut sum = 0.0;
    found.retain(|rule| {
        sum += rule.pair_count();
        sum <= most_of_all
    });
    found
}

/// The narrowest rules first, of equal ones in the order of the fields, and no more than allowed.
fn keep_best(rules: &mut Vec<Rule>) {
    rules.sort_by(|a, b| {
        let pairs = all_pairs(a).total_cmp(&all_pairs(b));
        pairs.then_with(|| a.fields.cmp(&b.fields))
    });
    rules.truncate(RULES_MAX);
}

fn all_pairs(rule: &Rule) -> f64 {
    rule.blocks()
        .map(|block| pairs_of(block.len() as u64))
        .sum()
}

fn named(records: &Records, fields: &[usize]) -> String {
    let names = fields.iter().map(|field| {
        let name = &records.layout.fields[*field].name;
        match records.columns[*field].sounds {
            Some(_) => format!("sound of {name}"),
            None => name.clone(),
        }
    });
    names.collect::<Vec<String>>().join(" and ")
}

/// One key of two.
fn both(first: &[u32], second: &[u32]) -> Vec<u32> {
    let mut numbers: HashMap<(u32, u32), u32> = HashMap::new();
    let pairs = first.iter().zip(second).map(|(a, b)| {
        if *a == NONE || *b == NONE {
            return NONE;
        }
        let next = u32::try_from(numbers.len() + 1).unwrap_or(u32::MAX);
        *numbers.entry((*a, *b)).or_insert(next)
    });
    pairs.collect()
}

/// All pairs of a pass, the record of the smaller key first; `is_new` where no pass before it has
/// the pair.
pub(super) fn each_pair(rules: &[Rule], at: usize, mut visit: impl FnMut(usize, usize, bool)) {
    let rule = &rules[at];
    for block in rule.blocks().filter(|block| rule.is_used(block)) {
        for (place, a) in block.iter().enumerate() {
            for b in &block[place + 1..] {
                // Members of a block stand in the order of the records.
                let (a, b) = (*a as usize, *b as usize);
                let is_new = !rules[..at].iter().any(|earlier| earlier.joins(a, b));
                visit(a, b, is_new);
            }
        }
    }
}
