use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(
    since = create_users,
    sql = "SELECT 1",
    options = [
        security_barier,
        security_invoker = maybe,
        check_option,
        check_option = global,
        algorithm = merge,
        algorithm = temptable,
        definer = root,
        "security_barrier",
        ,
        columns = 3,
    ],
)]
struct ActiveUsers;

fn main() {}
