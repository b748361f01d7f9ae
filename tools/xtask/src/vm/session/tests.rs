// SPDX-License-Identifier: GPL-2.0

//! What a session makes of what a VM prints.

use super::*;
use crate::vm::Program;

/// Feeds lines (`|` first: from the programs' port) and gives what was told and the outcome.
fn play(lines: &[&str]) -> (Vec<Event>, Outcome) {
    play_on(lines, |_| {})
}

fn play_on(lines: &[&str], change: fn(&mut Vm)) -> (Vec<Event>, Outcome) {
    let mut vm = Vm::new("test", "image".into());
    change(&mut vm);
    for name in ["one", "two"] {
        let limit = Duration::from_secs(5);
        vm.programs.push(Program::new(name, &["/bin/true"], limit));
    }
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let mut told = Vec::new();
    let mut tell = |event| told.push(event);
    let mut session = Session::new(&vm, File::create(&log).unwrap(), &mut tell);
    for line in lines {
        let line = match line.strip_prefix('|') {
            Some(output) => Line::Output(output.to_string()),
            None => Line::Kernel(line.to_string()),
        };
        session.line(line).unwrap();
    }
    let outcome = session.finish(log).unwrap();
    (told, outcome)
}

const GOOD: [&str; 8] = [
    "[    0.1] Run /init as init process",
    "|@@vm up",
    "|@@vm start one",
    "|hello",
    "|@@vm end one code 0",
    "|@@vm start two",
    "|@@vm end two signal 11",
    "|@@vm down",
];

#[test]
fn a_session_that_ends_well() {
    let (told, outcome) = play(&GOOD);
    assert_eq!(outcome.problems, [""; 0]);
    assert_eq!(
        told,
        [
            Event::Kernel("Run /init as init process".into()),
            Event::Start("one".into()),
            Event::Output("hello".into()),
            Event::End("one".into(), End::Code(0)),
            Event::Start("two".into()),
            Event::End("two".into(), End::Signal(11)),
        ]
    );
}

#[test]
fn an_open_line_before_a_mark_is_output() {
    let (told, _) = play(&[
        "|@@vm up",
        "|@@vm start one",
        "|half@@vm end one timeout killed",
    ]);
    assert_eq!(told[1], Event::Output("half".into()));
    assert_eq!(
        told[2],
        Event::End("one".into(), End::Timeout("killed".into()))
    );
}

#[test]
fn every_program_gets_an_end() {
    let (told, outcome) = play(&GOOD[..4]);
    assert_eq!(
        told[3..],
        ["one", "two"].map(|name| Event::End(name.into(), End::Lost))
    );
    assert_eq!(outcome.problems.len(), 1);
}

#[test]
fn a_kernel_that_does_not_come_up_says_why() {
    let (_, outcome) = play(&["[    0.5] Kernel panic - not syncing: no init found"]);
    assert!(outcome.problems[0].contains("no init found"));
    assert_eq!(outcome.problems.len(), 2);
}

#[test]
fn leaks_are_problems_one_an_object() {
    let mut lines = GOOD.to_vec();
    let report = [
        "|@@vm leak unreferenced object 0xffff888003a1c800 (size 64):",
        "|@@vm leak   comm \"demo\", pid 71",
        "|@@vm leak unreferenced object 0xffff888003a1c900 (size 32):",
        "|@@vm leaks-checked",
    ];
    lines.splice(7..7, report);
    let (_, outcome) = play(&lines);
    assert_eq!(outcome.problems.len(), 2);
    assert!(outcome.problems[0].contains("pid 71"));
}

#[test]
fn a_leak_report_that_should_be_there_is_missed() {
    let (_, outcome) = play_on(&GOOD, |vm| vm.leak_check = true);
    assert_eq!(outcome.problems, ["there is no report from kmemleak"]);
}
