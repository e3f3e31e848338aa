//! What is said of many measurements.

/// Median and minimum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Summary {
    pub(super) median: f64,
    pub(super) minimum: f64,
}

/// Is an aim reached?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Met,
    NotMet,
    /// Median and minimum say different things: the machine was too busy to tell.
    Unclear,
}

impl Verdict {
    /// Of a ratio: whether median and minimum reach the aim.
    pub(super) fn of(ratio: Summary, reached: impl Fn(f64) -> bool) -> Self {
        match (reached(ratio.median), reached(ratio.minimum)) {
            (true, true) => Self::Met,
            (false, false) => Self::NotMet,
            _ => Self::Unclear,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "NOT MET",
            Self::Unclear => "unclear: median and minimum disagree",
        }
    }
}

impl From<bool> for Verdict {
    fn from(met: bool) -> Self {
        if met { Self::Met } else { Self::NotMet }
    }
}

/// The one in the middle; between the two in the middle of an even number.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) && middle > 0 {
        f64::midpoint(at(middle - 1), at(middle))
    } else {
        at(middle)
    }
}

/// For ratios.
#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds and kilobytes far below 2^52"
)]
pub(super) fn as_f64(value: u64) -> f64 {
    value as f64
}
