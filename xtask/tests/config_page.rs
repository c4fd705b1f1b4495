//! `docs/config.md` is the documentation of the configuration's own fields: this test writes the page
//! again from the sources and compares.
//!
//! `UPDATE_PAGES=1 cargo test -p xtask --test config_page` replaces the page.
#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use syn::{Attribute, Expr, Fields, GenericArgument, Item, Lit, Meta, PathArguments, Type};

/// The struct of a configuration file.
const ROOT: &str = "StudyConfig";

const INTRODUCTION: &str = "\
# Configuration

A study is one TOML file.
Every key has a default; `mosei-ssl check FILE` prints a configuration with all of them filled in.
Unknown keys are refused, with the nearest known one.

This page is written from the documentation of the fields in the code (`xtask/tests/config_page.rs`); do not edit it.
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

/// The structs and enums of all crates that are read from a configuration, by name.
fn items() -> BTreeMap<String, Item> {
    let mut items = BTreeMap::new();
    let mut folders = vec![root().join("crates")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !["tests", "target"].iter().any(|name| path.ends_with(name)) {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let file = syn::parse_file(&std::fs::read_to_string(&path).unwrap()).unwrap();
                for item in file.items {
                    let (name, attributes) = match &item {
                        Item::Struct(s) => (s.ident.to_string(), &s.attrs),
                        Item::Enum(e) => (e.ident.to_string(), &e.attrs),
                        _ => continue,
                    };
                    if derives_deserialize(attributes) {
                        items.insert(name, item);
                    }
                }
            }
        }
    }
    items
}

fn derives_deserialize(attributes: &[Attribute]) -> bool {
    let list = |a: &Attribute| {
        a.path()
            .is_ident("derive")
            .then(|| a.meta.require_list().unwrap().tokens.to_string())
    };
    attributes
        .iter()
        .filter_map(list)
        .any(|tokens| tokens.contains("Deserialize"))
}

/// The documentation comment as paragraphs, links as plain code.
fn documentation(attributes: &[Attribute]) -> String {
    let mut text = String::new();
    for attribute in attributes.iter().filter(|a| a.path().is_ident("doc")) {
        if let Meta::NameValue(value) = &attribute.meta
            && let Expr::Lit(literal) = &value.value
            && let Lit::Str(line) = &literal.lit
        {
            let line = line.value();
            let line = line.trim();
            text += if line.is_empty() { "\n" } else { " " };
            text += line;
        }
    }
    let mut plain = String::new();
    let mut rest = text.trim();
    while let Some((before, after)) = rest.split_once("[`") {
        let Some((link, after)) = after.split_once("`]") else {
            break;
        };
        plain += before;
        let _ = write!(
            plain,
            "`{}`",
            link.rsplit("::").next().unwrap().trim_end_matches("()")
        );
        // A link's target, where it has one.
        rest = match after
            .strip_prefix('(')
            .and_then(|target| target.split_once(')'))
        {
            Some((_, after)) => after,
            None => after,
        };
    }
    plain + rest
}

/// The last name of a type, and the type inside it.
fn outer_and_inner(ty: &Type) -> (String, Option<Type>) {
    let Type::Path(path) = ty else {
        return (String::new(), None);
    };
    let last = path.path.segments.last().unwrap();
    let inner = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => {
            arguments.args.iter().rev().find_map(|a| match a {
                GenericArgument::Type(ty) => Some(ty.clone()),
                _ => None,
            })
        }
        _ => None,
    };
    (last.ident.to_string(), inner)
}

/// A type in words, and its name where the page describes it further.
fn in_words(ty: &Type, items: &BTreeMap<String, Item>) -> (String, Option<String>) {
    let (outer, inner) = outer_and_inner(ty);
    match (outer.as_str(), &inner) {
        ("Option", Some(inner)) => in_words(inner, items),
        ("Vec", Some(inner)) => {
            let (words, name) = in_words(inner, items);
            (format!("list: {words}"), name)
        }
        ("BTreeMap", Some(inner)) => {
            let (words, name) = in_words(inner, items);
            (format!("by name: {words}"), name)
        }
        ("usize" | "u8" | "u16" | "u32" | "u64" | "i32", _) => ("whole number".into(), None),
        ("f64" | "f32", _) => ("number".into(), None),
        ("bool", _) => ("true or false".into(), None),
        ("String" | "PathBuf", _) => ("text".into(), None),
        (name, _) => match items.get(name) {
            Some(Item::Struct(_)) => ("table".into(), Some(name.into())),
            Some(_) => ("one of".into(), Some(name.into())),
            None => panic!("{name}: a type that the page has no words for"),
        },
    }
}

/// A variant as serde spells it.
fn spelled(variant: &str, attributes: &[Attribute]) -> String {
    let serde = |a: &Attribute| {
        a.path()
            .is_ident("serde")
            .then(|| a.meta.require_list().unwrap().tokens.to_string())
    };
    let kebab = attributes
        .iter()
        .filter_map(serde)
        .any(|tokens| tokens.contains("kebab-case"));
    let mut name = String::new();
    for (i, letter) in variant.char_indices() {
        if kebab && letter.is_uppercase() && i > 0 {
            name.push('-');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

/// Sentences, one a line, at an indent.
fn sentences(text: &str, indent: &str) -> String {
    let text = text.replace('\n', " ");
    let mut lines = String::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        line += if line.is_empty() { "" } else { " " };
        line += word;
        let abbreviation = ["e.g.", "i.e.", "al."].contains(&word);
        if word.ends_with('.') && !abbreviation {
            let _ = writeln!(lines, "{indent}{}", std::mem::take(&mut line));
        }
    }
    if !line.is_empty() {
        let _ = writeln!(lines, "{indent}{line}");
    }
    lines
}

/// Appends the section of a table, and those of the tables in it.
fn section(
    page: &mut String,
    table: &str,
    name: &str,
    around: &[&str],
    items: &BTreeMap<String, Item>,
) {
    let Item::Struct(item) = &items[name] else {
        panic!("{name} is no struct")
    };
    let Fields::Named(fields) = &item.fields else {
        panic!("{name} has no named fields")
    };
    let heading = if table.is_empty() {
        "Top level".to_string()
    } else {
        format!("`[{table}]`")
    };
    let _ = write!(
        page,
        "\n## {heading}\n\n{}\n",
        sentences(&documentation(&item.attrs), "")
    );
    let mut inner = Vec::new();
    for field in &fields.named {
        let key = field.ident.as_ref().unwrap().to_string();
        let (words, described) = in_words(&field.ty, items);
        let _ = writeln!(page, "- **`{key}`** ({words})");
        page.push_str(&sentences(&documentation(&field.attrs), "  "));
        let Some(described) = described else { continue };
        match &items[&described] {
            Item::Struct(_) => {
                let by_name = if words.starts_with("by name") {
                    ".NAME"
                } else {
                    ""
                };
                let path = format!(
                    "{table}{}{key}{by_name}",
                    if table.is_empty() { "" } else { "." }
                );
                if around.contains(&described.as_str()) {
                    let _ = writeln!(page, "  `[{path}]` has the keys of `[{table}]`.");
                } else {
                    let _ = writeln!(page, "  See `[{path}]`.");
                    inner.push((path, described));
                }
            }
            Item::Enum(item) => {
                for variant in &item.variants {
                    let name = spelled(&variant.ident.to_string(), &item.attrs);
                    let text = sentences(&documentation(&variant.attrs), "    ");
                    let _ = write!(page, "  - `\"{name}\"`: {}", text.trim_start());
                }
            }
            _ => {}
        }
    }
    for (path, described) in inner {
        section(
            page,
            &path,
            &described,
            &[around, &[described.as_str()]].concat(),
            items,
        );
    }
}

#[test]
fn the_page_is_the_documentation_of_the_fields() {
    let items = items();
    let mut page = INTRODUCTION.to_string();
    section(&mut page, "", ROOT, &[ROOT], &items);
    let path = root().join("docs/config.md");
    if std::env::var_os("UPDATE_PAGES").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = page.lines().zip(found.lines()).position(|(a, b)| a != b);
    assert!(
        page == found,
        "docs/config.md differs from the fields' documentation at line {}; to write it again: \
         UPDATE_PAGES=1 cargo test -p xtask --test config_page",
        differs.map_or(page.lines().count().min(found.lines().count()), |i| i) + 1
    );
}
