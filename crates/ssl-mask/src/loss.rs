use crate::ReconstructionLoss;
use tch::{Reduction, TchError, Tensor};

/// The loss over masked frames: the mean over frames and columns.
///
/// The arguments hold only the masked frames, so no visible or padded frame can contribute.
///
/// # Shapes
/// `predicted_kc`, `target_kc` [K, C], K masked frames → []
pub fn reconstruction_loss(
    loss: ReconstructionLoss,
    predicted_kc: &Tensor,
    target_kc: &Tensor,
) -> Result<Tensor, TchError> {
    match loss {
        ReconstructionLoss::L1 => predicted_kc.f_l1_loss(target_kc, Reduction::Mean),
        ReconstructionLoss::Mse => predicted_kc.f_mse_loss(target_kc, Reduction::Mean),
        ReconstructionLoss::SmoothL1 => {
            predicted_kc.f_smooth_l1_loss(target_kc, Reduction::Mean, 1.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_equal_their_formulas() {
        let predicted = Tensor::from_slice(&[0.0f64, 0.5, -3.0, 1.0]).reshape([2, 2]);
        let target = Tensor::from_slice(&[0.0f64, 0.0, 0.0, 3.0]).reshape([2, 2]);
        let value =
            |loss| f64::try_from(reconstruction_loss(loss, &predicted, &target).unwrap()).unwrap();
        assert_eq!(value(ReconstructionLoss::L1), (0.5 + 3.0 + 2.0) / 4.0);
        assert_eq!(value(ReconstructionLoss::Mse), (0.25 + 9.0 + 4.0) / 4.0);
        assert_eq!(
            value(ReconstructionLoss::SmoothL1),
            (0.125 + 2.5 + 1.5) / 4.0
        );
    }
}
