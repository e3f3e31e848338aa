//! Bodies over the records of a CSV file.

use std::{
    fs::File,
    io::{BufReader, Read as _},
    marker::PhantomData,
    path::{Path, PathBuf},
};

use csv::{ByteRecord, Position, Reader, ReaderBuilder};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    ahead::{Ahead, Entry, Tape, Units},
    body::{ReturnedRows, Signature, Takes, kind},
    code::{Feed, Masked, MassCode, Opening, Parameters},
    items::ItemsFeed,
    parameters::{self, Field, MassParameters},
};
use crate::migration::{BoxError, ConnectionKind};

/// A body over the records of a file: `fn(db, &T) -> QueryResult<()>`.
#[doc(hidden)]
pub struct CsvCode<F, M>(pub &'static str, pub F, pub PhantomData<fn() -> M>);

impl<F, M> std::fmt::Debug for CsvCode<F, M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("CsvCode").field(&self.0).finish()
    }
}

impl<F, T, M> MassCode for CsvCode<F, (T, M)>
where
    F: Takes<T, M>,
    F::Output: ReturnedRows,
    T: DeserializeOwned + 'static,
    M: Signature,
{
    fn connection(&self) -> ConnectionKind {
        kind::<M>()
    }

    fn fields(&self) -> &'static [Field] {
        M::Parameters::FIELDS
    }

    fn check(&self, given: &Parameters) -> Result<Masked, BoxError> {
        let masked = parameters::check::<M::Parameters>(given)?;
        let path = path(self.0, &parameters::filled(M::Parameters::FIELDS, given))?;
        // Now, and not hours later in another process.
        open(&path)?;
        Ok(masked)
    }

    fn open<'f>(&'f self, opening: Opening<'f>) -> Result<Box<dyn Feed + 'f>, BoxError> {
        let filled = parameters::filled(M::Parameters::FIELDS, opening.parameters);
        Ok(Box::new(ItemsFeed::<_, F, M> {
            ahead: Ahead::new(CsvTape::<T> {
                path: path(self.0, &filled)?,
                record: PhantomData,
            }),
            body: &self.1,
            parameters: parameters::read(opening.parameters)?,
        }))
    }
}

/// With `${name}` replaced by parameters.
fn path(template: &str, parameters: &Parameters) -> Result<PathBuf, BoxError> {
    let mut path = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, behind) = after
            .split_once('}')
            .ok_or_else(|| format!("`{template}` has a `${{` without `}}`"))?;
        let value = match parameters.get(name) {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => {
                return Err(format!(
                    "`{template}` names the parameter `{name}`, which it does not have"
                )
                .into());
            }
        };
        path.push_str(before);
        path.push_str(&value);
        rest = behind;
    }
    path.push_str(rest);
    Ok(path.into())
}

fn open(path: &Path) -> Result<File, BoxError> {
    File::open(path).map_err(|error| format!("cannot open `{}`: {error}", path.display()).into())
}

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    byte: u64,
    line: u64,
    record: u64,
}

impl Place {
    fn of(position: &Position) -> Self {
        Self {
            byte: position.byte(),
            line: position.line(),
            record: position.record(),
        }
    }

    fn position(self) -> Position {
        let mut position = Position::new();
        position
            .set_byte(self.byte)
            .set_line(self.line)
            .set_record(self.record);
        position
    }
}

/// A record's key, and the cursor behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Key {
    /// Its first line, for people.
    line: u64,
    /// Where it begins.
    at: Place,
    /// Where the next one does.
    next: Place,
    /// What the file looked like: nothing fits any more when it does not.
    file: String,
}

struct CsvTape<T> {
    path: PathBuf,
    record: PhantomData<fn() -> T>,
}

/// How much of a file is looked at to tell it from another one.
const BEGINNING: u64 = 64 * 1024;

impl<T: DeserializeOwned + 'static> CsvTape<T> {
    fn open(&self, key: Option<&Key>, at: Option<Place>) -> Result<Units<T>, BoxError> {
        let file = open(&self.path)?;
        let looks = self.looks(&file)?;
        if let Some(key) = key
            && key.file != looks
        {
            return Err(format!(
                "`{}` is not the file that the run began with: it was {}, and is {looks}",
                self.path.display(),
                key.file
            )
            .into());
        }
        let tabs = self
            .path
            .extension()
            .is_some_and(|it| it.eq_ignore_ascii_case("tsv"));
        let mut reader = ReaderBuilder::new()
            .delimiter(if tabs { b'\t' } else { b',' })
            .from_reader(BufReader::new(open(&self.path)?));
        let headers = reader.byte_headers()?.clone();
        if let Some(at) = at {
            // Straight there, however far it is.
            reader.seek(at.position())?;
        }
        Ok(Box::new(Records {
            reader,
            headers,
            looks,
            over: false,
            record: PhantomData::<T>,
        }))
    }

    /// What tells the file from another one: its length, and a hash of its beginning.
    fn looks(&self, file: &File) -> Result<String, BoxError> {
        let length = file.metadata()?.len();
        let mut beginning = Vec::new();
        file.take(BEGINNING).read_to_end(&mut beginning)?;
        // FNV-1a, which stays the same in every version of everything.
        let hash = beginning
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
            });
        Ok(format!("{length} bytes long, beginning {hash:016x}"))
    }
}

fn key(text: &str) -> Result<Key, BoxError> {
    serde_json::from_str(text).map_err(|_| format!("`{text}` is no place in a CSV file").into())
}

impl<T: DeserializeOwned + 'static> Tape for CsvTape<T> {
    type Item = T;

    fn after(&self, cursor: Option<&str>) -> Result<Units<T>, BoxError> {
        let key = cursor.map(key).transpose()?;
        self.open(key.as_ref(), key.as_ref().map(|key| key.next))
    }

    fn from(&self, text: &str) -> Result<Units<T>, BoxError> {
        let key = key(text)?;
        self.open(Some(&key), Some(key.at))
    }
}

struct Records<T> {
    reader: Reader<BufReader<File>>,
    headers: ByteRecord,
    looks: String,
    over: bool,
    record: PhantomData<T>,
}

impl<T: DeserializeOwned> Iterator for Records<T> {
    type Item = Result<Entry<T>, BoxError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let mut record = ByteRecord::new();
        let before = Place::of(self.reader.position());
        let read = self.reader.read_byte_record(&mut record);
        let item = match read {
            Ok(false) => {
                self.over = true;
                return None;
            }
            Ok(true) => record
                .deserialize(Some(&self.headers))
                .map_err(|error| error.to_string()),
            Err(error) if error.is_io_error() => {
                self.over = true;
                return Some(Err(error.into()));
            }
            Err(error) => Err(error.to_string()),
        };
        let at = record.position().map_or(before, Place::of);
        let key = Key {
            line: at.line,
            at,
            next: Place::of(self.reader.position()),
            file: self.looks.clone(),
        };
        Some(match serde_json::to_string(&key) {
            Ok(key) => Ok(Entry {
                key,
                item: item.map_err(|error| format!("line {}: {error}", at.line)),
            }),
            Err(error) => Err(error.into()),
        })
    }
}
