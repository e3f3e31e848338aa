//! The views: as SQL that a person writes, and as declarations.

use migrate_diesel::{
    __private::{NodeRef, VIEWS, View, ViewRef},
    Declared, DeclaredView,
};

use crate::{
    migrations::{BarrierRoot, Root, create_tables},
    task::{Backend, Shape, Task},
};

/// Who may read the views, besides their owner.
pub const READER: &str = "bench_reader";

/// One view, and everything that hangs on it.
pub struct Planned {
    pub name: String,
    pub query: String,
    /// The index of the view that it reads.
    reads: Option<usize>,
    /// Does it stand in the way?
    pub in_the_way: bool,
}

/// All of them; what reads another comes after it.
pub fn planned(task: &Task) -> Vec<Planned> {
    let root = root_name(task.backend());
    let in_the_way = (0..task.in_the_way).map(|number| {
        let reads = match task.shape {
            Shape::Chain => number.checked_sub(1),
            Shape::Fan => (number > 0).then_some(0),
        };
        let source = match reads {
            None => "accounts".to_owned(),
            Some(0) => root.to_owned(),
            Some(before) => name(before),
        };
        Planned {
            name: match number {
                0 => root.to_owned(),
                _ => name(number),
            },
            query: format!("SELECT id, email FROM {source} WHERE id >= {number}"),
            reads,
            in_the_way: true,
        }
    });
    let beside = (0..task.beside).map(|number| Planned {
        name: format!("beside_{number:04}"),
        query: format!("SELECT id, email FROM notes WHERE id >= {number}"),
        reads: None,
        in_the_way: false,
    });
    in_the_way.chain(beside).collect()
}

fn name(number: usize) -> String {
    format!("view_{number:03}")
}

fn root_name(backend: Backend) -> &'static str {
    root(backend).get().name
}

fn root(backend: Backend) -> ViewRef {
    match backend {
        Backend::Postgres => BarrierRoot::VIEW,
        _ => Root::VIEW,
    }
}

impl Planned {
    pub fn drop(&self) -> String {
        format!("DROP VIEW {}", self.name)
    }

    pub fn create(&self, backend: Backend) -> String {
        let Self { name, query, .. } = self;
        let with = match backend {
            Backend::Postgres => " WITH (security_barrier = true)",
            _ => "",
        };
        format!("CREATE VIEW {name}{with} AS {query}")
    }

    /// What hangs on it. MySQL keeps grants under the name of a view, whether it is there or not: by
    /// hand they are given once, and not again.
    pub fn hang(&self, backend: Backend) -> Vec<String> {
        let Self { name, .. } = self;
        match backend {
            Backend::Sqlite => vec![format!(
                "CREATE TRIGGER {name}_insert INSTEAD OF INSERT ON {name} \
                 BEGIN INSERT INTO {} (id, email) VALUES (NEW.id, NEW.email); END",
                if self.in_the_way { "accounts" } else { "notes" }
            )],
            Backend::Postgres => vec![
                format!("COMMENT ON VIEW {name} IS 'what {name} is for'"),
                format!("COMMENT ON COLUMN {name}.email IS 'the address in {name}'"),
                format!("GRANT SELECT ON {name} TO {READER}"),
            ],
            Backend::Mysql => vec![format!("GRANT SELECT ON {name} TO '{READER}'@'%'")],
        }
    }
}

/// As `#[view_manager]` would declare them; made as the program runs, so that their number can be chosen.
pub fn declared(task: &Task) -> Vec<&'static View> {
    let mut declared: Vec<&'static View> = Vec::new();
    for (number, it) in planned(task).into_iter().enumerate() {
        if number == 0 {
            let wanted = root(task.backend());
            let root = VIEWS
                .iter()
                .find(|view| ViewRef::new(&view.descriptor) == wanted);
            declared.push(root.expect("linked"));
            continue;
        }
        let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
        let since: NodeRef = create_tables::NODE;
        let type_name = leak(format!("V{number}"));
        let mut view = View::new(
            module_path!(),
            type_name,
            leak(it.name),
            "",
            since,
            (file!(), line!(), column!()),
        )
        .sql(leak(it.query));
        if let Some(reads) = it.reads {
            let on = ViewRef::new(&declared[reads].descriptor);
            view = view.uses(Box::leak(Box::new([on])));
        }
        if task.backend() == Backend::Postgres {
            view = view.options(&[("security_barrier", "true")]);
        }
        declared.push(Box::leak(Box::new(view)));
    }
    declared
}
