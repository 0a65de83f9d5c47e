//! Union-find over dense numbers.

/// Union-find with path halving; the larger tree takes the smaller one.
#[derive(Debug, Clone)]
pub(super) struct Forest {
    parent: Vec<u32>,
    size: Vec<u32>,
}

impl Forest {
    /// So many nodes, each alone.
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            parent: (0..).take(nodes).collect(),
            size: vec![1; nodes],
        }
    }

    /// The node that stands for the set.
    pub(super) fn find(&mut self, mut node: usize) -> usize {
        while self.parent[node] as usize != node {
            let above = self.parent[node] as usize;
            self.parent[node] = self.parent[above];
            node = self.parent[node] as usize;
        }
        node
    }

    /// Makes two sets one.
    pub(super) fn union(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        if a == b {
            return;
        }
        let (large, small) = if self.size[a] < self.size[b] {
            (b, a)
        } else {
            (a, b)
        };
        // Numbers came from u32, so this never truncates.
        self.parent[small] = large as u32;
        self.size[large] += self.size[small];
    }
}
