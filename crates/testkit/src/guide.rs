//! A guide followed to the letter: its files are taken from its code blocks.

use crate::Project;

/// Folders of a project whose files a guide may hold.
const FOLDERS: [&str; 4] = ["models/", "tests/", "seeds/", "exports/"];

/// Writes what a guide says into a project: each `sql` or `csv` block to the file of that ending
/// which is named before it, and the first `yaml` block over `throughline.yml`.
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
            let is_its_block = |name: &mut String| {
                (kind == "sql" || kind == "csv") && name.ends_with(&format!(".{kind}"))
            };
            if let Some(name) = file.take_if(is_its_block) {
                project.write(&name, &block);
            }
            if kind == "yaml" && !settings_written {
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
            let is_file = part.ends_with(".sql") || part.ends_with(".csv");
            let is_one = is_file && !part.contains(['*', ' ']);
            if is_one && FOLDERS.iter().any(|folder| part.starts_with(folder)) {
                file = Some(part.to_owned());
            }
        }
    }
}
