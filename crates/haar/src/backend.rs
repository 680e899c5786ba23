//! Instruction sets that a search can use.

use std::fmt;
use std::str::FromStr;

/// An instruction set for the hot loops. Every backend finds exactly the same rectangles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backend {
    /// One window at a time in plain code: the reference that the others are tested against.
    Scalar,
    /// 4 windows at a time in portable code, which the compiler turns into the target's baseline vectors
    /// (SSE2, VSX, RVV).
    Portable,
    /// 4 windows at a time on 64-bit ARM.
    Neon,
    /// 8 windows at a time on x86-64 with AVX2.
    Avx2,
    /// 16 windows at a time on x86-64 with AVX-512 F, BW, DQ, VL and VBMI (Intel since Ice Lake, AMD since
    /// Zen 4).
    Avx512,
}

impl Backend {
    /// Every backend, from the slowest to the fastest.
    pub const ALL: [Self; 5] = [Self::Scalar, Self::Portable, Self::Neon, Self::Avx2, Self::Avx512];

    /// Whether this CPU has the instructions.
    pub fn is_available(self) -> bool {
        match self {
            Self::Scalar | Self::Portable => true,
            #[cfg(target_arch = "aarch64")]
            Self::Neon => std::arch::is_aarch64_feature_detected!("neon"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                // The kernel also uses AVX2.
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512vbmi")
            }
            #[cfg(not(target_arch = "aarch64"))]
            Self::Neon => false,
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }

    /// The name on command lines: `scalar`, `portable`, `neon`, `avx2`, `avx512`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Portable => "portable",
            Self::Neon => "neon",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }
}

/// The fastest backend that this CPU supports.
impl Default for Backend {
    fn default() -> Self {
        Self::ALL.into_iter().rev().find(|backend| backend.is_available()).unwrap_or(Self::Scalar)
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Backend {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let backend = Self::ALL.into_iter().find(|backend| backend.name() == name);
        backend.ok_or_else(|| format!("{name} is none of {}", Self::ALL.map(Self::name).join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back() {
        for backend in Backend::ALL {
            assert_eq!(backend.to_string().parse(), Ok(backend));
        }
        assert!("mmx".parse::<Backend>().is_err_and(|message| message.contains("avx2")));
    }

    #[test]
    fn scalar_and_default_are_available() {
        assert!(Backend::Scalar.is_available() && Backend::default().is_available());
    }
}
