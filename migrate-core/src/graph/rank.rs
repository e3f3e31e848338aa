//! Ranks: the order of migrations apart from what they require.

use std::cmp::Ordering as Order;

use rustc_hash::FxHashMap;

use super::stamp::Stamp;
use crate::{Descriptor, settings::Ordering};

/// Every migration once, sorted: by stamp (where asked for), crate in the order of `crates`, then
/// those of crates that it does not name by their name, file, line, column, name.
///
/// Strings are compared once per file; the sort itself compares numbers.
pub(super) fn ranked(
    migrations: &[&'static Descriptor],
    crates: &[&str],
    ordering: Ordering,
) -> Vec<&'static Descriptor> {
    let mut files = Files::default();
    let numbers: Vec<u32> = migrations.iter().map(|it| files.number(it)).collect();
    let ranks = files.ranks(crates);
    let declared = migrations.iter().zip(numbers).map(|(&descriptor, file)| {
        let rank = ranks.get(file as usize).copied().unwrap_or(u32::MAX);
        Declared::new(rank, descriptor)
    });
    let mut sorted: Vec<&'static Descriptor> = match ordering {
        Ordering::Declared => {
            let mut entries: Vec<Declared> = declared.collect();
            entries.sort_unstable_by(Declared::order);
            entries.into_iter().map(|it| it.descriptor).collect()
        }
        Ordering::Stamped => {
            let mut entries: Vec<(Stamp<'_>, Declared)> = declared
                .map(|it| (Stamp::of(it.descriptor.id.name()), it))
                .collect();
            entries.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.order(&b.1)));
            entries.into_iter().map(|(_, it)| it.descriptor).collect()
        }
    };
    // A static that was handed in twice is one migration.
    sorted.dedup_by(|a, b| std::ptr::eq(*a, *b));
    sorted
}

/// Where a migration is declared, as one number to sort by.
struct Declared {
    /// Rank of the file, line, column.
    place: u128,
    descriptor: &'static Descriptor,
}

impl Declared {
    fn new(file: u32, descriptor: &'static Descriptor) -> Self {
        let location = descriptor.location;
        let place = [file, location.line, location.column]
            .into_iter()
            .fold(0, |place, part| place << 32 | u128::from(part));
        Self { place, descriptor }
    }

    fn order(&self, other: &Self) -> Order {
        self.place
            .cmp(&other.place)
            .then_with(|| self.descriptor.id.name().cmp(other.descriptor.id.name()))
            // Equal until here is a duplicate id and refused; this only brings copies of one
            // static together.
            .then_with(|| address(self.descriptor).cmp(&address(other.descriptor)))
    }
}

/// Where the texts of a package and of a file lie, and how long they are.
type TextAddress = ((usize, usize), (usize, usize));

/// The files that migrations are in, numbered as they are met.
#[derive(Default)]
struct Files {
    /// By address: rustc stores the texts of one file once, mostly, and texts that are equal and
    /// lie apart get one rank in the end.
    numbers: FxHashMap<TextAddress, u32>,
    last: Option<(TextAddress, u32)>,
    texts: Vec<(&'static str, &'static str)>,
}

impl Files {
    fn number(&mut self, descriptor: &Descriptor) -> u32 {
        let (package, file) = (descriptor.id.package(), descriptor.location.file);
        let key = (
            (package.as_ptr().addr(), package.len()),
            (file.as_ptr().addr(), file.len()),
        );
        if let Some((last, number)) = self.last
            && last == key
        {
            return number;
        }
        let next = super::csr::count(self.texts.len());
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.texts.push((package, file));
        }
        self.last = Some((key, number));
        number
    }

    /// The rank of each number.
    fn ranks(&self, crates: &[&str]) -> Vec<u32> {
        let place = |package: &str| {
            let named = crates.iter().position(|name| *name == package);
            named.unwrap_or(crates.len())
        };
        let mut sorted: Vec<(usize, &str, &str, usize)> = self
            .texts
            .iter()
            .enumerate()
            .map(|(number, (package, file))| (place(package), *package, *file, number))
            .collect();
        sorted.sort_unstable_by(|a, b| {
            (a.0, a.1)
                .cmp(&(b.0, b.1))
                .then_with(|| compare_paths(a.2, b.2))
                .then_with(|| a.3.cmp(&b.3))
        });
        let mut ranks = vec![0; sorted.len()];
        let mut rank = 0;
        let mut last: Option<(&str, &str)> = None;
        for (_, package, file, number) in sorted {
            let is_new =
                last.is_some_and(|last| last.0 != package || compare_paths(last.1, file).is_ne());
            rank += u32::from(is_new);
            last = Some((package, file));
            if let Some(slot) = ranks.get_mut(number) {
                *slot = rank;
            }
        }
        ranks
    }
}

/// Compares paths as text, `\` like `/`: a program orders its migrations alike wherever it was
/// compiled.
fn compare_paths(a: &str, b: &str) -> Order {
    let unix = |byte: u8| if byte == b'\\' { b'/' } else { byte };
    a.bytes().map(unix).cmp(b.bytes().map(unix))
}

/// Where a descriptor lies: its identity within this process.
pub(super) fn address(descriptor: &'static Descriptor) -> usize {
    std::ptr::from_ref(descriptor).addr()
}

/// Position by address.
pub(super) type ByAddress = FxHashMap<usize, u32>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_compare_alike_on_every_system() {
        for (first, second) in [("src/a.rs", "src/a/b.rs"), ("src/a/b.rs", "src/a0.rs")] {
            assert!(compare_paths(first, second).is_lt());
            let (first, second) = (first.replace('/', "\\"), second.replace('/', "\\"));
            assert!(compare_paths(&first, &second).is_lt());
        }
    }
}
