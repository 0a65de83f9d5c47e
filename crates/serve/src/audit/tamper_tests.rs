//! Somebody changes the log in thousands of ways; each is seen, and the first bad record named.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest as _, Sha256};

use super::chain::Head;
use super::tests::{clock, event};
use super::verify::{Content, check};
use super::*;

/// A log of two files, in memory: lines without their ends.
#[derive(Clone)]
struct Log {
    files: Vec<Vec<Vec<u8>>>,
    head: Vec<u8>,
    anchor: Vec<u8>,
}

const FIRST: usize = 17;
const COUNT: usize = 40;

fn written(place: &Place) -> Log {
    let clock = clock();
    let (mut last, mut lines, mut anchor) = (Head::empty(), Vec::new(), Vec::new());
    for number in 0..COUNT {
        let (line, head) = chain::seal(&event(number as u64), &last, clock(), &place.key);
        lines.push(line.into_bytes());
        last = head;
        if number % 10 == 9 {
            anchor.extend_from_slice(last.line().as_bytes());
        }
    }
    let second = lines.split_off(FIRST);
    Log {
        files: vec![lines, second],
        head: last.line().into_bytes(),
        anchor,
    }
}

fn verified(log: &Log, place: &Place) -> Verified {
    let first = [1, FIRST as u64 + 1];
    let contents = log.files.iter().zip(first).map(|(lines, first)| {
        let mut bytes = lines.join(&b'\n');
        if !lines.is_empty() {
            bytes.push(b'\n');
        }
        Ok(Content {
            name: format!("{first:012}.jsonl"),
            first,
            bytes,
        })
    });
    check(contents, Some(&log.head), Some(&log.anchor), place).expect("checked")
}

/// Every line, with its sequence.
fn at(log: &mut Log, index: usize) -> &mut Vec<u8> {
    match index < log.files[0].len() {
        true => &mut log.files[0][index],
        false => {
            let index = index - log.files[0].len();
            &mut log.files[1][index]
        }
    }
}

/// Changes the log in one way; gives what was done, and the sequence of the first bad record.
fn tamper(log: &mut Log, random: &mut ChaCha8Rng) -> (&'static str, u64) {
    let index = random.random_range(0..COUNT);
    let seq = index as u64 + 1;
    match random.random_range(0..10) {
        0 => {
            let line = at(log, index);
            let byte = random.random_range(0..line.len());
            let before = line[byte];
            while line[byte] == before {
                line[byte] = random.random();
            }
            ("a byte is changed", seq)
        }
        1 => {
            let line = at(log, index);
            let text = String::from_utf8_lossy(line).replace("\"ana\"", "\"bob\"");
            *line = text.into_bytes();
            ("a name is changed", seq)
        }
        2 => {
            // By somebody who knows how the hash is made, but not the key.
            let line = at(log, index);
            let text = String::from_utf8_lossy(line).replace("\"ana\"", "\"bob\"");
            let content = text
                .split(",\"hash\":\"")
                .next()
                .expect("content")
                .to_owned();
            let mac = text.rsplit('"').nth(1).expect("a signature").to_owned();
            let hash = hex::encode(Sha256::digest(content.as_bytes()));
            *line = format!("{content},\"hash\":\"{hash}\",\"mac\":\"{mac}\"}}").into_bytes();
            ("a name and the hash are changed", seq)
        }
        3 => {
            match index < FIRST {
                true => drop(log.files[0].remove(index)),
                false => drop(log.files[1].remove(index - FIRST)),
            }
            ("a record is dropped", seq)
        }
        4 => {
            let other = (index + random.random_range(1..COUNT)) % COUNT;
            let (one, another) = (at(log, index).clone(), at(log, other).clone());
            *at(log, index) = another;
            *at(log, other) = one;
            ("two records change places", (index.min(other)) as u64 + 1)
        }
        5 => {
            let copy = at(log, random.random_range(0..COUNT)).clone();
            let (file, place) = if index < FIRST {
                (0, index)
            } else {
                (1, index - FIRST)
            };
            log.files[file].insert(place, copy.clone());
            // A copy of the record itself, before it, is right; the record after it is not.
            let is_itself = log.files[file].get(place + 1) == Some(&copy);
            ("a record is inserted", seq + u64::from(is_itself))
        }
        6 => {
            let drop_from = |lines: &mut Vec<Vec<u8>>, from: usize| lines.truncate(from);
            match index < FIRST {
                true => {
                    drop_from(&mut log.files[0], index);
                    log.files[1].clear();
                }
                false => drop_from(&mut log.files[1], index - FIRST),
            }
            ("the tail is cut off", seq)
        }
        7 => {
            let line = at(log, index);
            let length = random.random_range(0..line.len());
            line.truncate(length);
            ("a line is cut", seq)
        }
        8 => {
            let line = at(log, index);
            let byte = random.random_range(0..=line.len());
            line.insert(byte, b" \t0x\""[random.random_range(0..5)]);
            ("a byte is put in", seq)
        }
        _ => {
            // The tail and the note of the newest: only the anchor can know.
            let keep = random.random_range(0..COUNT);
            let mut lines = log.files.concat();
            lines.truncate(keep);
            let last = lines
                .last()
                .map(|line| chain::parse(line).expect("a record"));
            let key = Key::derive(KEY, PURPOSE);
            log.head = match last {
                // Somebody who kept the note of that time.
                Some(line) => line.head(&key).line().into_bytes(),
                None => Vec::new(),
            };
            let second = lines.split_off(lines.len().min(FIRST));
            log.files = vec![lines, second];
            log.files.retain(|lines| !lines.is_empty());
            ("the tail is cut off and the note set back", keep as u64 + 1)
        }
    }
}

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

#[test]
fn ten_thousand_ways_to_change_it_are_all_seen() {
    let place = Place::new(std::path::Path::new("/nowhere"), None, KEY);
    let whole = written(&place);
    let right = verified(&whole, &place);
    assert_eq!((right.records, right.anchored), (COUNT as u64, Some(4)));
    assert_eq!(right.first_bad, None);
    for seed in 0..10_000 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut log = whole.clone();
        let (what, seq) = tamper(&mut log, &mut random);
        let bad = verified(&log, &place).first_bad;
        let bad = bad.unwrap_or_else(|| panic!("{seed}: {what} at {seq} is not seen"));
        assert_eq!(bad.seq, seq, "{seed}: {what}: {bad:?}");
    }
}

#[test]
fn a_changed_anchor_or_note_is_seen() {
    let place = Place::new(std::path::Path::new("/nowhere"), None, KEY);
    let whole = written(&place);
    for seed in 0..500 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut log = whole.clone();
        let bytes = if seed % 2 == 0 {
            &mut log.anchor
        } else {
            &mut log.head
        };
        // Not the last line's end: without it, the line may be one that is being written.
        let index = random.random_range(0..bytes.len() - 1);
        let before = bytes[index];
        while bytes[index] == before {
            bytes[index] = random.random_range(b'!'..=b'~');
        }
        assert!(
            verified(&log, &place).first_bad.is_some(),
            "{seed}: {index}"
        );
    }
}
