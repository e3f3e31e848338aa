//! What a dump is packed in: by its name, and where that says nothing, by its first bytes.

use std::{
    fs::File,
    io::{self, Read, Seek as _, SeekFrom},
    path::Path,
};

use super::Counted;

/// What a dump is packed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Sql,
    Gzip,
    Xz,
    Zstd,
    /// For `restore_command`.
    Other,
}

/// Of a file. What its name says is checked by whoever reads it.
///
/// # Errors
/// It cannot be read; or only a command could read it, and there is none.
pub(super) fn of(path: &Path, has_command: bool, file: &mut File) -> io::Result<Format> {
    let mut head = Vec::new();
    file.by_ref().take(512).read_to_end(&mut head)?;
    file.seek(SeekFrom::Start(0))?;
    let looks = by_bytes(&head);
    match (by_name(path), looks) {
        // A name that lies is met every day: `dump.sql` that was packed in transit.
        (Some(Format::Sql), Some(looks)) => Ok(looks),
        (Some(named), _) => Ok(named),
        (None, _) if has_command => Ok(Format::Other),
        (None, Some(looks)) => Ok(looks),
        (None, None) if !head.contains(&0) && !head.starts_with(b"PGDMP") => Ok(Format::Sql),
        (None, None) => Err(io::Error::other(
            "it is no SQL, and nothing says how to read it: `restore_command` makes SQL of any format, as `pg_restore -f -` does of pg_dump's archives",
        )),
    }
}

fn by_name(path: &Path) -> Option<Format> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    Some(match extension.as_str() {
        "sql" => Format::Sql,
        "gz" => Format::Gzip,
        "xz" => Format::Xz,
        "zst" | "zstd" => Format::Zstd,
        _ => return None,
    })
}

fn by_bytes(head: &[u8]) -> Option<Format> {
    const MAGIC: [(&[u8], Format); 3] = [
        (&[0x1f, 0x8b], Format::Gzip),
        (&[0xfd, b'7', b'z', b'X', b'Z', 0], Format::Xz),
        (&[0x28, 0xb5, 0x2f, 0xfd], Format::Zstd),
    ];
    MAGIC
        .into_iter()
        .find(|(magic, _)| head.starts_with(magic))
        .map(|(_, format)| format)
}

/// Unpacks. Checksums are checked, and what is appended (as `cat a.gz b.gz` does) is read, too.
#[cfg(feature = "compressed")]
pub(super) fn reader(format: Format, file: Counted) -> io::Result<Box<dyn Read>> {
    let file = io::BufReader::with_capacity(64 * 1024, file);
    Ok(match format {
        Format::Sql | Format::Other => Box::new(file),
        Format::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        Format::Xz => Box::new(lzma_rust2::XzReader::new(file, true)),
        Format::Zstd => Box::new(super::zstd::Zstd::new(file)),
    })
}

/// Without the crates that unpack.
#[cfg(not(feature = "compressed"))]
pub(super) fn reader(format: Format, file: Counted) -> io::Result<Box<dyn Read>> {
    let program = match format {
        Format::Sql | Format::Other => return Ok(Box::new(file)),
        Format::Gzip => "gzip",
        Format::Xz => "xz",
        Format::Zstd => "zstd",
    };
    Err(io::Error::other(format!(
        "this program was built without reading {program}: give migrate-diesel the feature `compressed`, or name the file without its ending and say `restore_command = \"{program} -dc\"`"
    )))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn format(name: &str, has_command: bool, head: &[u8]) -> io::Result<Format> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(head).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        of(Path::new(name), has_command, &mut file)
    }

    #[test]
    fn names_and_bytes() {
        for (name, has_command, head, expected) in [
            ("a.sql", true, &b"SELECT 1"[..], Format::Sql),
            ("a.sql", false, b"\x1f\x8b..", Format::Gzip),
            ("a.sql.gz", true, b"\x1f\x8b..", Format::Gzip),
            ("a.SQL.XZ", false, b"", Format::Xz),
            ("a.zst", false, b"", Format::Zstd),
            ("a.dump", true, b"PGDMP", Format::Other),
            ("a.bz2", true, b"BZh", Format::Other),
            ("backup", false, b"\xfd7zXZ\0..", Format::Xz),
            ("backup", false, b"\x28\xb5\x2f\xfd..", Format::Zstd),
            ("backup", false, b"CREATE TABLE t (id int)", Format::Sql),
        ] {
            assert_eq!(format(name, has_command, head).unwrap(), expected, "{name}");
        }
        for head in [&b"PGDMP\x01"[..], b"a\0b"] {
            let error = format("backup", false, head).unwrap_err().to_string();
            assert!(error.contains("restore_command"), "{error}");
        }
    }
}
