//! Which conditions, triggers of contexts or alternatives are worth a look on a page: those of which every needed word is
//! in one stretch.
//!
//! The needs of each, rarest first, make a tree in which what begins alike is asked once; a page enters it only by the
//! words that are there. So the cost of a message hardly grows with the number of rules.

use super::lexicon::{OneOf, Sets, Term};
use super::page::{Page, Stretches};

/// The tree, laid out in a row: each node is followed by those below it.
#[derive(Debug)]
pub struct Waking<T> {
    nodes: Vec<Node>,
    /// What the nodes wake, each by its place here.
    wakes: Vec<T>,
    /// The nodes without one above them.
    roots: Vec<usize>,
    /// The roots at which a term is asked for, by their place in `roots`: one term's after the other's.
    by_term: Vec<u32>,
    /// For each term where its own begin, and the end of the last.
    of_term: Vec<u32>,
}

#[derive(Debug)]
struct Node {
    need: OneOf,
    /// What is woken when all needs down to this one are met.
    wakes: std::ops::Range<usize>,
    /// The first node that is not below this one.
    past: usize,
}

impl<T: Copy + Ord> Waking<T> {
    /// Makes the tree of these needs and what each wakes.
    pub fn new(mut all: Vec<(Vec<OneOf>, T)>, terms: usize, sets: &Sets) -> Self {
        all.retain(|(needs, _)| !needs.is_empty());
        all.sort();
        all.dedup();
        let mut tree = Self {
            nodes: Vec::new(),
            wakes: Vec::new(),
            roots: Vec::new(),
            by_term: Vec::new(),
            of_term: Vec::with_capacity(terms + 1),
        };
        let mut by_term: Vec<Vec<u32>> = vec![Vec::new(); terms];
        let mut rest = all.as_slice();
        while let Some((needs, _)) = rest.first() {
            let root = u32::try_from(tree.roots.len()).unwrap_or(u32::MAX);
            tree.roots.push(tree.nodes.len());
            let need = needs.first().copied().unwrap_or_default();
            rest = tree.grow(rest, 0);
            for term in sets.get(need as usize).into_iter().flat_map(|terms| terms.iter()) {
                if let Some(roots) = by_term.get_mut(*term as usize) {
                    roots.push(root);
                }
            }
        }
        let end = |tree: &Self| u32::try_from(tree.by_term.len()).unwrap_or(u32::MAX);
        for roots in &by_term {
            tree.of_term.push(end(&tree));
            tree.by_term.extend_from_slice(roots);
        }
        tree.of_term.push(end(&tree));
        tree
    }

    /// The roots at which a term is asked for.
    fn roots_of(&self, term: Term) -> &[u32] {
        match self.of_term.get(term as usize..) {
            Some([from, to, ..]) => self.by_term.get(*from as usize..*to as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Adds the node of the first one's need at this depth, with all below it; gives those that do not share it.
    fn grow<'n>(&mut self, all: &'n [(Vec<OneOf>, T)], depth: usize) -> &'n [(Vec<OneOf>, T)] {
        let need = |entry: &(Vec<OneOf>, T)| entry.0.get(depth).copied();
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

    /// Tells what is woken, and in which stretches of the page; in no order, and one thing perhaps several times.
    pub fn wake(&self, page: &mut Page, sets: &Sets, mut woken: impl FnMut(T, Stretches)) {
        let mut reaches = std::mem::take(&mut page.waking);
        reaches.resize(reaches.len().max(self.roots.len()), 0);
        let (mut entered, mut met) = (std::mem::take(&mut page.entered), std::mem::take(&mut page.met));
        for term in &page.present {
            let more = page.reach_of_term(*term);
            for root in self.roots_of(*term) {
                let Some(reach) = reaches.get_mut(*root as usize) else { continue };
                if *reach == 0 {
                    entered.push(*root);
                }
                *reach |= more;
            }
        }
        for root in entered.drain(..) {
            let reach = reaches.get_mut(root as usize).map(std::mem::take).unwrap_or(0);
            let Some(root) = self.roots.get(root as usize) else { continue };
            let Some(node) = self.nodes.get(*root) else { continue };
            self.wakes.get(node.wakes.clone()).into_iter().flatten().for_each(|what| woken(*what, reach));
            let (end, mut at) = (node.past, root + 1);
            met.clear();
            met.push((end, reach));
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
        met.clear();
        (page.waking, page.entered, page.met) = (reaches, entered, met);
    }
}
