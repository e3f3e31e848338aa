//! [`Plan`]: what is to be done.
/// A plan.
#[derive(Debug)]
pub struct Plan;
/// A step.
#[derive(Debug)]
pub struct Step;
