// SPDX-License-Identifier: GPL-2.0

//! Reads the kernel log for what must never be in it.

/// Words of the kernel that mean an error, whatever the tests say.
const BAD: [&str; 27] = [
    "WARNING:",
    "BUG:",
    "Oops",
    "KASAN:",
    "UBSAN:",
    "ODEBUG:",
    "refcount_t:",
    "Kernel panic",
    "general protection",
    "invalid opcode",
    "Unable to handle kernel",
    "INFO: possible",
    "INFO: trying to register non-static key",
    "possible circular locking",
    "inconsistent lock state",
    "DEBUG_LOCKS_WARN_ON",
    "suspicious RCU usage",
    "sleeping function called",
    "scheduling while atomic",
    "blocked for more than",
    "detected stall",
    "soft lockup",
    "new suspected memory leaks",
    "leaked",
    "list_add corruption",
    "list_del corruption",
    "Out of memory:",
];

/// Lines kept with a finding: enough for a stack or two.
const CONTEXT: usize = 45;

/// Findings kept; what follows the first few is mostly their consequence.
const FINDINGS: usize = 8;

/// The findings in a kernel log so far.
#[derive(Default)]
pub struct Check {
    findings: Vec<Vec<String>>,
    more: usize,
    open: bool,
}

impl Check {
    /// Takes the next line of the log, time stamp removed.
    pub fn line(&mut self, line: &str) {
        match self.findings.last_mut() {
            Some(finding) if self.open => {
                finding.push(line.to_string());
                let end = line.contains("---[ end trace") || finding.len() >= CONTEXT;
                self.open = !end;
            }
            _ if BAD.iter().any(|word| line.contains(word)) => self.start(line),
            _ => {}
        }
    }

    fn start(&mut self, line: &str) {
        if self.findings.len() == FINDINGS {
            self.more += 1;
            return;
        }
        self.findings.push(vec![line.to_string()]);
        self.open = true;
    }

    /// One text a finding.
    pub fn finish(self) -> Vec<String> {
        let mut texts: Vec<String> = self
            .findings
            .into_iter()
            .map(|lines| format!("kernel log: {}", lines.join("\n    ")))
            .collect();
        if self.more > 0 {
            texts.push(format!("kernel log: {} further findings", self.more));
        }
        texts
    }
}

/// Removes the time stamp and, with lockdep's or KASAN's configuration, the caller's id.
pub fn strip_stamp(line: &str) -> &str {
    let mut rest = line;
    while let Some(inner) = rest.strip_prefix('[') {
        match inner.split_once(']') {
            Some((stamp, tail)) if is_stamp(stamp.trim()) => {
                rest = tail.strip_prefix(' ').unwrap_or(tail);
            }
            _ => break,
        }
    }
    rest
}

fn is_stamp(text: &str) -> bool {
    let text = text.strip_prefix(['T', 'C']).unwrap_or(text);
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(log: &str) -> Vec<String> {
        let mut check = Check::default();
        log.lines().for_each(|line| check.line(strip_stamp(line)));
        check.finish()
    }

    #[test]
    fn a_clean_boot_has_none() {
        let log = "[    0.000000] Linux version 7.3.4\n\
                   [    0.010000] kmemleak: Kernel memory leak detector initialized\n\
                   [    0.020000][    T1] kasan: KernelAddressSanitizer initialized\n\
                   [    1.000000] Warning: unable to open an initial console.\n";
        assert!(findings(log).is_empty());
    }

    #[test]
    fn a_warning_is_found_with_its_stack() {
        let log = "[    1.0] ------------[ cut here ]------------\n\
                   [    1.0] WARNING: drivers/android/x.c:12 at release+0x1/0x2, CPU#0: demo/71\n\
                   [    1.0] Call Trace:\n\
                   [    1.0] ---[ end trace 0000000000000000 ]---\n\
                   [    1.1] all is well\n";
        let found = findings(log);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("Call Trace:"));
        assert!(!found[0].contains("all is well"));
    }

    #[test]
    fn each_kind_counts() {
        for line in [
            "BUG: KASAN: slab-use-after-free in foo+0x1/0x2",
            "WARNING: possible circular locking dependency detected",
            "BUG: sleeping function called from invalid context at mm/page_alloc.c:1",
            "INFO: task demo:71 blocked for more than 60 seconds.",
            "kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)",
            "Oops: general protection fault, probably for non-canonical address: 0000 [#1]",
            "Kernel panic - not syncing: Fatal exception",
            "WARNING: suspicious RCU usage",
            "refcount_t: underflow; use-after-free.",
        ] {
            assert_eq!(findings(line).len(), 1, "{line}");
        }
    }

    #[test]
    fn stamps_go_and_indentation_stays() {
        assert_eq!(strip_stamp("[    0.123456]     ok 1 a"), "    ok 1 a");
        assert_eq!(strip_stamp("[   12.5][  T71] [drm] x"), "[drm] x");
        assert_eq!(strip_stamp("no stamp"), "no stamp");
    }
}
