//! Execution providers: the processor, or an accelerator where it works.

use ort::ep;

/// What runs the network; ONNX Runtime calls it an execution provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Provider {
    /// The processor, on one thread.
    #[default]
    Cpu,
    /// An NVIDIA GPU through CUDA.
    Cuda,
    /// An NVIDIA GPU through TensorRT.
    TensorRt,
    /// Intel processors and GPUs through OpenVINO.
    OpenVino,
    /// The first of TensorRT, CUDA and OpenVINO that works, else the processor.
    Auto,
}

impl Provider {
    /// The accelerators to try, best first, before falling back to the processor.
    pub(crate) fn accelerators(self) -> &'static [Self] {
        match self {
            Self::Cpu => &[],
            Self::Cuda => &[Self::Cuda],
            Self::TensorRt => &[Self::TensorRt],
            Self::OpenVino => &[Self::OpenVino],
            Self::Auto => &[Self::TensorRt, Self::Cuda, Self::OpenVino],
        }
    }

    /// The registration of an accelerator with a session; creating the session fails where the accelerator does
    /// not work. `None` for the processor, which every session has, and for [`Self::Auto`].
    pub(crate) fn registration(self) -> Option<ep::ExecutionProviderDispatch> {
        let registration = match self {
            Self::Cuda => ep::CUDA::default().build(),
            Self::TensorRt => ep::TensorRT::default().build(),
            Self::OpenVino => ep::OpenVINO::default().build(),
            Self::Cpu | Self::Auto => return None,
        };
        Some(registration.error_on_failure())
    }
}
