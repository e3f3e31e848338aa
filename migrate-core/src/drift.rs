//! Where code and history disagree.
