// SPDX-License-Identifier: GPL-2.0

//! All that can happen to a node's counts, with an owner who writes down what it was told.

use crate::{
    collections::counts::{Counts, RefUpdate},
    wire::object::Count,
};
use std::collections::HashSet;

/// At most so many references of each kind; more are not different.
const MAX: u32 = 2;

const BOTH: [Count; 2] = [Count::Strong, Count::Weak];

/// What the owner makes of what it is told of one count.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Belief {
    has: bool,
    is_to_confirm: bool,
}

/// A node, those who refer to it, and its owner.
#[derive(Clone, Copy, Debug, Default)]
struct World {
    counts: Counts,
    /// Strong references of other processes, which are among `counts.refs`.
    strong_refs: u32,
    /// Messages under way to the node.
    pins: u32,
    strong: Belief,
    weak: Belief,
    is_permanent: bool,
}

#[derive(Clone, Copy, Debug)]
enum Action {
    AddRef,
    RemoveRef,
    AddStrongRef,
    RemoveStrongRef,
    Pin,
    Unpin,
    AddLocal(Count),
    RemoveLocal(Count),
    Tell,
    Confirm(Count),
}

const ACTIONS: [Action; 13] = [
    Action::AddRef,
    Action::RemoveRef,
    Action::AddStrongRef,
    Action::RemoveStrongRef,
    Action::Pin,
    Action::Unpin,
    Action::AddLocal(Count::Strong),
    Action::AddLocal(Count::Weak),
    Action::RemoveLocal(Count::Strong),
    Action::RemoveLocal(Count::Weak),
    Action::Tell,
    Action::Confirm(Count::Strong),
    Action::Confirm(Count::Weak),
];

fn one_more(count: &mut u32) -> bool {
    let may = *count < MAX;
    *count += u32::from(may);
    may
}

fn one_less(count: &mut u32, least: u32) -> bool {
    let may = *count > least;
    *count -= u32::from(may);
    may
}

impl World {
    fn manager() -> Self {
        let mut world = Self {
            is_permanent: true,
            ..Self::default()
        };
        world.counts.make_permanent();
        world.strong.has = true;
        world.weak.has = true;
        world
    }

    fn strong_outside(&self) -> bool {
        self.strong_refs > 0 || self.pins > 0
    }

    fn belief(&mut self, count: Count) -> &mut Belief {
        match count {
            Count::Strong => &mut self.strong,
            Count::Weak => &mut self.weak,
        }
    }

    /// The world after `action`, if that can happen now.
    fn after(mut self, action: Action) -> Option<Self> {
        let least = u32::from(self.is_permanent);
        let can_happen = match action {
            Action::AddRef => one_more(&mut self.counts.refs),
            Action::RemoveRef => one_less(&mut self.counts.refs, self.strong_refs),
            Action::AddStrongRef => {
                self.strong_refs < self.counts.refs && one_more(&mut self.strong_refs)
            }
            Action::RemoveStrongRef => one_less(&mut self.strong_refs, 0),
            Action::Pin => one_more(&mut self.pins),
            Action::Unpin => one_less(&mut self.pins, 0),
            Action::AddLocal(Count::Strong) => one_more(&mut self.counts.local_strong),
            Action::AddLocal(Count::Weak) => one_more(&mut self.counts.local_weak),
            Action::RemoveLocal(Count::Strong) => one_less(&mut self.counts.local_strong, least),
            Action::RemoveLocal(Count::Weak) => one_less(&mut self.counts.local_weak, least),
            Action::Tell => {
                self.tell();
                true
            }
            Action::Confirm(count) => {
                let belief = self.belief(count);
                let is_expected = core::mem::take(&mut belief.is_to_confirm);
                assert_eq!(self.counts.confirm(count), is_expected);
                true
            }
        };
        can_happen.then_some(self)
    }

    /// Tells the owner, who insists that it is told of what it does not know, and of the end of
    /// something only after it has confirmed the start.
    fn tell(&mut self) {
        let had_news = self.counts.has_news(self.strong_outside());
        let news = self.counts.tell(self.strong_outside());
        assert_eq!(had_news, news != RefUpdate::default(), "{self:?}");
        assert!(!self.counts.has_news(self.strong_outside()), "{self:?}");
        for (begins, ends, count) in [
            (news.incref, news.decref, Count::Weak),
            (news.acquire, news.release, Count::Strong),
        ] {
            let belief = self.belief(count);
            assert!(!begins || !belief.has, "told twice of {count:?}");
            assert!(!ends || belief.has, "told of the end of no {count:?}");
            assert!(!ends || !belief.is_to_confirm, "told too early");
            belief.has = (belief.has || begins) && !ends;
            belief.is_to_confirm |= begins;
        }
        assert!(self.weak.has || !self.strong.has, "{self:?}");
    }

    /// What holds whatever has happened.
    fn check(&self) {
        let Self { counts, .. } = self;
        let outside = self.strong_outside();
        let is_strong = outside || counts.local_strong > 0 || self.strong.is_to_confirm;
        let is_weak =
            is_strong || counts.refs > 0 || counts.local_weak > 0 || self.weak.is_to_confirm;
        assert_eq!(counts.is_held(Count::Strong, outside), is_strong);
        assert_eq!(counts.is_held(Count::Weak, outside), is_weak);
        assert_eq!(counts.has(Count::Strong), self.strong.has);
        assert_eq!(counts.has(Count::Weak), self.weak.has);
        assert_eq!(
            counts.local(Count::Strong),
            counts.local_strong + u32::from(self.strong.is_to_confirm)
        );
        assert_eq!(
            counts.local(Count::Weak),
            counts.local_weak + u32::from(self.weak.is_to_confirm)
        );
        let is_known = self.strong.has || self.weak.has;
        assert_eq!(counts.is_unused(outside), !is_weak && !is_known);
    }

    /// Nobody refers to the node any more and the owner confirms all it hears: the node ends.
    fn wind_down(mut self) {
        let least = u32::from(self.is_permanent);
        (self.strong_refs, self.pins, self.counts.refs) = (0, 0, 0);
        (self.counts.local_strong, self.counts.local_weak) = (least, least);
        for _ in 0..2 {
            self.tell();
            for count in BOTH {
                self = self.after(Action::Confirm(count)).unwrap();
            }
        }
        self.tell();
        assert_eq!(self.counts.is_unused(false), !self.is_permanent);
        assert_eq!(self.strong.has, self.is_permanent);
        assert_eq!(self.weak.has, self.is_permanent);
    }
}

/// Looks at every world that can come of `start`. Gives their number.
fn explore(start: World) -> usize {
    let mut seen = HashSet::from([format!("{start:?}")]);
    let mut ahead = vec![start];
    while let Some(world) = ahead.pop() {
        world.check();
        world.wind_down();
        for next in ACTIONS.iter().filter_map(|action| world.after(*action)) {
            if seen.insert(format!("{next:?}")) {
                ahead.push(next);
            }
        }
    }
    seen.len()
}

#[test]
fn the_owner_of_any_node_is_told_right() {
    let nr_worlds = explore(World::default());
    assert_eq!(nr_worlds, 1134);
}

#[test]
fn the_manager_is_never_told_that_its_node_ends() {
    let nr_worlds = explore(World::manager());
    assert_eq!(nr_worlds, 72);
}
