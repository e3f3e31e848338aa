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
