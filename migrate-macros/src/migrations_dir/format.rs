//! What the tools call their files, and what they read in them.
//!
//! | tool | source of the rules |
//! |---|---|
//! | diesel | `migrations_internals` (2.3), `file_based_migrations.rs` of `diesel_migrations` (2.3) |
//! | refinery | `util.rs` of refinery-core (0.10) |
//! | sqlx | `migrate/source.rs` of sqlx-core (0.9) |

use super::{
    model::{Format, Migration},
    read::Listed,
    text,
};

/// The migrations among the files, in any order; what is wrong with them goes to `errors`.
pub(super) fn migrations(
    format: Format,
    listed: &Listed,
    errors: &mut Vec<String>,
) -> Vec<Migration> {
    let read = match format {
        Format::Diesel => diesel,
        Format::Refinery => refinery,
        Format::Sqlx => sqlx,
        Format::Plain => plain,
    };
    let mut migrations = Vec::new();
    for file in &listed.files {
        match read(listed, file) {
            Ok(Some(migration)) => migrations.push(migration),
            Ok(None) => {}
            Err(error) => errors.push(error),
        }
    }
    migrations
}

/// For a directory in which there is none.
pub(super) fn described(format: Format) -> &'static str {
    match format {
        Format::Diesel => "a directory `2024-01-01-000000_name` each, with `up.sql`",
        Format::Refinery => "a file `V1__name.sql` each",
        Format::Sqlx => "a file `20240101000000_name.sql` or `20240101000000_name.up.sql` each",
        Format::Plain => "a file `name.sql` each",
    }
}

/// A migration that begins at this file, if one does.
type Read = Result<Option<Migration>, String>;

/// `NUMBER_WORDS/up.sql`, `down.sql`, `metadata.toml`. Other files there are nothing to Diesel.
fn diesel(listed: &Listed, file: &str) -> Read {
    let Some((directory, name)) = file.rsplit_once('/') else {
        if file.ends_with(".sql") {
            return Err(format!(
                "Diesel's migrations are directories, and `{}` is a file; of another tool it would be `format = sqlx`, \
                 `refinery` or `plain`",
                listed.shown(file)
            ));
        }
        return Ok(None);
    };
    let up = format!("{directory}/up.sql");
    if name == "down.sql" && !listed.has(&up) {
        return Err(format!("`{}` lacks its `up.sql`", listed.shown(directory)));
    }
    if name != "up.sql" {
        return Ok(None);
    }
    if directory.contains('/') {
        return Err(format!(
            "`{}` is too deep: Diesel looks at directories in `{}` itself",
            listed.shown(file),
            listed.shown("")
        ));
    }
    let (number, words) = directory.split_once('_').unwrap_or((directory, ""));
    let version = number.replace('-', "");
    let down = format!("{directory}/down.sql");
    let down = listed.has(&down).then(|| listed.sql(&down)).transpose()?;
    let metadata = format!("{directory}/metadata.toml");
    let metadata = listed.has(&metadata).then_some(metadata);
    let outside_transaction = match &metadata {
        Some(file) => !runs_in_transaction(listed, file)?,
        None => false,
    };
    Ok(Some(Migration {
        order: (None, version.clone()),
        theirs: directory.to_owned(),
        words: words.to_owned(),
        number: version.clone(),
        recorded_as: version,
        up: listed.sql(&up)?,
        down,
        metadata,
        outside_transaction,
    }))
}

/// Diesel knows one key. Without it a file means `false` there, which nobody would guess.
fn runs_in_transaction(listed: &Listed, file: &str) -> Result<bool, String> {
    let text = listed.read(file)?;
    let lines: Vec<String> = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .map(|line| line.split_whitespace().collect::<String>())
        .filter(|line| !line.is_empty())
        .collect();
    match lines.as_slice() {
        [line] if line == "run_in_transaction=true" => Ok(true),
        [line] if line == "run_in_transaction=false" => Ok(false),
        _ => Err(format!(
            "`{}` says one thing: `run_in_transaction = true` or `run_in_transaction = false`",
            listed.shown(file)
        )),
    }
}

/// `V1__words.sql`, also further down. `U1__words.sql` may come late, which everything may here.
fn refinery(listed: &Listed, file: &str) -> Read {
    let name = file.rsplit('/').next().unwrap_or(file);
    let shown = listed.shown(file);
    let Some((stem, extension)) = name.rsplit_once('.') else {
        return Ok(None);
    };
    let parts = stem
        .strip_prefix(['V', 'U'])
        .and_then(|rest| rest.split_once("__"))
        .filter(|(number, words)| {
            let is_number = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
            let mut halves = number.splitn(2, '.');
            halves.all(is_number) && is_words(words)
        });
    match (extension, parts) {
        ("rs", Some(_)) => Err(format!(
            "`{shown}` is Rust, of which refinery takes the text that its function `migration` returns: put that text \
             into `{stem}.sql`"
        )),
        ("sql", None) => Err(format!(
            "`{shown}` is not called as refinery has it, `V1__name.sql`, and refinery leaves it out; rename it, or put \
             it elsewhere"
        )),
        ("sql", Some((number, words))) => {
            let version: i64 = number.parse().map_err(|_| {
                format!(
                    "`{shown}`: refinery takes `{number}` for no version; it has to be one number"
                )
            })?;
            let up = listed.sql(file)?;
            Ok(Some(Migration {
                order: (u128::try_from(version).ok(), String::new()),
                theirs: stem.to_owned(),
                words: words.to_owned(),
                number: number.to_owned(),
                // With a `V` also where the file has a `U`: that is not recorded.
                recorded_as: format!("V{version}__{words}"),
                outside_transaction: text::says_no_transaction(&up.text),
                up,
                down: None,
                metadata: None,
            }))
        }
        _ => Ok(None),
    }
}

fn is_words(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|it| it.is_alphanumeric() || it == '_')
}

/// `1_words.sql`, or `1_words.up.sql` with `1_words.down.sql`. Directories in it are nothing to sqlx.
fn sqlx(listed: &Listed, file: &str) -> Read {
    let Some(stem) = file.strip_suffix(".sql").filter(|it| !it.contains('/')) else {
        return Ok(None);
    };
    let shown = listed.shown(file);
    let version = |stem: &str| stem.split_once('_').and_then(|it| it.0.parse::<i64>().ok());
    let Some(number) = version(stem).filter(|it| *it >= 0) else {
        return Err(format!(
            "`{shown}` is not called as sqlx has it, `20240101000000_name.sql`; rename it, or put it elsewhere"
        ));
    };
    // By number: the words after it may differ.
    let beside = |is_wanted: &dyn Fn(&str) -> bool| {
        listed.files.iter().find(|it| {
            let other = it.strip_suffix(".sql").filter(|it| !it.contains('/'));
            other.is_some_and(|it| version(it) == Some(number)) && is_wanted(it)
        })
    };
    if stem.ends_with(".down") {
        let up = beside(&|it| !it.ends_with(".down.sql"));
        return match up {
            Some(_) => Ok(None),
            None => Err(format!(
                "`{shown}` reverts what is not there: `{}.up.sql`",
                stem.trim_end_matches(".down")
            )),
        };
    }
    let theirs = stem.trim_end_matches(".up");
    let words = theirs.split_once('_').map_or("", |it| it.1);
    let down = beside(&|it| it.ends_with(".down.sql"));
    let mut migration = pair(listed, file, down.map(String::as_str))?;
    migration.order = (u128::try_from(number).ok(), String::new());
    theirs.clone_into(&mut migration.theirs);
    words.clone_into(&mut migration.words);
    migration.number = number.to_string();
    migration.recorded_as = format!("{number}_{}", words.replace(' ', "_"));
    Ok(Some(migration))
}

/// `name.sql`, or `name.up.sql`, with `name.down.sql`. A number at the beginning is their order, and no part of
/// the name.
fn plain(listed: &Listed, file: &str) -> Read {
    let Some(stem) = file.strip_suffix(".sql").filter(|it| !it.contains('/')) else {
        return Ok(None);
    };
    if let Some(theirs) = stem.strip_suffix(".down") {
        let up = [format!("{theirs}.sql"), format!("{theirs}.up.sql")];
        if up.iter().any(|up| listed.has(up)) {
            return Ok(None);
        }
        return Err(format!(
            "`{}` reverts what is not there: `{theirs}.sql`",
            listed.shown(file)
        ));
    }
    let theirs = stem.strip_suffix(".up").unwrap_or(stem);
    let words = theirs.trim_start_matches(|it: char| it.is_ascii_digit());
    let number = theirs.strip_suffix(words).unwrap_or_default();
    let down = format!("{theirs}.down.sql");
    let mut migration = pair(listed, file, listed.has(&down).then_some(&*down))?;
    migration.order = (number.parse().ok(), theirs.to_owned());
    theirs.clone_into(&mut migration.theirs);
    words.clone_into(&mut migration.words);
    number.clone_into(&mut migration.number);
    Ok(Some(migration))
}

/// Of two files; what their names say is for the caller.
fn pair(listed: &Listed, up: &str, down: Option<&str>) -> Result<Migration, String> {
    let up = listed.sql(up)?;
    let down = down.map(|down| listed.sql(down)).transpose()?;
    let outside_transaction = text::says_no_transaction(&up.text);
    if let Some(down) = &down
        && !outside_transaction
        && text::says_no_transaction(&down.text)
    {
        return Err(format!(
            "`{}` begins with `-- no-transaction`, and `{}` does not: a migration runs in transactions both ways or \
             neither; say it in both",
            listed.shown(&down.file),
            listed.shown(&up.file)
        ));
    }
    Ok(Migration {
        order: (None, String::new()),
        theirs: String::new(),
        words: String::new(),
        number: String::new(),
        recorded_as: String::new(),
        up,
        down,
        metadata: None,
        outside_transaction,
    })
}
