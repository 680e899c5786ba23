//! What runs the network: the processor, or an accelerator where it works.

use ort::ep;

/// What runs the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Provider {
    /// The processor.
    #[default]
    Cpu,
    /// NVIDIA CUDA.
    Cuda,
    /// NVIDIA TensorRT.
    TensorRt,
    /// Intel OpenVINO.
    OpenVino,
    /// The first of TensorRT, CUDA and OpenVINO that works here.
    Auto,
}

impl Provider {
    /// What to try, best first; the processor stands behind all of them.
    pub(crate) fn candidates(self) -> &'static [Self] {
        match self {
            Self::Cpu => &[],
            Self::Cuda => &[Self::Cuda],
            Self::TensorRt => &[Self::TensorRt],
            Self::OpenVino => &[Self::OpenVino],
            Self::Auto => &[Self::TensorRt, Self::Cuda, Self::OpenVino],
        }
    }

    /// What registers it with a session, which fails where it does not work.
    pub(crate) fn dispatch(self) -> Option<ep::ExecutionProviderDispatch> {
        let dispatch = match self {
            Self::Cuda => ep::CUDA::default().build(),
            Self::TensorRt => ep::TensorRT::default().build(),
            Self::OpenVino => ep::OpenVINO::default().build(),
            Self::Cpu | Self::Auto => return None,
        };
        Some(dispatch.error_on_failure())
    }
}
