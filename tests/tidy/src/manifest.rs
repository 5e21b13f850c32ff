//! What manifests say about the crates of the workspace and their dependencies.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::{Finding, Tree};

/// A `Cargo.toml`.
pub(crate) struct Manifest<'t> {
    /// The folder it is in, from the root of the repository; empty for the root itself.
    pub(crate) folder: &'t str,
    /// Its own path.
    pub(crate) file: &'t str,
    text: &'t str,
    table: DeTable<'t>,
}

impl<'t> Manifest<'t> {
    fn parse(file: &'t str, text: &'t str) -> Result<Self, Finding> {
        let folder = file.strip_suffix("Cargo.toml").unwrap_or(file).trim_end_matches('/');
        match DeTable::parse(text) {
            Ok(table) => Ok(Self { folder, file, text, table: table.into_inner() }),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                let advice = format!("write valid TOML: {}", error.message());
                Err(Finding::new("manifest", file, line_at(text, at), advice))
            }
        }
    }

    /// The value at `path`, whose keys have dots between them.
    pub(crate) fn get(&self, path: &str) -> Option<&Spanned<DeValue<'t>>> {
        let mut keys = path.split('.');
        let first = self.table.get(keys.next()?)?;
        keys.try_fold(first, |value, key| value.get_ref().get(key))
    }

    /// The text at `path`.
    pub(crate) fn text_at(&self, path: &str) -> Option<&str> {
        self.get(path)?.get_ref().as_str()
    }

    /// Whether `true` stands at `path`.
    pub(crate) fn is_true(&self, path: &str) -> bool {
        self.get(path).is_some_and(|value| value.get_ref().as_bool() == Some(true))
    }

    /// The texts of the array at `path`, with their lines.
    pub(crate) fn list_at(&self, path: &str) -> Vec<(usize, &str)> {
        let items = self.get(path).and_then(|value| value.get_ref().as_array());
        let texts = items.into_iter().flat_map(|items| items.iter());
        texts.filter_map(|item| Some((self.line(item.span()), item.get_ref().as_str()?))).collect()
    }

    /// The line on which what stands at `path` starts, or line 1 where there is nothing.
    pub(crate) fn line_of(&self, path: &str) -> usize {
        self.get(path).map_or(1, |value| self.line(value.span()))
    }

    /// The package's name.
    pub(crate) fn package(&self) -> Option<&str> {
        self.text_at("package.name")
    }

    /// Every dependency, of every kind and for every target.
    pub(crate) fn dependencies(&self) -> Vec<Dependency<'_, 't>> {
        let targets = self.get("target").and_then(|value| value.get_ref().as_table());
        let tables = targets.into_iter().flat_map(DeTable::values);
        let per_target = tables.filter_map(|value| value.get_ref().as_table());
        std::iter::once(&self.table)
            .chain(per_target)
            .flat_map(|table| self.section(table))
            .collect()
    }

    /// What the root's `[workspace.dependencies]` holds.
    pub(crate) fn shared(&self) -> Vec<Dependency<'_, 't>> {
        let table = self.get("workspace.dependencies").and_then(|value| value.get_ref().as_table());
        table.into_iter().flat_map(|table| self.entries(Kind::Normal, table)).collect()
    }

    fn section<'m>(&'m self, table: &'m DeTable<'t>) -> Vec<Dependency<'m, 't>> {
        let kinds = [
            ("dependencies", Kind::Normal),
            ("build-dependencies", Kind::Normal),
            ("dev-dependencies", Kind::Dev),
        ];
        let entries = |(name, kind)| {
            let section = table.get(name).and_then(|section| section.get_ref().as_table());
            section.into_iter().flat_map(move |section| self.entries(kind, section))
        };
        kinds.into_iter().flat_map(entries).collect()
    }

    fn entries<'m>(&'m self, kind: Kind, table: &'m DeTable<'t>) -> Vec<Dependency<'m, 't>> {
        table
            .iter()
            .map(|(key, value)| {
                let line = self.line(key.span());
                Dependency { key: key.get_ref(), kind, line, value: value.get_ref() }
            })
            .collect()
    }

    fn line(&self, span: Range<usize>) -> usize {
        line_at(self.text, span.start)
    }
}

/// The line of the byte at `offset`, counted from 1.
fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// When a dependency is needed. Build scripts run before anything ships, and count as normal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// To build the crate.
    Normal,
    /// To build its tests, benches and examples.
    Dev,
}

/// One entry of a dependency section.
pub(crate) struct Dependency<'m, 't> {
    /// The name by which the crate's code knows it.
    pub(crate) key: &'m str,
    pub(crate) kind: Kind,
    pub(crate) line: usize,
    value: &'m DeValue<'t>,
}

impl Dependency<'_, '_> {
    /// The text at `key`, such as `package` or `path`.
    pub(crate) fn text_at(&self, key: &str) -> Option<&str> {
        self.value.get(key)?.get_ref().as_str()
    }

    /// What is said at `key`, such as `workspace` or `default-features`.
    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        self.value.get(key)?.get_ref().as_bool()
    }

    /// The texts of the list at `key`, such as `features`.
    pub(crate) fn list_at(&self, key: &str) -> Vec<&str> {
        let items = self.value.get(key).and_then(|value| value.get_ref().as_array());
        let items = items.into_iter().flat_map(|items| items.iter());
        items.filter_map(|item| item.get_ref().as_str()).collect()
    }

    /// The package's name, which differs from the key where the package is renamed.
    pub(crate) fn package(&self) -> &str {
        self.text_at("package").unwrap_or(self.key)
    }
}

/// The root's manifest and those of all crates, whether or not the root lists them. Fuzz targets are left out: they need
/// another compiler than everything else, so their folder is a workspace of its own.
pub(crate) struct Workspace<'t> {
    pub(crate) root: Manifest<'t>,
    pub(crate) crates: Vec<Manifest<'t>>,
}

impl<'t> Workspace<'t> {
    /// Reads every manifest in `tree`.
    pub(crate) fn read(tree: &'t Tree) -> Result<Self, Finding> {
        let root = tree.get("Cargo.toml").ok_or_else(|| {
            Finding::new("manifest", "Cargo.toml", 1, "write the workspace's manifest")
        })?;
        let manifests = tree.iter().filter(|(path, _)| path.ends_with("/Cargo.toml"));
        let mut crates = manifests
            .map(|(path, text)| Manifest::parse(path, text))
            .collect::<Result<Vec<_>, _>>()?;
        crates.retain(|manifest| {
            !(manifest.folder.ends_with("/fuzz") && manifest.get("workspace").is_some())
        });
        Ok(Self { root: Manifest::parse("Cargo.toml", root)?, crates })
    }

    /// Applies `rule` to the workspace, or finds the manifest that cannot be read.
    pub(crate) fn check(tree: &'t Tree, rule: impl FnOnce(&Self) -> Vec<Finding>) -> Vec<Finding> {
        Self::read(tree).map_or_else(|finding| vec![finding], |workspace| rule(&workspace))
    }

    /// The entry of the shared table for a dependency that inherits.
    pub(crate) fn shared(&self, dependency: &Dependency) -> Option<Dependency<'_, 't>> {
        self.root.shared().into_iter().find(|shared| shared.key == dependency.key)
    }

    /// The name of the package that `dependency` means.
    pub(crate) fn package(&self, dependency: &Dependency) -> String {
        let shared = self.inherited(dependency);
        shared.as_ref().unwrap_or(dependency).package().to_owned()
    }

    /// The folder of the crate that `dependency` of `from` means, where it is one of this workspace.
    pub(crate) fn target(&self, from: &Manifest, dependency: &Dependency) -> Option<&'t str> {
        let shared = self.inherited(dependency);
        let (base, entry) = match &shared {
            Some(shared) => ("", shared),
            None => (from.folder, dependency),
        };
        let path = entry.text_at("path").map(|path| normalised(base, path));
        let target = self.crates.iter().find(|target| match &path {
            Some(path) => target.folder == path,
            None => target.package() == Some(entry.package()),
        });
        target.map(|target| target.folder)
    }

    fn inherited(&self, dependency: &Dependency) -> Option<Dependency<'_, 't>> {
        let inherits = dependency.flag("workspace") == Some(true);
        inherits.then(|| self.shared(dependency)).flatten()
    }
}

/// The folder that `path` means when it is read in the folder `base`.
pub(crate) fn normalised(base: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
