// SPDX-License-Identifier: GPL-2.0

//! Figures of the repository: what is measured is kept as JSON, and all that shows it is made from
//! that.

use std::{fs, path::Path};

use anyhow::{bail, Context, Result};

use super::{plot, results::Results, rows, table};

const RESULTS: &str = "bench/results.json";
const FIGURE: &str = "bench/cost.svg";
const SCALE: &str = "bench/scale.svg";
const PICTURE: &str = "bench/cost.png";
const FULL: &str = "bench/README.md";
const README: &str = "README.md";

const BEGIN: &str = "<!-- Made by `make bench ARGS=--update-readme`: do not edit. -->\n";
const END: &str = "<!-- End of what is made. -->\n";

/// The figures of the repository.
pub fn read(root: &Path) -> Result<Results> {
    let file = root.join(RESULTS);
    let text = fs::read_to_string(&file)
        .with_context(|| format!("cannot read {}; `make bench` makes it", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("cannot understand {}", file.display()))
}

/// The same, empty if nothing has been measured yet.
pub fn read_if_there(root: &Path) -> Result<Results> {
    match is_there(root) {
        true => read(root),
        false => Ok(Results::default()),
    }
}

/// What the README shows.
fn short(results: &Results) -> String {
    format!(
        "{BEGIN}\n{}\n\n![Cost of a round trip by payload, by handles held and by clients]({FIGURE})\n\n\
         [All rows, two CPUs, memory and size]({FULL})\n\n{END}",
        table::instructions(results, rows::shown)
    )
}

/// The figure about large numbers, where there is one.
fn scale(results: &Results) -> &'static str {
    match plot::SCALE.is_there(results) {
        true => {
            "![Cost by the thing, against how many there are](scale.svg)\n\n\
             Where a row is \"per\" something, all counts that the CPU does until it has no more to \
             do, less the same with none, divided by the number.\n\n"
        }
        false => "",
    }
}

/// All there is.
fn full(results: &Results) -> String {
    let missing = table::missing(results);
    let missing = match missing.is_empty() {
        true => String::new(),
        false => format!("\n## Not measured\n\n{missing}"),
    };
    format!(
        "{BEGIN}\n\
         # What the drivers cost\n\n\
         ![Cost of a round trip by payload, by handles held and by clients](cost.svg)\n\n\
         Measured with {} on the kernel of `patches/BASE`, the three kernels configured alike \
         (`tools/configs`).\n\n\
         ## Instructions\n\n\
         One CPU, in a VM whose clock counts instructions: exact, and the same on any machine \
         but for a few parts in a thousand. All that an operation takes counts: both processes, \
         system calls, the scheduler. The floor is the pipe, bare thread or bare process of the \
         last lines; for a oneway call it is half of what the pipes take.\n\n\
         {}{}\n\n\
         ## Two CPUs\n\n\
         Times of an emulator that runs two CPUs on two threads of a host, which may be busy: \
         good for seeing who waits for whom, and no times of hardware. For several clients it is \
         the time until all are done, divided by all of their calls.\n\n\
         {}\n\n\
         ## Memory\n\n\
         What the kernel holds for one more of each, nothing being under way. A process is an \
         open file with a mapping; a thread is what it takes besides the task. \"All memory\" is \
         what is free before and is not after, page tables and half-full slabs among it.\n\n\
         {}\n\n\
         ## Size\n\n\
         The object files of the drivers. The Rust drivers also use code of the `kernel` crate, \
         which is not counted.\n\n\
         {}\n{missing}",
        results.tools.releases(),
        scale(results),
        table::instructions(results, |_| true),
        table::times(results),
        table::memory(results),
        table::sizes(results),
    )
}

/// The text between the marks replaced.
fn insert(text: &str, section: &str) -> Result<String> {
    let (Some(begin), Some(end)) = (text.find(BEGIN), text.find(END)) else {
        bail!("{README} has no place for the figures: it needs these lines\n{BEGIN}{END}");
    };
    let rest = text.get(end + END.len()..).unwrap_or_default();
    match begin < end {
        true => Ok(format!("{}{section}{rest}", &text[..begin])),
        false => bail!("the marks in {README} are the wrong way round"),
    }
}

/// Writes the figures and all that is made from them.
pub fn write(root: &Path, results: &Results) -> Result<()> {
    let readme = root.join(README);
    let text = fs::read_to_string(&readme).context("cannot read README.md")?;
    let put = |name: &str, text: &str| {
        fs::write(root.join(name), text).with_context(|| format!("cannot write {name}"))
    };
    fs::create_dir_all(root.join(RESULTS).with_file_name(""))?;
    put(RESULTS, &(serde_json::to_string_pretty(results)? + "\n"))?;
    put(FIGURE, &plot::svg(plot::COST, results)?)?;
    if plot::SCALE.is_there(results) {
        put(SCALE, &plot::svg(plot::SCALE, results)?)?;
    }
    put(FULL, &full(results))?;
    plot::png(plot::COST, results, &root.join(PICTURE))?;
    put(README, &insert(&text, &short(results))?)
}

/// Whether anything has been measured yet.
pub fn is_there(root: &Path) -> bool {
    root.join(RESULTS).exists()
}

/// Fails unless the README and its like show what the figures say.
pub fn check(root: &Path) -> Result<()> {
    let results = read(root)?;
    let readme = fs::read_to_string(root.join(README))?;
    let mut made = vec![
        (README, insert(&readme, &short(&results))?),
        (FULL, full(&results)),
        (FIGURE, plot::svg(plot::COST, &results)?),
    ];
    if plot::SCALE.is_there(&results) {
        made.push((SCALE, plot::svg(plot::SCALE, &results)?));
    }
    for (name, want) in made {
        if fs::read_to_string(root.join(name)).unwrap_or_default() != want {
            bail!("{name} does not show what {RESULTS} says; run `make bench ARGS=--render`");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::results::Tools;

    #[test]
    fn what_is_written_passes_the_check_and_an_edit_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::write(root.join(README), format!("one\n{BEGIN}old\n{END}two\n")).unwrap();
        let mut results = Results::new(Tools::default());
        let all = results.drivers.entry("safe".to_string()).or_default();
        all.instructions.insert("two-way:128".to_string(), 1234.0);
        all.instructions.insert("two-way:4".to_string(), 1230.0);
        write(root, &results).unwrap();
        check(root).unwrap();
        assert_eq!(read(root).unwrap(), results);
        let text = fs::read_to_string(root.join(README)).unwrap();
        assert!(
            text.starts_with("one\n") && text.ends_with("two\n"),
            "{text}"
        );
        fs::write(root.join(README), text.replace("1,234", "1,233")).unwrap();
        let error = check(root).unwrap_err().to_string();
        assert!(error.starts_with("README.md does not show"), "{error}");
    }
}
