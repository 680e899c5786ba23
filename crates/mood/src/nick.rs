//! Text names ("nicks") of the option enums, as properties, command line and logs spell them.

/// A text that is not the nick of any value of an option.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {option} '{text}': use one of {}", .nicks.join(", "))]
pub struct UnknownNickError {
    /// The option, for example `strategy`.
    pub option: &'static str,
    /// The text that was given.
    pub text: String,
    /// The nicks that exist, in the order of the enum.
    pub nicks: Vec<&'static str>,
}

/// Implements `ALL`, `nick`, `Display` and `FromStr` for an enum without fields, from one table of nicks.
macro_rules! impl_nicks {
    ($type:ident, $option:literal, { $($variant:ident => $nick:literal),+ $(,)? }) => {
        impl $type {
            /// Every value, in the order of the enum.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The lower-case name that properties, command line and logs use.
            pub fn nick(self) -> &'static str {
                match self {
                    $(Self::$variant => $nick),+
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.nick())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::UnknownNickError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|value| value.nick() == text).ok_or_else(|| {
                    $crate::UnknownNickError {
                        option: $option,
                        text: text.to_owned(),
                        nicks: Self::ALL.iter().map(|value| value.nick()).collect(),
                    }
                })
            }
        }
    };
}

pub(crate) use impl_nicks;
