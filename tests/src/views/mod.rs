//! What the heavier tests of views need: a dump of the catalog that owes nothing to the code under
//! test, and random views to kill deployers among.

pub mod deploy;
pub mod dice;
pub mod dress;
pub mod dump;
mod garment;
pub mod random;
mod touch;
