//! How alike two texts are: Jaro–Winkler for names, edits for codes.

/// Room that comparisons use again and again.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    a: Vec<char>,
    b: Vec<char>,
    taken: Vec<bool>,
    hits: Vec<char>,
    rows: [Vec<u8>; 3],
}

/// Winkler's weight of a letter of the common beginning, and how long that may be.
const PREFIX_WEIGHT: f64 = 0.1;
const PREFIX_MAX: usize = 4;
/// Below it the common beginning adds nothing (Winkler 1990).
const BOOST_FROM: f64 = 0.7;

impl Scratch {
    fn load(&mut self, a: &str, b: &str) {
        self.a.clear();
        self.b.clear();
        self.a.extend(a.chars());
        self.b.extend(b.chars());
        // The longer one first, so that the result is the same from both sides.
        if (self.a.len(), &self.a) < (self.b.len(), &self.b) {
            std::mem::swap(&mut self.a, &mut self.b);
        }
    }

    /// Jaro–Winkler similarity: 1 for equal texts, 0 for texts without a common letter.
    #[cfg(test)]
    pub(super) fn jaro_winkler(&mut self, a: &str, b: &str) -> f64 {
        self.load(a, b);
        let jaro = self.jaro();
        self.boosted(jaro)
    }

    /// Jaro–Winkler similarity (1 for equal texts), or None where it is below `least`: most pairs
    /// of names have too few letters in common, which is seen at once.
    pub(super) fn alike(&mut self, a: &str, b: &str, least: f64) -> Option<f64> {
        self.load(a, b);
        let (common, of_a, of_b) = (self.common(), self.a.len() as f64, self.b.len() as f64);
        let most = (common / of_a + common / of_b + 1.0) / 3.0;
        if common == 0.0 || self.boosted(most) < least {
            return None;
        }
        let jaro = self.jaro();
        Some(self.boosted(jaro)).filter(|alike| *alike >= least)
    }

    /// At most so many letters can be in common.
    fn common(&self) -> f64 {
        let bit = |letter: &char| 1_u64 << (u32::from(*letter) % 64);
        let [in_a, in_b] = [&self.a, &self.b]
            .map(|text| text.iter().fold(0, |letters, letter| letters | bit(letter)));
        let of = |text: &[char], letters: u64| {
            text.iter()
                .filter(|letter| bit(letter) & letters != 0)
                .count()
        };
        of(&self.a, in_b).min(of(&self.b, in_a)) as f64
    }

    fn boosted(&self, jaro: f64) -> f64 {
        if jaro < BOOST_FROM {
            return jaro;
        }
        let pairs = self.a.iter().zip(&self.b).take(PREFIX_MAX);
        let prefix = pairs.take_while(|(a, b)| a == b).count();
        jaro + prefix as f64 * PREFIX_WEIGHT * (1.0 - jaro)
    }

    fn jaro(&mut self) -> f64 {
        let (a, b) = (&self.a, &self.b);
        if a.is_empty() || b.is_empty() {
            return if a.len() == b.len() { 1.0 } else { 0.0 };
        }
        let reach = (a.len() / 2).saturating_sub(1);
        self.taken.clear();
        self.taken.resize(a.len(), false);
        self.hits.clear();
        for (place, letter) in b.iter().enumerate() {
            let from = place.saturating_sub(reach);
            let to = (place + reach + 1).min(a.len());
            let mut window = (from..to).filter(|at| !self.taken[*at] && a[*at] == *letter);
            if let Some(at) = window.next() {
                self.taken[at] = true;
                self.hits.push(*letter);
            }
        }
        let count = self.hits.len();
        if count == 0 {
            return 0.0;
        }
        let taken = a.iter().zip(&self.taken).filter(|(_, taken)| **taken);
        let moved = taken
            .zip(&self.hits)
            .filter(|((one, _), other)| one != other);
        let half_moved = (moved.count() / 2) as f64;
        let hits = count as f64;
        (hits / a.len() as f64 + hits / b.len() as f64 + (hits - half_moved) / hits) / 3.0
    }

    /// Letters put in, taken out, replaced, or swapped with their neighbour that make one text of
    /// the other (optimal string alignment); None where they are more than `most`.
    pub(super) fn edits(&mut self, a: &str, b: &str, most: u8) -> Option<u8> {
        self.load(a, b);
        let (a, b) = (&self.a, &self.b);
        if a.len() - b.len() > usize::from(most) {
            return None;
        }
        let far = most + 1;
        let [before, last, next] = &mut self.rows;
        let first = |at: usize| u8::try_from(at).unwrap_or(u8::MAX).min(far);
        last.clear();
        last.extend((0..=b.len()).map(first));
        before.clone_from(last);
        next.clone_from(last);
        for i in 1..=a.len() {
            next[0] = first(i);
            for j in 1..=b.len() {
                let change = last[j - 1] + u8::from(a[i - 1] != b[j - 1]);
                let mut least = change.min(last[j] + 1).min(next[j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(before[j - 2] + 1);
                }
                next[j] = least.min(far);
            }
            std::mem::swap(before, last);
            std::mem::swap(last, next);
        }
        Some(last[b.len()]).filter(|edits| *edits <= most)
    }
}
