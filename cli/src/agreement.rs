//! `gst-mood agreement`: how far a human's annotations and a session, or two humans, agree.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use annotation::{Agreement, Annotation, Interval, LabelMap, Options, Tier};
use mood_schema::Label;
use session::report::{self, AgreementPage};
use session::{Episode, PersonSummary, Summary};

use crate::arguments::path_parser;
use crate::error::CommandError;
use crate::files;
use crate::folder::{ANNOTATED_VIDEO, SessionFolder};

/// Name of the page.
const PAGE: &str = "agreement.html";
/// Shortest and longest unit, s.
const STEP_RANGE: std::ops::RangeInclusive<f64> = 0.01..=60.0;

/// The arguments of `agreement`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A human's annotations: a file of ELAN, BORIS, Praat or Audacity, a table with the columns start, end and label, or a
    /// session that a human corrected
    #[arg(value_parser = path_parser())]
    human: PathBuf,
    /// The folder of a session, or another coder's annotations
    #[arg(value_parser = path_parser())]
    machine: PathBuf,
    /// The tier or subject of HUMAN [default: the one of the session's subject, or the only one]
    #[arg(long, value_name = "NAME")]
    tier: Option<String>,
    /// The tier, subject or person of MACHINE [default: the session's subject, or the only one]
    #[arg(long, value_name = "NAME")]
    machine_tier: Option<String>,
    /// A label of HUMAN and the one of MACHINE that it stands for, such as laughs=happy; nothing after the = leaves it out. Can
    /// be repeated
    #[arg(long, value_name = "LABEL=LABEL", value_parser = parse_rule)]
    map: Vec<(String, String)>,
    /// The label of time that one of them left without a label; without it such time is not compared
    #[arg(long, value_name = "LABEL")]
    gap: Option<String>,
    /// A label not to compare, such as uncertain. Can be repeated
    #[arg(long, value_name = "LABEL")]
    ignore: Vec<String>,
    /// Time between two compared moments
    #[arg(long, value_name = "SECONDS", default_value = "0.1", value_parser = parse_step)]
    step: f64,
    /// Write the figures here as JSON, - for standard output
    #[arg(long, value_name = "FILE", value_parser = path_parser())]
    json: Option<PathBuf>,
    /// The page to write [default: agreement.html in the session's folder, or here]
    #[arg(short, long, value_name = "FILE", value_parser = path_parser())]
    output: Option<PathBuf>,
}

/// Parses `LABEL=LABEL`.
pub fn parse_rule(text: &str) -> Result<(String, String), String> {
    let rule = text.split_once('=').filter(|(from, _)| !from.trim().is_empty());
    let (from, to) = rule.ok_or("give two labels with = between them, such as laughs=happy")?;
    Ok((from.to_owned(), to.to_owned()))
}

/// Parses the duration of a unit.
fn parse_step(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| STEP_RANGE.contains(seconds));
    seconds.ok_or_else(|| "give seconds, from 0.01 to 60".into())
}

/// One side of the comparison.
struct Coder {
    tiers: Vec<Tier>,
    /// The name of the tier to take where none is given.
    preferred: Option<String>,
    /// The folder of a session.
    folder: Option<PathBuf>,
    /// End of the recording, ns, where it is known.
    end: Option<u64>,
    /// Who corrected the session.
    correctors: Vec<String>,
    warnings: Vec<String>,
}

/// Measures the agreement, prints it, and writes the page.
pub fn run(arguments: &Arguments) -> Result<(), CommandError> {
    let human = Coder::load(&arguments.human, |person| &person.episodes)?;
    // Where a human corrected the session, it is the machine's own record that is compared.
    let machine = Coder::load(&arguments.machine, |person| {
        person.machine.as_ref().map_or(&person.episodes, |machine| &machine.episodes)
    })?;
    let mut map = LabelMap::default();
    for (from, to) in &arguments.map {
        map.insert(from, to);
    }
    let machine_tier =
        machine.choose(arguments.machine_tier.as_deref(), None, "--machine-tier", &arguments.machine)?;
    let human_tier =
        human.choose(arguments.tier.as_deref(), Some(&machine_tier.name), "--tier", &arguments.human)?;
    let given: BTreeSet<&str> =
        human_tier.annotations().iter().map(|annotation| annotation.label.as_str()).collect();
    let unused = map.unused(given);
    if !unused.is_empty() {
        let unused = unused.join(", ");
        return Err(CommandError::Usage(format!(
            "--map: {} has no label {unused}",
            arguments.human.display()
        )));
    }
    let (first, second) = (human_tier.map_labels(|label| map.translate(label)), normalize(machine_tier));
    let plain = LabelMap::default();
    let options = Options {
        step: (arguments.step * 1e9).round() as u64,
        gap: arguments.gap.as_deref().and_then(|label| plain.translate(label)),
        ignore: arguments.ignore.iter().filter_map(|label| plain.translate(label)).collect(),
        end: machine.end.or(human.end),
    };
    let agreement = Agreement::measure(&first, &second, &options)
        .map_err(|error| CommandError::Failed(error.to_string()))?;
    let mut warnings: Vec<String> = [(&arguments.human, &human), (&arguments.machine, &machine)]
        .into_iter()
        .flat_map(|(path, coder)| coder.warnings.iter().map(|text| format!("{}: {text}", path.display())))
        .collect();
    warnings.extend(describe_unmatched(&agreement));
    for warning in &warnings {
        eprintln!("gst-mood: warning: {warning}");
    }
    let names = name_coders(arguments, &human, &machine);
    if arguments.json.as_deref() != Some(Path::new("-")) {
        print_figures(&agreement, &names);
    }
    match &arguments.json {
        Some(path) if path.as_os_str() == "-" => println!("{:#}", serde_json::json!(agreement)),
        Some(path) => files::write_json(path, &agreement)?,
        None => {}
    }
    let folder = machine.folder.as_ref().or(human.folder.as_ref());
    let path = arguments.output.clone().unwrap_or_else(|| match folder {
        Some(folder) => folder.join(PAGE),
        None => PAGE.into(),
    });
    let has_video = folder.is_some_and(|folder| {
        path.parent() == Some(folder.as_path()) && folder.join(ANNOTATED_VIDEO).exists()
    });
    let page = report::render_agreement(&AgreementPage {
        agreement: &agreement,
        person: (first.name == second.name).then_some(first.name.as_str()),
        first: &names.0,
        second: &names.1,
        video: has_video.then_some(ANNOTATED_VIDEO),
        warnings: &warnings,
    });
    files::write_atomically(&path, |file| file.write_all(page.as_bytes()))?;
    if arguments.json.as_deref() != Some(Path::new("-")) {
        println!("{}", path.display());
    }
    Ok(())
}

impl Coder {
    /// Loads a session, of which `episodes` are compared, or a file of annotations.
    fn load(path: &Path, episodes: fn(&PersonSummary) -> &Vec<Episode>) -> Result<Self, CommandError> {
        let is_session = path.is_dir() || path.extension().is_some_and(|extension| extension == "jsonl");
        if is_session {
            let SessionFolder { path, summary, .. } = SessionFolder::load(path)?;
            let preferred = summary.subject().map(|subject| subject.name.clone());
            let end = Some(summary.begin.saturating_add(summary.duration));
            let mut correctors: Vec<String> =
                summary.corrections.iter().map(|correction| correction.by.clone()).collect();
            correctors.sort_unstable();
            correctors.dedup();
            return Ok(Self {
                tiers: person_tiers(&summary, episodes),
                preferred,
                folder: Some(path),
                end,
                correctors,
                warnings: Vec::new(),
            });
        }
        let file = annotation::read_file(path).map_err(|error| CommandError::Failed(error.to_string()))?;
        Ok(Self {
            tiers: file.tiers,
            preferred: None,
            folder: None,
            end: None,
            correctors: Vec::new(),
            warnings: file.warnings,
        })
    }

    /// The tier of that name, else the preferred one, the one called as the other coder's, the only one, or the only one whose
    /// labels are expressions. `option` is what names it on the command line.
    fn choose(
        &self,
        name: Option<&str>,
        other: Option<&str>,
        option: &str,
        path: &Path,
    ) -> Result<&Tier, CommandError> {
        let named = |name: &str| self.tiers.iter().find(|tier| tier.name.eq_ignore_ascii_case(name));
        if let Some(name) = name {
            return named(name).ok_or_else(|| self.ask_for_tier(&format!("no tier {name}"), option, path));
        }
        if let Some(tier) = self.preferred.as_deref().and_then(named).or_else(|| other.and_then(named)) {
            return Ok(tier);
        }
        let plain = LabelMap::default();
        let has_expressions = |tier: &&Tier| {
            let mut labels =
                tier.annotations().iter().filter_map(|annotation| plain.translate(&annotation.label));
            labels.any(|label| label.parse::<Label>().is_ok())
        };
        let candidates: Vec<&Tier> = match &self.tiers[..] {
            [only] => vec![only],
            several => several.iter().filter(has_expressions).collect(),
        };
        match candidates[..] {
            [only] => Ok(only),
            _ => Err(self.ask_for_tier("several tiers", option, path)),
        }
    }

    /// The error that asks for a tier and lists those that there are.
    fn ask_for_tier(&self, found: &str, option: &str, path: &Path) -> CommandError {
        let tiers = self.tiers.iter().map(|tier| format!("'{}' ({})", tier.name, tier.annotations().len()));
        let tiers = tiers.collect::<Vec<_>>().join(", ");
        let path = path.display();
        CommandError::Usage(format!("{path} has {found}: give {option} one of {tiers}"))
    }
}

/// The episodes of each person of a session.
fn person_tiers(summary: &Summary, episodes: fn(&PersonSummary) -> &Vec<Episode>) -> Vec<Tier> {
    let tier = |person: &PersonSummary| {
        let annotations = episodes(person).iter().map(|episode| Annotation {
            start: episode.start,
            end: episode.end,
            label: episode.label.to_string(),
        });
        Tier::new(&person.name, annotations.collect())
    };
    summary.people.iter().map(tier).filter(|tier| !tier.annotations().is_empty()).collect()
}

/// The tier with its labels in the form in which they are compared.
fn normalize(tier: &Tier) -> Tier {
    let plain = LabelMap::default();
    tier.map_labels(|label| plain.translate(label))
}

/// Labels that only the human gave, which are probably to be mapped.
fn describe_unmatched(agreement: &Agreement) -> Option<String> {
    let unmatched: Vec<&str> = agreement
        .per_label
        .iter()
        .filter(|(label, figures)| figures.second_seconds == 0.0 && label.parse::<Label>().is_err())
        .map(|(label, _)| label.as_str())
        .collect();
    let first = unmatched.first()?;
    Some(format!(
        "{} is never given by the other, which counts as disagreement: say what it stands for with --map '{first}=happy', or leave it \
         out with --map '{first}='",
        unmatched.join(", ")
    ))
}

/// What the two are called in print: after their files.
fn name_coders(arguments: &Arguments, human: &Coder, machine: &Coder) -> (String, String) {
    let name = |path: &Path, coder: &Coder| {
        let name = path.file_stem().or(path.file_name()).unwrap_or(path.as_os_str());
        if coder.folder.is_some() { "gst-mood".into() } else { name.to_string_lossy().into_owned() }
    };
    let first = match human.correctors.as_slice() {
        [] => name(&arguments.human, human),
        correctors => correctors.join(", "),
    };
    let names = (first, name(&arguments.machine, machine));
    if names.0 == names.1 { (format!("{} (first)", names.0), format!("{} (second)", names.1)) } else { names }
}

/// Prints the figures.
fn print_figures(agreement: &Agreement, (first, second): &(String, String)) {
    let show =
        |value: Option<f64>, decimals: usize| value.map_or("-".into(), |value| format!("{value:.decimals$}"));
    let range = |interval: Option<Interval>, decimals: usize| match interval {
        Some(Interval { low, high }) => format!("  ({low:.decimals$} to {high:.decimals$})"),
        None => String::new(),
    };
    let Agreement { percent_agreement, kappa, alpha, intervals, .. } = agreement;
    println!(
        "{first} and {second}: {:.1} s compared, {:.1} s labelled by the first only, {:.1} s by the second only",
        agreement.compared_seconds, agreement.first_only_seconds, agreement.second_only_seconds
    );
    println!("agreement, percent    {percent_agreement:6.1}{}", range(intervals.percent_agreement, 1));
    println!("Cohen's kappa         {:>6}{}", show(*kappa, 2), range(intervals.kappa, 2));
    println!("Krippendorff's alpha  {:>6}{}", show(*alpha, 2), range(intervals.alpha, 2));
    println!(
        "{:<14}{:>10}{:>10}{:>9}{:>11}{:>8}{:>10}",
        "label", "first s", "second s", "recall", "precision", "kappa", "onset s"
    );
    for (label, figures) in &agreement.per_label {
        println!(
            "{label:<14}{:>10.1}{:>10.1}{:>9}{:>11}{:>8}{:>10}",
            figures.first_seconds,
            figures.second_seconds,
            show(figures.recall, 2),
            show(figures.precision, 2),
            show(figures.kappa, 2),
            show(figures.onset_error_seconds, 1)
        );
    }
}
