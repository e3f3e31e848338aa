//! Both libraries are linked, under other names.
use twin_b as _;

#[allow(unused_imports)]
use twin_a as twin;
migrate_diesel::main!(twin);
