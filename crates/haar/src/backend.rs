//! Which instructions a search uses: chosen for the machine, or by hand for tests and comparisons.

use std::fmt;
use std::str::FromStr;

use crate::kernel::Kernel;

/// A set of instructions. All of them find the same rectangles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backend {
    /// One window at a time: the plainest code, by which the others are tested.
    Scalar,
    /// 4 windows at a time in portable code, for compilers to turn into what vectors there are: SSE2, VSX, RVV.
    Portable,
    /// 64-bit ARM: 4 windows at a time.
    Neon,
    /// x86-64 with AVX2: 8 windows at a time.
    Avx2,
    /// x86-64 with AVX-512 F, BW, DQ, VL and VBMI (Intel since Ice Lake, AMD since Zen 4): 16 windows at a time.
    Avx512,
}

impl Backend {
    /// Every backend, from the slowest to the fastest.
    pub const ALL: [Self; 5] = [Self::Scalar, Self::Portable, Self::Neon, Self::Avx2, Self::Avx512];

    /// Whether this machine has the instructions.
    pub fn is_available(self) -> bool {
        Kernel::new(self).is_some()
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

/// The fastest that this machine has.
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
        let named = Self::ALL.into_iter().find(|backend| backend.name() == name);
        named.ok_or_else(|| format!("{name} is none of {}", Self::ALL.map(Self::name).join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for backend in Backend::ALL {
            assert_eq!(backend.to_string().parse(), Ok(backend));
        }
        assert!("mmx".parse::<Backend>().is_err_and(|told| told.contains("avx2")));
        assert!(Backend::Scalar.is_available() && Backend::default().is_available());
    }
}
