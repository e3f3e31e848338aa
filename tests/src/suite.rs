//! [`suite!`](crate::suite): every case as a test of one backend.

/// `suite!(Postgres);` is a test for every case, run on PostgreSQL.
#[macro_export]
macro_rules! suite {
    ($backend:ident) => {
        $crate::tests! { $backend
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
                steps_in_a_transaction_take_effect_once,
                a_death_in_a_transaction_needs_no_decision,
                a_death_outside_a_transaction_needs_a_decision,
                resolve_retry_runs_it_again,
                resolve_applied_takes_it_for_done,
                resolve_reverted_forgets_the_attempt,
                resolve_refuses_what_needs_no_decision,
            }
        }
    };
}

/// A test per case, in a module per file.
#[doc(hidden)]
#[macro_export]
macro_rules! tests {
    ($backend:ident $($module:ident { $($case:ident),* $(,)? })*) => {
        $(mod $module {
            $(
                #[test]
                fn $case() {
                    let scratch = $crate::database::Scratch::new($crate::database::Backend::$backend);
                    $crate::cases::$module::$case(&scratch);
                }
            )*
        })*
    };
}
