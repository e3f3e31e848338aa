//! What `#[migration]` and `#[mass_migration]` have in common: both declare a node of one graph, on a
//! function.
//!
//! | file | |
//! |---|---|
//! | `arguments.rs` | the keys that both know |
//! | `function.rs`, `parameter.rs` | the function below the attribute |
//! | `model.rs`, `validate.rs`, `expand.rs` | what is registered of it |

pub(crate) mod arguments;
pub(crate) mod expand;
pub(crate) mod function;
mod model;
mod parameter;
pub(crate) mod validate;

pub(crate) use model::{
    Declaration, Function, Id, Parameters, Reference, Registered, Reversal, Signature, Subject,
};
pub(crate) use parameter::source;
