// SPDX-License-Identifier: GPL-2.0

//! Streams as kselftests and KUnit print them.

use super::*;

fn read(stream: &str) -> Vec<Case> {
    let mut parser = Parser::default();
    let mut cases: Vec<Case> = stream.lines().flat_map(|line| parser.line(line)).collect();
    cases.extend(parser.finish());
    cases
}

fn verdicts(stream: &str) -> Vec<(String, Verdict)> {
    read(stream)
        .into_iter()
        .map(|case| (case.name, case.verdict))
        .collect()
}

fn passed(name: &str) -> (String, Verdict) {
    (name.to_string(), Verdict::Passed)
}

fn failed(name: &str) -> (String, Verdict) {
    (name.to_string(), Verdict::Failed)
}

const HARNESS: &str = "\
TAP version 13
1..3
# Starting 3 tests from 2 test cases.
#  RUN           global.version ...
#            OK  global.version
ok 1 global.version
#  RUN           device.mmap_write ...
# ioctl_test.c:41:mmap_write:Expected EPERM (1) == errno (22)
# mmap_write: Test failed
#          FAIL  device.mmap_write
not ok 2 device.mmap_write
#  RUN           device.freeze ...
#      SKIP      only the new driver does this
#            OK  device.freeze
ok 3 device.freeze # SKIP only the new driver does this
# FAILED: 2 / 3 tests passed.
# Totals: pass:1 fail:1 xfail:0 xpass:0 skip:1 error:0
";

#[test]
fn a_harness_program() {
    let cases = read(HARNESS);
    assert_eq!(cases.len(), 3);
    assert_eq!(cases[0].verdict, Verdict::Passed);
    assert_eq!(cases[1].verdict, Verdict::Failed);
    assert!(cases[1]
        .notes
        .iter()
        .any(|note| note.contains("Expected EPERM (1)")));
    assert!(!cases[1]
        .notes
        .iter()
        .any(|note| note.contains("global.version")));
    let reason = "only the new driver does this".to_string();
    assert_eq!(cases[2].verdict, Verdict::Skipped(reason));
}

#[test]
fn a_program_that_dies_half_way() {
    let dead: Vec<&str> = HARNESS.lines().take(6).collect();
    assert_eq!(
        verdicts(&dead.join("\n")),
        [
            passed("global.version"),
            failed("test 2 of 3"),
            failed("test 3 of 3")
        ]
    );
}

#[test]
fn a_program_that_prints_nothing() {
    assert_eq!(verdicts(""), [failed("the plan")]);
    assert_eq!(
        verdicts("Segmentation fault\nok 1 x\n"),
        [failed("the plan")]
    );
}

#[test]
fn a_program_that_has_nothing_to_do_here() {
    let cases = read("TAP version 13\n1..0 # SKIP no binderfs\n");
    assert_eq!(
        cases[0].verdict,
        Verdict::Skipped("no binderfs".to_string())
    );
    assert_eq!(cases.len(), 1);
}

#[test]
fn a_program_that_runs_no_test() {
    assert_eq!(verdicts("TAP version 13\n1..0\n"), [failed("the plan")]);
}

const KUNIT: &str = "\
KTAP version 1
1..2
    KTAP version 1
    # Subtest: rust_kernel_ranges
    # module: kernel
    1..3
    ok 1 first_fit
    # split: EXPECTATION FAILED at rust/kernel/ranges.rs:40
    Expected 1 == 2
    not ok 2 split
    ok 3 join # SKIP later
# rust_kernel_ranges: pass:1 fail:1 skip:1 total:3
# Totals: pass:1 fail:1 skip:1 total:3
not ok 1 rust_kernel_ranges
    KTAP version 1
    # Subtest: sizes
    1..1
        KTAP version 1
        # Subtest: each
        ok 1 small
        ok 2 large
    # each: pass:2 fail:0 skip:0 total:2
    ok 1 each
ok 2 sizes
";

#[test]
fn kunit_counts_cases_and_not_suites() {
    assert_eq!(
        verdicts(KUNIT),
        [
            passed("rust_kernel_ranges/first_fit"),
            failed("rust_kernel_ranges/split"),
            (
                "rust_kernel_ranges/join".to_string(),
                Verdict::Skipped("later".to_string())
            ),
            passed("sizes/each/small"),
            passed("sizes/each/large"),
        ]
    );
}

#[test]
fn kunit_that_panics_in_a_case() {
    let dead: Vec<&str> = KUNIT.lines().take(7).collect();
    let found = verdicts(&dead.join("\n"));
    assert_eq!(found[0], passed("rust_kernel_ranges/first_fit"));
    assert_eq!(found[1], failed("rust_kernel_ranges/test 2 of 3"));
    assert_eq!(found.last(), Some(&failed("test 2 of 2")));
}

#[test]
fn a_suite_that_fails_by_itself() {
    let stream = "KTAP version 1\n1..1\n    # Subtest: s\n    1..1\n    ok 1 a\nnot ok 1 s\n";
    assert_eq!(verdicts(stream), [passed("s/a"), failed("s")]);
}

#[test]
fn more_results_than_planned() {
    assert_eq!(
        verdicts("TAP version 13\n1..1\nok 1 a\nok 2 b\n"),
        [passed("a"), passed("b"), failed("the plan")]
    );
}

#[test]
fn two_documents_in_one_log() {
    let stream = "KTAP version 1\n1..1\nok 1 a\nrandom words\nKTAP version 1\n1..2\nok 1 b\n";
    assert_eq!(
        verdicts(stream),
        [passed("a"), passed("b"), failed("test 2 of 2")]
    );
}
