//! [`suite!`](crate::suite): every case as a test of one backend, of this workspace or of your own.

/// `suite!(Postgres);` is a test for every case, run on PostgreSQL. `suite!(MyDatabase);`, with a type that
/// implements [`Database`](crate::database::Database), is one for every case that all backends have to pass.
#[macro_export]
macro_rules! suite {
    (@own Sqlite) => {
        $crate::tests! { Sqlite views_of_its_own in views
            lifecycle {
                all_or_nothing_with_views,
            }
            guard {
                what_is_missing_in_the_middle_hides_nobody,
            }
        }
        $crate::tests! { Sqlite mass_rows in mass
            // With values and rows, which `AnyConnection` has for Diesel's connections only.
            kinds {
                rows_that_diesel_loads,
            }
            signals {
                signals_of_a_server,
                the_index_answers,
            }
        }
        $crate::tests! { Sqlite of_its_own
            refusal {
                a_read_only_database_can_be_looked_at,
            }
            cost {
                statements,
            }
            limits {
                of_one_migration,
                of_one_that_fails,
                of_the_run,
                what_sqlite_cannot_limit,
                a_search_path_that_cannot_be,
            }
            sqlite {
                a_file_comes_with_its_first_migration,
                what_is_no_database_is_said,
                a_database_in_memory,
                the_journal_mode_survives,
                a_writer_is_waited_for,
                a_swallowed_rollback_is_a_failure,
                typed_queries_on_a_session,
            }
        }
    };
    (@own Postgres) => {
        $crate::tests! { Postgres mass_of_its_own in mass
            losses {
                who_lost_its_shard_cannot_commit,
                sessions_are_cut,
                the_session_that_lay_idle_is_cut,
            }
        }
        $crate::tests! { Postgres views_of_its_own in views
            lifecycle {
                all_or_nothing_with_views,
            }
            kept {
                a_materialized_view_keeps_everything,
                one_without_rows_stays_without,
                names_of_all_kinds,
                functions_on_its_rows,
            }
            lossy {
                a_role_that_nobody_can_take_on,
            }
            readers {
                nobody_gets_an_error,
                a_long_transaction_is_named,
                a_long_transaction_is_waited_for,
            }
        }
        $crate::tests! { Postgres mass_rows in mass
            // With values and rows, which `AnyConnection` has for Diesel's connections only.
            kinds {
                rows_that_diesel_loads,
            }
            signals {
                signals_of_a_server,
                the_index_answers,
            }
        }
        $crate::tests! { Postgres of_its_own
            sql_files {
                a_file_builds_an_index_concurrently,
            }
            adopt {
                flux,
            }
            outside {
                a_lost_session_undoes_what_can_be_undone,
            }
            session {
                the_callers_settings_survive,
            }
            refusal {
                what_cannot_be_reached_is_said_without_the_password,
                a_read_only_database_can_be_looked_at,
                without_the_privilege_to_create_one_can_look,
            }
            lock {
                a_lost_lock_session_fails_the_run,
            }
            cost {
                round_trips,
            }
            limits {
                of_one_migration,
                of_one_that_fails,
                of_the_run,
                a_statement_that_takes_too_long,
                a_lock_that_is_waited_for_too_long,
                a_search_path_and_a_name,
            }
            postgres {
                a_swallowed_error_is_a_failure,
                a_failing_commit_is_a_failure,
                an_index_is_built_concurrently_while_another_waits,
                a_concurrent_index_needs_no_transaction,
                a_failure_takes_nothing_back_that_came_before_it,
                a_history_in_a_schema_that_is_not_there,
                typed_queries_on_a_session,
            }
        }
    };
    (@own Mysql) => {
        $crate::tests! { Mysql mass_of_its_own in mass
            losses {
                who_lost_its_shard_cannot_commit,
                sessions_are_cut,
                the_session_that_lay_idle_is_cut,
            }
        }
        $crate::tests! { Mysql views_of_its_own in views
            guard {
                what_is_missing_in_the_middle_hides_nobody,
            }
            lossy {
                a_definer_that_nobody_may_name,
            }
        }
        $crate::tests! { Mysql mass_rows in mass
            // With values and rows, which `AnyConnection` has for Diesel's connections only.
            kinds {
                rows_that_diesel_loads,
            }
            signals {
                signals_of_a_server,
                the_index_answers,
            }
        }
        $crate::tests! { Mysql of_its_own
            outside {
                a_lost_session_undoes_what_can_be_undone,
            }
            refusal {
                what_cannot_be_reached_is_said_without_the_password,
                without_the_privilege_to_create_one_can_look,
            }
            lock {
                a_lost_lock_session_fails_the_run,
            }
            limits {
                of_one_migration,
                of_one_that_fails,
                of_the_run,
                a_statement_that_takes_too_long,
                a_lock_that_is_waited_for_too_long,
                a_search_path_that_cannot_be,
            }
            mysql {
                a_failure_after_ddl_is_not_wholly_undone,
                steps_resume_after_ddl,
                a_swallowed_deadlock_is_a_failure,
                typed_queries_on_a_session,
                outside_a_transaction_every_statement_commits,
            }
        }
    };
    // What only that backend has is for its own crate to test.
    (@own $database:ident) => {};
    (@fresh Sqlite) => {
        $crate::database::Scratch::new($crate::database::Backend::Sqlite)
    };
    (@fresh Postgres) => {
        $crate::database::Scratch::new($crate::database::Backend::Postgres)
    };
    (@fresh Mysql) => {
        $crate::database::Scratch::new($crate::database::Backend::Mysql)
    };
    (@fresh $database:ident) => {
        $crate::database::Scratch::of::<$database>()
    };
    ($backend:ident) => {
        fn fresh() -> $crate::database::Scratch {
            $crate::suite!(@fresh $backend)
        }
        $crate::tests! { $backend mass in mass
            keys {
                two_columns,
                texts,
                a_key_that_is_null_somewhere,
            }
            kinds {
                items_parameters_and_hooks,
                records_of_a_file,
                a_cursor_and_a_step,
            }
            signals {
                a_signal_holds_back_and_says_why,
            }
            types {
                uuids_bytes_and_days,
                three_columns,
                texts_that_compare_equal,
            }
            workers {
                every_row_once,
                two_starters_one_run,
                an_empty_table,
                a_poison_row_alone,
                too_many_failures,
                a_dead_worker_is_replaced,
                rows_come_and_go,
            }
            orders {
                pause_and_resume,
                cancel_and_retry,
                another_batch_size,
                a_pause_counts_in_the_rate,
            }
        }
        $crate::tests! { $backend alike
            outcome {
                requirements_come_first_and_each_is_applied_once,
                a_failure_is_rolled_back_recorded_and_stops_the_run,
                what_failed_is_tried_again,
                keep_going_skips_only_what_depends_on_a_failure,
                nothing_carried_is_a_failure,
                deferred_is_rolled_back_and_what_requires_it_waits,
                a_panic_is_a_failure_and_the_connection_goes_on,
                a_long_name_is_kept_whole,
                targets_go_only_so_far,
            }
            transaction {
                transactions_in_a_body_nest,
                a_transaction_left_open_is_a_failure,
                a_body_that_commits_by_itself,
                a_body_that_rolls_back_by_itself_is_not_applied,
                an_effect_without_a_record_is_undone,
                all_or_nothing,
                all_or_nothing_refuses_what_runs_outside,
                a_connection_inside_a_transaction_is_refused,
            }
            outside {
                steps_are_not_repeated,
                an_ending_outside_a_transaction_is_whole,
                steps_in_a_transaction_take_effect_once,
                a_death_in_a_transaction_needs_no_decision,
                a_death_outside_a_transaction_needs_a_decision,
                resolve_retry_runs_it_again,
                resolve_applied_takes_it_for_done,
                resolve_reverted_forgets_the_attempt,
                resolve_refuses_what_needs_no_decision,
            }
            revert {
                what_was_applied_last_goes_first,
                redo_reverts_and_applies_again,
                what_cannot_be_reverted_is_refused_before_anything,
                reverting_nothing,
                a_failing_revert_is_undone,
                a_failing_revert_outside_a_transaction_needs_a_decision,
                ddl_of_a_failing_revert,
            }
            adopt {
                of_diesel,
                refinery,
                sqlx,
                sea_orm,
                edwh,
                what_cannot_be_mapped_is_told_whole,
                a_map_says_what_names_do_not,
                what_failed_in_the_middle_is_refused,
                what_would_stand_alone_is_refused,
                what_a_squash_replaces,
                a_table_that_is_not_theirs,
            }
            record {
                marked_is_applied_and_did_not_run,
                what_cannot_be_marked_is_refused,
                a_baseline_records_everything,
                a_baseline_goes_so_far,
                what_failed_can_be_marked,
                squashes_are_marked_whole,
                a_change_is_refused_until_accepted,
                a_change_is_told_where_nothing_else_is_said,
            }
            sql_files {
                files_are_nodes,
                files_are_reverted,
                files_say_that_they_run_outside,
                a_failing_file_is_undone,
                files_run_on_a_callers_connection,
                files_of_one_backend,
                changed_text_stops,
                files_are_adopted_as_they_are,
            }
            repeat {
                around_the_others_and_only_with_them,
                what_changed_runs_again,
                what_comes_after_runs_after_a_failure_and_hides_nothing,
                a_failing_before_leaves_nothing,
                squashed,
            }
            session {
                no_body_sees_what_another_left,
                no_body_sees_what_another_left_on_the_callers_connection,
            }
            history {
                status_and_log_tell_everything,
                what_is_not_carried_is_refused,
                changed_code_is_warned_of,
                what_comes_late_is_applied,
                a_former_name_counts,
                a_failure_under_a_former_name_is_replaced,
                a_newer_history_is_refused,
                a_foreign_table_is_refused,
                a_history_of_any_name,
                a_history_name_that_cannot_be_is_refused,
                two_histories_live_side_by_side,
            }
            refusal {
                bodies_for_another_database_are_listed,
                bodies_for_this_database_run,
                a_callers_connection_of_one_kind,
            }
            lock {
                waiting_is_told_and_has_an_end,
                who_waited_finds_everything_done,
                the_lock_is_given_back_on_every_path,
                another_database_has_a_lock_of_its_own,
                who_holds_it_can_be_ended,
            }
            fence {
                two_locks_run_each_body_once,
            }
            rehearsal {
                everything_is_shown_and_nothing_stays,
                what_would_fail_is_shown_up_to_there,
                a_body_that_commits_changes_nothing,
                missing_views_are_part_of_it,
            }
        }
        $crate::tests! { $backend views in views
            lifecycle {
                between_since_and_until,
                what_is_missing_is_repaired,
                what_changed_is_built_anew,
                a_view_that_was_there_is_taken_over,
                hand_written_code,
                what_is_not_declared_any_more_is_told,
                what_outlived_its_lifetime_is_handed_over,
            }
            guard {
                everything_on_it_goes_down_once,
                what_it_uses_stays_up,
                several_roots_are_one_pass,
                guards_nest,
                dependents_of_a_column,
                dependents_of_what_is_not_there,
            }
            kept {
                a_guard_keeps_everything,
                a_block_keeps_everything,
                what_the_catalog_finds_keeps_everything,
                outside_a_transaction_everything_is_kept,
                a_rebuild_keeps_everything,
                who_takes_a_name_takes_what_hung_on_it,
            }
            undeclared {
                refused_before_anything,
                restored_as_they_were,
                in_a_block,
                in_a_block_that_restores,
            }
            failure {
                an_error_brings_them_back,
                a_panic_brings_them_back,
                a_caught_error_brings_them_back,
                a_failing_body_brings_them_back,
                outside_a_transaction,
                a_block_outside_a_transaction,
                a_view_that_cannot_come_back,
            }
        }
        $crate::suite!(@own $backend);
    };
}

/// A test per case, in a module per file; all of them in one, because a file may be in two lists.
#[doc(hidden)]
#[macro_export]
macro_rules! tests {
    ($backend:ident $list:ident $($module:ident { $($case:ident),* $(,)? })*) => {
        $crate::tests! { @each $backend $list (use $crate::cases;) $($module { $($case),* })* }
    };
    ($backend:ident $list:ident in $group:ident $($module:ident { $($case:ident),* $(,)? })*) => {
        $crate::tests! {
            @each $backend $list (use $crate::cases::$group as cases;) $($module { $($case),* })*
        }
    };
    (@each $backend:ident $list:ident ($import:item) $($module:ident { $($case:ident),* })*) => {
        mod $list {
            $import
            $(mod $module {
                use super::cases::$module as case;
                $(
                    #[test]
                    fn $case() {
                        case::$case(&super::super::fresh());
                    }
                )*
            })*
        }
    };
}
