// SPDX-License-Identifier: GPL-2.0

//! Nodes and references in the logs.

use super::{
    work,
    Address,
    Out,
    Part,
    Pointers, //
};
use crate::{
    collections::sort::sort_by_key,
    process::{
        node::Node,
        snapshot::{
            NodeView,
            Owner,
            PIECE, //
        },
        Process, //
    },
    wire::object::Count, //
};
use kernel::{
    prelude::*,
    sync::Arc,
    task::Pid, //
};

/// Who refers to which node, found by looking at all references once.
pub(super) struct Holders {
    /// The id of a node and a process that refers to it, in this order.
    pairs: KVVec<(u32, Pid)>,
    /// Nodes whose owners are gone, by their ids.
    dead: KVVec<Arc<Node>>,
}

impl Holders {
    /// Looks at the references of all processes.
    pub(super) fn collect(processes: &[Arc<Process>]) -> Result<Self> {
        let mut holders = Self {
            pairs: KVVec::new(),
            dead: KVVec::new(),
        };
        for process in processes {
            for_each_ref(process, |entry| {
                let pair = (entry.node.debug_id, process.pid);
                holders.pairs.push(pair, GFP_KERNEL)?;
                if entry.node.owner.is_dead() {
                    holders.dead.push(entry.node.clone(), GFP_KERNEL)?;
                }
                Ok(())
            })?;
        }
        sort_by_key(holders.pairs.as_mut_slice(), |pair| *pair);
        sort_by_key(holders.dead.as_mut_slice(), |node| node.debug_id);
        Ok(holders)
    }

    /// The processes that refer to a node.
    fn of(&self, node: &Node) -> impl Iterator<Item = Pid> + '_ {
        let id = node.debug_id;
        let first = self.pairs.partition_point(|(other, _)| *other < id);
        let pairs = self.pairs.iter().skip(first);
        pairs
            .take_while(move |(other, _)| *other == id)
            .map(|(_, pid)| *pid)
    }

    /// Prints the nodes whose owners are gone.
    pub(super) fn print_dead(&self, out: Out<'_>, pointers: Pointers) -> Result {
        let mut last = None;
        for node in &self.dead {
            let previous = last.replace(node.debug_id);
            if previous.is_none() {
                out.write_str("dead nodes:\n")?;
            }
            if previous != last {
                print_node(out, None, &NodeView::of(node), self, pointers)?;
            }
        }
        Ok(())
    }
}

/// Prints the nodes of a process. Those that have a oneway message in progress are busy.
pub(super) fn print_all(
    out: Out<'_>,
    process: &Process,
    holders: &Holders,
    part: Part,
    pointers: Pointers,
) -> Result {
    let mut from = Some(0);
    while let Some(ptr) = from {
        let nodes = process.nodes_from(ptr)?;
        for view in &nodes {
            if view.is_busy || part == Part::All {
                print_node(out, Some(process), view, holders, pointers)?;
            }
        }
        let last = nodes.last().filter(|_| nodes.len() == PIECE);
        from = last.and_then(|view| view.node.ptr.checked_add(1));
    }
    Ok(())
}

/// Prints a node of `process`, or one whose owner is dead.
fn print_node(
    out: Out<'_>,
    process: Option<&Process>,
    view: &NodeView,
    holders: &Holders,
    pointers: Pointers,
) -> Result {
    let node = &*view.node;
    let counts = &view.counts;
    // The last number is that of those who look at the node right now: this log.
    out.write_fmt(fmt!(
        "  node {}: u{} c{} hs {} hw {} ls {} lw {} is {} iw {} tr 1",
        node.debug_id,
        Address(node.ptr, pointers),
        Address(node.cookie, pointers),
        u32::from(counts.has(Count::Strong)),
        u32::from(counts.has(Count::Weak)),
        counts.local(Count::Strong) + node.pins(),
        counts.local(Count::Weak),
        node.strong_refs(),
        counts.refs
    ))?;
    let mut before = " proc ";
    for pid in holders.of(node) {
        out.write_fmt(fmt!("{before}{pid}"))?;
        before = " ";
    }
    out.write_str("\n")?;
    let Some(process) = process else {
        return Ok(());
    };
    work::print_queue(out, process, Owner::Node(node), "    ", pointers)
}

/// Prints the references of a process.
pub(super) fn print_refs(out: Out<'_>, process: &Process) -> Result {
    for_each_ref(process, |entry| {
        let node = &entry.node;
        let dead = if node.owner.is_dead() { "dead " } else { "" };
        Ok(out.write_fmt(fmt!(
            "  ref {}: desc {} {dead}node {} s {} w {} d {}\n",
            entry.debug_id,
            entry.handle,
            node.debug_id,
            entry.strong,
            entry.weak,
            Address(entry.death as u64, Pointers::Hashed)
        ))?)
    })
}

/// Looks at the references of a process one by one, lowest handle first.
pub(super) fn for_each_ref(
    process: &Process,
    mut look: impl FnMut(&crate::process::snapshot::RefView) -> Result,
) -> Result {
    let mut handle = 0;
    loop {
        let refs = process.refs_from(handle)?;
        for entry in &refs {
            look(entry)?;
        }
        match refs.last() {
            Some(last) if refs.len() == PIECE => handle = last.handle + 1,
            _ => return Ok(()),
        }
    }
}
