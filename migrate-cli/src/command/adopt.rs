//! `adopt`: take over another tool's history, after showing it and asking.

use std::{collections::BTreeMap, fs, path::Path};

use migrate_core::{
    DatabaseSettings, Failure, FailureKind,
    adopt::{AdoptRequest, Adoption, Fate, Mapped},
};
use toml::de::DeTable;

use super::{
    Context, Done,
    mark::{changed_meanwhile, nobody},
};
use crate::{
    exit,
    render::{Answer, count, human::Page, json},
    request::{
        Confirmation,
        settle::{Adopt, AdoptDepth},
    },
};

/// The word of a map file for what is none of ours.
const SKIP: &str = "skip";

pub(super) fn run(context: &mut Context<'_, '_>, typed: &Adopt) -> Done {
    let database = context.only_target("adopt")?;
    let request = request(&context.directory, typed)?;
    let mut deployment = context.open(&database)?;
    let planned = deployment.plan_adoption(&request)?;
    let records = planned.rows.iter().filter(|row| row.fate == Fate::Record);
    let records = records.count();
    let depth = typed.depth;
    if !context.is_json() {
        show(context, &database, &planned, depth);
    }
    if depth == AdoptDepth::Shown || records == 0 {
        if context.is_json() {
            let text = json::adoption(&database.name, typed.tool.as_str(), &planned);
            context.console.out(&text);
        } else if records == 0 {
            context.console.note("nothing to record\n");
        }
        return Ok(exit::DONE);
    }
    if depth == AdoptDepth::Asked(Confirmation::Ask) {
        let these = count(records, "migration");
        let question = format!("Record {these} as applied, without running anything?");
        match context.console.ask(&question) {
            Answer::Yes => {}
            Answer::No => {
                context.console.say("nothing was recorded\n");
                return Ok(exit::NOT_DONE);
            }
            Answer::Nobody => return Err(nobody("adopt")),
        }
        if deployment.plan_adoption(&request)? != planned {
            return Err(changed_meanwhile());
        }
    }
    context.heed_signals()?;
    let adopted = deployment.adopt(&request)?;
    if context.is_json() {
        let text = json::adoption(&database.name, typed.tool.as_str(), &adopted);
        context.console.out(&text);
    } else {
        let these = count(records, "migration");
        context
            .console
            .note(&format!("{these} recorded as applied\n"));
    }
    Ok(exit::DONE)
}

/// A plan is the result of `--dry-run`; else it stands before the question.
fn show(
    context: &mut Context<'_, '_>,
    database: &DatabaseSettings,
    adoption: &Adoption,
    depth: AdoptDepth,
) {
    if depth == AdoptDepth::Shown {
        let page = context.page();
        let text = page.heading(database) + &page.adoption(adoption);
        context.console.out(&text);
    } else {
        let page = Page {
            palette: context.console.look().err,
            columns: None,
        };
        let text = page.heading(database) + &page.adoption(adoption);
        context.console.note(&text);
    }
}

/// With what stands in its files.
fn request(directory: &Path, typed: &Adopt) -> Result<AdoptRequest, Failure> {
    let map = match &typed.map {
        Some(path) => map(&directory.join(path), &path.display().to_string())?,
        None => BTreeMap::new(),
    };
    let names = match &typed.directory {
        Some(path) => names(&directory.join(path), &path.display().to_string())?,
        None => Vec::new(),
    };
    Ok(AdoptRequest {
        tool: typed.tool,
        table: typed.table.clone(),
        map,
        names,
        wait: typed.wait,
    })
}

fn names(path: &Path, shown: &str) -> Result<Vec<String>, Failure> {
    let cannot = |error: std::io::Error| {
        Failure::new(FailureKind::Usage, format!("cannot read {shown}: {error}"))
            .next("`--dir` names the directory of their migrations")
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(cannot)? {
        let name = entry.map_err(cannot)?.file_name();
        names.extend(name.into_string());
    }
    names.sort();
    Ok(names)
}

fn map(path: &Path, shown: &str) -> Result<BTreeMap<String, Mapped>, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::new(FailureKind::Usage, format!("cannot read {shown}: {error}"))
            .next("`--map` names a file of lines such as `\"theirs\" = \"crate:ours\"`")
    })?;
    parse(&text).map_err(|mistakes| {
        let first = mistakes.first().cloned().unwrap_or_default();
        let mut failure = Failure::new(FailureKind::Usage, format!("{shown}:{first}"));
        failure.causes = mistakes
            .iter()
            .skip(1)
            .map(|it| format!("{shown}:{it}"))
            .collect();
        failure.next("a line is `\"theirs\" = \"crate:ours\"` or `\"theirs\" = \"skip\"`")
    })
}

/// Mistakes begin with their lines.
fn parse(text: &str) -> Result<BTreeMap<String, Mapped>, Vec<String>> {
    let line = |at: usize| {
        let before = text.get(..at).unwrap_or(text);
        before.matches('\n').count() + 1
    };
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().unwrap_or_default().start;
        let message = error.message().trim().replace('\n', "; ");
        vec![format!("{}: {message}", line(at))]
    })?;
    let (mut map, mut mistakes) = (BTreeMap::new(), Vec::new());
    for (theirs, ours) in table.get_ref() {
        let name: &str = theirs.get_ref();
        let mapped = match ours.get_ref().as_str() {
            Some(SKIP) => Mapped::Skip,
            Some(id) => Mapped::Is(id.to_owned()),
            None => {
                let line = line(ours.span().start);
                let found = ours.get_ref().type_str();
                mistakes.push(format!("{line}: `{name}` has to be a string, not {found}"));
                continue;
            }
        };
        map.insert(name.to_owned(), mapped);
    }
    if mistakes.is_empty() {
        Ok(map)
    } else {
        Err(mistakes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_file() {
        let text = "\"20240101000000\" = \"shop:create_users\"\nV1__x = \"skip\"\n";
        let map = parse(text).unwrap();
        assert_eq!(
            map["20240101000000"],
            Mapped::Is("shop:create_users".into())
        );
        assert_eq!(map["V1__x"], Mapped::Skip);
        let mistakes = parse("a = \"x\"\nb = 1\n[c]\n").unwrap_err();
        assert!(
            mistakes[0].starts_with("2: `b` has to be a string"),
            "{mistakes:?}"
        );
        assert_eq!(mistakes.len(), 2);
        assert!(parse("a = \"x").unwrap_err()[0].starts_with("1: "));
    }
}
