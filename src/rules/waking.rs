//! Which conditions, or which triggers of contexts, are worth a look on a page: those of which every needed word is in
//! one stretch.
//!
//! The needs of each, rarest first, make a tree in which what begins alike is asked once; a page enters it only by the
//! words that are there. So the cost of a message hardly grows with the number of rules.

use super::lexicon::{OneOf, Sets};
use super::page::{Page, Stretches};

/// The tree, laid out in a row: each node is followed by those below it.
#[derive(Debug, Default)]
pub struct Waking {
    nodes: Vec<Node>,
    /// What the nodes wake, each by its place here.
    wakes: Vec<usize>,
    /// For each term the trees at whose root it is asked for, in order.
    roots: Vec<Vec<usize>>,
}

#[derive(Debug)]
struct Node {
    need: OneOf,
    /// What is woken when all needs down to this one are met.
    wakes: std::ops::Range<usize>,
    /// The first node that is not below this one.
    past: usize,
}

impl Waking {
    /// Makes the tree of these needs and what each wakes.
    pub fn new(mut all: Vec<(Vec<OneOf>, usize)>, terms: usize, sets: &Sets) -> Self {
        all.retain(|(needs, _)| !needs.is_empty());
        all.sort();
        all.dedup();
        let mut tree = Self { roots: vec![Vec::new(); terms], ..Self::default() };
        let mut rest = all.as_slice();
        while let Some((needs, _)) = rest.first() {
            let root = tree.nodes.len();
            let need = needs.first().copied().unwrap_or_default();
            rest = tree.grow(rest, 0);
            for term in sets.get(need as usize).into_iter().flat_map(|terms| terms.iter()) {
                if let Some(roots) = tree.roots.get_mut(*term as usize) {
                    roots.push(root);
                }
            }
        }
        tree
    }

    /// Adds the node of the first one's need at this depth, with all below it; gives those that do not share it.
    fn grow<'n>(&mut self, all: &'n [(Vec<OneOf>, usize)], depth: usize) -> &'n [(Vec<OneOf>, usize)] {
        let need = |entry: &(Vec<OneOf>, usize)| entry.0.get(depth).copied();
        let Some(own) = all.first().and_then(need) else { return &[] };
        let shared = all.iter().take_while(|entry| need(entry) == Some(own)).count();
        let (below, others) = all.split_at_checked(shared).unwrap_or((all, &[]));
        let index = self.nodes.len();
        // Sorted, so those that need no more stand first.
        let ends = below.iter().take_while(|(needs, _)| needs.len() == depth + 1).count();
        let (done, mut below) = below.split_at_checked(ends).unwrap_or((below, &[]));
        let from = self.wakes.len();
        self.wakes.extend(done.iter().map(|(_, what)| *what));
        self.nodes.push(Node { need: own, wakes: from..self.wakes.len(), past: 0 });
        while !below.is_empty() {
            below = self.grow(below, depth + 1);
        }
        let past = self.nodes.len();
        if let Some(node) = self.nodes.get_mut(index) {
            node.past = past;
        }
        others
    }

    /// Tells what is woken, and in which stretches of the page; one thing may be told several times.
    pub fn wake(&self, page: &mut Page, sets: &Sets, mut woken: impl FnMut(usize, Stretches)) {
        let mut roots: Vec<usize> =
            page.present.iter().filter_map(|term| self.roots.get(*term as usize)).flatten().copied().collect();
        roots.sort_unstable();
        roots.dedup();
        let mut met: Vec<(usize, Stretches)> = Vec::new();
        for root in roots {
            let end = self.nodes.get(root).map_or(root, |node| node.past);
            let mut at = root;
            met.clear();
            met.push((end, !0));
            while at < end
                && let Some(node) = self.nodes.get(at)
            {
                while met.last().is_some_and(|(past, _)| *past <= at) {
                    met.pop();
                }
                let reach = met.last().map_or(!0, |(_, reach)| *reach) & page.reach(node.need, sets);
                if reach == 0 {
                    at = node.past;
                    continue;
                }
                self.wakes.get(node.wakes.clone()).into_iter().flatten().for_each(|what| woken(*what, reach));
                met.push((node.past, reach));
                at += 1;
            }
        }
    }
}
