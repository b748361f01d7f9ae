// SPDX-License-Identifier: GPL-2.0

//! The list of programs the host leaves in the initramfs.
//!
//! One program a line, fields split by tabs: name, time limit in seconds, `console` or `-`,
//! environment as `KEY=VALUE` split by spaces (may be empty), then the argument vector.

use std::{fs, io, time::Duration};

/// One program to run.
#[derive(Debug, PartialEq, Eq)]
pub struct Program {
    /// What the host calls it.
    pub name: String,
    /// It is killed when this is over; zero means never.
    pub limit: Duration,
    /// It gets the console as its controlling terminal.
    pub console: bool,
    /// Added to an otherwise fixed environment.
    pub env: Vec<(String, String)>,
    /// Path and arguments.
    pub argv: Vec<String>,
}

fn parse(line: &str) -> Option<Program> {
    let mut fields = line.split('\t');
    let name = fields.next()?.to_string();
    let limit = Duration::from_secs(fields.next()?.parse().ok()?);
    let console = fields.next()? == "console";
    let env = fields
        .next()?
        .split(' ')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect();
    let argv: Vec<String> = fields.map(str::to_string).collect();
    (!argv.is_empty()).then_some(Program {
        name,
        limit,
        console,
        env,
        argv,
    })
}

/// Reads the list; a line that does not parse is an error, never skipped.
pub fn read(path: &str) -> io::Result<Vec<Program>> {
    fs::read_to_string(path)?
        .lines()
        .map(|line| parse(line).ok_or_else(|| io::Error::other(format!("bad line: {line}"))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_everything() {
        let program = parse("echo\t30\t-\tA=1 B=2\t/bin/echo\tx y").unwrap();
        assert_eq!(program.limit, Duration::from_secs(30));
        assert_eq!(program.env[1], ("B".to_string(), "2".to_string()));
        assert_eq!(program.argv, ["/bin/echo", "x y"]);
        assert!(!program.console);
    }

    #[test]
    fn a_line_without_a_program_is_refused() {
        assert_eq!(parse("echo\t30\t-\t"), None);
        assert_eq!(parse("echo"), None);
    }
}
