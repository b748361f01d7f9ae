// SPDX-License-Identifier: GPL-2.0

//! Which test holds which item of the ABI: `selftests/items.txt` against the comments of the tests.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{bail, Context, Result};
use tabled::{
    settings::{object::Columns, Modify, Style, Width},
    Table, Tabled,
};

use crate::paths::Paths;

#[derive(clap::Args)]
pub struct Args {
    /// Only items that no test cites.
    #[arg(long)]
    missing: bool,
}

/// One line of `items.txt`.
#[derive(Debug, PartialEq, Eq)]
pub struct Item {
    section: u32,
    pub number: u32,
    kind: char,
    pub text: String,
}

impl Item {
    /// Whether the repository is wrong if no test cites it.
    fn needs_test(&self) -> bool {
        "ABR".contains(self.kind)
    }
}

/// A test, as `PROGRAM:TEST`, by the number of the item that it cites.
type Citations = BTreeMap<u32, Vec<String>>;

#[derive(Tabled)]
struct Row {
    #[tabled(rename = "item")]
    number: u32,
    #[tabled(rename = "")]
    kind: char,
    what: String,
    tests: String,
}

pub fn run(paths: &Paths, args: Args) -> Result<()> {
    let (items, citations) = read(&paths.root)?;
    let rows = items
        .iter()
        .filter(|item| !args.missing || !citations.contains_key(&item.number))
        .map(|item| Row {
            number: item.number,
            kind: item.kind,
            what: item.text.clone(),
            tests: citations
                .get(&item.number)
                .map_or(String::new(), |tests| tests.join("\n")),
        });
    let mut table = Table::new(rows);
    table
        .with(Style::sharp())
        .with(Modify::new(Columns::one(2)).with(Width::wrap(60).keep_words(true)));
    println!("{table}");
    verdict(&items, &citations)
}

/// What the lint calls: fails if an item that needs a test has none, or a test cites what there is not.
pub fn check(root: &Path) -> Result<()> {
    let (items, citations) = read(root)?;
    verdict(&items, &citations)
}

/// The items that a test holds, by the name that results have: `fixture.test`.
pub fn of_test(root: &Path, name: &str) -> Result<Vec<Item>> {
    let (items, citations) = read(root)?;
    let test = name.rsplit('.').next().unwrap_or(name);
    let cites = |item: &Item| {
        let tests = citations.get(&item.number).into_iter().flatten();
        tests
            .clone()
            .any(|full| full.ends_with(&format!(":{test}")))
    };
    Ok(items.into_iter().filter(cites).collect())
}

fn verdict(items: &[Item], citations: &Citations) -> Result<()> {
    let untested = items
        .iter()
        .filter(|item| item.needs_test() && !citations.contains_key(&item.number))
        .map(|item| format!("item {} has no test: {}", item.number, item.text));
    let unknown = citations
        .iter()
        .filter(|(number, _)| !items.iter().any(|item| item.number == **number))
        .map(|(number, tests)| format!("{} cites item {number}, which is not listed", tests[0]));
    let found: Vec<String> = untested.chain(unknown).collect();
    if !found.is_empty() {
        bail!("{}", found.join("\n"));
    }
    Ok(())
}

fn read(root: &Path) -> Result<(Vec<Item>, Citations)> {
    let dir = root.join("selftests");
    let path = dir.join("items.txt");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let items =
        parse(&text).with_context(|| format!("{} is not as it should be", path.display()))?;
    let mut citations = Citations::new();
    let mut files: Vec<_> = fs::read_dir(&dir)?.collect::<std::io::Result<_>>()?;
    files.sort_by_key(|entry| entry.file_name());
    for file in files {
        let name = file.file_name().to_string_lossy().into_owned();
        let Some(program) = name.strip_suffix("_test.c") else {
            continue;
        };
        for (number, test) in cited(&fs::read_to_string(file.path())?) {
            citations
                .entry(number)
                .or_default()
                .push(format!("{program}:{test}"));
        }
    }
    Ok((items, citations))
}

/// Reads the items; the text before the first section is for people.
fn parse(text: &str) -> Result<Vec<Item>> {
    let (mut items, mut section) = (Vec::<Item>::new(), 0);
    for (index, line) in text.lines().enumerate() {
        let place = || format!("line {}: {line}", index + 1);
        if let Some(title) = line.strip_prefix("# ") {
            let number = title.split('.').next().unwrap_or_default();
            section = number.parse().with_context(place)?;
            continue;
        }
        if section == 0 {
            continue;
        }
        let mut words = line.splitn(3, ' ');
        let (Some(number), Some(kind), Some(text)) = (words.next(), words.next(), words.next())
        else {
            bail!("{}: no number, kind and text", place());
        };
        let number = number.parse().with_context(place)?;
        if !["A", "Q", "F", "K", "B", "R"].contains(&kind) {
            bail!("{}: no such kind", place());
        }
        if items.last().is_some_and(|last| last.number >= number) {
            bail!("{}: out of order", place());
        }
        items.push(Item {
            section,
            number,
            kind: kind.chars().next().unwrap_or('A'),
            text: text.to_string(),
        });
    }
    Ok(items)
}

/// The items that the tests of a C file cite, each with the test.
///
/// A citation in the comment at the head of the file is for all tests in it, one in the comment
/// before a test or inside it for that test.
fn cited(source: &str) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    let (mut of_file, mut pending) = (Vec::new(), Vec::new());
    let mut test: Option<String> = None;
    let mut is_head = true;
    let mut rest = source;
    while let Some(token) = next_token(&mut rest) {
        match token {
            Token::Comment(text) => match &test {
                Some(test) => found.extend(numbers(text).into_iter().map(|n| (n, test.clone()))),
                None if is_head => of_file.extend(numbers(text)),
                None => pending = numbers(text),
            },
            Token::Test(name) => {
                let all = of_file.iter().copied().chain(pending.drain(..));
                found.extend(all.map(|number| (number, name.to_string())));
                test = Some(name.to_string());
            }
            Token::End => {
                test = None;
                pending.clear();
            }
            Token::Code => is_head = false,
        }
    }
    found.sort();
    found.dedup();
    found
}

/// What `cited` looks at.
enum Token<'a> {
    Comment(&'a str),
    Test(&'a str),
    /// The end of a function.
    End,
    /// The first line that is neither comment nor empty.
    Code,
}

fn next_token<'a>(rest: &mut &'a str) -> Option<Token<'a>> {
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix("/*") {
            let end = inside.find("*/")?;
            *rest = &inside[end + 2..];
            return Some(Token::Comment(&inside[..end]));
        }
        let line_end = rest.find('\n').map_or(rest.len(), |at| at + 1);
        let line = &rest[..line_end];
        // A comment may begin further on in the line.
        *rest = &rest[line.find("/*").filter(|at| *at > 0).unwrap_or(line_end)..];
        let test = ["TEST_F(", "TEST_F_TIMEOUT("]
            .iter()
            .find_map(|head| line.strip_prefix(head));
        if let Some(arguments) = test {
            let name = arguments.split([',', ')']).nth(1)?;
            return Some(Token::Test(name.trim()));
        }
        if line.starts_with('}') {
            return Some(Token::End);
        }
        if line.starts_with('#') {
            return Some(Token::Code);
        }
    }
    None
}

/// The numbers after `Item` or `Items` in a comment: `Items 7, 8 and 12`.
fn numbers(comment: &str) -> Vec<u32> {
    let text = comment
        .lines()
        .map(|line| line.trim().trim_start_matches("* "))
        .collect::<Vec<_>>()
        .join(" ");
    let mut found = Vec::new();
    for part in text.split("Item").skip(1) {
        let list = part.strip_prefix('s').unwrap_or(part);
        for word in list.split(' ').filter(|word| !word.is_empty()) {
            if word == "and" {
                continue;
            }
            let digits = word.trim_end_matches(|c: char| !c.is_ascii_digit());
            match digits.parse() {
                Ok(number) => found.push(number),
                Err(_) => break,
            }
            // Only a comma, or the word "and", goes on with the list.
            if digits.len() < word.len() && !word.ends_with(',') {
                break;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_in_comments() {
        assert_eq!(numbers(" Item 5. "), [5]);
        assert_eq!(numbers(" Items 7, 8 and 12: both of 3 "), [7, 8, 12]);
        assert_eq!(numbers(" Item 45, and 40: free"), [45, 40]);
        assert_eq!(
            numbers("\n * Items 43, 246\n * and 247: with\n"),
            [43, 246, 247]
        );
        assert_eq!(numbers(" Item by item "), Vec::<u32>::new());
        assert_eq!(
            numbers(" Items 1 and 20: a caller; Item 3: more"),
            [1, 20, 3]
        );
    }

    #[test]
    fn citations_of_tests() {
        let source = "// SPDX\n/* About Item 1: all. */\n\n#include <x.h>\n\n\
                      /* Item 9: not of a test */\nstatic int f(void)\n{\n}\n\n\
                      /* Items 2 and 3. */\nTEST_F(a, one)\n{\n\tx(); /* Item 4: here */\n}\n\n\
                      /* Item 5. */\nTEST_F_TIMEOUT(a, two, 500)\n{\n}\n";
        let found = cited(source);
        let one: Vec<u32> = found.iter().filter(|f| f.1 == "one").map(|f| f.0).collect();
        let two: Vec<u32> = found.iter().filter(|f| f.1 == "two").map(|f| f.0).collect();
        assert_eq!(one, [1, 2, 3, 4]);
        assert_eq!(two, [1, 5]);
    }

    #[test]
    fn an_item_without_a_test_is_found() {
        let items =
            parse("Words.\n# 1. x\n1 A one\n2 Q two\n# 20. y\n3 K three\n4 B four\n").unwrap();
        assert_eq!(items.len(), 4);
        let mut citations = Citations::from([(4, vec!["a:b".to_string()])]);
        let error = verdict(&items, &citations).unwrap_err().to_string();
        assert_eq!(error, "item 1 has no test: one");
        citations.insert(1, vec!["a:b".to_string()]);
        citations.insert(7, vec!["a:c".to_string()]);
        let error = verdict(&items, &citations).unwrap_err().to_string();
        assert_eq!(error, "a:c cites item 7, which is not listed");
    }

    #[test]
    fn broken_lists_are_refused() {
        for text in [
            "# 1. x\n1 A",
            "# 1. x\n1 Z text",
            "# 1. x\n2 A a\n2 A b",
            "# x\n",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
