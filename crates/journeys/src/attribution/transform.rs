//! What is taken out of a path before it is weighed.
//!
//! A transform only drops touches; what stays keeps its time and its order. Each is idempotent.

use domain::config::PathTransform;

use super::Touch;

/// Drops places from `kept` (places in `touches`, ascending) as the transforms say, in their order.
pub(super) fn apply(transforms: &[PathTransform], touches: &[Touch], kept: &mut Vec<usize>) {
    for transform in transforms {
        match transform {
            PathTransform::Unique => {}
            PathTransform::Exposure => kept.dedup_by_key(|place| touches[*place].channel),
            PathTransform::First => {
                let mut seen = Vec::new();
                kept.retain(|place| {
                    let channel = touches[*place].channel;
                    let is_new = !seen.contains(&channel);
                    if is_new {
                        seen.push(channel);
                    }
                    is_new
                });
            }
            PathTransform::RemoveDirectIfNotAll => {
                if kept.iter().any(|place| !touches[*place].is_direct) {
                    kept.retain(|place| !touches[*place].is_direct);
                }
            }
            PathTransform::RemoveDirectIfLastAndNotAll => {
                let known = kept.iter().rposition(|place| !touches[*place].is_direct);
                if let Some(known) = known {
                    kept.truncate(known + 1);
                }
            }
        }
    }
}
