//! A guide followed to the letter: its files are taken from its code blocks.

use crate::Project;

/// Folders of a project whose files a guide may hold.
const FOLDERS: [&str; 4] = ["models/", "tests/", "seeds/", "exports/"];

/// Writes what a guide says into a project: each `sql`, `csv` or `yaml` block to the file of that
/// ending which is named before it, and the first other `yaml` block over `throughline.yml`.
pub fn write_guide(project: &Project, guide: &str) {
    let path = crate::repository().join("docs/guides").join(guide);
    let text = std::fs::read_to_string(&path).expect("the guide");
    let (mut file, mut block, mut language) = (None::<String>, String::new(), None::<String>);
    let mut settings_written = false;
    for line in text.lines() {
        if let Some(kind) = &language {
            if line.trim() != "```" {
                block.push_str(line);
                block.push('\n');
                continue;
            }
            let ending = match kind.as_str() {
                "sql" => ".sql",
                "csv" => ".csv",
                "yaml" => ".yml",
                _ => "",
            };
            if !ending.is_empty()
                && let Some(name) = file.take_if(|name| name.ends_with(ending))
            {
                project.write(&name, &block);
            } else if kind == "yaml" && !settings_written {
                project.set(&block);
                settings_written = true;
            }
            language = None;
            continue;
        }
        if let Some(kind) = line.trim().strip_prefix("```") {
            language = Some(kind.to_owned());
            block.clear();
            continue;
        }
        for part in line.split('`') {
            let endings = [".sql", ".csv", ".yml"];
            let is_file = endings.iter().any(|ending| part.ends_with(ending));
            let is_one = is_file && !part.contains(['*', ' ']);
            if is_one && FOLDERS.iter().any(|folder| part.starts_with(folder)) {
                file = Some(part.to_owned());
            }
        }
    }
}
