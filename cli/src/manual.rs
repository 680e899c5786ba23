//! The hidden command `gst-mood manual`: man pages and shell completions, made from the arguments. `make install` and `make deb`
//! run it.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use clap_complete::{Shell, generate_to};
use clap_mangen::Man;

use crate::error::CommandError;

/// The arguments of `manual`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Where to write; the folder is made
    folder: PathBuf,
}

/// The shells, each with the folder below `share` in which it looks for completions, and the name that it looks for.
const SHELLS: [(Shell, &str, &str); 3] = [
    (Shell::Bash, "bash-completion/completions", "gst-mood"),
    (Shell::Zsh, "zsh/vendor-completions", "_gst-mood"),
    (Shell::Fish, "fish/vendor_completions.d", "gst-mood.fish"),
];

/// Writes `man/man1` and the completions below the folder, as they stand below `share`.
pub fn run(arguments: &Arguments) -> Result<(), CommandError> {
    write(&arguments.folder).map_err(|error| {
        CommandError::Failed(format!(
            "the manual cannot be written to {}: {error}",
            arguments.folder.display()
        ))
    })
}

fn write(folder: &Path) -> std::io::Result<()> {
    let mut command = crate::Arguments::command();
    for (shell, place, name) in SHELLS {
        let place = folder.join(place);
        fs::create_dir_all(&place)?;
        let written = generate_to(shell, &mut command, "gst-mood", &place)?;
        if written != place.join(name) {
            fs::rename(written, place.join(name))?;
        }
    }
    let pages = folder.join("man/man1");
    fs::create_dir_all(&pages)?;
    // The help of subcommands is in their own pages.
    let mut command = command.disable_help_subcommand(true);
    command.build();
    write_pages(&command, &pages)
}

/// Writes the page of a command and those of its subcommands.
fn write_pages(command: &Command, folder: &Path) -> std::io::Result<()> {
    let visible = command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set());
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render(&mut page)?;
    fs::write(folder.join(man.get_filename()), page)?;
    for subcommand in visible {
        write_pages(subcommand, folder)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_visible_command_has_a_page_and_is_completed() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path()).unwrap();
        let read = |path: &str| fs::read_to_string(folder.path().join(path)).unwrap();
        let completions = SHELLS.map(|(_, place, name)| read(&format!("{place}/{name}")));
        let mut pages = 0;
        for command in crate::Arguments::command().get_subcommands() {
            let name = command.get_name();
            if command.is_hide_set() {
                assert!(!folder.path().join(format!("man/man1/gst-mood-{name}.1")).exists(), "{name}");
                continue;
            }
            let page = read(&format!("man/man1/gst-mood-{name}.1"));
            for option in command.get_arguments().filter_map(|argument| argument.get_long()) {
                let escaped = format!("\\-\\-{}", option.replace('-', "\\-"));
                assert!(page.contains(&escaped), "{name}: {escaped}");
                assert!(completions.iter().all(|text| text.contains(option)), "{name}: {option}");
            }
            pages += 1;
        }
        assert!(pages > 10);
        assert!(read("man/man1/gst-mood.1").contains("gst\\-mood\\-process"));
        assert!(read("man/man1/gst-mood-library-scan.1").starts_with(".ie"), "a page in roff");
    }
}
